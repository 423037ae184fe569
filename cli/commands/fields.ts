import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { type Command, Option } from 'commander'
import type { Answer } from '../../sdk/src/rollcall.ts'
import { agree } from '../given.ts'
import type { Column } from '../output.ts'
import { type Act, done, examples, group, several } from './command.ts'
import { fieldNamed } from './named.ts'

const KINDS = ['text', 'integer', 'number', 'select', 'date', 'boolean'] as const

const FIELD_COLUMNS: readonly Column<Answer<'listFields'>[number]>[] = [
  ['ID', ({ id }) => id],
  ['NAME', ({ name }) => name],
  ['MERGE TAG', ({ merge_tag }) => merge_tag],
  ['KIND', ({ type }) => type],
  ['REQUIRED', ({ required }) => required],
  ['OPTIONS', ({ options }) => options],
  ['DEFAULT', ({ default: preset }) => preset],
]

interface Given {
  name?: string
  type?: string
  tag?: string
  option?: string[]
  required?: true
  default?: string
}

/** `rollcall fields …` */
export function fieldsCommand(act: Act): Command {
  const command = group('fields', 'what is kept of each person')
  command
    .command('list')
    .description('all fields')
    .addHelpText('after', examples('rollcall fields list'))
    .action(() => act(async ({ client, out }) => out.rows(await client.fields.list(), FIELD_COLUMNS)))
  command
    .command('get')
    .description('one field, by merge tag, name or id, and how many have a value')
    .argument('<field>')
    .addHelpText('after', examples('rollcall fields get plan'))
    .action((named: string) =>
      act(async ({ client, out }) => out.one(await client.fields.get(await fieldNamed(client, named)))),
    )
  given(command.command('create').description('define a field').argument('<name>'))
    .addHelpText(
      'after',
      examples('rollcall fields create Plan --type select --option Free --option Pro --default Free'),
    )
    .action((name: string, options: Given) =>
      act(async (context) => {
        const made = await context.client.fields.create({ ...definitionOf({ type: 'text', ...options }), name })
        await done(context, made, `Made field ${made.id}: ${made.name} is {{${made.merge_tag}}}.`)
      }),
    )
  given(
    command
      .command('update')
      .description('change what a field is called or takes')
      .argument('<field>')
      .option('--name <name>'),
  )
    .addHelpText('after', examples('rollcall fields update plan --option Free --option Pro --option Team'))
    .action((named: string, options: Given) =>
      act(async (context) => {
        const change = definitionOf(options)
        if (Object.keys(change).length === 0)
          throw new Refusal('nothing is to be changed: see rollcall fields update --help')
        const changed = await context.client.fields.update(await fieldNamed(context.client, named), change)
        await done(context, changed, `Changed field ${changed.id}, ${changed.name}.`)
      }),
    )
  command
    .command('delete')
    .description('remove a field and its values')
    .argument('<field>')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall fields delete shoe_size'))
    .action((named: string, { yes }: { yes?: true }) =>
      act(async (context) => {
        const field = await context.client.fields.get(await fieldNamed(context.client, named))
        if (!yes && !(await agree(`Remove ${field.name} and its ${field.values_count} values?`, context.surroundings)))
          throw new Refusal('nothing was removed: say --yes')
        await context.client.fields.delete(field.id)
        await done(context, { deleted: field.id }, `Removed field ${field.id}, ${field.name}.`)
      }),
    )
  return command
}

function given(command: Command): Command {
  return command
    .addOption(new Option('--type <kind>', 'what its values are').choices(KINDS))
    .option('--tag <merge_tag>', 'its name in templates and requests; made from the name unless given')
    .option('--option <value>', 'of a select: a value that it takes; may be repeated', several)
    .option('--required', 'nobody is entered without it')
    .option('--default <value>', 'of who is entered without it')
}

function definitionOf({ name, type, tag, option, required, default: preset }: Given) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { type }),
    ...(tag === undefined ? {} : { merge_tag: tag }),
    ...(option === undefined ? {} : { options: option }),
    ...(required === undefined ? {} : { required }),
    ...(preset === undefined ? {} : { default: preset }),
  }
}

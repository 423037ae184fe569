import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Command } from 'commander'
import type { Answer } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { agree, readText } from '../given.ts'
import { type Column, moment } from '../output.ts'
import { printableLines } from '../text.ts'
import { type Act, done, examples, group } from './command.ts'

type Template = Answer<'listTemplates'>['data'][number]

const COLUMNS: readonly Column<Template>[] = [
  ['NAME', ({ name }) => name],
  ['VERSION', ({ version }) => (version === 0 ? 'built in' : version)],
  ['SUBJECT', ({ subject }) => subject],
  ['CHANGED', ({ updated_at }) => moment(updated_at)],
]

interface Given {
  subject?: string
  html?: string
  text?: string
}

/** `rollcall templates …` */
export function templatesCommand(act: Act): Command {
  const command = group('templates', 'texts of mails, in Liquid')
  command
    .command('list')
    .description('all templates, built-in ones too')
    .addHelpText('after', examples('rollcall templates list'))
    .action(() => act(async ({ client, out }) => out.rows((await client.call('listTemplates', {})).data, COLUMNS)))
  command
    .command('get')
    .description('one template')
    .argument('<name>')
    .addHelpText('after', examples('rollcall templates get confirm_subscription'))
    .action((name: string) =>
      act(async (context) => show(context, (await context.client.call('getTemplate', { path: { name } })).data)),
    )
  const texts = (text: Command) =>
    text
      .option('--subject <text>')
      .option('--html <text>', 'as it stands, from a file (@FILE) or stdin (-)')
      .option('--text <text>', 'as it stands, from a file (@FILE) or stdin (-)')
  texts(command.command('create').description('add a template').argument('<name>'))
    .addHelpText(
      'after',
      examples(
        'rollcall templates create welcome --subject "Hello {{contact.first_name}}" --html @welcome.html --text @welcome.txt',
      ),
    )
    .action((name: string, options: Given) =>
      act(async (context) => {
        const { subject, html, text } = await given(context, options)
        if (subject === undefined || html === undefined || text === undefined)
          throw new Refusal('a template needs --subject, --html and --text')
        const { data } = await context.client.call('createTemplate', { body: { name, subject, html, text } })
        await done(context, data, `Made the template ${name}.`)
      }),
    )
  texts(command.command('update').description('change a template: its next version').argument('<name>'))
    .addHelpText('after', examples('rollcall templates update welcome --html @welcome.html'))
    .action((name: string, options: Given) =>
      act(async (context) => {
        const body = await given(context, options)
        if (Object.keys(body).length === 0)
          throw new Refusal('nothing is to be changed: give --subject, --html or --text')
        const { data } = await context.client.call('updateTemplate', { path: { name }, body })
        await done(context, data, `${name} is at version ${data.version}.`)
      }),
    )
  command
    .command('preview')
    .description('what a template makes for someone; sends nothing')
    .argument('<name>')
    .argument('<contact>')
    .addHelpText('after', examples('rollcall templates preview welcome ada@example.com'))
    .action((name: string, contact: string) =>
      act(async (context) => {
        const made = await context.client.call('previewTemplate', { path: { name }, body: { contact } })
        if (made.undefined_variables.length > 0) context.out.note(`nobody gives ${made.undefined_variables.join(', ')}`)
        await show(context, made)
      }),
    )
  command
    .command('delete')
    .description('remove a template; a built-in one is again as it comes')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall templates delete welcome'))
    .action((name: string, { yes }: { yes?: true }) =>
      act(async (context) => {
        if (!yes && !(await agree(`Remove the template ${name}?`, context.surroundings)))
          throw new Refusal('nothing was removed: say --yes')
        await context.client.call('deleteTemplate', { path: { name } })
        await done(context, { removed: name }, `Removed ${name}.`)
      }),
    )
  return command
}

async function given({ surroundings }: Context, { subject, html, text }: Given): Promise<Given> {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(html === undefined ? {} : { html: await readText(html, surroundings) }),
    ...(text === undefined ? {} : { text: await readText(text, surroundings) }),
  }
}

/** The subject and the plain text; the HTML is in the JSON. */
async function show({ out }: Context, made: { subject: string; text: string; html: string }): Promise<void> {
  if (out.isJson) return out.json(made)
  await out.say(`Subject: ${made.subject}`)
  await out.say('')
  await out.write(`${printableLines(made.text).trimEnd()}\n`)
}

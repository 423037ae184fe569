import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Command } from 'commander'
import type { List, Rollcall } from '../../sdk/src/rollcall.ts'
import { agree, readJson } from '../given.ts'
import { positive } from '../options.ts'
import { type Column, moment } from '../output.ts'
import { type Act, done, examples, first, group } from './command.ts'
import { CONTACT_COLUMNS } from './contacts.ts'
import { listNamed } from './named.ts'

const LIST_COLUMNS: readonly Column<List>[] = [
  ['ID', ({ id }) => id],
  ['NAME', ({ name }) => name],
  ['KIND', ({ type }) => type],
  ['CONTACTS', ({ contacts_count }) => contacts_count],
  ['CHANGED', ({ updated_at }) => moment(updated_at)],
]

/** As many as the API takes in one request. */
const AT_ONCE = 1000

interface Given {
  description?: string
  criteria?: string
  name?: string
}

/** `rollcall lists …` */
export function listsCommand(act: Act): Command {
  const command = group('lists', 'lists, static and smart, and who is in them')
  command
    .command('list')
    .description('all lists')
    .option('--search <beginning>', 'only whose name begins so')
    .addHelpText('after', examples('rollcall lists list'))
    .action(({ search }: { search?: string }) =>
      act(async ({ client, out, signal }) => {
        await out.rows(await client.lists.list(search === undefined ? {} : { search }, { signal }), LIST_COLUMNS)
      }),
    )
  command
    .command('get')
    .description('one list, by name or id')
    .argument('<list>')
    .addHelpText('after', examples('rollcall lists get Newsletter'))
    .action((named: string) => act(async ({ client, out }) => out.one(await listNamed(client, named))))
  command
    .command('create')
    .description('make a list; with criteria a smart list')
    .argument('<name>')
    .option('--description <text>')
    .option('--criteria <json>', 'who is in it: JSON, a file (@FILE) or stdin (-)')
    .addHelpText(
      'after',
      examples('rollcall lists create Newsletter', `rollcall lists create Customers --criteria '{"tag":"customer"}'`),
    )
    .action((name: string, { description, criteria }: Given) =>
      act(async (context) => {
        const made = await context.client.lists.create({
          name,
          ...(description === undefined ? {} : { description }),
          ...(criteria === undefined ? {} : { criteria: await readJson(criteria, context.surroundings, 'criteria') }),
        })
        await done(context, made, `Made list ${made.id}, ${made.name}.`)
      }),
    )
  command
    .command('update')
    .description('rename or describe a list, or change its criteria')
    .argument('<list>')
    .option('--name <name>')
    .option('--description <text>')
    .option('--criteria <json>', 'who is in it: JSON, a file (@FILE) or stdin (-)')
    .addHelpText('after', examples('rollcall lists update Newsletter --name News'))
    .action((named: string, { name, description, criteria }: Given) =>
      act(async (context) => {
        const { id } = await listNamed(context.client, named)
        const changed = await context.client.lists.update(id, {
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description }),
          ...(criteria === undefined ? {} : { criteria: await readJson(criteria, context.surroundings, 'criteria') }),
        })
        await done(context, changed, `Changed list ${changed.id}, ${changed.name}.`)
      }),
    )
  command
    .command('delete')
    .description('delete a list; its contacts stay')
    .argument('<list>')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall lists delete "Old campaign"'))
    .action((named: string, { yes }: { yes?: true }) =>
      act(async (context) => {
        const { id, name, contacts_count } = await listNamed(context.client, named)
        if (
          !yes &&
          !(await agree(`Delete the list ${name} of ${contacts_count} contacts, who stay?`, context.surroundings))
        )
          throw new Refusal('nothing was deleted: say --yes')
        await context.client.lists.delete(id)
        await done(context, { deleted: id }, `Deleted list ${id}, ${name}.`)
      }),
    )
  command
    .command('members')
    .description('who is in a list')
    .argument('<list>')
    .option('--limit <count>', 'at most so many', positive, 50)
    .option('--all', 'everyone, however many')
    .addHelpText('after', examples('rollcall lists members Newsletter --all --json'))
    .action((named: string, { limit, all }: { limit: number; all?: true }) =>
      act(async ({ client, out, signal }) => {
        const list = await listNamed(client, named, signal)
        const query = { per_page: all ? AT_ONCE : Math.min(limit, AT_ONCE) }
        const members = client.lists.contacts(list.id, query, { signal })
        const shown = await out.rows(all ? members : first(members, limit), CONTACT_COLUMNS, 'Nobody is in it.')
        if (shown < list.contacts_count) out.note(`${shown} of ${list.contacts_count}: --limit or --all shows more`)
      }),
    )
  for (const [name, description, change] of [
    ['add', 'put people into a static list; a name that no list has makes one', addAll],
    ['remove', 'take people out of a static list', removeAll],
  ] as const)
    command
      .command(name)
      .description(description)
      .argument('<list>')
      .argument('<contacts...>', 'addresses, ids or ext:EXTERNAL_ID')
      .addHelpText('after', examples(`rollcall lists ${name} Newsletter ada@example.com grace@example.com`))
      .action((named: string, contacts: string[]) =>
        act(async (context) => {
          const counts = await change(context.client, named, contacts)
          const told = Object.entries(counts).flatMap(([what, count]) =>
            count > 0 ? [`${count} ${what.replaceAll('_', ' ')}`] : [],
          )
          await done(context, counts, told.join(', ') || 'nobody')
        }),
      )
  return command
}

async function addAll(client: Rollcall, named: string, contacts: readonly string[]) {
  const isId = /^\d+$/.test(named)
  const known = (await client.lists.list()).find(({ id, name }) =>
    isId ? String(id) === named : name.toLowerCase() === named.trim().toLowerCase(),
  )
  const { id } = known ?? (isId ? await listNamed(client, named) : await client.lists.create({ name: named }))
  const sums = { added: 0, already_members: 0, opted_out: 0, not_found: 0 }
  for (let at = 0; at < contacts.length; at += AT_ONCE)
    addTo(sums, await client.lists.addContacts(id, contacts.slice(at, at + AT_ONCE)))
  return sums
}

async function removeAll(client: Rollcall, named: string, contacts: readonly string[]) {
  const { id } = await listNamed(client, named)
  const sums = { removed: 0, not_members: 0, not_found: 0 }
  for (let at = 0; at < contacts.length; at += AT_ONCE)
    addTo(sums, await client.lists.removeContacts(id, contacts.slice(at, at + AT_ONCE)))
  return sums
}

function addTo<Name extends string>(sums: Record<Name, number>, more: Readonly<Record<NoInfer<Name>, number>>): void {
  for (const name of Object.keys(sums) as Name[]) sums[name] += more[name]
}

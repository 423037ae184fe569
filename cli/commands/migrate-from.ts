import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type Journal, readJournal } from '../mailtrap/journal.ts'
import { moveAll } from '../mailtrap/move.ts'
import { Source } from '../mailtrap/source.ts'
import { positive } from '../options.ts'
import { number } from '../output.ts'
import { type Act, examples, group } from './command.ts'

interface Options {
  token?: string
  account?: number
  url: string
  state?: string
}

/** `rollcall migrate-from …` */
export function migrateFromCommand(act: Act): Command {
  const command = group('migrate-from', 'move an account over from another service')
  command
    .command('mailtrap')
    .description('lists, fields and contacts of a Mailtrap account, into the account that you are logged in to')
    .option('--token <token>', 'a token of the Mailtrap account; MAILTRAP_API_TOKEN unless given')
    .option('--account <id>', 'its account id, where the token has several', positive)
    .option('--url <url>', 'another service that speaks the same API', 'https://mailtrap.io')
    .option('--state <file>', 'where it is kept how far this is; by the source unless given')
    .addHelpText(
      'after',
      `
Run again after a break, it goes on where it was. docs/migrating-from-mailtrap.md says what differs.
${examples('rollcall migrate-from mailtrap --token $MAILTRAP_API_TOKEN --account 12345')}`,
    )
    .action((options: Options) => act((context) => migrate(context, options)))
  return command
}

async function migrate(context: Context, { token, account, url, state }: Options): Promise<void> {
  const given = token ?? context.surroundings.env.MAILTRAP_API_TOKEN
  if (!given) throw new Refusal("the source's token is missing: give --token, or set MAILTRAP_API_TOKEN")
  if (!URL.canParse(url)) throw new Refusal(`${url} is no address of a service`)
  const host = new URL(url).host
  const from = `${url.replace(/\/+$/, '')}${account === undefined ? '' : ` account ${account}`}`
  const path =
    state ?? `rollcall-move-${host.replace(/[^\w.-]/g, '_')}${account === undefined ? '' : `-${account}`}.json`
  const { signal, service, client } = context
  context.whenInterrupted = `interrupted: run the same command again, and it goes on (${path})`
  const { id } = await client.call('getAccount', {}, { signal })
  const journal = readJournal(path, from, `${service.url} account ${id}`)
  const source = new Source({ url, token: given }, account, context.fetch)
  await moveAll({ context, source, journal, path })
  await report(context, journal, path)
}

async function report({ out }: Context, journal: Journal, path: string): Promise<void> {
  if (out.isJson) return out.json(journal)
  const made = (all: readonly { made: boolean }[]) =>
    `${number(all.length)}, of which ${number(all.filter((each) => each.made).length)} made now`
  await out.say(`lists   ${made(journal.lists)}`)
  await out.say(`fields  ${made(journal.fields)}`)
  for (const { name, from, to } of journal.fields)
    if (from !== to) await out.say(`        ${name} is {{${to}}} here, as {{${from}}} stands for something else`)
  if (journal.leftOut.length > 0)
    await out.say(`columns of the exports that were left out: ${journal.leftOut.join(', ')}`)
  await out.say('')
  const rows = Object.entries(journal.steps).flatMap(([key, { done, importId }]) =>
    done ? [{ key, importId, ...done }] : [],
  )
  await out.rows(rows, [
    ['WHAT', ({ key }) => titleOf(key, journal)],
    ['ROWS', ({ rows }) => number(rows)],
    ['CREATED', ({ created }) => number(created)],
    ['UPDATED', ({ updated }) => number(updated)],
    ['UNCHANGED', ({ unchanged }) => number(unchanged)],
    ['REJECTED', ({ rejected }) => number(rejected)],
    ['OTHER', ({ other }) => number(other)],
    ['IMPORT', ({ importId }) => importId],
  ])
  await out.say('')
  await out.say(`All is moved. ${path} keeps this; remove it to begin anew.`)
}

function titleOf(key: string, { lists }: Journal): string {
  const list = lists.find(({ from }) => key === `list ${from}`)
  return list ? `list ${list.name}` : key
}

import { Refusal } from '@rollcall/server/lib/refusal.ts'
import type { Command } from 'commander'
import type { Contact, ContactChange, Event } from '../../sdk/src/rollcall.ts'
import type { Context } from '../context.ts'
import { agree, readJson, settingsOf } from '../given.ts'
import { positive } from '../options.ts'
import { type Column, moment, told } from '../output.ts'
import { type Act, done, examples, first, group, several } from './command.ts'
import { explanationLines } from './explanation.ts'
import { listNamed } from './named.ts'

export const CONTACT_COLUMNS: readonly Column<Contact>[] = [
  ['EMAIL', ({ email }) => email],
  ['NAME', ({ fields }) => [fields.first_name, fields.last_name].filter(Boolean).join(' ')],
  ['STATE', ({ state }) => state],
  ['MAY BE MAILED', ({ sendable }) => (sendable.allowed ? 'yes' : `no: ${sendable.reason ?? 'not allowed'}`)],
  ['TAGS', ({ tags }) => tags],
  ['ENTERED', ({ created_at }) => moment(created_at)],
]

interface Selection {
  where?: string[]
  criteria?: string
  list?: string
  tag?: string
  state?: string
  sort?: string
  limit: number
  all?: true
}

interface Given {
  field?: string[]
  tag?: string[]
  externalId?: string
  list?: string[]
  unsubscribed?: boolean
  data?: string
}

/** `rollcall contacts …` */
export function contactsCommand(act: Act): Command {
  const command = group('contacts', 'find, read and change people')
  command
    .command('find')
    .description('find people by words, filters or criteria')
    .argument('[words]', 'a part of an address or of a name')
    .option('--where <filter>', 'a field and its value, or with an operator: "age[gte]=18"; may be repeated', several)
    .option('--criteria <json>', 'criteria as JSON, from a file (@FILE) or stdin (-)')
    .option('--list <list>', 'only members of this list, by name or id')
    .option('--tag <tag>', 'only who has this tag')
    .option('--state <state>', 'none, pending, subscribed, unsubscribed or bounced')
    .option('--sort <by>', 'email, created_at, a merge tag, …; a minus in front turns it round')
    .option('--limit <count>', 'at most so many', positive, 50)
    .option('--all', 'everyone found, however many')
    .addHelpText(
      'after',
      examples(
        'rollcall contacts find love',
        'rollcall contacts find --where plan=Pro --where "created_at[within_last]=30d"',
        `rollcall contacts find --criteria '{"not":{"tag":"customer"}}' --all --json > people.json`,
      ),
    )
    .action((words: string | undefined, options: Selection) => act((context) => find(context, words, options)))
  command
    .command('get')
    .description('one person, by address, id or ext:EXTERNAL_ID')
    .argument('<contact>')
    .addHelpText('after', examples('rollcall contacts get ada@example.com'))
    .action((contact: string) =>
      act(async ({ client, out, signal }) => show({ out }, await client.contacts.get(contact, { signal }))),
    )
  given(command.command('create').description('enter someone').argument('<email>'))
    .addHelpText(
      'after',
      examples('rollcall contacts create ada@example.com --field first_name=Ada --tag customer --list Newsletter'),
    )
    .action((email: string, options: Given) =>
      act(async (context) => {
        const { list_ids_included: list_ids, ...rest } = await changeOf(context, options)
        await show(context, await context.client.contacts.create({ ...rest, email, ...(list_ids ? { list_ids } : {}) }))
      }),
    )
  given(command.command('update').description('change someone; what is not named stays').argument('<contact>'))
    .option('--email <address>', 'another address')
    .option('--subscribed', 'undo --unsubscribed; never what the person did themselves')
    .addHelpText(
      'after',
      examples(
        'rollcall contacts update ada@example.com --field plan=Pro',
        'rollcall contacts update ada@example.com --unsubscribed',
      ),
    )
    .action((contact: string, options: Given & { email?: string; subscribed?: true }) =>
      act(async (context) => {
        const change = await changeOf(context, options)
        if (options.email !== undefined) change.email = options.email
        if (options.subscribed) change.unsubscribed = false
        if (Object.keys(change).length === 0)
          throw new Refusal('nothing is to be changed: name a --field, --tag or --email')
        // By address the API would enter whom it does not know: a slip would make somebody new.
        const { id } = await context.client.contacts.get(contact)
        await show(context, await context.client.contacts.update(id, change))
      }),
    )
  command
    .command('delete')
    .description('remove someone; `rollcall erase` also sees to it that they never come back')
    .argument('<contact>')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('rollcall contacts delete ada@example.com --yes'))
    .action((contact: string, { yes }: { yes?: true }) =>
      act(async (context) => {
        const { email } = await context.client.contacts.get(contact)
        if (!yes && !(await agree(`Remove ${told(email)}?`, context.surroundings)))
          throw new Refusal('nobody was removed: say --yes')
        await context.client.contacts.delete(contact)
        await done(context, { removed: email }, `Removed ${email}.`)
      }),
    )
  command
    .command('timeline')
    .description('what happened to someone and what they did, the latest first')
    .argument('<contact>')
    .option('--types <types>', 'only these, separated by commas, such as email_opened,subscribed')
    .option('--limit <count>', 'at most so many', positive, 50)
    .addHelpText('after', examples('rollcall contacts timeline ada@example.com --types subscribed,unsubscribed'))
    .action((contact: string, { types, limit }: { types?: string; limit: number }) =>
      act(async ({ client, out, signal }) => {
        const events = client.contacts.events(contact, types === undefined ? {} : { types }, { signal })
        await out.rows(first(events, limit), EVENT_COLUMNS, 'Nothing has happened.')
      }),
    )
  command
    .command('explain')
    .description('why someone is in a list or meets criteria, or does not')
    .argument('<contact>')
    .option('--list <list>', 'the list, by name or id')
    .option('--criteria <json>', 'criteria as JSON, from a file (@FILE) or stdin (-)')
    .addHelpText('after', examples('rollcall contacts explain ada@example.com --list "Recent customers"'))
    .action((contact: string, options: { list?: string; criteria?: string }) =>
      act((context) => explain(context, contact, options)),
    )
  return command
}

function given(command: Command): Command {
  return command
    .option('--field <tag=value>', 'the value of a field; an empty one unsets it; may be repeated', several)
    .option('--tag <tag>', 'a tag, all of which replace those there were; may be repeated', several)
    .option('--external-id <id>', 'how another system calls this person')
    .option('--list <list>', 'a list to be in, by name or id; may be repeated', several)
    .option('--unsubscribed', 'not to be mailed')
    .option('--data <json>', 'the same as JSON, as the API takes it, from a file (@FILE) or stdin (-)')
}

async function changeOf(context: Context, options: Given): Promise<ContactChange> {
  const { field = [], tag, externalId, list = [], unsubscribed, data } = options
  const base = data === undefined ? {} : ((await readJson(data, context.surroundings, 'data')) as ContactChange)
  const lists = await Promise.all(list.map((named) => listNamed(context.client, named)))
  const fields = Object.entries(settingsOf(field, '--field')).map(([name, value]) => [
    name,
    value === '' ? null : value,
  ])
  return {
    ...base,
    ...(fields.length > 0 ? { fields: { ...base.fields, ...(await typed(context, fields)) } } : {}),
    ...(tag ? { tags: tag } : {}),
    ...(externalId === undefined ? {} : { external_id: externalId || null }),
    ...(lists.length > 0 ? { list_ids_included: lists.map(({ id }) => id) } : {}),
    ...(unsubscribed ? { unsubscribed: true } : {}),
  }
}

/** Values are texts on a command line: those of numbers and booleans become what their field is. */
async function typed({ client }: Context, given: (string | null)[][]): Promise<Record<string, unknown>> {
  const known = new Map((await client.fields.list()).map(({ merge_tag, type }) => [merge_tag.toLowerCase(), type]))
  return Object.fromEntries(
    given.map(([name, value]) => {
      const type = known.get(name!.toLowerCase())
      if (typeof value !== 'string') return [name, value]
      if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(value)) return [name, Number(value)]
      if (type === 'boolean' && /^(true|false)$/.test(value)) return [name, value === 'true']
      return [name, value]
    }),
  )
}

async function find(context: Context, words: string | undefined, options: Selection): Promise<void> {
  const { client, out, signal } = context
  const { where = [], criteria, list, tag, state, sort, limit, all } = options
  const narrowed = {
    ...(list === undefined ? {} : { list_id: (await listNamed(client, list)).id }),
    ...(tag === undefined ? {} : { tag }),
    ...(state === undefined ? {} : { state }),
  }
  const common = { ...(words === undefined ? {} : { q: words }), ...(sort === undefined ? {} : { sort }) }
  const perPage = all ? 1000 : Math.min(limit, 1000)
  if (criteria !== undefined && where.length > 0) throw new Refusal('give either --where or --criteria')
  let total: { count: number; isCapped: boolean } | undefined
  let [got, isMore] = [0, false]
  const read = async (cursor: string | undefined) => {
    const page = { ...common, per_page: perPage, ...(cursor === undefined ? {} : { cursor }) }
    const answer =
      criteria === undefined
        ? await client.contacts.list({ ...page, filters: { ...narrowed, ...settingsOf(where, '--where') } }, { signal })
        : await client.contacts.search({ ...page, ...narrowed, criteria: wanted }, { signal })
    total ??= { count: answer.total, isCapped: answer.total_is_capped === true }
    got += answer.data.length
    isMore = answer.next_cursor !== null
    return answer
  }
  const wanted = criteria === undefined ? undefined : await readJson(criteria, context.surroundings, 'criteria')
  async function* found(): AsyncGenerator<Contact> {
    let cursor: string | undefined
    do {
      const page = await read(cursor)
      yield* page.data
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
  }
  const shown = await out.rows(all ? found() : first(found(), limit), CONTACT_COLUMNS, 'Nobody is found.')
  if (!total || (shown === got && !isMore)) return
  const of = total.isCapped ? `more than ${Math.max(shown, total.count)}` : total.count
  out.note(`${shown} of ${of}: --limit or --all shows more`)
}

async function show({ out }: Pick<Context, 'out'>, contact: Contact): Promise<void> {
  await out.one(contact, [
    ['email', contact.email],
    ['id', contact.id],
    ['external id', contact.external_id],
    ['state', contact.state],
    ['may be mailed', contact.sendable.allowed ? 'yes' : `no: ${contact.sendable.reason ?? 'not allowed'}`],
    ...Object.entries(contact.fields),
    ['tags', contact.tags],
    ['lists', contact.list_ids],
    ['origin', contact.origin],
    ['entered', moment(contact.created_at)],
    ['changed', moment(contact.updated_at)],
  ])
}

const EVENT_COLUMNS: readonly Column<Event>[] = [
  ['AT', ({ at }) => moment(at)],
  ['WHAT', ({ types, name }) => (name === undefined ? types : `${types.join(', ')} ${name}`)],
  ['DETAILS', ({ data }) => (Object.keys(data).length === 0 ? '' : data)],
  ['CHANGE', ({ change_set_id }) => change_set_id],
]

async function explain(
  context: Context,
  contact: string,
  options: { list?: string; criteria?: string },
): Promise<void> {
  const { client, out, surroundings } = context
  if ((options.list === undefined) === (options.criteria === undefined))
    throw new Refusal('say what is to be explained: --list or --criteria')
  const answer =
    options.list === undefined
      ? await client.call('explainCriteria', {
          body: { contact, criteria: await readJson(options.criteria!, surroundings, 'criteria') },
        })
      : await client.call('explainMember', {
          path: { contact, list_id: (await listNamed(client, options.list)).id },
        })
  if (out.isJson) return out.json(answer)
  await out.say(
    (answer.matches ? 'Yes.' : 'No.') +
      (answer.changes_at ? ` Time alone will change this at ${moment(answer.changes_at)}.` : ''),
  )
  for (const line of explanationLines(answer.explanation)) await out.say(line)
}

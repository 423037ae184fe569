import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import sql from 'sql-template-tag'
import type { Database, Trx } from '../db/database.ts'
import { type Act, record } from '../features/activity/record.ts'
import { loadFields } from '../features/fields/field-set.ts'
import { createField } from '../features/fields/fields.ts'
import { createImport, findImport } from '../features/imports/imports.ts'
import { runImport } from '../features/imports/run.ts'
import { createList, readLists } from '../features/lists/lists.ts'
import type { FileStore, FilesAt } from '../files/store.ts'
import type { Caller } from '../http/caller.ts'
import { Refusal } from '../lib/refusal.ts'
import type { Keyring } from '../lib/secret.ts'
import { activityOf } from './activity.ts'
import { type Person, PLANS, people } from './people.ts'

export interface DemoParts {
  db: Database
  files: FileStore
  filesAt: FilesAt
  keyring: Keyring
  keepFileDays: number
}

export interface Demo {
  contacts: number
  lists: number
  events: number
  /** Whether there was nothing left to do. */
  wasThere: boolean
}

const FILE_NAME = 'demo-people.csv'
/** Events of one row in the outbox, which so is no bulk act: each is of a day and a person of its own. */
const EVENTS_AT_ONCE = 1000

const FIELDS = [
  { name: 'Company', merge_tag: 'company', type: 'text' },
  { name: 'Plan', merge_tag: 'plan', type: 'select', options: PLANS },
  { name: 'Seats', merge_tag: 'seats', type: 'integer' },
  { name: 'City', merge_tag: 'city', type: 'text' },
  { name: 'Birthday', merge_tag: 'birthday', type: 'date' },
]

const LISTS = [
  { name: 'Newsletter', description: 'Once a month' },
  { name: 'Product updates', description: 'What is new, as it comes' },
  { name: 'Beta testers', description: 'They see it first' },
]

/** Made last, and in one transaction with what people did: where they are, all is there. */
const SMART_LISTS = [
  {
    name: 'Engaged',
    description: 'Opened a mail in the last 30 days',
    criteria: { event: 'email_opened', within: '30d' },
  },
  {
    name: 'Customers gone quiet',
    description: 'They pay, and have not been here for 60 days',
    criteria: { all: [{ tag: 'customer' }, { not: { event: 'UserLogin', within: '60d' } }] },
  },
  {
    name: 'Large teams',
    description: 'Worth a call',
    criteria: {
      all: [
        { field: 'plan', op: 'in', value: ['Team', 'Enterprise'] },
        { field: 'seats', op: 'gte', value: 20 },
      ],
    },
  },
  {
    name: 'Birthdays this week',
    description: 'Time for a card',
    criteria: { field: 'birthday', op: 'anniversary_within', value: '7d' },
  },
]

/**
 * Fills an account with people, lists and months of activity, by the functions that requests run. Goes on where an earlier
 * call was cut off; where all is there it changes nothing. Throws a Refusal for an account that has other people.
 */
export async function fillDemo(parts: DemoParts, accountId: number, now = Date.now()): Promise<Demo> {
  const { db } = parts
  const today = Math.floor(now / 86_400_000) * 86_400_000
  const caller: Caller = { accountId, actor: 'system', ip: null }
  await refuseOthers(db, accountId)
  const lists = await readLists(db, accountId, undefined)
  const wasThere = lists.some(({ name }) => name === SMART_LISTS[0]!.name)
  if (!wasThere) {
    await db.transaction((trx) => define(trx, accountId, new Set(lists.map(({ name }) => name))))
    await bringIn(parts, caller, today)
    await db.transaction((trx) => letThemAct(trx, accountId, today))
  }
  return { ...(await counted(db, accountId)), wasThere }
}

async function refuseOthers(db: Database, accountId: number): Promise<void> {
  const [row] = await db.query<{ others: boolean }>(sql`
    select exists (
      select from contacts where account_id = ${accountId} and (external_id is null or external_id not like 'demo-%')
    ) as others`)
  if (row!.others)
    throw new Refusal(
      `account ${accountId} has people of its own: make another one with rollcall account create, and name it with --account`,
    )
}

async function define(trx: Trx, accountId: number, known: ReadonlySet<string>): Promise<void> {
  const fields = await loadFields(trx, accountId)
  for (const field of FIELDS) if (!fields.tagged(field.merge_tag)) await createField(trx, accountId, field)
  for (const list of LISTS) if (!known.has(list.name)) await createList(trx, { accountId, actor: 'system' }, list)
}

/** By an import, as a file of theirs would come. */
async function bringIn(parts: DemoParts, caller: Caller, today: number): Promise<void> {
  const { db, files, filesAt, keyring, keepFileDays } = parts
  const text = csvOf(today)
  const fileKey = `${caller.accountId}/uploads/${randomUUID()}`
  const fileBytes = await files.write(fileKey, Readable.from([Buffer.from(text)]))
  const { id } = await db.transaction((trx) =>
    createImport(trx, caller, {
      source: 'file',
      fileKey,
      fileName: FILE_NAME,
      fileBytes,
      fileSha256: createHash('sha256').update(text).digest('hex'),
      options: { format: 'csv', update_existing: true, consent: { source: 'Sign-up form' } },
    }),
  )
  const thread = { databaseUrl: db.url, filesAt }
  const isOver = async () => false
  await runImport(
    { db, files, thread, keyring, keepFileDays, isOver },
    caller.accountId,
    id,
    new AbortController().signal,
  )
  const { phase, problem } = await findImport(db, caller.accountId, id)
  if (phase !== 'finished') throw new Error(`the import of the demonstration is ${phase}: ${problem}`)
}

const COLUMNS = [
  ...['external_id', 'email', 'first_name', 'last_name', 'company', 'plan', 'seats', 'city', 'birthday'],
  ...['state', 'tags', 'lists', 'created_at'],
] as const

function csvOf(today: number): string {
  const cell = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`
  const line = (person: Person) => {
    const row: Record<string, unknown> = {
      ...person,
      tags: person.tags.join(','),
      lists: person.lists.join(','),
      created_at: new Date(person.created_at).toISOString(),
    }
    return COLUMNS.map((column) => cell(row[column])).join(',')
  }
  return `${[COLUMNS.join(','), ...[...people(today)].map(line)].join('\n')}\n`
}

async function letThemAct(trx: Trx, accountId: number, today: number): Promise<void> {
  const rows = await trx.query<{ id: string; external_id: string }>(sql`
    select id, external_id from contacts where account_id = ${accountId} and external_id like 'demo-%' order by id for update`)
  const ids = new Map(rows.map(({ id, external_id }) => [external_id, id]))
  const there = [...people(today)].filter(({ external_id }) => ids.has(external_id))
  const acts: Act[] = activityOf(there, ({ external_id }) => ids.get(external_id)!, today)
  for (let at = 0; at < acts.length; at += EVENTS_AT_ONCE) record(trx, accountId, acts.slice(at, at + EVENTS_AT_ONCE))
  for (const list of SMART_LISTS) await createList(trx, { accountId, actor: 'system' }, list)
}

async function counted(db: Database, accountId: number): Promise<Omit<Demo, 'wasThere'>> {
  const [row] = await db.query<Omit<Demo, 'wasThere'>>(sql`
    select (select count(*) from contacts where account_id = ${accountId}) as contacts,
      (select count(*) from lists where account_id = ${accountId}) as lists,
      (select count(*) from events where account_id = ${accountId} and contact_id is not null) as events`)
  return row!
}

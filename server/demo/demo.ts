import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import sql from 'sql-template-tag'
import type { Config } from '../config.ts'
import type { Database, Trx } from '../db/database.ts'
import { findAccount } from '../features/accounts/accounts.ts'
import { forgetAllBefore } from '../features/criteria/before.ts'
import { loadFields } from '../features/fields/field-set.ts'
import { createField } from '../features/fields/fields.ts'
import { createForm } from '../features/forms/forms.ts'
import { createImport, findImport } from '../features/imports/imports.ts'
import { runImport } from '../features/imports/run.ts'
import { createList, type ListInput, readLists } from '../features/lists/lists.ts'
import { baseOf } from '../features/mail/mail-room.ts'
import { createHook } from '../features/providers/hooks.ts'
import type { FileStore, FilesAt } from '../files/store.ts'
import type { Caller } from '../http/caller.ts'
import { textsIn } from '../languages/languages.ts'
import { Refusal } from '../lib/refusal.ts'
import type { Keyring } from '../lib/secret.ts'
import { moveImport, placeAll, unplace } from './move.ts'
import { DAY_MS, FILES, importedAt, type Person, PLANS, people } from './people.ts'
import { writeStories } from './rows.ts'
import { type Names, stories, TOLD_DAYS } from './story.ts'

export interface DemoParts {
  db: Database
  files: FileStore
  filesAt: FilesAt
  keyring: Keyring
  keepFileDays: number
  /** What links in mails begin with. */
  base: string
  /** CONFIRMATION_DAYS. */
  confirmationDays: number
}

/** The parts, of what a process has. */
export function demoParts({
  config,
  ...others
}: Pick<DemoParts, 'db' | 'files' | 'filesAt' | 'keyring'> & { config: Config }): DemoParts {
  const { UPLOAD_RETENTION_DAYS: keepFileDays, CONFIRMATION_DAYS: confirmationDays } = config
  return { ...others, keepFileDays, confirmationDays, base: baseOf(config) }
}

export interface Demo {
  contacts: number
  lists: number
  events: number
  /** Whether there was nothing left to do. */
  wasThere: boolean
}

/** Since when there are lists and the form, in days before today. */
const FIRST_DAY = 421

const FIELDS = [
  { name: 'Company', merge_tag: 'company', type: 'text' },
  { name: 'Plan', merge_tag: 'plan', type: 'select', options: PLANS },
  { name: 'Seats', merge_tag: 'seats', type: 'integer' },
  { name: 'City', merge_tag: 'city', type: 'text' },
  { name: 'Birthday', merge_tag: 'birthday', type: 'date' },
]

const FORM = {
  name: 'Newsletter',
  fields: [{ field: 'first_name', required: true }, { field: 'last_name' }, { field: 'company' }, { field: 'city' }],
  introduction: 'Once a month: what is new, and how others use it.',
}

const LISTS = [
  { name: 'Newsletter', description: 'Once a month' },
  { name: 'Product updates', description: 'What is new, as it comes' },
  { name: 'Beta testers', description: 'They see it first' },
]

/** Made in one transaction with all that happened: where they are, all is there. */
const SMART_LISTS: Record<keyof Names['smart'], ListInput> = {
  engaged: {
    name: 'Engaged',
    description: 'Opened a mail in the last 30 days',
    criteria: { event: 'email_opened', within: '30d' },
  },
  quiet: {
    name: 'Customers gone quiet',
    description: 'They pay, and have not been here for 60 days',
    criteria: { all: [{ tag: 'customer' }, { not: { event: 'UserLogin', within: '60d' } }] },
  },
  large: {
    name: 'Large teams',
    description: 'Worth a call',
    criteria: {
      all: [
        { field: 'plan', op: 'in', value: ['Team', 'Enterprise'] },
        { field: 'seats', op: 'gte', value: 20 },
      ],
    },
  },
  birthday: {
    name: 'Birthdays this week',
    description: 'Time for a card',
    criteria: { field: 'birthday', op: 'anniversary_within', value: '7d' },
  },
}

/**
 * Fills an account with people, lists and more than a year of what happened to them, so that every page has something to show.
 * Files are brought in by the functions that requests run, and then moved to the day on which they are said to have come; all else
 * is written as these functions would have. Goes on where an earlier call was cut off; where all is there it changes nothing. Throws a
 * Refusal for an account that has other people.
 */
export async function fillDemo(parts: DemoParts, accountId: number, now = Date.now()): Promise<Demo> {
  const { db } = parts
  const today = Math.floor(now / DAY_MS) * DAY_MS
  const caller: Caller = { accountId, actor: 'system', ip: null }
  const lists = await readLists(db, accountId, undefined)
  const wasThere = lists.some(({ name }) => name === SMART_LISTS.engaged.name)
  if (!wasThere) {
    await refuseOthers(db, accountId)
    await db.transaction((trx) => define(trx, accountId, new Set(lists.map(({ name }) => name))))
    const everybody = [...people(today)]
    const imports = new Map<number, number>()
    for (const [file, { name }] of FILES.entries())
      imports.set(
        file,
        await bringIn(
          parts,
          caller,
          file,
          everybody.filter(({ way }) => way === file),
          name,
        ),
      )
    await makeMonths(db, today)
    await db.transaction((trx) => writePast(trx, parts, caller, { everybody, imports, today, now }))
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

/** Brings in one file of people, unless that is done; answers which import it was. */
async function bringIn(
  parts: DemoParts,
  caller: Caller,
  file: number,
  rows: readonly Person[],
  fileName: string,
): Promise<number> {
  const { db, files, filesAt, keyring, keepFileDays } = parts
  const { accountId } = caller
  const [before] = await db.query<{ id: number }>(sql`
    select i.id from imports as i join change_sets as s on s.account_id = ${accountId} and s.id = i.id
    where i.account_id = ${accountId} and i.file_name = ${fileName} and s.phase = 'finished' limit 1`)
  if (before) return before.id
  const text = csvOf(rows)
  const fileKey = `${accountId}/uploads/${randomUUID()}`
  const fileBytes = await files.write(fileKey, Readable.from([Buffer.from(text)]))
  const consent = { source: FILES[file]!.source }
  const { id } = await db.transaction((trx) =>
    createImport(trx, caller, {
      ...{ source: 'file', fileKey, fileName, fileBytes, fileSha256: createHash('sha256').update(text).digest('hex') },
      options: { format: 'csv', update_existing: true, consent },
    }),
  )
  const thread = { databaseUrl: db.url, filesAt }
  const isOver = async () => false
  await runImport({ db, files, thread, keyring, keepFileDays, isOver }, accountId, id, new AbortController().signal)
  const { phase, problem } = await findImport(db, accountId, id)
  if (phase !== 'finished') throw new Error(`the import of the demonstration is ${phase}: ${problem}`)
  return id
}

const COLUMNS = [
  ...['external_id', 'email', 'first_name', 'last_name', 'company', 'plan', 'seats', 'city', 'birthday'],
  ...['tags', 'lists'],
] as const

function csvOf(rows: readonly Person[]): string {
  const cell = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`
  const line = (person: Person) => {
    const row: Record<string, unknown> = { ...person, tags: person.tags.join(','), lists: person.lists.join(',') }
    return COLUMNS.map((column) => cell(row[column])).join(',')
  }
  return `${[COLUMNS.join(','), ...rows.map(line)].join('\n')}\n`
}

/** Room for events of back then; in a transaction of its own, as others wait for it. */
function makeMonths(db: Database, today: number): Promise<void> {
  const first = new Date(today - FIRST_DAY * DAY_MS).toISOString().slice(0, 10)
  return db.transaction(async (trx) => {
    trx.send(`select pg_advisory_xact_lock(hashtext('make_event_partitions'))`)
    await trx.query(sql`select make_event_partitions(${first}::date, ${Math.ceil(FIRST_DAY / 28)}::int)`)
  })
}

interface Past {
  everybody: readonly Person[]
  /** Which import brought in which file. */
  imports: ReadonlyMap<number, number>
  today: number
  now: number
}

/** All but the files, and the files' place in it: in one transaction, as without the one the other is no story. */
async function writePast(trx: Trx, parts: DemoParts, caller: Caller, past: Past): Promise<void> {
  const { accountId } = caller
  const { everybody, imports, today, now } = past
  // Nothing of the account gets a place in the feed meanwhile.
  await trx.query(sql`select position from feed_heads where account_id = ${accountId} for update`)
  forgetAllBefore(trx, accountId)
  await unplace(trx, accountId, [...imports.values()])
  for (const [file, importId] of imports) await moveImport(trx, accountId, importId, importedAt(today, file))
  const rows = await trx.query<{ id: string; external_id: string }>(sql`
    select id, external_id from contacts where account_id = ${accountId} and external_id like 'demo-%' order by id for update`)
  const known = new Map(rows.map(({ id, external_id }) => [external_id, id]))
  const names = await nameAll(trx, parts, caller, today)
  const { keyring, base, confirmationDays: days } = parts
  const told = [...stories(everybody, names, today, now)]
  await writeStories({ trx, keyring, accountId, base, days, now, names }, told, known)
  await countHook(trx, accountId, names.hook)
  await placeAll(trx, accountId)
}

/** Makes what the story names, each as old as it is there. */
async function nameAll(trx: Trx, { keyring }: DemoParts, caller: Caller, today: number): Promise<Names> {
  const { accountId } = caller
  const ours = (await readLists(trx, accountId, undefined)).filter(({ name }) =>
    LISTS.some((list) => list.name === name),
  )
  const lists = Object.fromEntries(ours.map(({ name, id }) => [name, id]))
  const form = await createForm(trx, caller, { ...FORM, list_ids: [lists.Newsletter!] })
  const { row: hook } = await createHook(trx, keyring, accountId, 'generic', { name: 'Newsletters' })
  const engaged = (await createList(trx, caller, SMART_LISTS.engaged)).id
  const quiet = (await createList(trx, caller, SMART_LISTS.quiet)).id
  const large = (await createList(trx, caller, SMART_LISTS.large)).id
  const birthday = (await createList(trx, caller, SMART_LISTS.birthday)).id
  const smart = { engaged, quiet, large, birthday }
  const [begun, told] = [FIRST_DAY, TOLD_DAYS].map((days) => new Date(today - days * DAY_MS))
  const old = (at: Date | undefined) => sql`created_at = ${at}, updated_at = ${at}`
  trx.send(
    sql`update lists set ${old(begun)} where account_id = ${accountId} and id = any(${Object.values(lists)}::bigint[])`,
  )
  trx.send(
    sql`update lists set ${old(told)} where account_id = ${accountId} and id = any(${Object.values(smart)}::bigint[])`,
  )
  trx.send(sql`update forms set ${old(begun)} where account_id = ${accountId} and id = ${form.id}`)
  trx.send(sql`
    update audit_log set at = ${begun} where account_id = ${accountId} and action = 'form_created' and data -> 'form_id' = to_jsonb(${form.id}::bigint)`)
  trx.send(sql`update provider_hooks set ${old(told)} where account_id = ${accountId} and id = ${hook.id}`)
  const fields = await loadFields(trx, accountId)
  const { name: account } = await findAccount(trx, accountId)
  const texts = textsIn('en')
  return {
    ...{ lists, smart, form: { id: form.id, version: form.version }, hook: hook.id, account },
    keys: Object.fromEntries(fields.active.map(({ mergeTag, key }) => [mergeTag, key])),
    wording: {
      form: texts.signUpConsent(account),
      confirm: texts.confirmListsAsk(account, ['Newsletter']),
      leave: texts.unsubscribeAsk(account),
    },
  }
}

/** What the hook has taken is what there is of it. */
async function countHook(trx: Trx, accountId: number, hookId: number): Promise<void> {
  await trx.query(sql`
    update provider_hooks set received = told.count, recorded = told.count, last_received_at = told.last
    from (select count(*) as count, max(at) as last from events where account_id = ${accountId} and data -> 'hook_id' = to_jsonb(${hookId}::bigint)) as told
    where account_id = ${accountId} and id = ${hookId}`)
}

async function counted(db: Database, accountId: number): Promise<Omit<Demo, 'wasThere'>> {
  const [row] = await db.query<Omit<Demo, 'wasThere'>>(sql`
    select (select count(*) from contacts where account_id = ${accountId}) as contacts,
      (select count(*) from lists where account_id = ${accountId}) as lists,
      (select count(*) from events where account_id = ${accountId} and contact_id is not null) as events`)
  return row!
}

import sql from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { LANGUAGES, NOT_SPOKEN } from '../../languages/names.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { isStorable } from '../../lib/text.ts'
import { audit, differences } from './audit.ts'
import { type AccountSettings, isTimeZone, settingsFrom } from './settings.ts'

export interface Account {
  id: number
  name: string
  settings: AccountSettings
  createdAt: Date
  updatedAt: Date
}

interface AccountRow {
  id: number
  name: string
  settings: Partial<AccountSettings>
  created_at: Date
  updated_at: Date
}

const COLUMNS = sql`id, name, settings, created_at, updated_at`

function accountFrom(row: AccountRow): Account {
  const { id, name, settings, created_at: createdAt, updated_at: updatedAt } = row
  return { id, name, settings: settingsFrom(settings), createdAt, updatedAt }
}

/** Makes an account with the fields that everybody has, and its place in the feed. `id` only for the very first. */
export async function createAccount(db: Database, given: { name: string; id?: number }): Promise<Account> {
  const name = given.name.trim()
  if (name === '' || name.length > 255 || !isStorable(name)) throw invalid({ name: ['must have 1 to 255 characters'] })
  return db.transaction(async (trx) => {
    const [row] = await trx.query<AccountRow>(
      given.id === undefined
        ? sql`insert into accounts (name) values (${name}) returning ${COLUMNS}`
        : sql`insert into accounts (id, name) values (${given.id}, ${name}) on conflict (id) do nothing returning ${COLUMNS}`,
    )
    if (!row) return findAccount(trx, given.id!)
    // An id given by hand does not move the sequence, which would then give it out a second time.
    if (given.id !== undefined) {
      trx.send(
        sql`select setval(pg_get_serial_sequence('accounts', 'id'), greatest(${given.id}, (select max(id) from accounts)))`,
      )
    }
    trx.send(sql`insert into feed_heads (account_id) values (${row.id})`)
    trx.send(sql`
      insert into fields (account_id, name, merge_tag, key, type)
      values (${row.id}, 'First name', 'first_name', 'first_name', 'text'), (${row.id}, 'Last name', 'last_name', 'last_name', 'text')`)
    return accountFrom(row)
  })
}

/** Throws not_found. */
export async function findAccount(db: Queryable, accountId: number): Promise<Account> {
  const [row] = await db.query<AccountRow>(sql`select ${COLUMNS} from accounts where id = ${accountId}`)
  if (!row) throw notFound()
  return accountFrom(row)
}

/** All of them, for whoever runs the service. */
export async function listAccounts(db: Queryable): Promise<Account[]> {
  return (await db.query<AccountRow>(sql`select ${COLUMNS} from accounts order by id`)).map(accountFrom)
}

export type AccountPatch = Partial<Omit<AccountSettings, 'retention'>> & {
  name?: string
  retention?: Partial<AccountSettings['retention']>
}

/** Changes the name and whichever settings are given, and notes from what to what. Throws `invalid`. */
export async function updateAccount(trx: Trx, caller: Caller, patch: AccountPatch): Promise<Account> {
  const { accountId } = caller
  const { name, ...settings } = patch
  if (name !== undefined && name.trim() === '') throw invalid({ name: ["can't be blank"] })
  if (settings.language !== undefined && !LANGUAGES.includes(settings.language))
    throw invalid({ language: [NOT_SPOKEN] })
  if (settings.time_zone !== undefined && !isTimeZone(settings.time_zone)) {
    throw invalid({ time_zone: ['is not a time zone: write an IANA name such as Europe/Berlin'] })
  }
  const retention = JSON.stringify(settings.retention ?? {})
  const [held] = await trx.query<AccountRow>(sql`
    select ${COLUMNS} from accounts where id = ${accountId} for no key update`)
  if (!held) throw notFound()
  const [row] = await trx.query<AccountRow>(sql`
    update accounts
    set name = coalesce(${name?.trim() ?? null}, name), settings = settings || ${JSON.stringify(settings)}::jsonb
      || case when ${retention} = '{}' then '{}' else jsonb_build_object('retention', coalesce(settings -> 'retention', '{}') || ${retention}::jsonb) end,
      updated_at = statement_timestamp()
    where id = ${accountId}
    returning ${COLUMNS}`)
  const [before, account] = [accountFrom(held), accountFrom(row!)]
  const changed = differences({ name: before.name, ...before.settings }, { name: account.name, ...account.settings })
  if (Object.keys(changed).length > 0) audit(trx, caller, 'account_updated', changed)
  return account
}

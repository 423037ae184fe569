import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { momentOf } from '../../lib/ids.ts'
import { BY_MACHINES, isOfKind } from './compile-event.ts'
import type { EventCondition } from './parse-event.ts'

/** The types of which `happened_before` says whether they have ever happened to a contact; its columns have their names. */
const SUMMED = [
  'email_sent',
  'email_delivered',
  'email_opened',
  'email_clicked',
  'email_bounced',
  'email_complained',
  'custom',
] as const

const isSummed = (type: string) => (SUMMED as readonly string[]).includes(type)

const COLUMNS = raw(SUMMED.join(', '))
const OF_ANY = isOfKind({ types: [...SUMMED], names: [], machine: true })

/** Of the events of one contact, `events as e`: which of these there are, as the columns. */
const FOUND = join(
  SUMMED.map((type) => sql`bool_or(${isOfKind({ types: [type], names: [], machine: false })}) as ${raw(type)}`),
)
const TOGETHER = raw(SUMMED.map((type) => `${type} = h.${type} or excluded.${type}`).join(', '))
/** What was found says nothing that is not known. */
const IS_KNOWN = raw(SUMMED.map((type) => `h.${type} >= found.${type}`).join(' and '))

/**
 * `(select contact_id …)`: the contacts with an event that the condition counts, from what is summed up and the events since; undefined for
 * a condition that asks for more than that it ever happened.
 * @param those Which events those are, over `events as e`, the account among them.
 */
export function whoEver(accountId: number, condition: EventCondition, those: Sql): Sql | undefined {
  const { types, names, within, params, machine } = condition
  if (within || names.length > 0 || params.length > 0 || types.length === 0 || !types.every(isSummed)) return undefined
  // Where one of several types is without machines', so are the others in the same condition.
  const some = types.filter((type) => BY_MACHINES.includes(type)).length
  if (some > 0 && (machine || some < types.length)) return undefined
  const until = sql`(select until from happened_until where account_id = ${accountId})`
  return sql`(
    select h.contact_id from happened_before as h
    where h.account_id = ${accountId} and (${raw(types.map((type) => `h.${type}`).join(' or '))}) and ${until} is not null
    union all
    select e.contact_id from events as e
    where ${those} and e.id >= coalesce(${until}, '00000000-0000-0000-0000-000000000000'))`
}

/**
 * Sums up, for every account, what happened before today (by UTC). Once a day there is something to do: to read a day's events. Of an
 * account that has nothing summed up yet all are read, a month at a time.
 */
export async function sumUpAll(db: Database): Promise<void> {
  const [day] = await db.query<{ begins: Date }>(
    sql`select date_trunc('day', clock_timestamp() at time zone 'UTC') at time zone 'UTC' as begins`,
  )
  const { begins } = day!
  const behind = await db.query<{ id: number }>(sql`
    select a.id from accounts as a left join happened_until as u on u.account_id = a.id
    where u.until is null or u.until < id_floor(${begins}::timestamptz) order by a.id`)
  const faults: unknown[] = []
  // One after the other, as nobody waits for it; one that fails keeps no other account from it.
  for (const { id } of behind) await sumUp(db, id, begins).catch((error: unknown) => faults.push(error))
  if (faults.length > 0) throw faults[0]
}

/**
 * Sums up what happened in an account before a moment, from where that was left.
 * @returns whether it was: not as long as a transaction is open that began before the moment, as that may have recorded
 * events which are not seen yet
 */
export async function sumUp(db: Database, accountId: number, until: Date): Promise<boolean> {
  for (;;) {
    const done = await db.transaction((trx) => sumUpMonth(trx, accountId, until))
    if (done !== 'more') return done === 'all'
  }
}

async function sumUpMonth(trx: Trx, accountId: number, until: Date): Promise<'all' | 'more' | 'not now'> {
  await trx.query(holding(accountId, 'alone'))
  const [state] = await trx.query<{ until: string | null; first: string | null; is_open: boolean }>(sql`
    select (select until from happened_until where account_id = ${accountId}) as until,
      (select id from events where account_id = ${accountId} order by id limit 1) as first,
      exists (
        select from pg_stat_activity
        where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid() and xact_start < ${until}::timestamptz) as is_open`)
  const { until: reached, first, is_open } = state!
  if (is_open) return 'not now'
  // What was summed up before all of it was forgotten.
  if (reached === null) trx.send(sql`delete from happened_before where account_id = ${accountId}`)
  const since = reached ?? first
  const next = since === null ? until : earlier(until, nextMonth(momentOf(since)))
  if (since !== null)
    trx.send(sql`
      insert into happened_before as h (account_id, contact_id, ${COLUMNS})
      select ${accountId}::bigint, contact_id, ${COLUMNS}
      from (
        select e.contact_id, ${FOUND} from events as e
        where e.account_id = ${accountId} and e.contact_id is not null and ${OF_ANY}
          and e.id >= ${since}::uuid and e.id < id_floor(${next}::timestamptz)
        group by e.contact_id) as found
      where not exists (
        select from happened_before as h where h.account_id = ${accountId} and h.contact_id = found.contact_id and ${IS_KNOWN})
      on conflict (account_id, contact_id) do update set ${TOGETHER}`)
  trx.send(sql`
    insert into happened_until (account_id, until) values (${accountId}, id_floor(${next}::timestamptz))
    on conflict (account_id) do update set until = greatest(happened_until.until, excluded.until)`)
  return next < until ? 'more' : 'all'
}

/**
 * Sums up anew what happened to these contacts: for whoever removes events of theirs, or changes whether one counts, in the same
 * transaction, of `read committed`.
 */
export function sumUpAnew(trx: Trx, accountId: number, contactIds: readonly string[]): void {
  trx.send(holding(accountId, 'alone'))
  trx.send(ofThese(accountId, contactIds))
  trx.send(sql`
    insert into happened_before (account_id, contact_id, ${COLUMNS})
    select ${accountId}::bigint, e.contact_id, ${FOUND} from events as e
    where e.account_id = ${accountId} and e.contact_id = any(${[...contactIds]}::uuid[]) and ${OF_ANY}
      and e.id < (select until from happened_until where account_id = ${accountId})
    group by e.contact_id`)
}

/** Forgets what happened to contacts who are removed with their events, in the same transaction, of `read committed`. */
export function forgetBefore(trx: Trx, accountId: number, contactIds: readonly string[]): void {
  trx.send(holding(accountId, 'together'))
  trx.send(ofThese(accountId, contactIds))
}

function ofThese(accountId: number, contactIds: readonly string[]): Sql {
  return sql`delete from happened_before where account_id = ${accountId} and contact_id = any(${[...contactIds]}::uuid[])`
}

/**
 * Forgets all that was summed up of an account, and keeps it from being summed up until the transaction ends: for whoever removes
 * very many events, or writes some with ids of the past.
 */
export function forgetAllBefore(trx: Trx, accountId: number): void {
  trx.send(holding(accountId, 'alone'))
  trx.send(sql`delete from happened_until where account_id = ${accountId}`)
}

/**
 * Whoever sums up is alone with an account until the transaction ends, a few seconds at most. Who is removed may go beside others, but
 * not while a sum is made that still knows of them.
 */
function holding(accountId: number, how: 'alone' | 'together'): Sql {
  const lock = raw(how === 'alone' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared')
  return sql`select ${lock}(hashtextextended('happened_before', ${accountId}::bigint))`
}

function nextMonth(moment: Date): Date {
  return new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1))
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other
}

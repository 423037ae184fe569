import type { FastifyBaseLogger } from 'fastify'
import sql, { raw, type Sql } from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { type Account, listAccounts } from '../accounts/accounts.ts'
import { audit } from '../accounts/audit.ts'
import { forgetAllBefore, sumUpAnew } from '../criteria/before.ts'
import { expireExports } from '../exports/housekeeping.ts'
import { removeOldUploads } from '../imports/retention.ts'
import { droppingEvents, removingEvents } from '../lists/forgotten.ts'

/** Rows removed in one transaction. */
const AT_ONCE = 10_000

const DAY_MS = 86_400_000

interface Parts {
  db: Database
  files: FileStore
  log: Pick<FastifyBaseLogger, 'info'>
}

/** What went, by what it was. */
type Removed = Record<string, number>

/**
 * Removes what is no longer kept. Events, mails, and the rows of change sets: by each account's setting `retention`, in whole
 * days of UTC; null keeps them. Uploads and exports: by the service's UPLOAD_RETENTION_DAYS and EXPORT_RETENTION_HOURS, as
 * was settled when each ended. A month of events that no account keeps any more is dropped as a whole, which takes no time;
 * of others each account's rows go in batches. Says what went in the log, and to each account in its audit log. What fails
 * keeps nothing else from going; then it throws the first failure.
 */
export async function applyRetention({ db, files, log }: Parts, now = new Date()): Promise<void> {
  const accounts = await listAccounts(db)
  const removed = new Map(accounts.map(({ id }): [number, Removed] => [id, {}]))
  const failures: unknown[] = []
  const attempt = (act: () => Promise<unknown>) => act().catch((error: unknown) => failures.push(error))
  const note = (what: string, counts: ReadonlyMap<number, number>) => {
    for (const [accountId, count] of counts) {
      const those = removed.get(accountId)
      if (those && count > 0) those[what] = count
    }
  }

  await attempt(async () => note('uploads', await removeOldUploads(db, files)))
  await attempt(async () => note('exports', await expireExports(db, files, now)))
  await attempt(async () => {
    const months = await dropMonths(db, accounts, now)
    if (months.length > 0) log.info({ months }, 'retention: months of events that no account keeps were dropped')
  })
  for (const account of accounts) {
    for (const [what, act] of Object.entries(ACTS))
      await attempt(async () => note(what, new Map([[account.id, await act(db, account, now)]])))
  }

  for (const [accountId, those] of removed) {
    if (Object.keys(those).length === 0) continue
    log.info({ accountId, removed: those }, 'retention: removed what is no longer kept')
    await attempt(() =>
      db.transaction(async (trx) => audit(trx, { accountId, actor: 'system', ip: null }, 'retention_applied', those)),
    )
  }
  if (failures.length > 0) throw failures[0]
}

/** The midnight since which so many whole days have passed: so an account's rows go once a day, not every hour a few. */
function before(days: number, now: Date): Date {
  return new Date(Math.floor(now.getTime() / DAY_MS - days) * DAY_MS)
}

/** Each answers how many rows went. */
const ACTS: Record<string, (db: Database, account: Account, now: Date) => Promise<number>> = {
  async events(db, { id, settings }, now) {
    const { events_days: days } = settings.retention
    if (days === null) return 0
    const old = sql`account_id = ${id} and id < id_floor(${before(days, now)}::timestamptz)`
    const removal = removingEvents(id, sql`select id from events where ${old} order by id limit ${AT_ONCE}`)
    return inBatches(db, async (trx) => {
      const [gone] = await trx.query<{ count: number; contact_ids: string[] }>(removal)
      if (gone!.contact_ids.length > 0) sumUpAnew(trx, id, gone!.contact_ids)
      return gone!.count
    })
  },
  async mails(db, { id, settings }, now) {
    const { mails_days: days } = settings.retention
    if (days === null) return 0
    const old = sql`account_id = ${id} and phase <> 'queued' and id < id_floor(${before(days, now)}::timestamptz)`
    return inBatches(
      db,
      counting(
        sql`delete from messages where account_id = ${id} and id = any(array(select id from messages where ${old} order by id limit ${AT_ONCE}))`,
      ),
    )
  },
  /** Those of acts that ended so long ago; the act stays with its numbers, and says that it can't be taken back any more. */
  async change_rows(db, { id: accountId, settings }, now) {
    const { changes_days: days } = settings.retention
    if (days === null) return 0
    // Also those of which a process that ended has left some.
    const sets = await db.query<{ id: number }>(sql`
      select id from change_sets as s where account_id = ${accountId} and finished_at < ${before(days, now)} and (
        not options ? 'rows_forgotten' or exists (select from change_rows as r where r.account_id = ${accountId} and r.change_set_id = s.id))`)
    await db.query(sql`
      update change_sets set options = options || '{"rows_forgotten": true}'
      where account_id = ${accountId} and id = any(${sets.map(({ id }) => id)}::bigint[]) and not options ? 'rows_forgotten'`)
    let rows = 0
    for (const { id } of sets)
      for (const [table, key] of KEPT_IN)
        rows += await inBatches(
          db,
          counting(sql`delete from ${table} where account_id = ${accountId} and ctid = any(array(
            select ctid from ${table} where account_id = ${accountId} and change_set_id = ${id} order by ${key} limit ${AT_ONCE}))`),
        )
    return rows
  },
}

/** Where rows of acts are, each in the order in which they are found without a look at any other. */
const KEPT_IN = [
  [sql`only change_rows`, sql`line`],
  [sql`unchanged_rows`, sql`contact_id, line`],
] as const

function counting(removal: Sql) {
  return async (trx: Trx): Promise<number> => {
    const [gone] = await trx.query<{ count: number }>(
      sql`with gone as (${removal} returning 1) select count(*) as count from gone`,
    )
    return gone!.count
  }
}

async function inBatches(db: Database, removal: (trx: Trx) => Promise<number>): Promise<number> {
  for (let rows = 0; ; ) {
    const count = await db.transaction(removal)
    rows += count
    if (count < AT_ONCE) return rows
  }
}

/** Drops partitions whose every event is older than any account keeps. Does not wait behind a long reader: the next hour will do. */
async function dropMonths(db: Database, accounts: readonly Account[], now: Date): Promise<string[]> {
  const kept = accounts.map(({ settings }) => settings.retention.events_days)
  if (kept.length === 0 || kept.includes(null)) return []
  const partitions = await db.query<{ name: string; ends: string | null }>(sql`
    select child.oid::regclass::text as name, substring(pg_get_expr(child.relpartbound, child.oid) from 'TO \\(''([0-9a-f-]+)''\\)') as ends
    from pg_inherits join pg_class as child on child.oid = inhrelid where inhparent = 'events'::regclass order by 1`)
  const longest = Math.max(...kept.map(Number))
  const [floor] = await db.query<{ id: string }>(sql`select id_floor(${before(longest, now)}::timestamptz) as id`)
  const old = partitions.filter(({ ends }) => ends !== null && ends <= floor!.id).map(({ name }) => name)
  for (const name of old)
    await db.transaction(async (trx) => {
      trx.send(`set local lock_timeout = '2s'`)
      trx.send(droppingEvents(raw(name)))
      for (const { id } of accounts) forgetAllBefore(trx, id)
      trx.send(sql`drop table ${raw(name)}`)
    })
  return old
}

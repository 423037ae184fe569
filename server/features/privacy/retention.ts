import type { FastifyBaseLogger } from 'fastify'
import sql, { raw, type Sql } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { listAccounts } from '../accounts/accounts.ts'

/** Rows removed in one transaction: a fifth of a second. */
const AT_ONCE = 10_000

const DAY_MS = 86_400_000

/**
 * Removes what accounts no longer keep by their setting `retention`: events, mails, and the rows of change sets, each with
 * its own number of days; null keeps them. A month of events that no account keeps any more is dropped as a whole, which
 * takes no time; of others each account's rows go in batches. Says what it has removed. Uploads and exports have periods
 * of the service (UPLOAD_RETENTION_DAYS, EXPORT_RETENTION_HOURS) and see to themselves.
 */
export async function applyRetention(
  db: Database,
  log: Pick<FastifyBaseLogger, 'info'>,
  now = new Date(),
): Promise<void> {
  const before = (days: number) => new Date(now.getTime() - days * DAY_MS)
  const accounts = await listAccounts(db)
  const keptDays = accounts.map(({ settings }) => settings.retention.events_days)
  if (keptDays.length > 0 && keptDays.every((days) => days !== null)) {
    const months = await dropMonths(db, before(Math.max(...keptDays)))
    if (months.length > 0) log.info({ months }, 'retention: months of events that no account keeps were dropped')
  }
  for (const { id: accountId, settings } of accounts) {
    const { events_days, mails_days, changes_days } = settings.retention
    const of = sql`account_id = ${accountId}`
    const removed: Record<string, number> = {}
    if (events_days !== null) {
      const old = sql`${of} and id < id_floor(${before(events_days)}::timestamptz)`
      removed.events = await inBatches(
        db,
        sql`delete from events where account_id = ${accountId} and id = any(array(select id from events where ${old} order by id limit ${AT_ONCE}))`,
      )
    }
    if (mails_days !== null) {
      const old = sql`${of} and phase <> 'queued' and id < id_floor(${before(mails_days)}::timestamptz)`
      removed.mails = await inBatches(
        db,
        sql`delete from messages where account_id = ${accountId} and id = any(array(select id from messages where ${old} order by id limit ${AT_ONCE}))`,
      )
    }
    if (changes_days !== null) removed.change_rows = await forgetChanges(db, accountId, before(changes_days))
    const some = Object.fromEntries(Object.entries(removed).filter(([, rows]) => rows > 0))
    if (Object.keys(some).length > 0)
      log.info({ accountId, removed: some }, 'retention: removed what is no longer kept')
  }
}

async function inBatches(db: Database, statement: Sql): Promise<number> {
  for (let rows = 0; ; ) {
    const [gone] = await db.query<{ count: number }>(
      sql`with gone as (${statement} returning 1) select count(*) as count from gone`,
    )
    rows += gone!.count
    if (gone!.count < AT_ONCE) return rows
  }
}

/** The rows of acts that ended so long ago; the act stays with its numbers, and says that it can't be taken back any more. */
async function forgetChanges(db: Database, accountId: number, before: Date): Promise<number> {
  const sets = await db.query<{ id: number }>(sql`
    update change_sets set options = options || '{"rows_forgotten": true}'
    where account_id = ${accountId} and finished_at < ${before} and not options ? 'rows_forgotten' returning id`)
  let rows = 0
  for (const { id } of sets)
    rows += await inBatches(
      db,
      sql`delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and line = any(array(
        select line from change_rows where account_id = ${accountId} and change_set_id = ${id} order by line limit ${AT_ONCE}))`,
    )
  return rows
}

/** Drops partitions that end before a moment. Does not wait behind a long reader: the next hour will do. */
async function dropMonths(db: Database, before: Date): Promise<string[]> {
  const partitions = await db.query<{ name: string; ends: string | null }>(sql`
    select child.relname as name, substring(pg_get_expr(child.relpartbound, child.oid) from 'TO \\(''([0-9a-f-]+)''\\)') as ends
    from pg_inherits join pg_class as child on child.oid = inhrelid where inhparent = 'events'::regclass order by 1`)
  const [floor] = await db.query<{ id: string }>(sql`select id_floor(${before}::timestamptz) as id`)
  const old = partitions.filter(({ ends }) => ends !== null && ends <= floor!.id).map(({ name }) => name)
  for (const name of old)
    await db.transaction(async (trx) => {
      trx.send(`set local lock_timeout = '2s'`)
      trx.send(sql`drop table ${raw(`"${name}"`)}`)
    })
  return old
}

import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { repeat } from '../../lib/repeat.ts'

const EVERY_MS = 3_600_000
/** Months of events that are ready before they begin. */
const MONTHS_AHEAD = 3
/** How long the answer to a repeated request is kept. */
const ANSWERS_KEPT = '24 hours'

/**
 * Forgets answers that no one will ask for again, and makes the partitions of this month and the coming ones. Each month
 * by itself: one that can't be made now leaves its events to the default partition, and does not keep the others away.
 */
export async function keepHouse(db: Database, now = new Date()): Promise<void> {
  await forgetAnswers(db, now)
  const faults: unknown[] = []
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead))
    await makeMonth(db, month).catch((error: unknown) => faults.push(error))
  }
  if (faults.length > 0) throw faults[0]
}

/** By account, as every statement that writes has one: some accounts' rows may be on another machine than others'. */
async function forgetAnswers(db: Database, now: Date): Promise<void> {
  const old = sql`created_at < ${now}::timestamptz - ${ANSWERS_KEPT}::interval`
  const accounts = await db.query<{ id: number }>(
    sql`select distinct account_id as id from idempotency_keys where ${old}`,
  )
  await Promise.all(
    accounts.map(({ id }) => db.query(sql`delete from idempotency_keys where account_id = ${id} and ${old}`)),
  )
}

/**
 * One process at a time, as the second would find the name taken. It does not wait behind a long reader of events, for
 * then everyone else would wait behind it: the next hour will do.
 */
function makeMonth(db: Database, month: Date): Promise<void> {
  return db.transaction(async (trx) => {
    trx.send(`select pg_advisory_xact_lock(hashtext('make_event_partitions'))`)
    trx.send(`set local lock_timeout = '2s'`)
    trx.send(sql`select make_event_partitions(${month.toISOString().slice(0, 10)}::date, 0)`)
  })
}

/** Keeps house now and every hour; `others` are what later features have to see to. */
export function startHousekeeping(
  db: Database,
  onError: (error: unknown) => void,
  others: readonly (() => Promise<void>)[] = [],
) {
  return repeat(EVERY_MS, () => Promise.all([() => keepHouse(db), ...others].map((act) => act().catch(onError))))
}

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import sql, { type Sql } from 'sql-template-tag'
import type { Database, Trx } from '../db/database.ts'

/**
 * Waits until so many connections of this database wait for a lock that another one holds, with a statement that names
 * `what`, if given. Fails after 60 s.
 */
export async function waitsForLocks(db: Database, connections: number, what = ''): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    const [waiting] = await db.query<{ count: number }>(sql`
      select count(*) as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and strpos(query, ${what}) > 0`)
    if (waiting!.count >= connections) return
    await sleep(20)
  }
  throw new Error('nobody waits for a lock')
}

/** Does `work` while another connection holds what this statement locks; whoever needs it waits until then. */
export async function whileHeld<T>(db: Database, lock: Sql, work: () => Promise<T>): Promise<T> {
  let result: T | undefined
  const held = db.transaction(async (trx: Trx) => {
    await trx.query(lock)
    result = await work()
    throw new Error('let go')
  })
  await assert.rejects(held, /let go/)
  return result!
}

import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Database } from '../db/database.ts'

/** Waits until so many connections of this database wait for a lock that another one holds. Fails after 60 s. */
export async function waitsForLocks(db: Database, connections: number): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    const [waiting] = await db.query<{ count: number }>(sql`
      select count(*) as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    if (waiting!.count >= connections) return
    await sleep(20)
  }
  throw new Error('nobody waits for a lock')
}

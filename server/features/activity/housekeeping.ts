import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'

const EVERY_MS = 3_600_000
/** Months of events that are ready before they begin. */
const MONTHS_AHEAD = 3
/** How long the answer to a repeated request is kept. */
const ANSWERS_KEPT = '24 hours'

/** Makes the coming months' partitions, and forgets answers that no one will ask for again. */
export async function keepHouse(db: Database): Promise<void> {
  await db.query(sql`select make_event_partitions((clock_timestamp() at time zone 'UTC')::date, ${MONTHS_AHEAD})`)
  await db.query(sql`delete from idempotency_keys where created_at < now() - ${ANSWERS_KEPT}::interval`)
}

/** Keeps house now and every hour. Two processes doing so at once do no harm: one of them finds the work done. */
export function startHousekeeping(db: Database, onError: (error: unknown) => void) {
  let running: Promise<void> = Promise.resolve()
  const look = () => {
    running = keepHouse(db).catch(onError)
  }
  look()
  const timer = setInterval(look, EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

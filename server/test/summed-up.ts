import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../db/database.ts'
import { sumUp } from '../features/criteria/before.ts'

/** Has an account's events summed up before a moment (as far as they are recorded by now), once no transaction is open that began before. */
export async function summedUp(db: Database, accountId: number, until = new Date()): Promise<void> {
  while (!(await sumUp(db, accountId, until))) await delay(20)
}

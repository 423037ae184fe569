import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { OpenHook } from './hooks.ts'

/** Events from before are not taken: whether they have been taken already is not known any more. */
export const OLDEST_DAYS = 30

/** Longer than that, so that nothing can be told again between one end and the other. */
const KEPT_DAYS = 35

/** Half a SHA-256 as a UUID: enough to tell ids apart, and nothing can be read from it. */
export function keyOf(id: string): string {
  const hex = hash('sha256', id).slice(0, 32)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Notes ids as taken and answers those that were not. Who notes the same at this moment is waited for. */
export async function notTakenYet(trx: Trx, hook: OpenHook, keys: readonly string[]): Promise<Set<string>> {
  // In one order, so that two who take the same wait for each other instead of deadlocking.
  const rows = await trx.query<{ key: string }>(sql`
    insert into provider_events (account_id, hook_id, key)
    select ${hook.accountId}::bigint, ${hook.id}::bigint, key from unnest(${[...keys].sort()}::uuid[]) as key
    on conflict do nothing returning key`)
  return new Set(rows.map(({ key }) => key))
}

/** Forgets ids whose events would be too old to be taken again. */
export async function forgetTaken(db: Database, now = new Date()): Promise<void> {
  const old = sql`at < ${now}::timestamptz - make_interval(days => ${KEPT_DAYS})`
  const accounts = await db.query<{ id: number }>(
    sql`select distinct account_id as id from provider_events where ${old}`,
  )
  for (const { id } of accounts) await db.query(sql`delete from provider_events where account_id = ${id} and ${old}`)
}

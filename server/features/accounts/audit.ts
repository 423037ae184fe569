import { isDeepStrictEqual } from 'node:util'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { isObject } from '../../lib/json.ts'

export interface AuditRow {
  id: number
  at: Date
  actor: string
  ip: string | null
  action: string
  data: Record<string, unknown>
}

/** Notes who did what by hand. `data` names rows and numbers, never a person: what is noted outlives them. Sent, not awaited. */
export function audit(trx: Trx, { accountId, actor, ip }: Caller, action: string, data: Record<string, unknown>): void {
  trx.send(sql`
    insert into audit_log (account_id, actor, ip, action, data)
    values (${accountId}, ${actor}, ${ip}, ${action}, ${JSON.stringify(data)})`)
}

/** Notes what a user did, or what was done with them, in each account that they may enter. Sent, not awaited. */
export function auditUser(
  trx: Trx,
  { userId, ip, actor = `user:${userId}` }: { userId: number; ip: string | null; actor?: string },
  action: string,
  data: Record<string, unknown> = {},
): void {
  trx.send(sql`
    insert into audit_log (account_id, actor, ip, action, data)
    select account_id, ${actor}, ${ip}::inet, ${action}, ${JSON.stringify(data)}::jsonb
    from account_users where user_id = ${userId}`)
}

/** From what to what, by name: where two states of the same thing differ. Objects within are gone through, lists are not. */
export function differences(before: object, after: object): Record<string, unknown> {
  const found = Object.entries(after).flatMap(([name, to]): [string, unknown][] => {
    const from = (before as Record<string, unknown>)[name]
    if (isObject(from) && isObject(to)) {
      const within = differences(from, to)
      return Object.keys(within).length > 0 ? [[name, within]] : []
    }
    return isDeepStrictEqual(from, to) ? [] : [[name, { from, to }]]
  })
  return Object.fromEntries(found)
}

/** The latest first. */
export async function listAudit(
  db: Queryable,
  accountId: number,
  limit: number,
  offset: number,
): Promise<{ rows: AuditRow[]; total: number }> {
  const [rows, [total]] = await Promise.all([
    db.query<AuditRow>(sql`
      select id, at, actor, host(ip) as ip, action, data from audit_log where account_id = ${accountId}
      order by id desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from audit_log where account_id = ${accountId}`),
  ])
  return { rows, total: total!.count }
}

import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'

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

/** Notes what a user did that concerns each account that they may enter. Sent, not awaited. */
export function auditUser(
  trx: Trx,
  { userId, ip }: { userId: number; ip: string | null },
  action: string,
  data: Record<string, unknown> = {},
): void {
  trx.send(sql`
    insert into audit_log (account_id, actor, ip, action, data)
    select account_id, ${`user:${userId}`}, ${ip}::inet, ${action}, ${JSON.stringify(data)}::jsonb
    from account_users where user_id = ${userId}`)
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

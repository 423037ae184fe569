import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'

export type Consent = 'granted' | 'withdrawn'

/** Adds to the ledger what an API caller asserts about this person. Sent, not awaited. */
export function assertConsent(trx: Trx, caller: Caller, contactId: string, action: Consent): void {
  trx.send(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor, ip)
    values (${caller.accountId}, ${contactId}, ${action}, 'asserted', 'api', ${caller.actor}, ${caller.ip})`)
}

export interface ConsentRow {
  id: string
  action: Consent
  grade: 'observed' | 'asserted'
  source: string
  actor: string
  ip: string | null
  data: Record<string, unknown>
  at: Date
}

/** What a person's permission rests on, the latest first. */
export async function listConsents(
  db: Queryable,
  accountId: number,
  contactId: string,
  limit: number,
  offset: number,
): Promise<{ rows: ConsentRow[]; total: number }> {
  const which = sql`account_id = ${accountId} and contact_id = ${contactId}`
  const [rows, [total]] = await Promise.all([
    db.query<ConsentRow>(sql`
      select id, action, grade, source, actor, host(ip) as ip, data, at from consents where ${which}
      order by at desc, id desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from consents where ${which}`),
  ])
  return { rows, total: total!.count }
}

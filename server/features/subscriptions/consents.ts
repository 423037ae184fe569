import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'

export type Consent = 'granted' | 'withdrawn'

/** Adds to the ledger what an API caller asserts about this person. Sent, not awaited. */
export function assertConsent(trx: Trx, caller: Caller, contactId: string, action: Consent): void {
  trx.send(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor, ip)
    values (${caller.accountId}, ${contactId}, ${action}, 'asserted', 'api', ${caller.actor}, ${caller.ip})`)
}

import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'

export interface Consent {
  contactId: string
  action: 'granted' | 'withdrawn'
}

/** Adds to the ledger what an API caller asserts about these people. Sent, not awaited. */
export function assertConsents(trx: Trx, caller: Caller, consents: readonly Consent[]): void {
  if (consents.length === 0) return
  trx.send(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor, ip)
    select ${caller.accountId}, contact_id, action, 'asserted', 'api', ${caller.actor}, ${caller.ip}::inet
    from unnest(${consents.map((consent) => consent.contactId)}::uuid[], ${consents.map((consent) => consent.action)}::text[])
      as given (contact_id, action)`)
}

import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Standing } from './states.ts'

export type Consent = 'granted' | 'withdrawn'

/** What a caller asserts by bringing someone into this state; undefined: nothing, as when an older withdrawal decides. */
export function assertedBy({ state, state_reason }: Standing): Consent | undefined {
  if (state === 'subscribed') return 'granted'
  return state === 'unsubscribed' && state_reason === 'caller' ? 'withdrawn' : undefined
}

/** Adds to the ledger what an API caller asserts about this person. Sent, not awaited. */
export function assertConsent(trx: Trx, caller: Caller, contactId: string, action: Consent): void {
  trx.send(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor, ip)
    values (${caller.accountId}, ${contactId}, ${action}, 'asserted', 'api', ${caller.actor}, ${caller.ip})`)
}

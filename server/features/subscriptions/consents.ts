import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Standing } from './states.ts'

export interface Consent {
  contactId: string
  action: 'granted' | 'withdrawn'
}

/** What a caller asserts by bringing someone into this state; undefined: nothing, as when an older withdrawal decides. */
export function assertedBy({ state, state_reason }: Standing): Consent['action'] | undefined {
  if (state === 'subscribed') return 'granted'
  return state === 'unsubscribed' && state_reason === 'caller' ? 'withdrawn' : undefined
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

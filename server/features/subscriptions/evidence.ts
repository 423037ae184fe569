import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Consent } from './consents.ts'

/** How we know of a word that a person has given: on our own pages, or because a caller says so. */
export interface Evidence {
  grade: 'observed' | 'asserted'
  /** Where: `api`, `form`, `confirm_page`, `unsubscribe_page`, `preferences_page`, `one_click`. */
  source: string
  /** Who told us: `token:ID`, or `person`. */
  actor: string
  ip: string | null
  /** What else proves it: the wording that was shown, the browser, the list. */
  data?: Record<string, unknown>
}

/** Adds a person's word to the ledger. Sent, not awaited. */
export function keepWord(trx: Trx, accountId: number, contactId: string, action: Consent, evidence: Evidence): void {
  const { grade, source, actor, ip, data = {} } = evidence
  trx.send(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor, ip, data)
    values (${accountId}, ${contactId}, ${action}, ${grade}, ${source}, ${actor}, ${ip}, ${JSON.stringify(data)})`)
}

import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import type { ContactRef } from '../../lib/contact-ref.ts'
import type { Keyring } from '../../lib/secret.ts'
import { recording } from '../activity/record.ts'
import { isReferred } from '../activity/referred.ts'
import { forgetBefore } from '../criteria/before.ts'
import type { State, StateReason } from '../subscriptions/states.ts'
import { leaveWithdrawn } from '../subscriptions/suppressions.ts'
import { type Precondition, readContact } from './contact.ts'
import { awaitNotes } from './removal-lock.ts'

interface Removal {
  accountId: number
  /** The change set this is part of; null for one contact by itself. */
  changeSetId: number | null
  /** Who removes: for the suppressions that withdrawals leave. */
  source: string
  keyring: Keyring
  /** Whose state has this reason leaves no mark: when the act that set it is itself taken back. */
  unmarked?: StateReason
  /** Whether it is a part of something large, so that small acts overtake it. */
  isBulk?: boolean
}

/** Removes the contact that a path names. Throws contacts_not_found, and what the precondition throws. */
export async function removeContact(
  trx: Trx,
  ref: ContactRef,
  removal: Removal,
  precondition?: Precondition,
): Promise<void> {
  const { accountId } = removal
  if (precondition)
    trx.send(sql`select from contacts as c where c.account_id = ${accountId} and ${isReferred(ref)} for update`)
  const row = await readContact(trx, accountId, ref)
  if (row) await precondition?.(row)
  const gone = row ? await removeContacts(trx, [row.id], removal) : []
  if (gone.length === 0) throw new AppError('contacts_not_found', 'Contact(s) not found')
}

/**
 * Removes contacts from everywhere: the one place that knows where a person stands. What stays is a `deleted` event with
 * ids only, the feed positions of the earlier events, change rows without what they said of the person, and, for those
 * who were unsubscribed or bounced, an HMAC of the address. Unknown ids are passed over.
 * @returns the ids removed
 */
export async function removeContacts(
  trx: Trx,
  ids: readonly string[],
  { accountId, changeSetId, source, keyring, unmarked, isBulk }: Removal,
): Promise<string[]> {
  const removed = await trx.query<{ id: string; email: string; state: State; state_reason: string | null }>(sql`
    with held as (
      select id from contacts where account_id = ${accountId} and id = any(${[...ids]}::uuid[]) order by id for update
    )
    delete from contacts as c using held where c.account_id = ${accountId} and c.id = held.id
    returning c.id, c.email, c.state, c.state_reason`)
  if (removed.length === 0) return []
  const gone = removed.map((contact) => contact.id)
  const marked = removed.filter(({ state_reason }) => unmarked === undefined || state_reason !== unmarked)
  // Of a complaint a mark is left, not the address: also where it stands in a list that was brought along, and so never
  // made them unsubscribed.
  const complaints = await trx.query<{ email: string; is_in_force: boolean }>(sql`
    delete from suppressions
    where account_id = ${accountId} and kind = 'address' and reason = 'complaint' and value = any(${removed.map(({ email }) => email)}::text[])
    returning value as email, expires_at is null or expires_at > now() as is_in_force`)
  const complained = complaints
    .filter(({ is_in_force }) => is_in_force)
    .map(({ email }) => ({ email, state: 'unsubscribed' as const }))
  leaveWithdrawn(trx, keyring, accountId, [...marked, ...complained], source)
  for (const table of HOLDS_CONTACTS) {
    trx.send(sql`delete from ${table} where account_id = ${accountId} and contact_id = any(${gone}::uuid[])`)
  }
  forgetBefore(trx, accountId, gone)
  awaitNotes(trx, accountId)
  trx.send(sql`
    update change_rows set email = null, input = null, before = null, after = null, problem = null
    where account_id = ${accountId} and contact_id = any(${gone}::uuid[])`)
  // What a webhook's receiver has answered may quote the person; the messages themselves are not kept.
  trx.send(sql`
    update deliveries set
      contact_ids = array(select id from unnest(contact_ids) as id where id <> all(${gone}::uuid[])),
      attempts = (select coalesce(jsonb_agg(attempt || '{"answer": null}' order by nth), '[]')
        from jsonb_array_elements(attempts) with ordinality as a (attempt, nth))
    where account_id = ${accountId} and contact_ids && ${gone}::uuid[]`)
  trx.send(sql`
    with ${recording(
      accountId,
      sql`select id as contact_id, '{deleted}'::text[] as types, null::text as name, null::timestamptz as at, '{}'::jsonb as data from unnest(${gone}::uuid[]) as gone (id)`,
      changeSetId,
      isBulk,
    )} select`)
  return gone
}

/** Tables whose rows are about one contact and go with it; `test/orphans.test.ts` finds one that is missing here. */
const HOLDS_CONTACTS = [
  sql`list_members`,
  sql`consents`,
  sql`confirmations`,
  sql`messages`,
  sql`soft_bounces`,
  sql`events`,
]

import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { Evidence } from './evidence.ts'
import { holdAnyList, leave, leaveList } from './leave.ts'
import type { Leaving } from './links.ts'
import { type Held, holdStandings } from './standing.ts'
import { leaveWithdrawn, marksOf } from './suppressions.ts'

/**
 * Whoever got a mail leaves by its link: the contact, and whoever has the address now. Where nobody has it, the word is kept
 * for whoever comes to: a person who was removed and says no today is not to come in as subscribed tomorrow. A link bound to
 * a list that is gone, perhaps into another, leaves all mail.
 */
export async function leaveByLink(trx: Trx, keyring: Keyring, leaving: Leaving, evidence: Evidence): Promise<void> {
  const { accountId, email } = leaving
  const listId = leaving.listId !== null && (await holdAnyList(trx, accountId, leaving.listId)) ? leaving.listId : null
  let people = await holdConcerned(trx, leaving)
  let isKept = true
  // Told by who is held, as whoever had the address a moment ago may have been removed while we waited for them.
  if (people.every((person) => person.email !== email)) {
    // The address, too: who is entering or erasing it at this moment is waited for, and who comes later waits for this.
    await waitForAddresses(trx, accountId, [email])
    if (listId === null) leaveWithdrawn(trx, keyring, accountId, [{ email, state: 'unsubscribed' }], evidence.source)
    // Of who was erased nothing is written down anew: what stays of them keeps them out of all lists.
    else isKept = (await marksOf(trx, keyring, accountId, [email])).get(email) !== 'erased'
    people = await holdConcerned(trx, leaving)
  }
  if (listId === null) leave(trx, accountId, people, evidence)
  else await leaveList(trx, accountId, listId, people, evidence, isKept ? [email] : [])
}

/** The contact that a link was made for, and whoever has its address; held. */
async function holdConcerned(trx: Trx, { accountId, contactId, email }: Leaving): Promise<Held[]> {
  const found = await trx.query<{ id: string }>(sql`
    select id from contacts where account_id = ${accountId} and id = ${contactId}::uuid
    union select id from contacts where account_id = ${accountId} and email = ${email}`)
  return holdStandings(
    trx,
    accountId,
    found.map(({ id }) => id),
  )
}

/** An address's unique key is the lock: to enter it waits for whoever else is doing so. Addresses that nobody has. */
export async function waitForAddresses(trx: Trx, accountId: number, emails: readonly string[]): Promise<void> {
  const made = await trx.query<{ id: string }>(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}::bigint, email, 'unsubscribed', 'link' from unnest(${[...emails].sort()}::text[]) as email
    on conflict (account_id, email) do nothing returning id`)
  if (made.length > 0)
    await trx.query(sql`
      delete from contacts where account_id = ${accountId} and id = any(${made.map(({ id }) => id)}::uuid[])`)
}

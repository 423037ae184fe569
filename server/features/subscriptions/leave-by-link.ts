import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { Evidence } from './evidence.ts'
import { holdAnyList, leave, leaveList } from './leave.ts'
import type { Leaving } from './links.ts'
import { holdStandings } from './standing.ts'
import { leaveWithdrawn } from './suppressions.ts'

/**
 * Whoever got a mail leaves by its link: the contact, and whoever has the address now. Where nobody has it, the word is kept
 * for whoever comes to: a person who was removed and says no today is not to come in as subscribed tomorrow. A link bound to
 * a list that is gone, perhaps into another, leaves all mail.
 */
export async function leaveByLink(trx: Trx, keyring: Keyring, leaving: Leaving, evidence: Evidence): Promise<void> {
  const { accountId, email } = leaving
  const listId = leaving.listId !== null && (await holdAnyList(trx, accountId, leaving.listId)) ? leaving.listId : null
  if ((await concerned(trx, leaving)).every((person) => person.email !== email)) {
    // Their word first, then the address: who is entering it at this moment is waited for, who comes later finds the word.
    if (listId === null) leaveWithdrawn(trx, keyring, accountId, [{ email, state: 'unsubscribed' }], evidence.source)
    else
      trx.send(sql`
      insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${listId}, ${email}) on conflict do nothing`)
    await waitForAddresses(trx, accountId, [email])
  }
  const ids = (await concerned(trx, leaving)).map(({ id }) => id)
  const people = await holdStandings(trx, accountId, ids)
  if (listId === null) leave(trx, accountId, people, evidence)
  else await leaveList(trx, accountId, listId, people, evidence, [email])
}

function concerned(trx: Trx, { accountId, contactId, email }: Leaving): Promise<{ id: string; email: string }[]> {
  return trx.query(sql`
    select id, email from contacts where account_id = ${accountId} and id = ${contactId}::uuid
    union select id, email from contacts where account_id = ${accountId} and email = ${email}`)
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

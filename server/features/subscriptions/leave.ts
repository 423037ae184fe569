import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { record } from '../activity/record.ts'
import { cancelMails } from '../mail/messages.ts'
import { voidConfirmations } from './confirmations.ts'
import { type Evidence, keepWord } from './evidence.ts'
import { type Held, setStanding } from './standing.ts'
import { move } from './transitions.ts'

/** People leave by their own act. Their rows are held. Who has left already is left alone. */
export function leave(trx: Trx, accountId: number, people: readonly Held[], evidence: Evidence): void {
  for (const person of people) {
    const outcome = move(person, 'person_leaves')
    if (outcome === undefined || 'refused' in outcome) continue
    setStanding(trx, accountId, person, outcome.standing)
    if (outcome.consent) keepWord(trx, accountId, person.id, outcome.consent, evidence)
  }
  const ids = people.map(({ id }) => id)
  voidConfirmations(trx, accountId, ids)
  cancelMails(trx, accountId, ids)
}

/**
 * People leave one list by their own act: they are out of it, and nothing but another act of theirs lets them back. The
 * list is held, then their rows. Who has left it already is left alone.
 * @param emails Addresses that leave it whoever has them, beside those of the people.
 */
export async function leaveList(
  trx: Trx,
  accountId: number,
  listId: number,
  people: readonly Held[],
  evidence: Evidence,
  emails: readonly string[] = [],
): Promise<void> {
  const addresses = [...new Set([...people.map(({ email }) => email), ...emails])]
  const left = await trx.query<{ email: string }>(sql`
    insert into list_opt_outs (account_id, list_id, email)
    select ${accountId}, ${listId}, email from unnest(${addresses}::text[]) as email
    on conflict do nothing returning email`)
  const out = await trx.query<{ contact_id: string }>(sql`
    delete from list_members
    where account_id = ${accountId} and list_id = ${listId} and contact_id = any(${people.map(({ id }) => id)}::uuid[])
    returning contact_id`)
  for (const { id, email } of people) {
    const isOut = out.some(({ contact_id }) => contact_id === id)
    if (!isOut && !left.some((address) => address.email === email)) continue
    record(trx, accountId, [
      {
        contactId: id,
        types: ['list_removed'],
        data: { opted_out: [listId], ...(isOut ? { lists: { removed: [listId] } } : {}) },
      },
    ])
    keepWord(trx, accountId, id, 'withdrawn', { ...evidence, data: { ...evidence.data, list_id: listId } })
  }
}

/** Sees to it that a list exists until the transaction ends; false when it does not. */
export async function holdAnyList(trx: Trx, accountId: number, listId: number): Promise<boolean> {
  const rows = await trx.query(
    sql`select id from lists where account_id = ${accountId} and id = ${listId} for key share`,
  )
  return rows.length > 0
}

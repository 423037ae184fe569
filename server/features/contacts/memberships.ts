import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { invalid, notFound } from '../../lib/app-error.ts'

/**
 * Sees to it that these lists exist and go on existing until the transaction ends. Throws `invalid` under `place` for
 * those that do not, and for smart lists, whose members are whoever meets their criteria. Answers whether one of them wants
 * that people confirm.
 */
export async function holdLists(
  trx: Trx,
  accountId: number,
  listIds: readonly number[],
  place = 'list_ids',
): Promise<boolean> {
  if (listIds.length === 0) return false
  const rows = await trx.query<{ id: number; smart: boolean; double_opt_in: boolean }>(sql`
    select id, criteria is not null as smart, double_opt_in from lists
    where account_id = ${accountId} and id = any(${[...listIds]}) order by id for key share`)
  const missing = listIds.filter((id) => !rows.some((row) => row.id === id))
  const smart = rows.filter((row) => row.smart).map((row) => row.id)
  if (missing.length > 0) throw invalid({ [place]: [`not found: ${missing.join(', ')}`] })
  if (smart.length > 0)
    throw invalid({ [place]: [`can't be changed by hand, as their members follow from criteria: ${smart.join(', ')}`] })
  return rows.some((row) => row.double_opt_in)
}

/** The same for the one list that a path names. Throws not_found, and `invalid` for a smart list. */
export async function holdList(trx: Trx, accountId: number, listId: number): Promise<void> {
  const [row] = await trx.query<{ smart: boolean }>(sql`
    select criteria is not null as smart from lists where account_id = ${accountId} and id = ${listId} for key share`)
  if (!row) throw notFound()
  if (row.smart)
    throw invalid({ base: ["is a smart list: its members follow from its criteria and can't be changed by hand"] })
}

/** Puts one contact into lists, but for those it is in and those it has left by its own act; answers where it came in. */
export async function enterLists(
  trx: Trx,
  accountId: number,
  contact: { id: string; email: string },
  listIds: readonly number[],
) {
  if (listIds.length === 0) return []
  const rows = await trx.query<{ list_id: number }>(sql`
    insert into list_members (account_id, list_id, contact_id)
    select ${accountId}, list_id, ${contact.id}::uuid
    from unnest(${[...new Set(listIds)]}::bigint[]) as wanted (list_id)
    where not exists (
      select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = wanted.list_id and o.email = ${contact.email})
    on conflict do nothing
    returning list_id`)
  return inOrder(rows)
}

/** Takes one contact out of lists; answers which it was in. Unknown lists are passed over. */
export async function leaveLists(
  trx: Trx,
  accountId: number,
  contactId: string,
  listIds: readonly number[],
): Promise<number[]> {
  if (listIds.length === 0) return []
  const rows = await trx.query<{ list_id: number }>(sql`
    delete from list_members
    where account_id = ${accountId} and contact_id = ${contactId} and list_id = any(${[...listIds]})
    returning list_id`)
  return inOrder(rows)
}

function inOrder(rows: { list_id: number }[]): number[] {
  return rows.map((row) => row.list_id).sort((a, b) => a - b)
}

export async function listsOf(db: Queryable, accountId: number, contactId: string): Promise<number[]> {
  const rows = await db.query<{ list_id: number }>(sql`
    select list_id from list_members where account_id = ${accountId} and contact_id = ${contactId} order by list_id`)
  return rows.map((row) => row.list_id)
}

/** What someone left by their own act stays left under their new address. */
export function moveOptOuts(trx: Trx, accountId: number, from: string, to: string): void {
  trx.send(sql`
    with moved as (delete from list_opt_outs where account_id = ${accountId} and email = ${from} returning list_id, at)
    insert into list_opt_outs (account_id, list_id, email, at)
    select ${accountId}, list_id, ${to}, at from moved
    on conflict do nothing`)
}

/** The lists that an address has left by its own act. */
export async function optOutsOf(trx: Trx, accountId: number, email: string): Promise<number[]> {
  const rows = await trx.query<{ list_id: number }>(sql`
    select list_id from list_opt_outs where account_id = ${accountId} and email = ${email}`)
  return rows.map((row) => row.list_id)
}

import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { record } from '../activity/record.ts'
import { type Evidence, keepWord } from './evidence.ts'

/**
 * Somebody joins lists by their own act, which undoes that they have left them: the one thing that does. The lists are held,
 * then the person's row. Of a smart list they only take back that they have left it: its members follow from its criteria.
 * @param form The form that led to it, for the activity.
 * @returns the lists where this has changed anything
 */
export async function joinLists(
  trx: Trx,
  accountId: number,
  person: { id: string; email: string },
  listIds: readonly number[],
  evidence: Evidence,
  form?: { id: unknown; version: unknown },
): Promise<number[]> {
  if (listIds.length === 0) return []
  const back = await trx.query<{ list_id: number }>(sql`
    delete from list_opt_outs
    where account_id = ${accountId} and list_id = any(${[...listIds]}::bigint[]) and email = ${person.email} returning list_id`)
  const into = await trx.query<{ list_id: number }>(sql`
    insert into list_members (account_id, list_id, contact_id)
    select account_id, id, ${person.id}::uuid from lists
    where account_id = ${accountId} and id = any(${[...listIds]}::bigint[]) and criteria is null
    on conflict do nothing returning list_id`)
  const [optedIn, added] = [back, into].map((rows) => rows.map((row) => row.list_id).sort((a, b) => a - b))
  const changed = [...new Set([...added!, ...optedIn!])]
  if (changed.length === 0) return []
  record(trx, accountId, [
    {
      contactId: person.id,
      types: ['list_added'],
      data: {
        ...(optedIn!.length > 0 ? { opted_in: optedIn } : {}),
        ...(added!.length > 0 ? { lists: { added: added! } } : {}),
        ...(form ? { form } : {}),
      },
    },
  ])
  for (const listId of changed)
    keepWord(trx, accountId, person.id, 'granted', { ...evidence, data: { ...evidence.data, list_id: listId } })
  return changed
}

/** Sees to it that lists exist until the transaction ends; answers those that do. */
export async function holdLists(trx: Trx, accountId: number, listIds: readonly number[]): Promise<number[]> {
  if (listIds.length === 0) return []
  const rows = await trx.query<{ id: number }>(sql`
    select id from lists where account_id = ${accountId} and id = any(${[...listIds]}::bigint[]) order by id for key share`)
  return rows.map(({ id }) => id)
}

import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { listsNamed } from '../criteria/stored.ts'
import type { USERS } from './schemas.ts'

/** Something that speaks of a list. */
export interface ListUser {
  kind: (typeof USERS)[number]
  id: number
  /** null: not for everybody to see. */
  name: string | null
}

/** All of one kind that speak of a list. */
export type ListUsers = (db: Queryable, caller: Caller, listId: number) => Promise<ListUser[]>

/** The smart lists whose criteria speak of it. */
export const smartListsWithList: ListUsers = async (db, { accountId }, listId) => {
  const rows = await db.query<{ id: number; name: string; criteria: unknown }>(sql`
    select id, name, criteria from lists
    where account_id = ${accountId} and criteria is not null and id <> ${listId} order by lower(name), id`)
  return rows
    .filter(({ criteria }) => listsNamed(criteria).includes(listId))
    .map(({ id, name }) => ({ kind: 'smart_list', id, name }))
}

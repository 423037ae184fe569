import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { membershipIn } from '../criteria/membership.ts'
import { loadSmartLists } from '../criteria/smart-lists.ts'

/** The smart lists, tracked or not, that contacts are in now: by the contact's id. */
export async function smartListsOf(
  db: Queryable,
  accountId: number,
  contactIds: readonly string[],
): Promise<Map<string, number[]>> {
  const lists = contactIds.length === 0 ? undefined : await loadSmartLists(db, accountId)
  if (!lists) return new Map()
  const { inside, joins } = membershipIn(lists.all, { timeZone: lists.timeZone })
  const found = await db.query<{ id: string; inside: number[] }>(sql`
    select c.id, ${inside} as inside
    from contacts as c ${joins} where c.account_id = ${accountId} and c.id = any(${[...contactIds]}::uuid[])`)
  return new Map(found.map((row) => [row.id, row.inside]))
}

import sql, { join } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Tally } from './created.ts'
import { type MergeTerms, notes, type Range, tagsOf, waiting } from './people.ts'

/** What became of those who are unchanged; and how many people the range has in all. */
export interface Settled extends Tally {
  people: number
  unchanged: number
}

/**
 * Whether rows can be seen to say nothing new by their fields and tags and the lists that all are to join: others name lists
 * or states, and whoever has left a list has to be counted.
 */
export function canCompare({ matchBy, namesLists, saysMore, hasOptOuts }: MergeTerms): boolean {
  return matchBy === 'email' && !namesLists && !saysMore && !hasOptOuts
}

/**
 * Keeps the rows of those who are there and of whom their only row says nothing new, in a third of the time that it takes to
 * find out by `mergeExisting` what would change. They are locked already. Whose row is the only one is seen by those beside
 * it, which takes a third of the time of gathering each person's rows.
 */
export async function settleUnchanged(trx: Trx, terms: MergeTerms, range: Range): Promise<Settled> {
  const { accountId, importId, updateExisting, tags, listIds } = terms
  const isMember = [...new Set(listIds)].map(
    (id) => sql`(
      select m.contact_id from list_members as m where m.account_id = ${accountId} and m.list_id = ${id} and m.contact_id = c.id limit 1
    ) is not null`,
  )
  const says = updateExisting
    ? sql`c.fields @> p.fields and c.tags @> ${tagsOf(terms)}`
    : sql`c.tags @> ${[...tags]}::text[]`
  const [settled] = await trx.query<Settled>(sql`
    with people as materialized (
      select line, key, fields, coalesce(tags, '{}') as tags, 1 as rows, key is not distinct from lag(key) over in_order as is_again,
        key is not distinct from lead(key) over in_order as comes_again
      from import_rows where ${waiting(terms, range)} window in_order as (order by stripe, key, line)
    ), unchanged as materialized (
      select p.line, c.id, c.email, ${terms.state} = 'subscribed' and c.state in ('unsubscribed', 'bounced') as kept_unsubscribed
      from people as p cross join lateral (
        select * from contacts as c where c.account_id = ${accountId} and c.email = p.key limit 1) as c
      where not p.is_again and not p.comes_again and ${join([says, ...isMember], ' and ')}
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, email, 'unchanged', id, ${notes([
        ['kept_unsubscribed', sql`kept_unsubscribed`],
      ])}
      from unchanged
    )
    select (select count(*) from people where not is_again) as people, count(*) as unchanged,
      count(*) filter (where kept_unsubscribed) as kept_unsubscribed, 0 as duplicates
    from unchanged`)
  return settled!
}

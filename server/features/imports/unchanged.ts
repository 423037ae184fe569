import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Tally } from './created.ts'
import { type MergeTerms, notes, people, type Range, tagsOf, waiting } from './people.ts'

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
 * find out by `mergeExisting` what would change. Nobody of a plain range is locked; else they have to be, before.
 */
export function settleUnchanged(trx: Trx, terms: MergeTerms, range: Range): Promise<Settled> {
  return range.isPlain ? settlePlain(trx, terms, range) : settleGathered(trx, terms, range)
}

/**
 * Compares and keeps by one statement, which looks for each person once and sees all at one moment. Nobody is waited for: whoever is
 * being changed has been compared before that; but nobody may be removed meanwhile (`holdRemovals`). Rows are taken out as they are read, and the few that say something go back: that
 * spares another look for each.
 */
async function settlePlain(trx: Trx, terms: MergeTerms, range: Range): Promise<Settled> {
  const { accountId } = terms
  const lists = listsOf(terms).map((id, nth) => ({ id, of: raw(`in_list_${nth}`) }))
  const members = lists.map(
    ({ id, of }) => sql`left join (
      select m.contact_id from list_members as m
      where m.account_id = ${accountId} and m.list_id = ${id} and m.contact_id = any(array(select id from found))
    ) as ${of} on ${of}.contact_id = c.id`,
  )
  const isIn = lists.map(({ of }) => sql`${of}.contact_id is not null`)
  const isKnown = sql`coalesce(${join([saysNothing(terms), ...isIn], ' and ')}, false)`
  // Each step has the same few thousand rows, of which PostgreSQL expects ten of what an array brings: it would go through all for each.
  trx.send('set local enable_nestloop = off')
  const [settled] = await trx.query<Settled>(sql`
    with found as materialized (
      select c.id, c.email, c.state, c.fields, c.tags from contacts as c
      where c.account_id = ${accountId} and c.email = any(array(select key from import_rows where ${waiting(terms, range)}))
    ), ${people(terms, { ...range, takesOut: true })}, compared as materialized (
      select ${isKnown} as is_known, ${keptUnsubscribed(terms)}, p.line, c.id, p.key, p.fields, p.tags
      from people as p left join found as c on c.email = p.key ${members.length > 0 ? join(members, ' ') : empty}
    ), ${kept(terms, 'by contact')}, back as (
      insert into import_rows (account_id, import_id, key, line, fields, tags)
      select ${accountId}::bigint, ${terms.importId}::bigint, key, line, fields, tags from compared where not is_known
    ) select count(*) as people, ${TALLY} from compared`)
  return settled!
}

/** Whose row is the only one is seen by those beside it, which takes a third of the time of gathering each person's rows. */
async function settleGathered(trx: Trx, terms: MergeTerms, range: Range): Promise<Settled> {
  const { accountId } = terms
  const isMember = listsOf(terms).map(
    (id) => sql`(
      select m.contact_id from list_members as m where m.account_id = ${accountId} and m.list_id = ${id} and m.contact_id = c.id limit 1
    ) is not null`,
  )
  const [settled] = await trx.query<Settled>(sql`
    with rows as materialized (
      select line, key, fields, coalesce(tags, '{}') as tags, 1 as rows, key is not distinct from lag(key) over in_order as is_again,
        key is not distinct from lead(key) over in_order as comes_again
      from import_rows where ${waiting(terms, range)} window in_order as (order by key, line)
    ), compared as materialized (
      select p.*, c.id, ${keptUnsubscribed(terms)}, coalesce(${join([saysNothing(terms), ...isMember], ' and ')}, false) as is_known
      from (select * from rows where not is_again and not comes_again) as p left join lateral (
        select * from contacts as c where c.account_id = ${accountId} and c.email = p.key limit 1) as c on true
    ), ${kept(terms, 'by line')}
    select (select count(*) from rows where not is_again) as people, ${TALLY} from compared`)
  return settled!
}

const listsOf = ({ listIds }: MergeTerms): number[] => [...new Set(listIds)]

/** Whether fields and tags are there already: over `people as p` and `contacts as c`. */
function saysNothing(terms: MergeTerms): Sql {
  return terms.updateExisting
    ? sql`c.fields @> p.fields and c.tags @> ${tagsOf(terms)}`
    : sql`c.tags @> ${[...terms.tags]}::text[]`
}

function keptUnsubscribed({ state }: MergeTerms): Sql {
  return sql`${state} = 'subscribed' and c.state in ('unsubscribed', 'bounced') as kept_unsubscribed`
}

/**
 * A step `kept`: what became of the known of `compared`, by contact where nothing has to find them by line again. In the order of its
 * key, as else each row would go to another page of that index: a chunk takes a seventh longer.
 */
function kept({ accountId, importId }: MergeTerms, how: 'by contact' | 'by line'): Sql {
  const [table, key] = how === 'by contact' ? [sql`unchanged_rows`, sql`id`] : [sql`change_rows`, sql`line`]
  return sql`
    kept as (
      insert into ${table} (account_id, change_set_id, line, email, action, contact_id, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, key, 'unchanged', id, ${notes([
        ['kept_unsubscribed', sql`kept_unsubscribed`],
      ])}
      from compared where is_known order by ${key}
    )`
}

const TALLY = sql`
  count(*) filter (where is_known) as unchanged, count(*) filter (where is_known and kept_unsubscribed) as kept_unsubscribed, 0 as duplicates`

import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { hasMarks, marksOf } from '../subscriptions/suppressions.ts'
import { type Moves, plannedMoves } from './addresses.ts'
import { reasonOf } from './chunk.ts'
import { wanted } from './created.ts'
import { afterOf, beforeOf, IDENTITY_CONFLICT, movedOf, planned } from './existing.ts'
import type { Counts } from './imports.ts'
import { listsOf, type MergeTerms, notes, people, type Range, wished } from './people.ts'

/**
 * Says of a range what `mergeChunk` would do with it: the same steps, which keep rows in `change_rows` and change nothing
 * else. The rows go on waiting.
 */
export async function planChunk(trx: Trx, terms: MergeTerms, range: Range): Promise<Counts> {
  const marks = await marksOfNew(trx, terms, range)
  const found = [
    await planNew(trx, terms, range, marks),
    await planExisting(trx, terms, range, await plannedMoves(trx, terms, range)),
    await planOthers(trx, terms, range),
    await planDuplicates(trx, terms, range),
  ]
  const counts: Counts = {}
  for (const [name, count] of found.flatMap((each) => Object.entries(each)) as [keyof Counts, number][]) {
    counts[name] = (counts[name] ?? 0) + Number(count)
  }
  return counts
}

async function marksOfNew(trx: Trx, terms: MergeTerms, range: Range): Promise<Map<string, 'withdrawn' | 'erased'>> {
  const { accountId, keyring } = terms
  if (!(await hasMarks(trx, accountId))) return new Map()
  const rows = await trx.query<{ email: string }>(
    sql`with ${people(terms, range)}, ${wanted(terms)} select email from wanted`,
  )
  return marksOf(
    trx,
    keyring,
    accountId,
    rows.map(({ email }) => email),
  )
}

async function planNew(trx: Trx, terms: MergeTerms, range: Range, marks: Map<string, string>): Promise<Counts> {
  const { accountId, importId, matchBy } = terms
  const shared = matchBy === 'email' ? sql`external_id, erased order by email` : sql`email, erased order by line desc`
  const of = (mark: string) =>
    sql`email = any(${[...marks].filter(([, found]) => found === mark).map(([email]) => email)}::text[])`
  const [counts] = await trx.query<Counts>(sql`
    with ${people(terms, range)}, ${wanted(terms)}, claimed as (
      select null::uuid as id, w.*, ${of('erased')} as erased, ${of('withdrawn')} and state not in ('unsubscribed', 'bounced') as withdrawn from wanted as w
    ), ranked as (
      select *, row_number() over (partition by ${shared}) as nth from claimed
    ), fresh as (
      select * from ranked where erased or external_id is null or nth = 1 -- one id, or address, makes one person: the others are refused below
    ), told as (
      select f.*, l.joined, l.opted_out and not f.erased as opted_out from fresh as f cross join lateral (${listsOf(terms)}) as l
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, after, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, case when not erased then email end, case when erased then 'suppressed' else 'created' end,
        case when not erased then jsonb_strip_nulls(jsonb_build_object(
          'state', case when withdrawn then 'unsubscribed' else state end, 'external_id', external_id, 'fields', values, 'lists', joined,
          'tags', case when all_tags <> '{}' then to_jsonb(all_tags) end)) end,
        case when not erased then ${notes([
          ['opted_out', sql`opted_out`],
          ['kept_unsubscribed', sql`withdrawn`],
        ])} end
      from told
    )
    select count(*) filter (where not erased) as created, count(*) filter (where erased) as suppressed,
      count(*) filter (where opted_out) as opted_out, count(*) filter (where withdrawn and not erased) as kept_unsubscribed
    from told`)
  return counts!
}

async function planExisting(trx: Trx, terms: MergeTerms, range: Range, { moves, erased }: Moves): Promise<Counts> {
  const { accountId, importId } = terms
  // What was left under the address that someone had before is left under the new one, too.
  const isTheirs = sql`o.email = any(array[w.email, (select from_email from ${movedOf(moves)} where moved.id = w.id)])`
  const [counts] = await trx.query<Counts>(sql`
    with ${planned(terms, range, moves)}, found as (select *, key = any(${erased}::text[]) as erased from planned),
    agreed as (select * from found where not conflict and not erased), ${wished(terms, sql`agreed`, isTheirs)}, joined_of as (
      select w.contact_id, bool_or(w.opted_out) as opted_out,
        jsonb_agg(w.list_id order by w.list_id) filter (where not w.opted_out and not exists (
          select from list_members as m where m.account_id = ${accountId} and m.list_id = w.list_id and m.contact_id = w.contact_id)) as lists
      from wished as w group by w.contact_id
    ), left_of as (
      select m.contact_id, jsonb_agg(m.list_id order by m.list_id) as lists
      from agreed as a cross join jsonb_each(a.lists) as own
        join list_members as m on m.account_id = ${accountId} and m.list_id = own.key::bigint and m.contact_id = a.id
      where own.value = 'false' group by m.contact_id
    ), told as (
      select a.*, j.lists as joined, l.lists as left_lists, coalesce(j.opted_out, false) as opted_out,
        case when a.differs or j.lists is not null or l.lists is not null then 'updated' else 'unchanged' end as action
      from agreed as a left join joined_of as j on j.contact_id = a.id left join left_of as l on l.contact_id = a.id
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, email, action, id,
        case when action = 'updated' then ${beforeOf()} end, case when action = 'updated' then ${afterOf()} end,
        ${notes([
          ['opted_out', sql`opted_out`],
          ['kept_unsubscribed', sql`kept_unsubscribed`],
        ])}
      from told
      union all
      select ${accountId}, ${importId}, line, email, 'rejected', id, null, null, ${IDENTITY_CONFLICT}::jsonb from found where conflict and not erased
      union all
      select ${accountId}, ${importId}, line, null, 'suppressed', null, null, null, null from found where erased
    )
    select count(*) filter (where action = 'updated') as updated, count(*) filter (where action = 'unchanged') as unchanged,
      count(*) filter (where opted_out) as opted_out, count(*) filter (where kept_unsubscribed) as kept_unsubscribed,
      (select count(*) from found where conflict and not erased) as rejected, (select count(*) from found where erased) as suppressed
    from told`)
  return counts!
}

/** Who can be neither entered nor found; by now everyone else of the range has a row. */
async function planOthers(trx: Trx, terms: MergeTerms, range: Range): Promise<Counts> {
  const { accountId, importId } = terms
  const [counts] = await trx.query<Counts>(sql`
    with ${people(terms, range)}, refused as (
      select p.line, p.email, coalesce(${reasonOf(terms)}, ${IDENTITY_CONFLICT}::jsonb) as problem from people as p
      where (${rowOf(terms, sql`p.line`)}) is null
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, email, 'rejected', problem from refused
    )
    select count(*) as rejected from refused`)
  return counts!
}

async function planDuplicates(trx: Trx, terms: MergeTerms, range: Range): Promise<Counts> {
  if (range.isPlain) return {}
  const { accountId, importId } = terms
  const [counts] = await trx.query<Counts>(sql`
    with ${people(terms, range)}, again as (
      insert into change_rows (account_id, change_set_id, line, action, contact_id, email)
      select ${accountId}::bigint, ${importId}::bigint, r.line, 'duplicate', k.contact_id, k.email
      from people as p
        join import_rows as r
          on r.account_id = ${accountId} and r.import_id = ${importId} and r.key = p.key and r.line < p.line
        cross join lateral (select * from only change_rows as k where k.account_id = ${accountId} and k.change_set_id = ${importId} and k.line = p.line limit 1) as k
      returning 1
    )
    select count(*) as duplicate from again`)
  return counts!
}

/** The row of a line, by a query of its own for each: see `idBy`. Joined, all rows of the import were gone through for each. */
function rowOf({ accountId, importId }: MergeTerms, line: Sql): Sql {
  return sql`select k.line from only change_rows as k where k.account_id = ${accountId} and k.change_set_id = ${importId} and k.line = ${line} limit 1`
}

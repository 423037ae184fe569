import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { membershipIn, type SmartList } from '../criteria/membership.ts'

/** Bound values of one statement, of which PostgreSQL takes 65,535. */
const MOST_VALUES = 30_000

/** Why someone is found to have entered or left. */
export type Cause = 'act' | 'clock' | 'criteria' | 'comparison' | 'suppression'

interface Comparison {
  accountId: number
  timeZone: string
  /** Which lists are compared; of others the membership stays as it was told. */
  lists: readonly SmartList[]
  /**
   * `select … as contact_id, … as change_set_id`: contacts that are there or were, and the act on many that may have moved
   * them, to which what is told then belongs; null for what else may have.
   */
  contacts: Sql
  cause: Cause
  /** Whether transitions are told; else only the membership is taken over. */
  announce: boolean
  now: Sql
  position: number
}

export interface Compared {
  /** The last one, behind what was told. */
  position: number
  /** Of how many contacts the membership was another. */
  differing: number
  /** Into and out of how many lists they have gone, together. */
  entered: number
  left: number
}

/**
 * Compares the membership last told with that of now, takes it over, and tells the difference: one event for a contact,
 * placed in the feed at once. Who has been removed is forgotten without one. One statement, whatever the
 * number of contacts; with very many values in criteria, a few.
 */
export async function compareMembership(trx: Trx, comparison: Comparison): Promise<Compared> {
  const { accountId, timeZone, lists, contacts, cause, announce, now, position } = comparison
  if (lists.length === 0) return { position, differing: 0, entered: 0, left: 0 }
  const { inside, joins } = membershipIn(lists, { timeZone, now })
  if (inside.values.length + joins.values.length > MOST_VALUES && lists.length > 1) {
    const half = Math.ceil(lists.length / 2)
    const first = await compareMembership(trx, { ...comparison, lists: lists.slice(0, half) })
    const second = await compareMembership(trx, { ...comparison, lists: lists.slice(half), position: first.position })
    return {
      position: second.position,
      differing: first.differing + second.differing,
      entered: first.entered + second.entered,
      left: first.left + second.left,
    }
  }
  const ids = sql`${lists.map((list) => list.id)}::bigint[]`
  const data = sql`jsonb_build_object('cause', ${cause}::text, 'smart_lists', jsonb_strip_nulls(jsonb_build_object(
    'entered', case when entered <> '{}' then to_jsonb(entered) end, 'left', case when gone <> '{}' then to_jsonb(gone) end)))`
  const types = sql`array_remove(array[case when entered <> '{}' then 'list_entered' end, case when gone <> '{}' then 'list_left' end], null)`
  const [done] = await trx.query<{ differing: number; placed: number; entered: number; left: number }>(sql`
    with compared as materialized (
      select asked.contact_id, asked.change_set_id, c.id is not null as is_there, coalesce(told.list_ids, '{}') as before,
        case when c.id is null then '{}' else ${inside} end as inside
      from (${contacts}) as asked
      left join lateral (
        select account_id, id, email, external_id, state, fields, tags, origin, created_at, updated_at
        from contacts where account_id = ${accountId} and id = asked.contact_id offset 0) as c on true
      left join lateral (
        select list_ids from smart_memberships where account_id = ${accountId} and contact_id = asked.contact_id offset 0) as told on true ${joins}
    ), differing as materialized (
      select contact_id, change_set_id, is_there, before,
        array(select id from unnest(inside) as id where id <> all(before)) as entered,
        array(select id from unnest(before) as id where id = any(${ids}) and id <> all(inside)) as gone,
        case when is_there then array(select id from unnest(before) as id where id <> all(${ids}) union all select unnest(inside) order by 1) else '{}' end as after
      from compared
      where before <> inside and (not is_there or inside <> array(select id from unnest(before) as id where id = any(${ids}) order by 1))
    ), kept as (
      insert into smart_memberships (account_id, contact_id, list_ids)
      select ${accountId}::bigint, contact_id, after from differing where after <> '{}'
      on conflict (account_id, contact_id) do update set list_ids = excluded.list_ids
    ), forgotten as (
      delete from smart_memberships where account_id = ${accountId} and contact_id in (select contact_id from differing where after = '{}')
    ), told as (
      insert into events (account_id, contact_id, type, types, at, data, change_set_id)
      select ${accountId}::bigint, contact_id, types[1], types, clock_timestamp(), data, change_set_id
      from (select contact_id, change_set_id, ${types} as types, ${data} as data from differing where is_there and ${announce}) as transitions
      returning id
    ), placed as (
      insert into feed (account_id, position, event_id)
      select ${accountId}::bigint, ${position}::bigint + row_number() over (order by id), id from told
      returning position
    ), moved as (
      select id, sum(step) as step from (
        select unnest(entered) as id, 1 as step from differing where is_there
        union all select unnest(case when is_there then gone else before end), -1 from differing) as steps
      group by id
    ), counted as (
      update smart_counts as n set contacts = n.contacts + moved.step, counted_at = now()
      from moved where n.account_id = ${accountId} and n.list_id = moved.id
    )
    select (select count(*) from differing where is_there) as differing, (select count(*) from placed) as placed,
      (select coalesce(sum(cardinality(entered)), 0) from differing where is_there)::int as entered,
      (select coalesce(sum(cardinality(gone)), 0) from differing where is_there)::int as left`)
  const { placed, ...counts } = done!
  return { position: position + placed, ...counts }
}

/** Of whom an act waits in the outbox still: that will tell what follows from it. */
export function isWaiting(accountId: number, contactId: Sql): Sql {
  return sql`exists (
    select from outbox as o, unnest(o.event_ids) as named (id)
    join events as e on e.account_id = ${accountId} and e.id = named.id
    where o.account_id = ${accountId} and o.kind = 'acts' and e.contact_id = ${contactId})`
}

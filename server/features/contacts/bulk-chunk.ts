import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import { recording } from '../activity/record.ts'
import type { BulkAct } from './bulk-input.ts'
import { holdLists } from './memberships.ts'
import { removeContacts } from './remove.ts'

/** An act on everyone whom a change set has chosen. */
export interface Bulk {
  accountId: number
  changeSetId: number
  actor: string
  keyring: Keyring
  act: BulkAct
}

export type BulkCounts = Partial<Record<'updated' | 'unchanged' | 'deleted' | 'opted_out' | 'gone', number>>

/** Chosen people above a line up to another, for whom nothing has been done yet: over `change_rows as k`. */
function chosen({ accountId, changeSetId }: Bulk, after: number, upTo: number): Sql {
  return sql`k.account_id = ${accountId} and k.change_set_id = ${changeSetId} and k.line > ${after} and k.line <= ${upTo}`
}

/** Does the act to whom the lines name, in one transaction. Throws `invalid` when its list has gone. */
export async function applyLines(trx: Trx, bulk: Bulk, after: number, upTo: number): Promise<BulkCounts> {
  const { accountId, act } = bulk
  const lines = chosen(bulk, after, upTo)
  if (act.joined !== null) await holdLists(trx, accountId, [act.joined], 'list_id')
  await trx.query(sql`
    select count(*) from (
      select c.id from contacts as c
      where c.account_id = ${accountId} and c.id = any(array(select k.contact_id from change_rows as k where ${lines}))
      order by c.id for update) as held`)
  return act.type === 'delete' ? removeLines(trx, bulk, lines) : changeLines(trx, bulk, lines)
}

/** Says of whom the lines name what `applyLines` would do, in their rows, and changes nothing else. */
export async function planLines(trx: Trx, bulk: Bulk, after: number, upTo: number): Promise<BulkCounts> {
  const lines = chosen(bulk, after, upTo)
  joinBySets(trx)
  const [counts] = await trx.query<BulkCounts>(
    bulk.act.type === 'delete'
      ? sql`
        with kept as (
          update change_rows as k set action = 'deleted' where ${lines} returning 1
        ) select count(*) as deleted from kept`
      : sql`
        with ${planned(bulk, lines)}, ${keeping(bulk, lines)}
        select ${COUNTS} from planned`,
  )
  return counts!
}

async function removeLines(trx: Trx, bulk: Bulk, lines: Sql): Promise<BulkCounts> {
  const { accountId, changeSetId, actor, keyring } = bulk
  const rows = await trx.query<{ contact_id: string }>(sql`select k.contact_id from change_rows as k where ${lines}`)
  const removed = await removeContacts(
    trx,
    rows.map((row) => row.contact_id),
    { accountId, changeSetId, source: actor, keyring, isBulk: true },
  )
  trx.send(sql`
    update change_rows as k set action = case when k.contact_id = any(${removed}::uuid[]) then 'deleted' else 'gone' end where ${lines}`)
  return { deleted: removed.length, gone: rows.length - removed.length }
}

async function changeLines(trx: Trx, bulk: Bulk, lines: Sql): Promise<BulkCounts> {
  const { accountId, changeSetId, actor, act } = bulk
  joinBySets(trx)
  const [counts] = await trx.query<BulkCounts>(sql`
    with ${planned(bulk, lines)}, changed as (
      update contacts as c set fields = p.new_fields, tags = p.new_tags, state = p.new_state,
        state_reason = case when p.new_state <> p.state then 'bulk' else c.state_reason end,
        state_before = case when p.new_state <> p.state then p.state else c.state_before end,
        state_at = case when p.new_state <> p.state then statement_timestamp() else c.state_at end,
        updated_at = statement_timestamp()
      from planned as p
      where c.account_id = ${accountId} and c.id = any(array(select id from planned where differs)) and c.id = p.id
      returning 1
    ), joined as (
      insert into list_members (account_id, list_id, contact_id, change_set_id)
      select ${accountId}::bigint, ${act.joined}::bigint, id, ${changeSetId}::bigint from planned where joins
      on conflict do nothing returning 1
    ), went as (
      delete from list_members as m
      where m.account_id = ${accountId} and m.list_id = ${act.left}::bigint
        and m.contact_id = any(array(select id from planned where leaves)) returning 1
    ), withdrawn as (
      insert into consents (account_id, contact_id, action, grade, source, actor, data)
      select ${accountId}::bigint, id, 'withdrawn', 'asserted', 'bulk', ${actor}, jsonb_build_object('change_set_id', ${changeSetId}::bigint)
      from planned where new_state <> state
    ), ${keeping(bulk, lines)}, ${recording(accountId, actsOf(act), changeSetId, true)}
    select ${COUNTS} from planned`)
  const [gone] = await trx.query<{ count: number }>(
    sql`select count(*) as count from change_rows as k where ${lines} and k.action = 'gone'`,
  )
  return { ...counts!, gone: gone!.count }
}

/**
 * For the rest of this transaction a step is joined with rows that are found by their keys as one set with another. Where the table has
 * no statistics of a change set that has just been made, PostgreSQL takes its people to be one, and ran through all of the step for
 * each: 16 s for a trial of 2,499 people on a busy machine, which takes 2 s so. What is looked up person by person stands in lateral joins,
 * which this leaves alone.
 */
function joinBySets(trx: Trx): void {
  trx.send(sql`select set_config('enable_nestloop', 'off', true)`)
}

const COUNTS = sql`
  count(*) filter (where differs or joins or leaves) as updated, count(*) filter (where not (differs or joins or leaves)) as unchanged,
  count(*) filter (where opted_out) as opted_out`

/** A step `planned`: everyone of the lines who is still there, with what becomes of them. */
function planned({ accountId, act }: Bulk, lines: Sql): Sql {
  const { set, unset, added, removed, joined, left, type } = act
  const touched = [...Object.keys(set), ...unset]
  const values = (of: Sql) =>
    sql`(select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(${of}) where key = any(${touched}::text[]))`
  const isMember = (list: number | null) =>
    list === null
      ? sql`false`
      : sql`exists (select from list_members as m where m.account_id = ${accountId} and m.list_id = ${list} and m.contact_id = c.id)`
  const hasLeft =
    joined === null
      ? sql`false`
      : sql`exists (select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = ${joined} and o.email = c.email)`
  return sql`
    held as (
      select k.line, c.id, c.email, c.fields, c.tags, c.state, c.state_reason, c.state_before,
        (c.fields - ${unset}::text[]) || ${JSON.stringify(set)}::jsonb as new_fields,
        array(select tag from unnest(c.tags) with ordinality as t (tag, at) where tag <> all(${removed}::text[]) order by at)
          || array(select tag from unnest(${added}::text[]) with ordinality as t (tag, at) where tag <> all(c.tags) order by at) as new_tags,
        ${type === 'unsubscribe' ? sql`case when c.state = 'bounced' then c.state else 'unsubscribed' end` : sql`c.state`} as new_state,
        ${hasLeft} as opted_out, ${isMember(joined)} as is_in, ${isMember(left)} as leaves
      from change_rows as k
        cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.id = k.contact_id limit 1) as c
      where ${lines}
    ), planned as materialized (
      select h.*, ${joined === null ? sql`false` : sql`not h.opted_out and not h.is_in`} as joins,
        h.new_fields <> h.fields or h.new_tags <> h.tags or h.new_state <> h.state as differs,
        ${values(sql`h.fields`)} as old_values, ${values(sql`h.new_fields`)} as new_values
      from held as h
    )`
}

/** Steps that write into the rows what becomes, or became, of each; who is not there any more is `gone`. */
function keeping({ act }: Bulk, lines: Sql): Sql {
  const side = (values: Sql, tags: Sql, state: Sql, list: Sql) => sql`
    jsonb_strip_nulls(jsonb_build_object('fields', nullif(${values}, '{}'), 'tags', case when p.new_tags <> p.tags then to_jsonb(${tags}) end,
      'state', case when p.new_state <> p.state then ${state} end, 'lists', ${list}))`
  const list = (when: Sql, id: number | null) => sql`case when ${when} then jsonb_build_array(${id}::bigint) end`
  // Given back with the state: who waits for an answer and was there before must not be taken for somebody who was not.
  const why = sql`
    case when p.new_state <> p.state
      then jsonb_strip_nulls(jsonb_build_object('state_reason', p.state_reason, 'state_before', p.state_before)) else '{}' end`
  return sql`
    kept as (
      update change_rows as k set email = p.email,
        action = case when p.differs or p.joins or p.leaves then 'updated' else 'unchanged' end,
        before = case when p.differs or p.joins or p.leaves then
          ${side(sql`p.old_values`, sql`p.tags`, sql`p.state`, list(sql`p.leaves`, act.left))} || ${why} end,
        after = case when p.differs or p.joins or p.leaves then
          ${side(sql`p.new_values`, sql`p.new_tags`, sql`p.new_state`, list(sql`p.joins`, act.joined))} end,
        problem = case when p.opted_out then '{"notes":["opted_out"]}'::jsonb end
      from planned as p
      where ${lines} and k.line = p.line
    ), missing as (
      update change_rows as k set action = 'gone' where ${lines} and not exists (select from planned as p where p.line = k.line)
    )`
}

function actsOf({ joined, left }: BulkAct): Sql {
  return sql`
    select id as contact_id,
      case when new_state <> state then array['unsubscribed'] else '{}' end
        || case when new_fields <> fields or new_tags <> tags then array['updated'] else '{}' end
        || case when joins then array['list_added'] else '{}' end || case when leaves then array['list_removed'] else '{}' end as types,
      null::text as name, null::timestamptz as at,
      jsonb_strip_nulls(jsonb_build_object(
        'fields', case when new_fields <> fields then (
          select jsonb_object_agg(key, jsonb_build_object('from', old_values -> key, 'to', new_values -> key))
          from (select jsonb_object_keys(old_values) union select jsonb_object_keys(new_values)) as keys (key)
          where old_values -> key is distinct from new_values -> key) end,
        'tags', case when new_tags <> tags then jsonb_build_object(
          'added', (select jsonb_agg(tag) from unnest(new_tags) as tag where tag <> all(tags)),
          'removed', (select jsonb_agg(tag) from unnest(tags) as tag where tag <> all(new_tags))) end,
        'state', case when new_state <> state then jsonb_build_object('from', state, 'to', new_state) end,
        'lists', case when joins or leaves then jsonb_build_object(
          'added', case when joins then jsonb_build_array(${joined}::bigint) end,
          'removed', case when leaves then jsonb_build_array(${left}::bigint) end) end)) as data
    from planned where differs or joins or leaves order by id`
}

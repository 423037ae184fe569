import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import { recording } from '../activity/record.ts'
import { forgetConfirmations } from '../subscriptions/confirmations.ts'
import { waitForAddresses } from '../subscriptions/leave-by-link.ts'
import type { State } from '../subscriptions/states.ts'
import { leaveWithdrawn, marksOf } from '../subscriptions/suppressions.ts'
import { removeContacts } from './remove.ts'

/** Taking back one act: the change set that it was, and the one that this is. */
export interface Reverting {
  accountId: number
  /** What is taken back. */
  changeSetId: number
  /** The act of taking it back. */
  revertId: number
  actor: string
  keyring: Keyring
}

export interface RevertCounts {
  /** Contacts that the act had created, and that nobody has touched since. */
  removed: number
  /** Contacts that are again as they were, all of what the act gave them. */
  restored: number
  /** Contacts of which something stays, as it was changed since; each row says what. */
  kept: number
  /** Contacts that are no longer there. */
  gone: number
}

/** What happened to people by themselves, and is no reason to keep whom an act has created. */
const NOT_A_TOUCH = sql`'{list_entered,list_left}'::text[]`

/** The rows of an act from which something can be taken back, above a line: over `change_rows as k`. */
function undoable({ accountId, changeSetId }: Pick<Reverting, 'accountId' | 'changeSetId'>): Sql {
  return sql`k.account_id = ${accountId} and k.change_set_id = ${changeSetId} and k.contact_id is not null
    and k.action in ('created', 'updated', 'added', 'removed')`
}

/**
 * Whether someone created by the act was touched since: anything that happened to them in another act. Events may have been
 * dropped with their month; then the contact itself says when it was changed last. Over `k` and `contacts as c`.
 */
function isTouched({ accountId, changeSetId }: Pick<Reverting, 'accountId' | 'changeSetId'>): Sql {
  return sql`(
    c.updated_at > coalesce((
      select s.finished_at from change_sets as s where s.account_id = ${accountId} and s.id = ${changeSetId}), c.updated_at)
    or exists (
      select from events as e where e.account_id = ${accountId} and e.contact_id = c.id
        and e.change_set_id is distinct from ${changeSetId}::bigint and not e.types <@ ${NOT_A_TOUCH}))`
}

/** What taking an act back would do now, without doing it. Of people of whom something would stay, that it may. */
export async function forecastRevert(
  db: Queryable,
  act: Pick<Reverting, 'accountId' | 'changeSetId'>,
): Promise<RevertCounts> {
  const [counts] = await db.query<RevertCounts>(sql`
    select count(*) filter (where c.id is null) as gone,
      count(*) filter (where c.id is not null and k.action = 'created' and not ${isTouched(act)}) as removed,
      count(*) filter (where c.id is not null and k.action = 'created' and ${isTouched(act)}) as kept,
      count(*) filter (where c.id is not null and k.action <> 'created') as restored
    from change_rows as k left join contacts as c on c.account_id = k.account_id and c.id = k.contact_id
    where ${undoable(act)}`)
  return counts!
}

/** The line up to which the next rows go; null when there are none above `after`. */
export async function nextLine(db: Queryable, act: Reverting, after: number, rows: number): Promise<number | null> {
  const [found] = await db.query<{ line: number | null }>(sql`
    select max(line) as line from (
      select k.line from change_rows as k where ${undoable(act)} and k.line > ${after} order by k.line limit ${rows}) as next`)
  return found!.line
}

/**
 * Takes back what the act did in its lines above `after` up to `upTo`: removes whom it created and nobody has touched since;
 * else gives back each value that is still the act's own, and leaves the others, with a row that says which.
 */
export async function revertLines(trx: Trx, act: Reverting, after: number, upTo: number): Promise<RevertCounts> {
  const { accountId, changeSetId, revertId, actor, keyring } = act
  const lines = sql`${undoable(act)} and k.line > ${after} and k.line <= ${upTo}`
  await holdListsOf(trx, accountId, lines)
  await trx.query(sql`
    select count(*) from (
      select c.id from contacts as c
      where c.account_id = ${accountId} and c.id = any(array(select k.contact_id from change_rows as k where ${lines}))
      order by c.id for update) as held`)
  const untouched = await trx.query<{ id: string; line: number }>(sql`
    select c.id, k.line from change_rows as k
      cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.id = k.contact_id limit 1) as c
    where ${lines} and k.action = 'created' and not ${isTouched(act)}`)
  const removed = await removeContacts(
    trx,
    untouched.map(({ id }) => id),
    { accountId, changeSetId: revertId, source: actor, keyring, unmarked: 'import', isBulk: true },
  )
  trx.send(sql`
    insert into change_rows (account_id, change_set_id, line, action, contact_id)
    select ${accountId}, ${revertId}, line, 'removed_contact', id
    from unnest(${untouched.map(({ id }) => id)}::uuid[], ${untouched.map(({ line }) => line)}::bigint[]) as gone (id, line)`)
  const addresses = await addressesOf(trx, act, lines)
  const [counts] = await trx.query<Omit<RevertCounts, 'removed'>>(restoring(act, lines))
  return { ...counts!, removed: removed.length }

  function restoring({ revertId: setId }: Reverting, rows: Sql): Sql {
    return sql`
      with ${restored(accountId, revertId, rows, addresses)}, changed as (
        update contacts as c set email = r.new_email, fields = r.new_fields, tags = r.new_tags, external_id = r.new_id, state = r.new_state,
          state_reason = case when r.comes_withdrawn then 'withdrawn' when r.new_state <> r.state then r.was_reason else c.state_reason end,
          state_before = case when r.comes_withdrawn then null when r.new_state <> r.state then r.was_before else c.state_before end,
          state_at = case when r.new_state <> r.state then statement_timestamp() else c.state_at end,
          updated_at = statement_timestamp()
        from restored as r where c.account_id = ${accountId} and r.differs and c.id = r.id
        returning c.id
      ), left_behind as (
        delete from list_opt_outs as o using restored as r
        where o.account_id = ${accountId} and o.email = r.email and r.new_email <> r.email
        returning o.list_id, r.new_email, o.at
      ), taken_along as (
        insert into list_opt_outs (account_id, list_id, email, at)
        select ${accountId}::bigint, list_id, new_email, at from left_behind on conflict do nothing
      ), left_lists as (
        delete from list_members as m using restored as r cross join lateral unnest(r.given_lists) as given (list_id)
        where m.account_id = ${accountId} and m.list_id = given.list_id and m.contact_id = r.id and m.change_set_id = ${changeSetId}
        returning m.contact_id, m.list_id
      ), left_there as ( -- lists that the address has left to which they go back
        delete from list_members as m using restored as r, list_opt_outs as o
        where m.account_id = ${accountId} and m.contact_id = any(array(select id from restored where new_email <> email)) and m.contact_id = r.id
          and o.account_id = ${accountId} and o.list_id = m.list_id and o.email = r.new_email
        returning m.contact_id, m.list_id
      ), joined as (
        insert into list_members (account_id, list_id, contact_id, change_set_id)
        select ${accountId}::bigint, taken.list_id, r.id, ${setId}::bigint
        from restored as r cross join lateral unnest(r.taken_lists) as taken (list_id)
        where exists (select from lists as l where l.account_id = ${accountId} and l.id = taken.list_id and l.criteria is null)
          and not exists (
            select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = taken.list_id and o.email in (r.email, r.new_email))
        on conflict do nothing
        returning contact_id, list_id
      ), told as (
        select r.*, l.lists as left_lists, j.lists as joined,
          not coalesce(l.lists, '[]') @> to_jsonb(r.given_lists) as kept_lists
        from restored as r
          full join (
            select contact_id, jsonb_agg(list_id order by list_id) as lists
            from (select * from left_lists union select * from left_there) as gone group by contact_id
          ) as l on l.contact_id = r.id
          full join (select contact_id, jsonb_agg(list_id order by list_id) as lists from joined group by contact_id) as j on j.contact_id = r.id
      ), kept as (
        insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after, problem)
        select ${accountId}::bigint, ${setId}::bigint, line, email, case when ${STAYS} then 'kept' else 'restored' end, id,
          jsonb_strip_nulls(jsonb_build_object('fields', nullif(replaced, '{}'), 'lists', left_lists,
            'tags', case when new_tags <> tags then to_jsonb(tags) end, 'state', case when new_state <> state then state end,
            'email', case when new_email <> email then email end,
            'external_id', case when new_id is distinct from external_id then external_id end)),
          jsonb_strip_nulls(jsonb_build_object('fields', nullif(given_back, '{}'), 'lists', joined,
            'tags', case when new_tags <> tags then to_jsonb(new_tags) end, 'state', case when new_state <> state then new_state end,
            'email', case when new_email <> email then new_email end,
            'external_id', case when new_id is distinct from external_id then new_id end)),
          case when ${STAYS} then jsonb_strip_nulls(jsonb_build_object('kept', jsonb_build_object(
            'contact', case when action = 'created' then 'it was changed by others since' end,
            'fields', nullif(to_jsonb(kept_fields), '[]'), 'lists', case when kept_lists then true end,
            'state', case when kept_state then state end, 'external_id', case when kept_id then true end, 'email', case when kept_email then true end))) end
        from told
      ), asserted as (
        insert into consents (account_id, contact_id, action, grade, source, actor, data)
        select ${accountId}::bigint, id, case new_state when 'subscribed' then 'granted' else 'withdrawn' end, 'asserted', 'revert', ${actor},
          jsonb_build_object('reverts', ${changeSetId}::bigint)
        from told where new_state <> state and (new_state = 'subscribed' or state = 'subscribed') and not comes_withdrawn
      ), ${recording(accountId, REVERTED_ACTS, setId, true)}
      select count(*) filter (where not ${STAYS}) as restored, count(*) filter (where ${STAYS}) as kept,
        (select count(*) from change_rows as k where ${rows} and not exists (
          select from contacts as c where c.account_id = k.account_id and c.id = k.contact_id)) - ${untouched.length}::bigint as gone
      from told`
  }
}

/** Whether something of what the act gave stays: over `told`. */
const STAYS = sql`(action = 'created' or cardinality(kept_fields) > 0 or kept_state or kept_id or kept_email or kept_lists)`

/** Lists into which people may come back exist until the transaction ends. */
async function holdListsOf(trx: Trx, accountId: number, lines: Sql): Promise<void> {
  await trx.query(sql`
    select id from lists where account_id = ${accountId} and id in (
      select jsonb_array_elements(k.before -> 'lists')::bigint from change_rows as k where ${lines} and k.before ? 'lists')
    order by id for key share`)
}

/** Addresses to which people may go back of which something was left: who comes to have one of them has left, or does not. */
interface Addresses {
  erased: string[]
  withdrawn: string[]
}

/** Sees to what any change of address asks for: links to the one of now are void, and who has left it has left it for good. */
async function addressesOf(trx: Trx, { accountId, actor, keyring }: Reverting, lines: Sql): Promise<Addresses> {
  const moves = await trx.query<{
    id: string
    from: string
    to: string
    state: State
    state_reason: string | null
  }>(sql`
    select c.id, c.email as from, k.before ->> 'email' as to, c.state, c.state_reason from change_rows as k
      cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.id = k.contact_id limit 1) as c
    where ${lines} and k.before ? 'email' and c.email = k.after ->> 'email'`)
  if (moves.length === 0) return { erased: [], withdrawn: [] }
  const addresses = moves.map(({ to }) => to)
  await waitForAddresses(trx, accountId, addresses) // else who is being erased at this moment has no mark yet
  const marks = await marksOf(trx, keyring, accountId, addresses)
  const marked = (reason: string) => moves.map(({ to }) => to).filter((to) => marks.get(to) === reason)
  forgetConfirmations(
    trx,
    accountId,
    moves.map(({ id }) => id),
  )
  const left = moves.filter(({ state_reason }) => state_reason !== 'import') // of whom the file has said so, it is taken back
  leaveWithdrawn(
    trx,
    keyring,
    accountId,
    left.map(({ from, state }) => ({ email: from, state })),
    actor,
  )
  return { erased: marked('erased'), withdrawn: marked('withdrawn') }
}

/**
 * Steps up to `restored`: everyone of the lines who is still there, with what they become. PostgreSQL has no statistics of an act that has
 * just been made and takes its people to be one, so what follows is written for plans that bear a thousand: a row that is looked up by its
 * whole key (`offset 0` keeps it from being a join), and joins that can't be loops (`full`, where all of one side are on the other).
 * Without it each chunk ran through itself for each of its people: 21 s for 8,300, which take 3 s so.
 */
function restored(accountId: number, revertId: number, lines: Sql, { erased, withdrawn }: Addresses): Sql {
  const ids = (side: Sql) => sql`array(select jsonb_array_elements(${side} -> 'lists')::bigint)`
  const texts = (side: Sql) => sql`array(select jsonb_array_elements_text(${side} -> 'tags'))`
  const minus = (from: Sql, other: Sql) => sql`array(select x from unnest(${from}) as x where x <> all(${other}))`
  return sql`
    held as (
      select k.line, k.action, coalesce(k.before, '{}') as before, coalesce(k.after, '{}') as after,
        c.id, c.email, c.fields, c.tags, c.external_id, c.state, c.state_reason
      from change_rows as k
        cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.id = k.contact_id limit 1) as c
      where ${lines} and not exists (
        select from only change_rows as d where d.account_id = ${accountId} and d.change_set_id = ${revertId} and d.line = k.line offset 0)
    ), sides as (
      select h.*, f.set, f.unset, f.kept_fields, f.replaced,
        ${minus(texts(sql`h.after`), texts(sql`h.before`))} as given_tags, ${minus(texts(sql`h.before`), texts(sql`h.after`))} as taken_tags,
        ${minus(ids(sql`h.after`), ids(sql`h.before`))} as given_lists, ${minus(ids(sql`h.before`), ids(sql`h.after`))} as taken_lists,
        h.after ? 'state' and h.state = h.after ->> 'state' and h.state_reason in ('import', 'bulk') as has_our_state,
        h.action <> 'created' and (h.before ? 'external_id' or h.after ? 'external_id') as gave_id
      from held as h cross join lateral (
        select coalesce(jsonb_object_agg(key, was) filter (where is_ours and was is not null), '{}') as set,
          coalesce(array_agg(key) filter (where is_ours and was is null), '{}') as unset,
          coalesce(array_agg(key) filter (where not is_ours), '{}') as kept_fields,
          coalesce(jsonb_object_agg(key, now) filter (where is_ours and now is not null), '{}') as replaced
        from (
          select key, h.before -> 'fields' -> key as was, h.fields -> key as now,
            h.fields -> key is not distinct from h.after -> 'fields' -> key as is_ours
          from (select jsonb_object_keys(h.before -> 'fields') union select jsonb_object_keys(h.after -> 'fields')) as keys (key)
          where h.action <> 'created'
        ) as each
      ) as f
    ), settled as (
      select s.*, (s.fields - s.unset) || s.set as new_fields, s.set as given_back,
        ${minus(sql`s.tags`, sql`s.given_tags`)} || ${minus(sql`s.taken_tags`, sql`s.tags`)} as new_tags,
        case when s.gave_id and s.external_id is not distinct from s.after ->> 'external_id' and (s.before ->> 'external_id' is null or not exists (
            select from contacts as x where x.account_id = ${accountId} and x.external_id = s.before ->> 'external_id' and x.id <> s.id))
          then s.before ->> 'external_id' else s.external_id end as new_id,
        case when s.before ? 'email' and s.email = s.after ->> 'email' and s.before ->> 'email' <> all(${erased}::text[]) and not exists (
            select from contacts as x where x.account_id = ${accountId} and x.email = s.before ->> 'email')
          then s.before ->> 'email' else s.email end as new_email,
        case when s.has_our_state then coalesce(s.before ->> 'state', case when s.state = 'subscribed' then 'none' else s.state end) else s.state end as own_state,
        s.before ->> 'state_reason' as was_reason, s.before ->> 'state_before' as was_before
      from sides as s
    ), addressed as (
      select s.*, s.new_email <> s.email and s.new_email = any(${withdrawn}::text[]) as comes_withdrawn from settled as s
    ), stood as (
      select s.*, case when s.comes_withdrawn then 'unsubscribed' else s.own_state end as new_state from addressed as s
    ), restored as materialized (
      select s.*, s.before ? 'email' and s.new_email <> s.before ->> 'email' as kept_email, s.gave_id and s.new_id is distinct from s.before ->> 'external_id' as kept_id,
        s.action <> 'created' and s.after ? 'state' and not s.has_our_state as kept_state,
        s.new_fields <> s.fields or s.new_tags <> s.tags or s.new_id is distinct from s.external_id or s.new_state <> s.state or s.new_email <> s.email as differs
      from stood as s
    )`
}

/** One event for each contact that is another again: over `told`. The change set says of what act it is the reverse. */
const REVERTED_ACTS = sql`
  select id as contact_id,
    case when new_state <> state and new_state in ('subscribed', 'unsubscribed') then array[new_state] else '{}' end
      || case when given_back <> '{}' or cardinality(unset) > 0 or new_tags <> tags or new_id is distinct from external_id or new_email <> email
          or (new_state <> state and new_state not in ('subscribed', 'unsubscribed')) then array['updated'] else '{}' end
      || case when joined is not null then array['list_added'] else '{}' end
      || case when left_lists is not null then array['list_removed'] else '{}' end as types,
    null::text as name, null::timestamptz as at,
    jsonb_strip_nulls(jsonb_build_object(
      'email', case when new_email <> email then jsonb_build_object('from', email, 'to', new_email) end,
      'fields', (select jsonb_object_agg(key, jsonb_build_object('from', replaced -> key, 'to', given_back -> key))
        from (select jsonb_object_keys(replaced) union select jsonb_object_keys(given_back)) as keys (key)),
      'tags', case when new_tags <> tags then jsonb_build_object(
        'added', (select jsonb_agg(tag) from unnest(new_tags) as tag where tag <> all(tags)),
        'removed', (select jsonb_agg(tag) from unnest(tags) as tag where tag <> all(new_tags))) end,
      'state', case when new_state <> state then jsonb_build_object('from', state, 'to', new_state) end,
      'external_id', case when new_id is distinct from external_id then jsonb_build_object('from', external_id, 'to', new_id) end,
      'lists', case when joined is not null or left_lists is not null then jsonb_build_object('added', joined, 'removed', left_lists) end)) as data
  from told where differs or joined is not null or left_lists is not null order by id`

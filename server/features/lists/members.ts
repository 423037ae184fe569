import sql, { join, type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { type ChangeSetKind, finishChangeSet, openChangeSet } from '../activity/change-sets.ts'
import { recording } from '../activity/record.ts'
import { resolveContacts } from '../contacts/batch.ts'
import { holdList, holdLists } from '../contacts/memberships.ts'
import { compile } from '../criteria/compile.ts'
import { expandLists } from '../criteria/expand.ts'
import { forSet } from '../criteria/forms.ts'
import type { Condition } from '../criteria/parse.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { redirectConfirmations } from '../subscriptions/confirmations.ts'
import { deleteLists } from './lists.ts'
import { askToCompare, type ListUsesOf } from './smart.ts'

interface Counts {
  added: number
  already_members: number
  opted_out: number
}

/** Puts contacts into a static list, but for those who have left it by their own act. Throws `invalid`. */
export async function addMembers(trx: Trx, caller: Caller, listId: number, contactIds: readonly unknown[]) {
  const { accountId } = caller
  await holdList(trx, accountId, listId)
  const { ids, notFound } = await resolveContacts(trx, accountId, contactIds)
  const candidates = sql`select id, email from contacts where account_id = ${accountId} and id = any(${ids}::uuid[])`
  const { id, counts } = await enter(trx, caller, 'list_add', { list_id: listId }, listId, candidates, notFound.length)
  return { change_set_id: id, ...counts, not_found: notFound.length, not_found_ids: notFound }
}

/**
 * Lets candidates (id, email) into a list: one change set with a row for each, one event for each who came in. They are
 * locked already, by an earlier statement: this one then sees whatever of their opt-outs it would have had to wait for.
 */
async function enter(
  trx: Trx,
  caller: Caller,
  kind: ChangeSetKind,
  options: object,
  listId: number,
  candidates: Sql,
  notFound?: number,
) {
  const { accountId, actor } = caller
  const id = await openChangeSet(trx, accountId, { kind, actor, options: { ...options } })
  const acts = sql`
    select id as contact_id, '{list_added}'::text[] as types, null::text as name, null::timestamptz as at,
      jsonb_build_object('lists', jsonb_build_object('added', jsonb_build_array(${listId}::bigint))) as data
    from sorted where outcome = 'added'`
  const [counts] = await trx.query<Counts>(sql`
    with candidates as (${candidates}), added as (
      insert into list_members (account_id, list_id, contact_id, change_set_id)
      select ${accountId}::bigint, ${listId}::bigint, id, ${id}::bigint from candidates
      where not exists (select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = ${listId} and o.email = candidates.email)
      on conflict do nothing
      returning contact_id
    ), sorted as (
      select candidates.id, candidates.email, case
        when added.contact_id is not null then 'added'
        when exists (select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = ${listId} and o.email = candidates.email) then 'opted_out'
        else 'already_member' end as outcome
      from candidates left join added on added.contact_id = candidates.id
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, after)
      select ${accountId}::bigint, ${id}::bigint, row_number() over (order by id), email, outcome, id,
        case when outcome = 'added' then jsonb_build_object('lists', jsonb_build_array(${listId}::bigint)) end
      from sorted
    ), ${recording(accountId, acts, id)}
    select count(*) filter (where outcome = 'added') as added, count(*) filter (where outcome = 'already_member') as already_members,
      count(*) filter (where outcome = 'opted_out') as opted_out
    from sorted`)
  finishChangeSet(trx, accountId, id, kind, { ...counts!, ...(notFound === undefined ? {} : { not_found: notFound }) })
  return { id, counts: counts! }
}

/** Takes contacts out of a static list. Throws `invalid`. */
export async function removeMembers(trx: Trx, caller: Caller, listId: number, contactIds: readonly unknown[]) {
  const { accountId } = caller
  await holdList(trx, accountId, listId)
  const { ids, notFound } = await resolveContacts(trx, accountId, contactIds)
  const id = await openChangeSet(trx, accountId, {
    kind: 'list_remove',
    actor: caller.actor,
    options: { list_id: listId },
  })
  const [counts] = await trx.query<{ removed: number }>(sql`
    with removed as (
      delete from list_members
      where account_id = ${accountId} and list_id = ${listId} and contact_id = any(${ids}::uuid[])
      returning contact_id, since
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before)
      select ${accountId}::bigint, ${id}::bigint, row_number() over (order by contact_id),
        (select c.email from contacts as c where c.account_id = ${accountId} and c.id = contact_id), 'removed', contact_id,
        jsonb_build_object('lists', jsonb_build_array(${listId}::bigint), 'since', since)
      from removed
    ), ${recording(accountId, leaving(listId, sql`removed`), id)}
    select count(*) as removed from removed`)
  const answer = { removed: counts!.removed, not_members: ids.length - counts!.removed, not_found: notFound.length }
  finishChangeSet(trx, accountId, id, 'list_remove', answer)
  return { change_set_id: id, ...answer, not_found_ids: notFound }
}

/** One event for each who left, from a step with a contact_id. */
function leaving(listId: number, removed: Sql): Sql {
  return sql`
    select contact_id, '{list_removed}'::text[] as types, null::text as name, null::timestamptz as at,
      jsonb_build_object('lists', jsonb_build_object('removed', jsonb_build_array(${listId}::bigint))) as data
    from ${removed}`
}

/** Takes one contact out of a list; false when it is not in it. */
export async function removeMember(trx: Trx, accountId: number, listId: number, contact: Sql): Promise<boolean> {
  await holdList(trx, accountId, listId)
  const [row] = await trx.query(sql`
    with held as (
      select c.id from contacts as c where c.account_id = ${accountId} and ${contact} for update
    ), removed as (
      delete from list_members as m using held
      where m.account_id = ${accountId} and m.list_id = ${listId} and m.contact_id = held.id
      returning m.contact_id
    ), ${recording(accountId, leaving(listId, sql`removed`), null)}
    select contact_id from removed`)
  return row !== undefined
}

/**
 * Makes a static list of a smart one: its members are those who are in it now, and nobody enters or leaves by criteria any
 * more. One change set with a row and an event for each. Throws not_found, and `invalid` for a static list.
 */
export async function convertList(
  trx: Trx,
  caller: Caller,
  listId: number,
  parts: { fields: FieldSet; timeZone: string },
) {
  const { accountId } = caller
  const [list] = await trx.query<{ criteria: unknown; criteria_version: number }>(sql`
    select criteria, criteria_version from lists where account_id = ${accountId} and id = ${listId} for update`)
  if (!list) throw notFound()
  if (list.criteria === null) throw invalid({ base: ['is a static list already'] })
  const named: Condition = { is: 'list', listIds: [listId] }
  const condition = await expandLists(trx, accountId, named, parts.fields)
  const isIn = compile(condition, { timeZone: parts.timeZone }, forSet(accountId))
  // Held and found in one statement; by ids from then on, as what it is to be in the list is about to change.
  const found = await trx.query<{ id: string }>(sql`
    select c.id from contacts as c where c.account_id = ${accountId} and ${isIn} order by c.id for update`)
  trx.send(sql`
    update lists set criteria = null, clock = null, criteria_version = criteria_version + 1, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${listId}`)
  askToCompare(trx, accountId, [{ id: listId, criteria_version: list.criteria_version + 1 }])
  const candidates = sql`
    select c.id, c.email from contacts as c
    where c.account_id = ${accountId} and c.id = any(${found.map((row) => row.id)}::uuid[])`
  const { id, counts } = await enter(
    trx,
    caller,
    'list_convert',
    { list_id: listId, criteria: list.criteria },
    listId,
    candidates,
  )
  return { change_set_id: id, ...counts }
}

/**
 * Moves everyone from the source lists into one, and deletes the sources. Who has left the target stays out of it; who
 * has left a source, and is not in the target by other ways, is kept out of it from now on.
 */
export async function mergeLists(
  trx: Trx,
  caller: Caller,
  listId: number,
  sources: readonly number[],
  usesOf: readonly ListUsesOf[],
) {
  const { accountId } = caller
  if (sources.includes(listId)) throw invalid({ list_ids: ["can't hold the list that they are merged into"] })
  if (new Set(sources).size < sources.length) throw invalid({ list_ids: ['names the same list twice'] })
  // For good, not only held: whoever is putting someone into a source is done by then, or will find it gone.
  await trx.query(sql`
    select id from lists where account_id = ${accountId} and id = any(${[listId, ...sources]}) order by id for update`)
  await holdList(trx, accountId, listId)
  await holdLists(trx, accountId, sources)
  const from = join(sources.map((id) => sql`${id}::bigint`))
  const candidates = sql`
    select c.id, c.email from contacts as c
    where c.account_id = ${accountId} and exists (
      select from list_members as m where m.account_id = ${accountId} and m.list_id in (${from}) and m.contact_id = c.id)`
  await trx.query(sql`select count(*) from (${candidates} order by c.id for update) as held`)
  const { id, counts } = await enter(
    trx,
    caller,
    'list_merge',
    { list_id: listId, merged: [...sources] },
    listId,
    candidates,
  )
  // Before the sources' opt-outs become the target's: who has signed up for a source that they had left joins by that.
  redirectConfirmations(trx, accountId, sources, listId)
  trx.send(sql`
    insert into list_opt_outs (account_id, list_id, email, at)
    select account_id, ${listId}, email, min(at) from list_opt_outs as o
    where account_id = ${accountId} and list_id in (${from}) and not exists (
      select from contacts as c join list_members as m on m.account_id = c.account_id and m.contact_id = c.id and m.list_id = ${listId}
      where c.account_id = o.account_id and c.email = o.email)
    group by account_id, email
    on conflict do nothing`)
  await deleteLists(trx, caller, sources, usesOf)
  return { change_set_id: id, ...counts, merged_list_ids: [...sources] }
}

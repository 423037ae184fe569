import sql, { join, type Sql } from 'sql-template-tag'
import { type Static, Type } from 'typebox'
import type { Trx } from '../../db/database.ts'
import { invalid } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { finishChangeSet, openChangeSet } from '../activity/change-sets.ts'
import { recording } from '../activity/record.ts'
import { takeFields } from '../fields/intake.ts'
import type { Desk } from './desk.ts'
import { checkTags, FieldValues } from './input.ts'
import { removeContacts } from './remove.ts'

/** People a request may name one by one. */
export const MOST_IDS = 1000

/** Ids, addresses or `ext:` ids; checked by `resolveContacts`, which can say more than a schema. */
export const ContactIds = Type.Array(Type.Unknown(), {
  description: `1 to ${MOST_IDS} contacts, each by its id, its address or ext: and its external id.`,
})

export const BatchUpdate = Type.Object(
  {
    contact_ids: ContactIds,
    fields: Type.Optional(FieldValues),
    tags_added: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
    tags_removed: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
  },
  { additionalProperties: false },
)
export const BatchDelete = Type.Object({ contact_ids: ContactIds }, { additionalProperties: false })

export interface Resolved {
  /** Ids of the contacts found, each once, in order. */
  ids: string[]
  /** What was named and is not there, as it was written. */
  notFound: string[]
}

/**
 * Finds whom a request names and locks them, in order of their ids, so that none is gone before it is changed and the
 * counts add up. Throws `invalid` for too many, for none, for one named twice, for what can be nobody's name.
 */
export async function resolveContacts(trx: Trx, accountId: number, named: readonly unknown[]): Promise<Resolved> {
  const fault = (message: string) => invalid({ contact_ids: [message] })
  if (named.length === 0) throw fault("can't be empty")
  if (named.length > MOST_IDS)
    throw fault(`has too many items (maximum is ${MOST_IDS}): send the rest in further requests`)
  const refs = named.map((name, at) => {
    const ref = typeof name === 'string' ? parseContactRef(name) : ({ by: 'none' } as const)
    if (ref.by === 'none') throw fault(`item ${at} is not the id or address of a contact`)
    const value = ref.by === 'id' ? ref.id : ref.by === 'email' ? ref.email : ref.externalId
    return { by: ref.by, value, name: name as string }
  })
  const open = new Map<string, string>()
  for (const { by, value, name } of refs) {
    if (open.has(`${by}:${value}`)) throw fault(`names the same contact twice: ${name}`)
    open.set(`${by}:${value}`, name)
  }
  const of = (by: string) => refs.filter((ref) => ref.by === by).map((ref) => ref.value)
  const looks = [
    { values: of('id'), look: sql`id = any(${of('id')}::uuid[])` },
    { values: of('email'), look: sql`email = any(${of('email')})` },
    { values: of('external_id'), look: sql`external_id = any(${of('external_id')})` },
  ].flatMap(({ values, look }) => (values.length > 0 ? [look] : [])) // of none, an index might be read whole
  const found = await trx.query<{ id: string; email: string; external_id: string | null }>(sql`
    select id, email, external_id from contacts
    where account_id = ${accountId} and (${join(looks, ' or ')})
    order by id for update`)
  for (const { id, email, external_id } of found) {
    const keys = [`id:${id}`, `email:${email}`, ...(external_id === null ? [] : [`external_id:${external_id}`])]
    const names = keys.filter((key) => open.has(key)).map((key) => open.get(key))
    if (names.length > 1) throw fault(`names the same contact twice: ${names.join(', ')}`)
    for (const key of keys) open.delete(key)
  }
  return { ids: found.map((row) => row.id), notFound: [...open.values()] }
}

/** How many of those named were changed, needed no change, or were not there, and which these were. */
export const BatchResult = Type.Object({
  change_set_id: Type.Integer(),
  updated: Type.Optional(Type.Integer()),
  deleted: Type.Optional(Type.Integer()),
  unchanged: Type.Optional(Type.Integer()),
  not_found: Type.Integer(),
  not_found_ids: Type.Array(Type.String()),
})
export type BatchResult = Static<typeof BatchResult>

/** Sets the same fields and tags on many people: one change set, one statement over all of them. */
export async function updateBatch(trx: Trx, desk: Desk, input: Static<typeof BatchUpdate>): Promise<BatchResult> {
  const { caller } = desk
  const added = checkTags(input.tags_added ?? [], 'tags_added')
  const removed = checkTags(input.tags_removed ?? [], 'tags_removed')
  const both = added.filter((tag) => removed.includes(tag))
  if (both.length > 0) throw invalid({ base: [`the same tags are both added and removed: ${both.join(', ')}`] })
  if (Object.keys(input.fields ?? {}).length + added.length + removed.length === 0)
    throw invalid({ base: ['says nothing to change: give fields, tags_added or tags_removed'] })
  const { set, unset } = await takeFields(trx, desk.fieldCache, input.fields ?? {}, {
    accountId: caller.accountId,
    unknown: desk.settings.unknown_fields,
    creating: false,
  })
  const { ids, notFound } = await resolveContacts(trx, caller.accountId, input.contact_ids)
  const id = await openChangeSet(trx, caller.accountId, {
    kind: 'batch_update',
    actor: caller.actor,
    // Which fields, not which values: what is said of a person stands in the rows alone, where a removal finds it.
    options: { fields_set: Object.keys(set), fields_unset: unset, tags_added: added, tags_removed: removed },
  })
  const [counts] = await trx.query<{ updated: number; unchanged: number }>(
    changeEach(caller.accountId, id, ids, { set, unset, added, removed }),
  )
  finishChangeSet(trx, caller.accountId, id, 'batch_update', { ...counts!, not_found: notFound.length })
  return { change_set_id: id, ...counts!, not_found: notFound.length, not_found_ids: notFound }
}

interface EachChange {
  set: Record<string, unknown>
  unset: string[]
  added: string[]
  removed: string[]
}

/**
 * Locks the contacts in order of their ids, works out what each becomes, writes those that differ, and keeps a row for
 * each with what it was and is: only the fields and tags that the change is about.
 */
function changeEach(
  accountId: number,
  changeSetId: number,
  ids: string[],
  { set, unset, added, removed }: EachChange,
): Sql {
  const touched = [...Object.keys(set), ...unset]
  return sql`
    with held as (
      select id, email, fields, tags from contacts
      where account_id = ${accountId} and id = any(${ids}::uuid[]) order by id for update
    ), planned as (
      select id, email, fields, tags,
        (fields - ${unset}::text[]) || ${JSON.stringify(set)}::jsonb as new_fields,
        array(select tag from unnest(tags) with ordinality as t (tag, at) where tag <> all(${removed}::text[]) order by at)
          || array(select tag from unnest(${added}::text[]) with ordinality as t (tag, at) where tag <> all(tags) order by at) as new_tags
      from held
    ), changed as (
      update contacts as c set fields = new_fields, tags = new_tags, updated_at = statement_timestamp()
      from planned where c.account_id = ${accountId} and c.id = planned.id
        and (planned.fields <> new_fields or planned.tags <> new_tags)
      returning c.id
    ), seen as (
      select planned.*, changed.id is not null as differs,
        (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(fields) where key = any(${touched}::text[])) as old_values,
        (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(new_fields) where key = any(${touched}::text[])) as new_values
      from planned left join changed using (id)
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after)
      select ${accountId}::bigint, ${changeSetId}::bigint, row_number() over (order by id), email,
        case when differs then 'updated' else 'unchanged' end, id,
        jsonb_build_object('fields', old_values, 'tags', tags), jsonb_build_object('fields', new_values, 'tags', new_tags)
      from seen
    ), ${recording(accountId, actsOf(touched), changeSetId)}
    select count(*) filter (where differs)::int as updated, count(*) filter (where not differs)::int as unchanged from seen`
}

/** One event for each contact that differs, from `seen` above. */
function actsOf(touched: string[]): Sql {
  return sql`
    select id as contact_id, '{updated}'::text[] as types, null::text as name, null::timestamptz as at,
      jsonb_strip_nulls(jsonb_build_object(
        'fields', (
          select jsonb_object_agg(key, jsonb_strip_nulls(jsonb_build_object('from', old_values -> key, 'to', new_values -> key)))
          from unnest(${touched}::text[]) as key where old_values -> key is distinct from new_values -> key),
        'tags', case when tags <> new_tags then jsonb_strip_nulls(jsonb_build_object(
          'added', (select jsonb_agg(tag) from unnest(new_tags) as tag where tag <> all(tags)),
          'removed', (select jsonb_agg(tag) from unnest(tags) as tag where tag <> all(new_tags)))) end)) as data
    from seen where differs`
}

/** Removes many people: one change set, whose rows name ids alone. */
export async function deleteBatch(trx: Trx, desk: Desk, input: Static<typeof BatchDelete>): Promise<BatchResult> {
  const { caller } = desk
  const { ids, notFound } = await resolveContacts(trx, caller.accountId, input.contact_ids)
  const id = await openChangeSet(trx, caller.accountId, { kind: 'batch_delete', actor: caller.actor })
  const removal = { accountId: caller.accountId, changeSetId: id, source: 'batch', keyring: desk.keyring }
  const gone = await removeContacts(trx, ids, removal)
  trx.send(sql`
    insert into change_rows (account_id, change_set_id, line, action, contact_id)
    select ${caller.accountId}, ${id}, at, 'deleted', gone from unnest(${gone}::uuid[]) with ordinality as t (gone, at)`)
  finishChangeSet(trx, caller.accountId, id, 'batch_delete', { deleted: gone.length, not_found: notFound.length })
  return { change_set_id: id, deleted: gone.length, not_found: notFound.length, not_found_ids: notFound }
}

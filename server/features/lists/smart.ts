import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { invalid } from '../../lib/app-error.ts'
import { vocabularyOf } from '../contacts/selection.ts'
import { type Pace, paceOf } from '../criteria/clock.ts'
import { expand, type NamedList, readList, type StoredList } from '../criteria/expand.ts'
import { listsIn, parseCriteria } from '../criteria/parse.ts'
import { fieldsIn, listsNamed, storedForm } from '../criteria/stored.ts'
import { loadFields } from '../fields/field-set.ts'
import type { FieldUser, FieldUsers } from '../fields/usage.ts'

/** An account's smart lists are all evaluated for every contact that changes. */
const MOST_SMART_LISTS = 500

/** A smart list with the version of its criteria. */
export interface VersionedList {
  id: number
  criteria_version: number
  track: boolean
}

/** Criteria as a list keeps them. */
export interface KeptCriteria {
  criteria: unknown
  clock: Pace | null
  /** The other smart lists that name the list, by way of others too: who is in them changes with it. */
  above: VersionedList[]
}

/**
 * Checks criteria for a list: their fields and lists are there and go on being there, and no smart list comes back to
 * itself by way of others. `self` is the list that is changed. Throws `invalid` with every fault under its path.
 */
export async function checkCriteria(
  trx: Trx,
  accountId: number,
  criteria: unknown,
  self?: { id: number; name: string },
): Promise<KeptCriteria> {
  // Two that would name each other, if both were changed at once, do so one after the other.
  const smart = await trx.query<StoredList & VersionedList>(sql`
    select id, name, criteria, criteria_version, track from lists where account_id = ${accountId} and criteria is not null order by id
    ${self ? sql`for no key update` : sql``}`)
  if (!self && smart.length >= MOST_SMART_LISTS)
    throw invalid({ criteria: [`an account can have at most ${MOST_SMART_LISTS} smart lists`] })
  const fields = await loadFields(trx, accountId)
  const vocabulary = vocabularyOf(fields)
  const condition = parseCriteria(criteria, vocabulary)
  const stored = storedForm(criteria, vocabulary)
  await holdFields(trx, accountId, fieldsIn(stored))
  const known = new Map<number, NamedList>()
  const held = await holdLists(trx, accountId, listsIn(condition))
  for (const { id, name, smart } of held) if (!smart) known.set(id, { id, name, condition: undefined })
  for (const list of smart) known.set(list.id, readList(list, fields))
  // Also one that was there a moment ago, and has been deleted by the time that it is held.
  const missing = listsIn(condition).filter((id) => !held.some((list) => list.id === id))
  if (missing.length > 0) throw invalid({ criteria: [`name lists that are not there: ${missing.join(', ')}`] })
  if (self) known.set(self.id, { ...self, condition })
  const listOf = (id: number) => known.get(id) ?? { id, name: '', condition: undefined } // static, named by another
  if (!self) expand(condition, listOf, 'criteria')
  const above = self ? smart.filter(({ id }) => isAbove(id, self.id, known)) : []
  for (const { id } of above) expand({ is: 'list', listIds: [id] }, listOf, 'criteria')
  return { criteria: stored, clock: paceOf(condition), above: above.filter(({ id }) => id !== self?.id) }
}

/** Whether a list names another, itself or by way of others: then its criteria grow with those of the other. */
function isAbove(id: number, other: number, known: ReadonlyMap<number, NamedList>, seen = new Set<number>()): boolean {
  if (id === other) return true
  if (seen.has(id)) return false
  seen.add(id)
  const condition = known.get(id)?.condition
  return condition !== undefined && listsIn(condition).some((next) => isAbove(next, other, known, seen))
}

async function holdFields(trx: Trx, accountId: number, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  const held = await trx.query(sql`
    select id from fields where account_id = ${accountId} and id = any(${[...ids]}) and removed_at is null order by id for key share`)
  if (held.length < ids.length) throw invalid({ criteria: ['name a field that is being removed'] })
}

async function holdLists(trx: Trx, accountId: number, ids: readonly number[]) {
  if (ids.length === 0) return []
  return trx.query<{ id: number; name: string; smart: boolean }>(sql`
    select id, name, criteria is not null as smart from lists
    where account_id = ${accountId} and id = any(${[...ids]}) order by id for key share`)
}

/** Has the dispatcher compare lists with all contacts, one after the other, without a word. */
export function askToCompare(
  trx: Trx,
  accountId: number,
  lists: readonly Pick<VersionedList, 'id' | 'criteria_version'>[],
): void {
  if (lists.length === 0) return
  trx.send(sql`
    insert into outbox (account_id, event_ids, size, kind, details)
    select ${accountId}::bigint, '{}', 0, 'criteria', jsonb_build_object('list_id', id, 'version', version, 'announce', false)
    from unnest(${lists.map((list) => list.id)}::bigint[], ${lists.map((list) => list.criteria_version)}::int[])
      with ordinality as list (id, version, nth) order by nth`)
}

/** Whether something stands on a field: the smart lists whose criteria speak of it, as the official API says it. */
export async function listsUsingField(db: Queryable, accountId: number, fieldId: number): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql`
    select name from lists where account_id = ${accountId}
      and jsonb_path_exists(criteria, '$.**.field_id ? (@ == $id)', jsonb_build_object('id', ${fieldId}::bigint)) order by name`)
  const names = rows.map(({ name }) => name).join(', ')
  return names === '' ? [] : [`This field is used in the conditions of segment(s): ${names}.`]
}

/** The smart lists whose criteria speak of fields. */
export const listsWithFields: FieldUsers = async (db, { accountId }) => {
  const rows = await db.query<Omit<FieldUser, 'kind'>>(sql`
    select id, name, array(select (field #>> '{}')::bigint from jsonb_path_query(criteria, '$.**.field_id') as field) as fields
    from lists where account_id = ${accountId} and criteria is not null order by lower(name), id`)
  return rows.map((row) => ({ kind: 'smart_list', ...row }))
}

/** What speaks of one of these lists and is none of them, each as a sentence. Their rows are locked. */
export type ListUsesOf = (db: Queryable, accountId: number, listIds: readonly number[]) => Promise<string[]>

/** The smart lists whose criteria speak of these. */
export const smartListsUsing: ListUsesOf = async (db, accountId, listIds) => {
  const rows = await db.query<{ name: string; criteria: unknown }>(sql`
    select name, criteria from lists
    where account_id = ${accountId} and criteria is not null and id <> all(${[...listIds]}::bigint[]) order by name`)
  const names = rows.filter(({ criteria }) => listsNamed(criteria).some((id) => listIds.includes(id)))
  if (names.length === 0) return []
  const named = names.map(({ name }) => name).join(', ')
  return [`This list is used in the conditions of segment(s): ${named}. Change these first.`]
}

import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { invalid } from '../../lib/app-error.ts'
import { vocabularyOf } from '../contacts/selection.ts'
import { type Calendar, compile } from '../criteria/compile.ts'
import { expandLists } from '../criteria/expand.ts'
import { FOR_FEW } from '../criteria/forms.ts'
import { parseCriteria } from '../criteria/parse.ts'
import { fieldsIn, listsNamed, shownForm, storedForm } from '../criteria/stored.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'
import type { FieldUser, FieldUsers } from '../fields/usage.ts'
import type { ListUsesOf } from '../lists/smart.ts'
import type { ListUsers } from '../lists/usage.ts'

/** Criteria as they are kept, and the fields they speak of. */
export interface StoredFilter {
  criteria: unknown
  fieldIds: number[]
}

/**
 * Checks criteria, and locks the fields and lists they speak of against being deleted meanwhile. Throws `invalid` with every fault
 * under its path.
 */
export async function checkFilter(trx: Trx, accountId: number, criteria: unknown): Promise<StoredFilter> {
  const fields = await loadFields(trx, accountId)
  const vocabulary = vocabularyOf(fields)
  await expandLists(trx, accountId, parseCriteria(criteria, vocabulary), fields, 'criteria')
  const stored = storedForm(criteria, vocabulary)
  const fieldIds = fieldsIn(stored)
  const held = await trx.query<{ id: number }>(sql`
    select id from fields where account_id = ${accountId} and id = any(${fieldIds}::bigint[]) and removed_at is null
    order by id for share`)
  if (held.length < fieldIds.length) throw invalid({ criteria: ['speak of a field that is being deleted'] })
  const listIds = listsNamed(stored)
  const heldLists = await trx.query<{ id: number }>(sql`
    select id from lists where account_id = ${accountId} and id = any(${listIds}::bigint[]) order by id for key share`)
  if (heldLists.length < listIds.length) throw invalid({ criteria: ['speak of a list that is being deleted'] })
  return { criteria: stored, fieldIds }
}

/** Criteria as they were written, with the merge tags of now. */
export function shownCriteria(stored: unknown, fields: FieldSet): unknown {
  return shownForm(stored, (id) => fields.numbered(id))
}

/**
 * The condition over `contacts as c`, of which a few are looked at. Throws `invalid` when what was right once is no longer:
 * a field has another kind, a list has gone.
 */
export async function compileFilter(
  db: Queryable,
  accountId: number,
  stored: unknown,
  { fields: known, ...calendar }: Calendar & { fields: FieldSet },
): Promise<Sql> {
  // Those that are known may be 5 s old, and the criteria newer.
  const isKnown = fieldsIn(stored).every((id) => known.numbered(id))
  const fields = isKnown ? known : await loadFields(db, accountId)
  const condition = parseCriteria(shownCriteria(stored, fields), vocabularyOf(fields))
  return compile(await expandLists(db, accountId, condition, fields, 'criteria'), calendar, FOR_FEW)
}

/** The webhooks whose criteria speak of any of these lists. */
async function webhooksNaming(db: Queryable, accountId: number, listIds: readonly number[]): Promise<number[]> {
  const rows = await db.query<{ id: number; criteria: unknown }>(sql`
    select id, criteria from webhooks where account_id = ${accountId} and criteria is not null order by id`)
  return rows.filter(({ criteria }) => listsNamed(criteria).some((id) => listIds.includes(id))).map(({ id }) => id)
}

/** The webhooks whose criteria speak of a list. By number alone: viewers do not see what they are. */
export const webhooksWithList: ListUsers = async (db, { accountId }, listId) =>
  (await webhooksNaming(db, accountId, [listId])).map((id) => ({ kind: 'webhook', id, name: null }))

/** Which webhooks keep lists from being deleted. */
export const webhooksUsingLists: ListUsesOf = async (db, accountId, listIds) => {
  const ids = await webhooksNaming(db, accountId, listIds)
  return ids.length === 0
    ? []
    : [`This list is used in the criteria of webhook(s): ${ids.join(', ')}. Change these first.`]
}

/** The webhooks whose criteria speak of fields. By number alone: viewers do not see what they are. */
export const webhooksWithFields: FieldUsers = async (db, { accountId }) => {
  const rows = await db.query<Omit<FieldUser, 'kind'>>(sql`
    select id, null as name, field_ids as fields from webhooks
    where account_id = ${accountId} and field_ids <> '{}' order by id`)
  return rows.map((row) => ({ kind: 'webhook', ...row }))
}

/** Which webhooks keep a field from being deleted. */
export async function webhooksUsingField(db: Queryable, accountId: number, fieldId: number): Promise<string[]> {
  const rows = await db.query<{ id: number }>(sql`
    select id from webhooks where account_id = ${accountId} and field_ids @> array[${fieldId}::bigint] order by id`)
  return rows.length === 0
    ? []
    : [`This field is used in the criteria of webhook(s): ${rows.map(({ id }) => id).join(', ')}.`]
}

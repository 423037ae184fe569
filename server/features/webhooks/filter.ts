import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { invalid } from '../../lib/app-error.ts'
import { isObject } from '../../lib/json.ts'
import { checkLists, vocabularyOf } from '../contacts/selection.ts'
import { type Calendar, compile } from '../criteria/compile.ts'
import { parseCriteria } from '../criteria/parse.ts'
import { COLUMN_NAMES } from '../criteria/subjects.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'

/** Criteria as they are kept: as they were written, but with `#ID` where a field's merge tag stood, which may be renamed. */
export interface StoredFilter {
  criteria: unknown
  fieldIds: number[]
}

/** Keys of a criteria's object that are never a field's. */
const OWN_KEYS: ReadonlySet<string> = new Set([...COLUMN_NAMES, 'all', 'any', 'not', 'tag', 'list', 'event'])

/** The same tree with every name of a field in it replaced. What is said of events is left alone: it names no fields. */
function renamed(node: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(node)) return node.map((part) => renamed(part, rename))
  if (!isObject(node) || 'event' in node) return node
  if (typeof node.field === 'string') return { ...node, field: rename(node.field) }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === 'all' || key === 'any' || key === 'not') return [key, renamed(value, rename)]
      return [OWN_KEYS.has(key) ? key : rename(key), value]
    }),
  )
}

/**
 * Checks criteria, and locks the fields they speak of against being deleted meanwhile. Throws `invalid` with every fault
 * under its path.
 */
export async function checkFilter(trx: Trx, accountId: number, criteria: unknown): Promise<StoredFilter> {
  const fields = await loadFields(trx, accountId)
  await checkLists(trx, accountId, parseCriteria(criteria, vocabularyOf(fields)))
  const used = new Set<number>()
  const stored = renamed(criteria, (name) => {
    const field = fields.tagged(name)
    if (!field) return name
    used.add(field.id)
    return `#${field.id}`
  })
  const fieldIds = [...used]
  const held = await trx.query<{ id: number }>(sql`
    select id from fields where account_id = ${accountId} and id = any(${fieldIds}::bigint[]) and removed_at is null
    order by id for share`)
  if (held.length < fieldIds.length) throw invalid({ criteria: ['speak of a field that is being deleted'] })
  return { criteria: stored, fieldIds }
}

/** Criteria as they were written, with the merge tags of now. */
export function shownCriteria(stored: unknown, fields: FieldSet): unknown {
  return renamed(stored, (name) => {
    const id = /^#(\d+)$/.exec(name)?.[1]
    return fields.active.find((field) => String(field.id) === id)?.mergeTag ?? name
  })
}

/** The condition over `contacts as c`. Throws `invalid` when what was right once is no longer: a field has another kind. */
export function compileFilter(stored: unknown, fields: FieldSet, calendar: Calendar): Sql {
  return compile(parseCriteria(shownCriteria(stored, fields), vocabularyOf(fields)), calendar)
}

/** Which webhooks keep a field from being deleted. */
export async function webhooksUsingField(db: Queryable, accountId: number, fieldId: number): Promise<string[]> {
  const rows = await db.query<{ id: number }>(sql`
    select id from webhooks where account_id = ${accountId} and field_ids @> array[${fieldId}::bigint] order by id`)
  return rows.length === 0
    ? []
    : [`This field is used in the criteria of webhook(s): ${rows.map(({ id }) => id).join(', ')}.`]
}

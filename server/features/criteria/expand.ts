import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { invalid } from '../../lib/app-error.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'
import { type Condition, listsIn, MOST_VALUES_IN_ALL, parseStored } from './parse.ts'

/** Conditions that criteria may come to with those of all smart lists they name: what one statement is made of. */
const MOST_EXPANDED = 1000

/** A list as criteria see it; without a condition it is static. */
export interface NamedList {
  id: number
  name: string
  condition: Condition | undefined
}

export interface StoredList {
  id: number
  name: string
  /** Stored form; null: a static list. */
  criteria: unknown
}

/**
 * Puts the criteria of smart lists in the place of their names, so that what is compiled names static lists alone.
 * Throws `invalid` under `place`: for a list that is not there, for one that comes back to itself, for too much in all.
 */
export function expand(condition: Condition, listOf: (id: number) => NamedList | undefined, place: string): Condition {
  let [conditions, values] = [0, 0]
  const node = (part: Condition, within: readonly NamedList[]): Condition => {
    conditions++
    if (part.is === 'test') values += part.values.length
    if (part.is === 'event') values += part.params.reduce((sum, test) => sum + test.values.length, 0)
    if (conditions > MOST_EXPANDED || values > MOST_VALUES_IN_ALL)
      throw invalid({
        [place]: [
          `comes to too much with the criteria of all smart lists that it names (maximum is ${MOST_EXPANDED} conditions with ${MOST_VALUES_IN_ALL} values)`,
        ],
      })
    if (part.is === 'all' || part.is === 'any') return { is: part.is, of: part.of.map((one) => node(one, within)) }
    if (part.is === 'not') return { is: 'not', of: node(part.of, within) }
    return part.is === 'list' ? lists(part.listIds, within) : part
  }
  const lists = (ids: readonly number[], within: readonly NamedList[]): Condition => {
    const found = ids.map((id) => listOf(id))
    const missing = ids.filter((_, at) => !found[at])
    if (missing.length > 0) throw invalid({ [place]: [`not found: ${missing.join(', ')}`] })
    const named = found as NamedList[]
    const fixed = named.filter((list) => !list.condition).map((list) => list.id)
    const smart = named.flatMap((list) => (list.condition ? [smartPart(list, list.condition, within)] : []))
    if (smart.length === 0) return { is: 'list', listIds: fixed }
    if (smart.length === 1 && fixed.length === 0) return smart[0]!
    return { is: 'any', of: [...(fixed.length > 0 ? [{ is: 'list' as const, listIds: fixed }] : []), ...smart] }
  }
  const smartPart = (list: NamedList, own: Condition, within: readonly NamedList[]): Condition => {
    const begins = within.findIndex(({ id }) => id === list.id)
    if (begins !== -1) {
      const cycle = [...within.slice(begins), list].map(({ name }) => name).join(' → ')
      throw invalid({ [place]: [`can't come back to the same smart list: ${cycle}`] })
    }
    return { is: 'smart', listId: list.id, name: list.name, of: node(own, [...within, list]) }
  }
  return node(condition, [])
}

/** The same with the account's lists as they are in the database. */
export async function expandLists(
  db: Queryable,
  accountId: number,
  condition: Condition,
  fields: FieldSet,
  place = 'list_id',
): Promise<Condition> {
  const known = new Map<number, NamedList>()
  let current = fields
  for (let wanted = listsIn(condition); wanted.length > 0; ) {
    const rows = await db.query<StoredList>(sql`
      select id, name, criteria from lists where account_id = ${accountId} and id = any(${wanted})`)
    let lists = rows.map((row) => readList(row, current))
    if (lists.some((list) => list.isNewer)) {
      current = await loadFields(db, accountId)
      lists = rows.map((row) => readList(row, current))
    }
    for (const list of lists) known.set(list.id, list)
    wanted = [...new Set(lists.flatMap((list) => (list.condition ? listsIn(list.condition) : [])))].filter(
      (id) => !known.has(id),
    )
  }
  return expand(condition, (id) => known.get(id), place)
}

/** `isNewer`: it names a field that these definitions, up to 5 s old, do not know. */
export function readList({ id, name, criteria }: StoredList, fields: FieldSet): NamedList & { isNewer: boolean } {
  let isNewer = false
  const fieldNumbered = (fieldId: number) => {
    const field = fields.numbered(fieldId)
    isNewer ||= !field
    return field
  }
  const condition = criteria === null ? undefined : parseStored(criteria, fieldNumbered)
  return { id, name, condition, isNewer }
}

import { isObject } from '../../lib/json.ts'
import type { FieldDefinition } from '../fields/definition.ts'
import type { Vocabulary } from './parse.ts'
import { COLUMN_NAMES } from './subjects.ts'

/** Keys of the shorthand that are no field's. */
const NO_FIELD: ReadonlySet<string> = new Set([...COLUMN_NAMES, 'tag', 'list'])

/**
 * Criteria as they are kept: as they were written, but with fields by id, so that a renamed merge tag changes nothing.
 * `{field: "plan", …}` becomes `{field_id: 3, …}`, and a map `{entries: [{field_id: 3, value}, {key: "tag", value}]}`. Only
 * for criteria that `parseCriteria` has accepted; `parseStored` reads them, `shownForm` turns them back.
 */
export function storedForm(criteria: unknown, vocabulary: Vocabulary): unknown {
  if (!isObject(criteria)) return criteria
  if ('field' in criteria) {
    const { field, ...rest } = criteria
    return { ...naming(String(field), vocabulary, 'field'), ...rest }
  }
  if ('event' in criteria) return criteria
  const keys = Object.keys(criteria)
  if (keys.length === 1) {
    const { all, any, not } = criteria
    if (Array.isArray(all)) return { all: all.map((part) => storedForm(part, vocabulary)) }
    if (Array.isArray(any)) return { any: any.map((part) => storedForm(part, vocabulary)) }
    if (not !== undefined) return { not: storedForm(not, vocabulary) }
  }
  return { entries: keys.map((key) => ({ ...naming(key, vocabulary, 'key'), value: criteria[key] })) }
}

function naming(name: string, { fieldNamed }: Vocabulary, otherwise: 'field' | 'key'): Record<string, unknown> {
  const field = NO_FIELD.has(name) ? undefined : fieldNamed(name)
  return field ? { field_id: field.id } : { [otherwise]: name }
}

/** Stored criteria with the merge tags of now, as they were written. */
export function shownForm(stored: unknown, fieldNumbered: (id: number) => FieldDefinition | undefined): unknown {
  if (!isObject(stored)) return stored
  const nameOf = (id: unknown) => fieldNumbered(Number(id))?.mergeTag ?? `field ${id}`
  if ('field_id' in stored) {
    const { field_id, ...rest } = stored
    return { field: nameOf(field_id), ...rest }
  }
  if (Array.isArray(stored.entries)) {
    const entries = stored.entries as Record<string, unknown>[]
    return Object.fromEntries(entries.map(({ key, field_id, value }) => [key ?? nameOf(field_id), value]))
  }
  const { all, any, not } = stored
  if (Array.isArray(all)) return { all: all.map((part) => shownForm(part, fieldNumbered)) }
  if (Array.isArray(any)) return { any: any.map((part) => shownForm(part, fieldNumbered)) }
  return not === undefined ? stored : { not: shownForm(not, fieldNumbered) }
}

/** The ids of the lists that stored criteria name, each once. What events are asked about is no list, whatever its name. */
export function listsNamed(stored: unknown): number[] {
  if (!isObject(stored) || 'field_id' in stored || 'event' in stored) return []
  const { all, any, not, entries, list } = stored
  const parts = [all, any, not].flat().filter((part) => part !== undefined)
  const own = Array.isArray(entries) ? entries.filter(({ key }) => key === 'list').map(({ value }) => value) : [list]
  const ids = own.flat().filter((id) => typeof id === 'number')
  return [...new Set([...ids, ...parts.flatMap(listsNamed)])]
}

/** The ids of the fields that stored criteria name, each once. */
export function fieldsIn(stored: unknown): number[] {
  const ids = new Set<number>()
  JSON.stringify(stored, (key, value) => {
    if (key === 'field_id') ids.add(Number(value))
    return value
  })
  return [...ids]
}

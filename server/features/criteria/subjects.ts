import sql, { type Sql } from 'sql-template-tag'
import type { FieldDefinition } from '../fields/definition.ts'
import { STATES, STATUSES } from '../subscriptions/states.ts'
import { suppressedAt } from '../subscriptions/suppressions.ts'

/** What kind of value a condition compares: decides which operators there are and how they are compiled. */
export type Kind = 'text' | 'select' | 'number' | 'boolean' | 'date' | 'moment'

/** Something of a contact that a condition can be about. */
export type Subject = { name: string; kind: Kind } & (
  | { source: 'field'; field: FieldDefinition }
  | { source: 'column'; value: (now: Sql) => Sql; words?: readonly string[] }
  /** Of an event. */
  | { source: 'param'; key: string }
)

/** What every contact has besides its fields, as an expression over `contacts as c`. */
const COLUMNS: Readonly<Record<string, { kind: Kind; value: (now: Sql) => Sql; words?: readonly string[] }>> = {
  email: { kind: 'text', value: () => sql`(c.email collate "default")` },
  email_domain: { kind: 'text', value: () => sql`split_part(c.email, '@', 2)` },
  external_id: { kind: 'text', value: () => sql`(c.external_id collate "default")` },
  origin: { kind: 'text', value: () => sql`c.origin` },
  state: { kind: 'select', value: () => sql`c.state`, words: STATES },
  status: {
    kind: 'select',
    value: () => sql`case when c.state = 'subscribed' then 'subscribed' else 'unsubscribed' end`,
    words: STATUSES,
  },
  subscribed: { kind: 'boolean', value: () => sql`(c.state = 'subscribed')` },
  sendable: { kind: 'boolean', value: (now) => sql`(c.state = 'subscribed' and not ${suppressedAt(now)})` },
  created_at: { kind: 'moment', value: () => sql`c.created_at` },
  updated_at: { kind: 'moment', value: () => sql`c.updated_at` },
}

export const COLUMN_NAMES: readonly string[] = Object.keys(COLUMNS)

export const KIND_OF_FIELD = {
  text: 'text',
  select: 'select',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
} as const

export function subjectOf(field: FieldDefinition): Subject {
  return { name: field.mergeTag, source: 'field', kind: KIND_OF_FIELD[field.type], field }
}

/** The subject of that name: a column of every contact, or the field with that merge tag. */
export function subjectNamed(
  name: string,
  fieldNamed: (mergeTag: string) => FieldDefinition | undefined,
): Subject | undefined {
  const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined
  if (column) return { name, source: 'column', ...column }
  const field = fieldNamed(name)
  return field && subjectOf(field)
}

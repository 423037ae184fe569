import sql, { type Sql } from 'sql-template-tag'
import type { Kind } from './subjects.ts'

/** What an operator takes: nothing, one value, two bounds, a set of values, or a number of days. */
export type Arity = 'none' | 'one' | 'two' | 'many' | 'days'

export const OPERATORS = {
  eq: 'one',
  ne: 'one',
  in: 'many',
  not_in: 'many',
  contains: 'one',
  not_contains: 'one',
  starts_with: 'one',
  ends_with: 'one',
  gt: 'one',
  gte: 'one',
  lt: 'one',
  lte: 'one',
  between: 'two',
  before: 'one',
  after: 'one',
  on: 'one',
  within_last: 'days',
  older_than: 'days',
  within_next: 'days',
  anniversary_within: 'days',
  is_set: 'none',
  is_not_set: 'none',
} as const satisfies Record<string, Arity>
export type Operator = keyof typeof OPERATORS

const ORDERED = ['gt', 'gte', 'lt', 'lte', 'between'] as const
const CALENDAR = ['before', 'after', 'on', 'within_last', 'older_than', 'within_next', 'anniversary_within'] as const
const PRESENCE = ['is_set', 'is_not_set'] as const

/** Which operators each kind of value has. */
export const OPERATORS_OF: Readonly<Record<Kind, readonly Operator[]>> = {
  text: ['eq', 'ne', 'in', 'not_in', 'contains', 'not_contains', 'starts_with', 'ends_with', ...PRESENCE],
  select: ['eq', 'ne', 'in', 'not_in', ...PRESENCE],
  number: ['eq', 'ne', 'in', 'not_in', ...ORDERED, ...PRESENCE],
  boolean: ['eq', 'ne', ...PRESENCE],
  date: ['eq', 'ne', 'in', 'not_in', ...ORDERED, ...CALENDAR, ...PRESENCE],
  moment: ['eq', 'ne', ...ORDERED, ...CALENDAR, ...PRESENCE],
}

/** The operator that each negative one is the complement of: it holds also for contacts that have no value. */
export const COMPLEMENT_OF: Partial<Record<Operator, Operator>> = {
  ne: 'eq',
  not_in: 'in',
  not_contains: 'contains',
  is_not_set: 'is_set',
}

export const COMPARISON: Partial<Record<Operator, Sql>> = {
  eq: sql`=`,
  on: sql`=`,
  gt: sql`>`,
  after: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  before: sql`<`,
  lte: sql`<=`,
}

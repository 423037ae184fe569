import sql, { empty, join, type Sql } from 'sql-template-tag'
import { escapeLike } from '../../lib/text.ts'
import { COMPLEMENT_OF, type Operator } from './operators.ts'
import type { Condition } from './parse.ts'
import type { Subject } from './subjects.ts'
import type { Value } from './values.ts'

/** What days are meant in: the account's time zone, an IANA name. */
export interface Calendar {
  timeZone: string
}

/**
 * Turns checked criteria into a condition over `contacts as c`. Keys and values travel as bound parameters: no text of
 * the user's is ever part of the SQL. Every condition is true or false, never null, so that `not` is a true complement.
 */
export function compile(condition: Condition, calendar: Calendar): Sql {
  switch (condition.is) {
    case 'all':
      return condition.of.length === 0
        ? sql`true`
        : sql`(${join(
            condition.of.map((part) => compile(part, calendar)),
            ' and ',
          )})`
    case 'any':
      return condition.of.length === 0
        ? sql`false`
        : sql`(${join(
            condition.of.map((part) => compile(part, calendar)),
            ' or ',
          )})`
    case 'not':
      return sql`(not ${compile(condition.of, calendar)})`
    case 'tag':
      return sql`(c.tags && ${condition.tags}::text[])`
    case 'list':
      return sql`exists (
        select from list_members as m
        where m.account_id = c.account_id and m.list_id = any(${condition.listIds}::bigint[]) and m.contact_id = c.id)`
    case 'test':
      return compileTest(condition.subject, condition.op, condition.values, calendar)
  }
}

function compileTest(subject: Subject, op: Operator, values: Value[], calendar: Calendar): Sql {
  const complement = COMPLEMENT_OF[op]
  if (complement) return sql`(not ${compileTest(subject, complement, values, calendar)})`
  if (op === 'is_set')
    return subject.source === 'field' ? sql`(c.fields ? ${subject.field.key})` : sql`(${subject.value} is not null)`
  const test = COMPILED[subject.kind](subject, op, values, calendar)
  return sql`coalesce(${test}, false)`
}

type Compiler = (subject: Subject, op: Operator, values: Value[], calendar: Calendar) => Sql

const COMPILED: Record<Subject['kind'], Compiler> = {
  text: compileText,
  select: compileSelect,
  number: compileNumber,
  boolean: (subject, _op, [value]) =>
    subject.source === 'field' ? isOneOf(subject.field.key, [value!]) : sql`${subject.value} = ${value}`,
  date: compileDate,
  moment: compileMoment,
}

/** The text of a field's value, or of a column. */
function textOf(subject: Subject): Sql {
  return subject.source === 'field' ? sql`(c.fields ->> ${subject.field.key})` : subject.value
}

function compileText(subject: Subject, op: Operator, values: Value[]): Sql {
  const text = sql`lower(${textOf(subject)})`
  const pattern = (before: string, after: string) =>
    sql`${before} || lower(${escapeLike(String(values[0]))}) || ${after}`
  switch (op) {
    case 'contains':
      return sql`${text} like ${pattern('%', '%')}`
    case 'starts_with':
      return sql`${text} like ${pattern('', '%')}`
    case 'ends_with':
      return sql`${text} like ${pattern('%', '')}`
    case 'in':
      return sql`${text} = any(array[${values.length === 0 ? empty : join(values.map((value) => sql`lower(${String(value)})`))}]::text[])`
    default:
      return sql`${text} = lower(${String(values[0])})`
  }
}

/** Whether the value under that key is one of these, type and all. Half the time of containment over a million rows. */
function isOneOf(key: string, values: Value[]): Sql {
  return sql`c.fields -> ${key} = any(${values.map((value) => JSON.stringify(value))}::jsonb[])`
}

function compileSelect(subject: Subject, _op: Operator, values: Value[]): Sql {
  return sql`${textOf(subject)} = any(${values.map(String)})`
}

const COMPARISON: Partial<Record<Operator, Sql>> = {
  eq: sql`=`,
  on: sql`=`,
  gt: sql`>`,
  after: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  before: sql`<`,
  lte: sql`<=`,
}

const IN_PATH: Partial<Record<Operator, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' }

/**
 * As a JSON path, where numbers compare with numbers alone, whatever else may stand under the key; and which reads the
 * value once. To take it out twice, for its type and to compare it, takes a third longer over a million rows. `?` makes the
 * condition cost more than that of the account in the planner's eyes, which would else be tested after it.
 */
function compileNumber(subject: Subject, op: Operator, values: Value[]): Sql {
  if (subject.source !== 'field') throw new TypeError(`no column holds a number: ${subject.name}`)
  const { key } = subject.field
  if (op === 'eq' || op === 'in') return isOneOf(key, values)
  const stored = `$.${JSON.stringify(key)}`
  const [first, last] = values.map((value) => JSON.stringify(value))
  const path = op === 'between' ? `${stored} >= ${first} && ${stored} <= ${last}` : `${stored} ${IN_PATH[op]} ${first}`
  return sql`(c.fields ? ${key} and c.fields @@ ${path}::jsonpath)`
}

/** Today where the account is. */
const today = (calendar: Calendar) => sql`(now() at time zone ${calendar.timeZone})::date`

/** Dates are stored as YYYY-MM-DD, which sorts as text does. */
function compileDate(subject: Subject, op: Operator, values: Value[], calendar: Calendar): Sql {
  const date = sql`(${textOf(subject)} collate "C")`
  const day = (offset: Sql) => sql`to_char(${today(calendar)} ${offset}, 'YYYY-MM-DD')`
  const days = sql`${values[0]}::int`
  switch (op) {
    case 'within_last':
      return sql`(${date} between ${day(sql`- ${days}`)} and ${day(empty)})`
    case 'older_than':
      return sql`${date} < ${day(sql`- ${days}`)}`
    case 'within_next':
      return sql`(${date} between ${day(empty)} and ${day(sql`+ ${days}`)})`
    case 'in':
      return sql`${date} = any(${values.map(String)})`
    case 'between':
      return sql`${date} between ${String(values[0])} and ${String(values[1])}`
    default:
      return sql`${date} ${COMPARISON[op]} ${String(values[0])}`
  }
}

/** A day given for a moment stands for the whole of it: from its first instant up to that of the next. */
function compileMoment(subject: Subject, op: Operator, values: Value[], calendar: Calendar): Sql {
  const moment = textOf(subject)
  const isDay = (value: Value) => String(value).length === 10
  const start = (value: Value) =>
    isDay(value)
      ? sql`(${String(value)}::date::timestamp at time zone ${calendar.timeZone})`
      : sql`${String(value)}::timestamptz`
  const end = (value: Value) =>
    isDay(value)
      ? sql`((${String(value)}::date + 1)::timestamp at time zone ${calendar.timeZone})`
      : sql`${String(value)}::timestamptz`
  const [first, last = first] = values as [Value, Value?]
  const upTo = (value: Value) => (isDay(value) ? sql`${moment} < ${end(value)}` : sql`${moment} <= ${end(value)}`)
  const dayFrom = (offset: Sql) => sql`((${today(calendar)} ${offset})::timestamp at time zone ${calendar.timeZone})`
  const days = sql`${first}::int`
  switch (op) {
    case 'before':
    case 'lt':
      return sql`${moment} < ${start(first)}`
    case 'gte':
      return sql`${moment} >= ${start(first)}`
    case 'after':
    case 'gt':
      return isDay(first) ? sql`${moment} >= ${end(first)}` : sql`${moment} > ${end(first)}`
    case 'lte':
      return upTo(first)
    case 'within_last':
      return sql`(${moment} >= ${dayFrom(sql`- ${days}`)} and ${moment} < ${dayFrom(sql`+ 1`)})`
    case 'older_than':
      return sql`${moment} < ${dayFrom(sql`- ${days}`)}`
    case 'within_next':
      return sql`(${moment} >= ${dayFrom(empty)} and ${moment} < ${dayFrom(sql`+ ${days} + 1`)})`
    default: // eq, on, between
      return sql`(${moment} >= ${start(first)} and ${upTo(last)})`
  }
}

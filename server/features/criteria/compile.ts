import sql, { empty, join, type Sql } from 'sql-template-tag'
import { escapeLike } from '../../lib/text.ts'
import { compileDate, compileMoment, type Moment } from './compile-dates.ts'
import { FOR_FEW, type Form } from './forms.ts'
import { COMPARISON, COMPLEMENT_OF, type Operator } from './operators.ts'
import type { Condition } from './parse.ts'
import type { Subject } from './subjects.ts'
import type { Value } from './values.ts'

/** What days are meant in, and which moment is now. */
export interface Calendar {
  /** The account's, an IANA name. */
  timeZone: string
  /** `now()` unless given. */
  now?: Sql
}

export interface Context extends Moment {
  form: Form
}

/**
 * Turns checked criteria into a condition over `contacts as c`. Keys and values travel as bound parameters: no text of
 * the user's is ever part of the SQL. Every condition is true or false, never null, so that `not` is a true complement.
 * The form says how events and memberships are looked up: `forSet` for all contacts of an account, `FOR_FEW` for a few of
 * them or a walk that may end early, `Together` for many criteria over the same contacts. They mean the same.
 */
export function compile(condition: Condition, calendar: Calendar, form: Form = FOR_FEW): Sql {
  return compileNode(condition, { timeZone: calendar.timeZone, now: calendar.now ?? sql`now()`, form })
}

function compileNode(condition: Condition, context: Context): Sql {
  switch (condition.is) {
    case 'all':
      return condition.of.length === 0
        ? sql`true`
        : sql`(${join(
            condition.of.map((part) => compileNode(part, context)),
            ' and ',
          )})`
    case 'any':
      return condition.of.length === 0
        ? sql`false`
        : sql`(${join(
            condition.of.map((part) => compileNode(part, context)),
            ' or ',
          )})`
    case 'not':
      return sql`(not ${compileNode(condition.of, context)})`
    case 'tag':
      return context.form.shareTest(sql`(c.tags && ${condition.tags}::text[])`)
    case 'list':
      return context.form.isMember(condition.listIds)
    case 'smart':
      return sql`(${compileNode(condition.of, context)} and not ${context.form.hasLeft(condition.listId)})`
    case 'event':
      return context.form.happened(condition, context)
    case 'test':
      return context.form.shareTest(compileTest(condition.subject, condition.op, condition.values, context))
  }
}

/** Over `contacts as c`; a test on a parameter over `events as e`. */
export function compileTest(subject: Subject, op: Operator, values: Value[], context: Context): Sql {
  const complement = COMPLEMENT_OF[op]
  if (complement) return sql`(not ${compileTest(subject, complement, values, context)})`
  if (op === 'is_set') return isSet(subject, context)
  const test = COMPILED[subject.kind](subject, op, values, context)
  return sql`coalesce(${test}, false)`
}

function isSet(subject: Subject, { now }: Context): Sql {
  switch (subject.source) {
    case 'field':
      return sql`(c.fields ? ${subject.field.key})`
    case 'column':
      return sql`(${subject.value(now)} is not null)`
    case 'param':
      return sql`(coalesce(jsonb_typeof(${stored(subject)}), 'null') <> 'null')`
  }
}

type Compiler = (subject: Subject, op: Operator, values: Value[], context: Context) => Sql

const COMPILED: Record<Subject['kind'], Compiler> = {
  text: compileText,
  select: (subject, _op, values, context) => sql`${textOf(subject, context)} = any(${values.map(String)})`,
  number: compileNumber,
  boolean: (subject, _op, [value], { form, now }) =>
    subject.source === 'column'
      ? sql`${form.share(subject.value(now))} = ${value}`
      : isOneOf(jsonOf(subject, form), [value!]),
  date: (subject, op, values, context) => compileDate(textOf(subject, context), op, values, context),
  moment: (subject, op, values, context) => compileMoment(textOf(subject, context), op, values, context),
}

/** The JSON value under a key. */
function stored(subject: Exclude<Subject, { source: 'column' }>): Sql {
  return subject.source === 'field' ? sql`c.fields -> ${subject.field.key}` : sql`e.data -> 'params' -> ${subject.key}`
}

function jsonOf(subject: Subject, form: Form): Sql {
  if (subject.source === 'column') throw new TypeError(`no column holds JSON: ${subject.name}`)
  return subject.source === 'field' ? form.share(sql`(${stored(subject)})`) : sql`(${stored(subject)})`
}

/** The text of a value, or the column itself; `as` is what is made of it, in which form it is shared. */
function textOf(subject: Subject, { form, now }: Context, as: (text: Sql) => Sql = (text) => text): Sql {
  switch (subject.source) {
    case 'field':
      return form.share(as(sql`(c.fields ->> ${subject.field.key})`))
    case 'column':
      return form.share(as(subject.value(now)))
    case 'param':
      return as(
        sql`(case when jsonb_typeof(${stored(subject)}) = 'string' then e.data -> 'params' ->> ${subject.key} end)`,
      )
  }
}

function compileText(subject: Subject, op: Operator, values: Value[], context: Context): Sql {
  const text = textOf(subject, context, (plain) => sql`lower(${plain})`)
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

/** Whether a JSON value is one of these, type and all. Half the time of containment over a million rows. */
function isOneOf(json: Sql, values: Value[]): Sql {
  return sql`${json} = any(${values.map((value) => JSON.stringify(value))}::jsonb[])`
}

const IN_PATH: Partial<Record<Operator, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' }

/**
 * Numbers compare with numbers alone, whatever else may stand under the key. A contact's by a JSON path, which reads the value
 * once: to take it out twice, for its type and to compare it, takes a third longer over a million rows. `?` makes the
 * condition cost more than that of the account in the planner's eyes, which would else be tested after it. Where the value
 * is taken out once for many criteria, it is compared as it is.
 */
function compileNumber(subject: Subject, op: Operator, values: Value[], { form }: Context): Sql {
  if (op === 'eq' || op === 'in') return isOneOf(jsonOf(subject, form), values)
  const [first, last] = values.map((value) => JSON.stringify(value))
  if (subject.source === 'field' && !form.shares) {
    const { key } = subject.field
    const value = `$.${JSON.stringify(key)}`
    const path = op === 'between' ? `${value} >= ${first} && ${value} <= ${last}` : `${value} ${IN_PATH[op]} ${first}`
    return sql`(c.fields ? ${key} and c.fields @@ ${path}::jsonpath)`
  }
  const json = jsonOf(subject, form)
  const compared =
    op === 'between'
      ? sql`${json} between ${first}::jsonb and ${last}::jsonb`
      : sql`${json} ${COMPARISON[op]} ${first}::jsonb`
  return sql`(jsonb_typeof(${json}) = 'number' and ${compared})`
}

import sql, { type Sql } from 'sql-template-tag'
import { COMPARISON, type Operator } from './operators.ts'
import type { Value } from './values.ts'

/** A moment, and where its day is looked for. */
export interface Moment {
  timeZone: string
  now: Sql
}

/** Today where the account is. */
export function today({ now, timeZone }: Moment): Sql {
  return sql`(${now} at time zone ${timeZone})::date`
}

/** The instant at which a day of the account's calendar begins. */
export function startOf(day: Sql, { timeZone }: Moment): Sql {
  return sql`((${day})::timestamp at time zone ${timeZone})`
}

/** Today and so many days, as YYYY-MM-DD. In a subquery, which PostgreSQL runs once and not for each contact. */
function dayFrom(moment: Moment, days: number): Sql {
  return sql`(select to_char(${today(moment)} + ${days}::int, 'YYYY-MM-DD'))`
}

/** Dates are stored as YYYY-MM-DD, which sorts as text does. */
export function compileDate(text: Sql, op: Operator, values: Value[], moment: Moment): Sql {
  const date = sql`(${text} collate "C")`
  const days = Number(values[0])
  switch (op) {
    case 'within_last':
      return sql`(${date} between ${dayFrom(moment, -days)} and ${dayFrom(moment, 0)})`
    case 'older_than':
      return sql`${date} < ${dayFrom(moment, -days)}`
    case 'within_next':
      return sql`(${date} between ${dayFrom(moment, 0)} and ${dayFrom(moment, days)})`
    case 'anniversary_within':
      return compileAnniversary(date, days, moment)
    case 'in':
      return sql`${date} = any(${values.map(String)})`
    case 'between':
      return sql`${date} between ${String(values[0])} and ${String(values[1])}`
    default:
      return sql`${date} ${COMPARISON[op]} ${String(values[0])}`
  }
}

/**
 * Whether the day and month come round between today and so many days from now, at most a year, in a year after the
 * date's own. 29 February comes round on the 28th where the year has no 29th.
 */
function compileAnniversary(date: Sql, days: number, moment: Moment): Sql {
  const [first, last] = [dayFrom(moment, 0), dayFrom(moment, days)]
  const year = (day: Sql) => sql`substr(${day}, 1, 4)`
  const inYearOf = (day: Sql, from: Sql, to: Sql) => {
    const isShort = sql`extract(day from make_date(${year(day)}::int, 3, 1) - 1) = 28`
    const dayOfYear = sql`case when substr(${date}, 6) = '02-29' and (select ${isShort}) then '02-28' else substr(${date}, 6) end`
    return sql`(${year(date)} < ${year(day)} and ${dayOfYear} between ${from} and ${to})`
  }
  const ofFirst = inYearOf(
    first,
    sql`substr(${first}, 6)`,
    sql`case when ${year(first)} = ${year(last)} then substr(${last}, 6) else '12-31' end`,
  )
  return sql`(${ofFirst} or (${year(first)} < ${year(last)} and ${inYearOf(last, sql`'01-01'`, sql`substr(${last}, 6)`)}))`
}

/** Whether what a moment is compared with is a day. */
export function isDay(value: Value): boolean {
  return String(value).length === 10
}

/** A day given for a moment stands for the whole of it: from its first instant up to that of the next. */
export function compileMoment(moment: Sql, op: Operator, values: Value[], now: Moment): Sql {
  const start = (value: Value) =>
    isDay(value) ? startOf(sql`${String(value)}::date`, now) : sql`${String(value)}::timestamptz`
  const end = (value: Value) =>
    isDay(value) ? startOf(sql`${String(value)}::date + 1`, now) : sql`${String(value)}::timestamptz`
  const [first, last = first] = values as [Value, Value?]
  const upTo = (value: Value) => (isDay(value) ? sql`${moment} < ${end(value)}` : sql`${moment} <= ${end(value)}`)
  const startFrom = (days: number) => sql`(select ${startOf(sql`${today(now)} + ${days}::int`, now)})`
  const days = Number(first)
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
      return sql`(${moment} >= ${startFrom(-days)} and ${moment} < ${startFrom(1)})`
    case 'older_than':
      return sql`${moment} < ${startFrom(-days)}`
    case 'within_next':
      return sql`(${moment} >= ${startFrom(0)} and ${moment} < ${startFrom(days + 1)})`
    case 'anniversary_within':
      return compileAnniversary(
        sql`(to_char(${moment} at time zone ${now.timeZone}, 'YYYY-MM-DD') collate "C")`,
        days,
        now,
      )
    default: // eq, on, between
      return sql`(${moment} >= ${start(first)} and ${upTo(last)})`
  }
}

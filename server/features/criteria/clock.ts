import sql, { join, type Sql } from 'sql-template-tag'
import { compile } from './compile.ts'
import { isDay } from './compile-dates.ts'
import { isRecordedSince, windowEdge } from './compile-event.ts'
import type { Operator } from './operators.ts'
import type { Condition, Test } from './parse.ts'
import type { Window } from './parse-event.ts'

/** How soon time alone may change what a condition says: within windows of hours, or of days. */
export type Pace = 'minute' | 'hour'

const RELATIVE: ReadonlySet<Operator> = new Set(['within_last', 'older_than', 'within_next', 'anniversary_within'])

/** What in criteria depends on the clock: tests of dates and of whether someone may be mailed, and windows of events. */
export function clockParts(condition: Condition): { tests: Test[]; windows: Window[] } {
  switch (condition.is) {
    case 'all':
    case 'any': {
      const parts = condition.of.map(clockParts)
      return { tests: parts.flatMap((part) => part.tests), windows: parts.flatMap((part) => part.windows) }
    }
    case 'not':
    case 'smart':
      return clockParts(condition.of)
    case 'test':
      return { tests: isOfClock(condition) ? [condition] : [], windows: [] }
    case 'event':
      return { tests: [], windows: condition.within ? [condition.within] : [] }
    case 'tag':
    case 'list':
      return { tests: [], windows: [] }
  }
}

/** A suppression may end, so whether someone is sendable depends on the clock. */
function isOfClock({ subject, op }: Test): boolean {
  return RELATIVE.has(op) || isSendable(subject)
}

export function isSendable({ source, name }: Test['subject']): boolean {
  return source === 'column' && name === 'sendable'
}

/** Whether a suppression changes what it says of someone. */
export function asksWhetherSendable(condition: Condition): boolean {
  return clockParts(condition).tests.some((test) => isSendable(test.subject))
}

/** A look begins so much before the last one ended: transactions that began at the same moment may have ended later. */
export const LOOK_OVERLAP = '10 seconds'

/** Whether it depends on what has happened, and not only on what the contact is. */
export function hasEvents(condition: Condition): boolean {
  return someLeaf(condition, (leaf) => leaf.is === 'event')
}

/**
 * Whether it depends on where days begin: relative dates and windows of days, and days that a moment is compared with.
 * Dates are days wherever one is.
 */
export function dependsOnZone(condition: Condition): boolean {
  const { tests, windows } = clockParts(condition)
  if (tests.some(({ subject }) => !isSendable(subject)) || windows.some(({ unit }) => unit !== 'h')) return true
  return someLeaf(
    condition,
    (leaf) => leaf.is === 'test' && leaf.subject.kind === 'moment' && leaf.values.some((value) => isDay(value)),
  )
}

function someLeaf(condition: Condition, holds: (leaf: Condition) => boolean): boolean {
  switch (condition.is) {
    case 'all':
    case 'any':
      return condition.of.some((part) => someLeaf(part, holds))
    case 'not':
    case 'smart':
      return someLeaf(condition.of, holds)
    default:
      return holds(condition)
  }
}

/** null: time changes nothing. */
export function paceOf(condition: Condition): Pace | null {
  const { tests, windows } = clockParts(condition)
  if (windows.some((window) => window.unit === 'h')) return 'minute'
  return tests.length + windows.length > 0 ? 'hour' : null
}

/** The account's clock from one look to the next. */
export interface Span {
  timeZone: string
  from: Sql
  to: Sql
}

/** What has ended in a span: whether a day has, and a suppression. */
export interface Turned {
  day: boolean
  suppression: boolean
}

/** Of what depends on the clock, what may have turned: windows of hours always, the rest at the end of a day, or of a suppression. */
function turning(condition: Condition, turned: Turned): { tests: Test[]; windows: Window[] } {
  const { tests, windows } = clockParts(condition)
  return {
    tests: tests.filter(({ subject }) => (isSendable(subject) ? turned.suppression : turned.day)),
    windows: windows.filter((window) => turnsIn(window, turned)),
  }
}

export function turnsIn({ unit }: Window, { day }: Turned): boolean {
  return unit === 'h' || day
}

/** Whether time alone may have changed what a condition says. */
export function mayTurn(condition: Condition, turned: Turned): boolean {
  const { tests, windows } = turning(condition, turned)
  return tests.length + windows.length > 0
}

/** The hours of the longest window of hours. */
export function longestHours(conditions: readonly Condition[]): number {
  const windows = conditions.flatMap((condition) => clockParts(condition).windows)
  return Math.max(0, ...windows.filter(({ unit }) => unit === 'h').map(({ size }) => size))
}

/**
 * The contacts, as `select … as contact_id`, of whom time alone may have changed what these conditions say: an event left a
 * window, or a test on a date holds at one end of the span and not at the other. Some more may be among them. undefined
 * when there can't be any.
 * @param floor An event's id: what is older is in none of the windows of hours. Months before it are not even planned for.
 */
export function movedByClock(
  accountId: number,
  conditions: readonly Condition[],
  { timeZone, from, to }: Span,
  turned: Turned,
  floor?: string,
): Sql | undefined {
  const parts = conditions.map((condition) => turning(condition, turned))
  const windows = distinct(
    parts.flatMap((part) => part.windows),
    (window) => `${window.size}${window.unit}`,
  )
  const left = windows.map((window) => {
    const [first, last] = [from, to].map((now) => windowEdge(window, { timeZone, now }))
    return sql`
      select e.contact_id from events as e where (e.account_id + 0) = ${accountId}::bigint and e.contact_id is not null
        and e.at between ${first} and ${last} and ${window.unit === 'h' && floor ? sql`e.id >= ${floor}::uuid` : isRecordedSince(first!)}`
  })
  const tests = distinct(
    parts.flatMap((part) => part.tests),
    (test) => JSON.stringify([test.subject.name, test.op, test.values]),
  ).map((test) => sql`${compile(test, { timeZone, now: from })} <> ${compile(test, { timeZone, now: to })}`)
  const changed =
    tests.length === 0
      ? []
      : [
          sql`select c.id as contact_id from contacts as c where c.account_id = ${accountId} and (${join(tests, ' or ')})`,
        ]
  const all = [...left, ...changed]
  // Someone may have several events that leave a window together.
  return all.length === 0 ? undefined : sql`select distinct contact_id from (${join(all, ' union all ')}) as moved`
}

function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}

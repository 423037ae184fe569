import sql, { join, type Sql } from 'sql-template-tag'
import type { EventType } from '../activity/event-types.ts'
import { compile } from './compile.ts'
import { isDay } from './compile-dates.ts'
import { firstRecorded, windowEdge } from './compile-event.ts'
import type { Operator } from './operators.ts'
import type { Condition, Test } from './parse.ts'
import type { EventCondition, Window } from './parse-event.ts'
import { countedTypes, counts } from './relevance.ts'

/** How soon time alone may change what a condition says: within windows of hours, or of days. */
export type Pace = 'minute' | 'hour'

const RELATIVE: ReadonlySet<Operator> = new Set(['within_last', 'older_than', 'within_next', 'anniversary_within'])

/** A condition on events that counts only those in a window. */
type Windowed = EventCondition & { within: Window }

/** What depends on the clock: tests of dates and of whether someone may be mailed, and events in windows. */
interface OfClock {
  tests: Test[]
  windowed: Windowed[]
}

/** What in criteria depends on the clock. */
export function clockParts(condition: Condition): OfClock {
  switch (condition.is) {
    case 'all':
    case 'any':
      return together(condition.of.map(clockParts))
    case 'not':
    case 'smart':
      return clockParts(condition.of)
    case 'test':
      return { tests: isOfClock(condition) ? [condition] : [], windowed: [] }
    case 'event':
      return { tests: [], windowed: condition.within ? [condition as Windowed] : [] }
    case 'tag':
    case 'list':
      return { tests: [], windowed: [] }
  }
}

function together(parts: readonly OfClock[]): OfClock {
  return { tests: parts.flatMap((part) => part.tests), windowed: parts.flatMap((part) => part.windowed) }
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
  const { tests, windowed } = clockParts(condition)
  if (tests.some(({ subject }) => !isSendable(subject)) || windowed.some(({ within }) => within.unit !== 'h'))
    return true
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
  const { tests, windowed } = clockParts(condition)
  if (windowed.some(({ within }) => within.unit === 'h')) return 'minute'
  return tests.length + windowed.length > 0 ? 'hour' : null
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
  /** Conditions that are left out, as it is known already whether they have turned (`judged.ts`). */
  isJudged?: (condition: EventCondition) => boolean
}

/** Of what depends on the clock, what may have turned: windows of hours always, the rest at the end of a day, or of a suppression. */
function turning(condition: Condition, turned: Turned): OfClock {
  const { tests, windowed } = clockParts(condition)
  return {
    tests: tests.filter(({ subject }) => (isSendable(subject) ? turned.suppression : turned.day)),
    windowed: windowed.filter((one) => turnsIn(one.within, turned) && !turned.isJudged?.(one)),
  }
}

export function turnsIn({ unit }: Window, { day }: Turned): boolean {
  return unit === 'h' || day
}

/** What crossed the edge of a window: which one, and of which types the event is. Without a window, a test has turned. */
export interface Crossed {
  window: string | null
  types: EventType[] | null
}

const nameOf = ({ size, unit }: Window) => `${size}${unit}`

/** Whether time alone may have changed what a condition says: in general, or by what has crossed an edge. */
export function mayTurn(condition: Condition, turned: Turned, crossed?: readonly Crossed[]): boolean {
  const { tests, windowed } = turning(condition, turned)
  if (!crossed) return tests.length + windowed.length > 0
  return crossed.some(({ window, types }) =>
    window === null
      ? tests.length > 0
      : windowed.some((one) => nameOf(one.within) === window && counts(one, new Set(types))),
  )
}

/** The hours of the longest window of hours. */
export function longestHours(conditions: readonly Condition[]): number {
  const windows = conditions.flatMap((condition) => clockParts(condition).windowed.map(({ within }) => within))
  return Math.max(0, ...windows.filter(({ unit }) => unit === 'h').map(({ size }) => size))
}

/**
 * The contacts of whom time alone may have changed what these conditions say: an event that may be counted left a window, or
 * a test on a date holds at one end of the span and not at the other. Some more may be among them. As `select contact_id, "window",
 * types`, which is what `Crossed` is of; somebody may be there several times. undefined when there can't be any.
 * @param floor An event's id: what is older is in none of the windows of hours. Months before it are not even planned for.
 */
export function crossings(
  accountId: number,
  conditions: readonly Condition[],
  span: Span,
  turned: Turned,
  floor?: string,
): Sql | undefined {
  const { tests, windowed } = together(conditions.map((condition) => turning(condition, turned)))
  const { timeZone, from, to } = span
  const changed = distinct(tests, (test) => JSON.stringify([test.subject.name, test.op, test.values])).map(
    (test) => sql`${compile(test, { timeZone, now: from })} <> ${compile(test, { timeZone, now: to })}`,
  )
  const all = [
    ...(['h', 'd'] as const).flatMap((unit) => {
      const those = windowed.filter(({ within }) => within.unit === unit)
      return those.length > 0 ? [leavingWindows(accountId, unit, those, span, unit === 'h' ? floor : undefined)] : []
    }),
    ...(changed.length > 0
      ? [
          sql`
            select c.id as contact_id, null as "window", null::text[] as types from contacts as c
            where c.account_id = ${accountId} and (${join(changed, ' or ')})`,
        ]
      : []),
  ]
  return all.length === 0 ? undefined : join(all, ' union all ')
}

/** Events that left windows of hours, or of days. All of these are looked through by one subquery, which is planned once. */
function leavingWindows(
  accountId: number,
  unit: Window['unit'],
  windowed: readonly Windowed[],
  { timeZone, from, to }: Span,
  floor: string | undefined,
): Sql {
  const bySize = [...Map.groupBy(windowed, ({ within }) => within.size)].map(([size, those]) => ({
    size,
    name: nameOf({ size, unit }),
    types: countedTypes(those),
  }))
  const [first, last] = [from, to].map((now) => windowEdge({ unit, size: sql`size` }, { timeZone, now }))
  // As a column, PostgreSQL goes by it to leave out months, which it would not by a subquery.
  const [recorded, since] =
    floor === undefined ? [firstRecorded(first!), sql`edge.recorded`] : [sql`null::uuid`, sql`${floor}::uuid`]
  return sql`
    select left_it.contact_id, edge.name as "window", left_it.types from (
      select name, types::text[] as types, ${first} as first, ${last} as last, ${recorded} as recorded
      from unnest(${bySize.map(({ size }) => size)}::int[], ${bySize.map(({ name }) => name)}::text[], ${bySize.map(({ types }) => `{${types.join()}}`)}::text[]) as edge (size, name, types)
      offset 0
    ) as edge cross join lateral (
      select e.contact_id, e.types from events as e
      where (e.account_id + 0) = ${accountId}::bigint and e.contact_id is not null
        and e.at between edge.first and edge.last and e.types && edge.types and e.id >= ${since} offset 0
    ) as left_it`
}

/** The contacts among `crossings`, each once, as `select … as contact_id`. */
export function movedByClock(...crossing: Parameters<typeof crossings>): Sql | undefined {
  const crossed = crossings(...crossing)
  return crossed && sql`select distinct contact_id from (${crossed}) as moved`
}

function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()]
}

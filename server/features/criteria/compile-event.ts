import sql, { empty, join, type Sql } from 'sql-template-tag'
import { ALONE, type EventType } from '../activity/event-types.ts'
import { type Context, compileTest } from './compile.ts'
import { startOf, today } from './compile-dates.ts'
import { COMPARISON } from './operators.ts'
import type { Count, EventCondition, Window } from './parse-event.ts'

/** What machines do too: scanners open mails and follow links within seconds. */
export const BY_MACHINES: readonly EventType[] = ['email_opened', 'email_clicked']

/** Whether what machines do is left out. */
export function countsPeopleOnly({ types, machine }: Pick<EventCondition, 'types' | 'machine'>): boolean {
  return !machine && types.some((type) => BY_MACHINES.includes(type))
}

/** Whether an event, of `events as e`, is one of those that a condition counts; its contact and account aside. Never null. */
export function isThatEvent(condition: EventCondition, context: Context): Sql {
  const { within, params } = condition
  const tests = params.map(({ subject, op, values }) => compileTest(subject, op, values, context))
  return sql`(${join([isOfKind(condition), ...(within ? [isWithin(within, context)] : []), ...tests], ' and ')})`
}

/** Whether it is of these types or names, whenever it was. */
export function isOfKind({ types, names, machine }: Pick<EventCondition, 'types' | 'names' | 'machine'>): Sql {
  const what = [
    ...(types.length === 0 ? [] : [isOfTypes(types)]),
    ...(names.length === 0 ? [] : [sql`(e.type = 'custom' and coalesce(e.name = any(${names}), false))`]),
  ]
  const isOneOf = what.length === 0 ? sql`false` : sql`(${join(what, ' or ')})`
  return countsPeopleOnly({ types, machine })
    ? sql`(${isOneOf} and not coalesce(e.data -> 'machine' = 'true', false))`
    : isOneOf
}

/** Equality takes half the time of a search in an array of one, and its statistics are used. */
function isOfTypes(types: readonly EventType[]): Sql {
  if (!types.every((type) => ALONE.has(type))) return sql`e.types && ${[...types]}::text[]`
  return types.length === 1 ? sql`e.type = ${types[0]}` : sql`e.type = any(${[...types]})`
}

/** Where events are read once for many criteria, only the first of all edges tells which months (`sinceFirst`): each edge is a subquery to plan. */
function isWithin(within: Window, context: Context): Sql {
  const edge = windowEdge(within, context)
  const isLater = sql`e.at ${within.unit === 'h' ? sql`>` : sql`>=`} ${edge}`
  return context.form.shares ? isLater : sql`${isLater} and ${isRecordedSince(edge)}`
}

/**
 * No event lies later than the moment it was recorded, which its id tells; so the months before a window are not even looked
 * at. A minute to spare, as the id and the moment are made one after the other.
 */
function isRecordedSince(edge: Sql): Sql {
  return sql`e.id >= (select ${firstRecorded(edge)})`
}

/** The id that an event has at least which is to lie behind this edge. */
export function firstRecorded(edge: Sql): Sql {
  return sql`id_floor(greatest(${edge} - interval '1 minute', 'epoch'))`
}

/** The id before which no event is counted that must lie behind one of these edges; undefined when one condition looks at every month. */
export function firstOf(edges: readonly (Sql | null)[]): Sql | undefined {
  return edges.every((edge) => edge !== null) ? firstRecorded(sql`least(${join(edges)})`) : undefined
}

/** `and …`: leaves out the months before the first of these edges; nothing when one condition looks at every month. */
export function sinceFirst(edges: readonly (Sql | null)[]): Sql {
  return edges.every((edge) => edge !== null) ? sql`and ${isRecordedSince(sql`least(${join(edges)})`)}` : empty
}

/** Hours count back from now, and what lies exactly so far back is out; days from the first instant of the first of them. */
export function windowEdge(
  { unit, size }: Pick<Window, 'unit'> & { size: number | Sql },
  context: Pick<Context, 'now' | 'timeZone'>,
): Sql {
  if (unit === 'h') return sql`(${context.now} - make_interval(hours => ${size}::int))`
  return sql`(select ${startOf(sql`${today(context)} - ${size}::int`, context)})`
}

/** Whether so many are what a condition asks for. */
export function allows(count: Count, counted: Sql): Sql {
  const bounds = Object.entries(count).map(
    ([bound, value]) => sql`${counted} ${COMPARISON[bound as keyof Count] ?? empty} ${value}::bigint`,
  )
  return sql`(${join(bounds, ' and ')})`
}

/** More than so many need not be counted. */
export function mostCounted(count: Count): number {
  return Math.max(...Object.values(count)) + 1
}

export function admitsNone({ eq = 0, gt = -1, gte = 0, lt = 1, lte = 0 }: Count): boolean {
  return eq === 0 && gt < 0 && gte <= 0 && lt > 0 && lte >= 0
}

export function isAtLeastOne(count: Count): boolean {
  const bounds = JSON.stringify(count)
  return bounds === '{"gte":1}' || bounds === '{"gt":0}'
}

export function isNone(count: Count): boolean {
  const bounds = JSON.stringify(count)
  return bounds === '{"eq":0}' || bounds === '{"lt":1}' || bounds === '{"lte":0}'
}

import sql, { empty, join, type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { FieldValue } from '../fields/definition.ts'
import { suppressionEnds } from '../subscriptions/suppressions.ts'
import { clockParts, isSendable } from './clock.ts'
import { compile } from './compile.ts'
import { startOf } from './compile-dates.ts'
import { firstOf, isThatEvent, windowEdge } from './compile-event.ts'
import { FOR_ONE } from './forms.ts'
import { turningDays } from './moments.ts'
import type { Condition, Test } from './parse.ts'
import type { EventCondition } from './parse-event.ts'

/** One part of criteria for one contact: what it says, what it saw, and when time alone will make it say the other. */
export interface Explained {
  is: 'all' | 'any' | 'not' | 'list' | 'condition'
  outcome: boolean
  /** The first moment at which it changes if nothing else happens, to the ms; null: never, or not foreseeably. */
  changes_at: string | null
  /** Of a condition: as it would be written. */
  condition?: Record<string, unknown>
  seen?: unknown
  /** Of a smart list: which, and whether the contact has left it by their own act. */
  list?: { id: number; name: string; left: boolean }
  of?: Explained[]
}

export interface Asked {
  accountId: number
  contactId: string
  timeZone: string
  /** `now()` unless given. */
  now?: Sql
}

/** What is asked of PostgreSQL for one leaf. */
interface Leaf {
  condition: Condition | { is: 'left'; listId: number }
  dependsOnClock: boolean
}

interface Seen {
  value: unknown
  /** Moments at which it may turn, as PostgreSQL writes them. */
  ends?: string[] | null
  /** Of a moment: its day where the account is. */
  day?: string | null
}

/**
 * Explains expanded criteria for one contact, by the compiler itself: its leaves are evaluated one by one now, and at every
 * moment at which any of them might turn. undefined when there is no such contact.
 */
export async function explain(db: Queryable, condition: Condition, asked: Asked): Promise<Explained | undefined> {
  const leaves: Leaf[] = []
  const shape = shapeOf(condition, leaves)
  const now = asked.now ?? sql`now()`
  const calendar = { timeZone: asked.timeZone, now }
  const contact = sql`c.account_id = ${asked.accountId} and c.id = ${asked.contactId}::uuid`
  const events = leaves.flatMap(({ condition }) => (condition.is === 'event' ? [condition] : []))
  const edges = events.map(({ within }) => within && windowEdge(within, calendar))
  const withEvents = events.length === 0 ? empty : sql`with own as materialized (${await ownEvents(db, asked, edges)})`
  const outcome = (leaf: Leaf, at: Sql) =>
    leaf.condition.is === 'left'
      ? FOR_ONE.hasLeft(leaf.condition.listId)
      : compile(leaf.condition, { timeZone: asked.timeZone, now: at }, FOR_ONE)
  const [row] = await db.query<{ now: Date; outcomes: boolean[]; seen: Seen[] }>(sql`
    ${withEvents}
    select ${now} as now, ${arrayOf(
      leaves.map((leaf) => outcome(leaf, now)),
      'boolean',
    )} as outcomes,
      to_jsonb(${arrayOf(
        leaves.map((leaf) => seenBy(leaf, calendar)),
        'jsonb',
      )}) as seen
    from contacts as c where ${contact}`)
  if (!row) return undefined
  const days = leaves.flatMap(({ condition }, at) =>
    condition.is === 'test' ? turningDays(condition, dayOf(condition, row.seen[at]!), row.now) : [],
  )
  const ends = row.seen.flatMap((seen) => seen?.ends ?? [])
  const timed = leaves.filter((leaf) => leaf.dependsOnClock)
  // A turn between two milliseconds is told as the later one, at which it has happened.
  const turns =
    days.length + ends.length === 0
      ? []
      : await db.query<{ at: Date; outcomes: boolean[] }>(sql`
          ${withEvents}
          select turn.at, ${arrayOf(
            timed.map((leaf) => outcome(leaf, sql`turn.at`)),
            'boolean',
          )} as outcomes
          from (
            select distinct date_trunc('milliseconds', at + interval '999 microseconds') as at from (
              select ${startOf(sql`unnest(${days}::date[])`, calendar)} as at union all select unnest(${ends}::timestamptz[])) as ends
            where at > ${now}
          ) as turn, contacts as c where ${contact} order by turn.at`)
  const timeline = turns.map(({ at, outcomes }) => {
    const then = [...row.outcomes]
    for (const [nth, leaf] of timed.entries()) then[leaves.indexOf(leaf)] = outcomes[nth]!
    return { at, outcomes: then }
  })
  return explainedAs(shape, row, timeline)
}

/**
 * The contact's events since the first of these edges. Which months these are is asked beforehand: a statement is planned for every
 * month that it might look at, which took longer than all else here.
 */
async function ownEvents(db: Queryable, { accountId, contactId }: Asked, edges: readonly (Sql | null)[]): Promise<Sql> {
  const first = firstOf(edges)
  const [since] = first ? await db.query<{ id: string }>(sql`select ${first} as id`) : []
  return sql`
    select id, type, types, name, at, data from events as e
    where e.account_id = ${accountId} and e.contact_id = ${contactId}::uuid ${since ? sql`and e.id >= ${since.id}::uuid` : empty}`
}

function arrayOf(parts: readonly Sql[], type: 'boolean' | 'jsonb'): Sql {
  const elements = parts.length === 0 ? sql`` : join(parts)
  return type === 'boolean' ? sql`array[${elements}]::boolean[]` : sql`array[${elements}]::jsonb[]`
}

/** A tree over the leaves' numbers. */
type Shape =
  | { is: 'all' | 'any' | 'not'; of: Shape[] }
  | { is: 'smart'; id: number; name: string; left: number; of: Shape }
  | { is: 'leaf'; leaf: number; condition: Condition }

function shapeOf(condition: Condition, leaves: Leaf[]): Shape {
  switch (condition.is) {
    case 'all':
    case 'any':
      return condition.of.length === 1 // as a map of one entry is
        ? shapeOf(condition.of[0]!, leaves)
        : { is: condition.is, of: condition.of.map((part) => shapeOf(part, leaves)) }
    case 'not':
      return { is: 'not', of: [shapeOf(condition.of, leaves)] }
    case 'smart': {
      const left = leaves.push({ condition: { is: 'left', listId: condition.listId }, dependsOnClock: false }) - 1
      return { is: 'smart', id: condition.listId, name: condition.name, left, of: shapeOf(condition.of, leaves) }
    }
    default: {
      const { tests, windowed } = clockParts(condition)
      const leaf = leaves.push({ condition, dependsOnClock: tests.length + windowed.length > 0 }) - 1
      return { is: 'leaf', leaf, condition }
    }
  }
}

function says(shape: Shape, outcomes: readonly boolean[]): boolean {
  switch (shape.is) {
    case 'all':
      return shape.of.every((part) => says(part, outcomes))
    case 'any':
      return shape.of.some((part) => says(part, outcomes))
    case 'not':
      return !says(shape.of[0]!, outcomes)
    case 'smart':
      return says(shape.of, outcomes) && !outcomes[shape.left]
    case 'leaf':
      return outcomes[shape.leaf]!
  }
}

function explainedAs(
  shape: Shape,
  now: { outcomes: boolean[]; seen: Seen[] },
  timeline: readonly { at: Date; outcomes: boolean[] }[],
): Explained {
  const outcome = says(shape, now.outcomes)
  const turn = timeline.find((then) => says(shape, then.outcomes) !== outcome)
  const told = { outcome, changes_at: turn?.at.toISOString() ?? null }
  switch (shape.is) {
    case 'all':
    case 'any':
    case 'not':
      return { is: shape.is, ...told, of: shape.of.map((part) => explainedAs(part, now, timeline)) }
    case 'smart': {
      const list = { id: shape.id, name: shape.name, left: now.outcomes[shape.left]! }
      return { is: 'list', ...told, list, of: [explainedAs(shape.of, now, timeline)] }
    }
    case 'leaf':
      return {
        is: 'condition',
        ...told,
        condition: written(shape.condition),
        seen: now.seen[shape.leaf]?.value ?? null,
      }
  }
}

/** A leaf as criteria have it. */
function written(condition: Condition): Record<string, unknown> {
  const one = (values: readonly unknown[]) => (values.length === 1 ? values[0] : values)
  switch (condition.is) {
    case 'test':
      return writtenTest('field', condition)
    case 'tag':
      return { tag: one(condition.tags) }
    case 'list':
      return { list: one(condition.listIds) }
    case 'event': {
      const { types, names, within, count, params, machine } = condition
      return {
        event: one([...types, ...names]),
        ...(within ? { within: `${within.size}${within.unit}` } : {}),
        count,
        ...(params.length > 0 ? { params: params.map((test) => writtenTest('param', test)) } : {}),
        ...(machine ? { machine } : {}),
      }
    }
    default:
      throw new TypeError(`not a leaf: ${condition.is}`)
  }
}

function writtenTest(what: 'field' | 'param', { subject, op, values }: Test): Record<string, unknown> {
  const several = op === 'in' || op === 'not_in' || op === 'between'
  return { [what]: subject.name, op, ...(several ? { value: values } : values.length > 0 ? { value: values[0] } : {}) }
}

type At = { timeZone: string; now: Sql }

/** What a leaf sees, as jsonb: `Seen`. */
function seenBy({ condition }: Leaf, calendar: At): Sql {
  switch (condition.is) {
    case 'tag':
      return sql`jsonb_build_object('value', c.tags)`
    case 'list':
      return sql`jsonb_build_object('value', array(
        select m.list_id from list_members as m
        where m.account_id = c.account_id and m.contact_id = c.id and m.list_id = any(${condition.listIds}::bigint[]) order by 1))`
    case 'event':
      return eventsSeen(condition, calendar)
    case 'test':
      return valueSeen(condition, calendar)
    default:
      return sql`null::jsonb`
  }
}

function valueSeen({ subject }: Test, { timeZone, now }: At): Sql {
  if (subject.source === 'field') return sql`jsonb_build_object('value', c.fields -> ${subject.field.key})`
  if (subject.source === 'param') throw new TypeError('a parameter is of an event, not of a contact')
  const value = subject.value(now)
  if (subject.kind === 'moment')
    return sql`jsonb_build_object('value', to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'day', to_char(${value} at time zone ${timeZone}, 'YYYY-MM-DD'))`
  const ends = isSendable(subject) ? sql`, 'ends', ${suppressionEnds(now)}` : sql``
  return sql`jsonb_build_object('value', ${value} ${ends})`
}

/** How many events there are, when the latest was, and when those that decide leave the window. */
function eventsSeen(condition: EventCondition, calendar: At): Sql {
  const { within, count } = condition
  const those = sql`from own as e where ${isThatEvent(condition, { ...calendar, form: FOR_ONE })}`
  const value = sql`(select jsonb_build_object('count', count(*), 'last_at', to_char(max(e.at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ${those})`
  if (!within) return sql`jsonb_build_object('value', ${value})`
  const deciding = Object.values(count).flatMap((bound) => [bound, bound + 1])
  const end =
    within.unit === 'h'
      ? sql`e.at + make_interval(hours => ${within.size}::int)`
      : startOf(sql`(e.at at time zone ${calendar.timeZone})::date + ${within.size}::int + 1`, calendar)
  return sql`jsonb_build_object('value', ${value}, 'ends', array(
    select (${end})::text from (select e.at, row_number() over (order by e.at desc) as nth ${those}) as e
    where e.nth = any(${deciding}::bigint[])))`
}

/** The day that a test on a date looks at. */
function dayOf({ subject }: Test, seen: Seen): string | null {
  if (subject.kind === 'moment') return seen.day ?? null
  const value = seen.value as FieldValue | null | undefined
  return subject.kind === 'date' && typeof value === 'string' ? value : null
}

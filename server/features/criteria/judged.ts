import sql, { join, type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { LOOK_OVERLAP } from './clock.ts'
import { countsPeopleOnly } from './compile-event.ts'
import { happeningId } from './happened.ts'
import type { Count, EventCondition } from './parse-event.ts'
import { countedTypes } from './relevance.ts'

/** A condition on events in a window of hours, with no tests of their parameters: such ones `look_at_clock` judges by itself. */
export function isPlain({ within, params }: EventCondition): boolean {
  return within?.unit === 'h' && params.length === 0
}

/** What a look is to judge, ready to be sent: an account's is the same from one look to the next. */
export interface ToJudge {
  /** Of all windows of hours, those included that are not judged here. */
  longestHours: number
  /** What `look_at_clock` takes from `windows` on: arrays as PostgreSQL writes them. */
  arrays: readonly Sql[]
}

/** @param conditions Plain ones, of which it is remembered what they say of every contact. */
export function toJudge(conditions: readonly EventCondition[], longestHours: number): ToJudge {
  const each = [...new Map(conditions.map((one) => [happeningId(one), one]))]
  const plain = each.map(([id, one]) => ({ ...one, id, hours: one.within!.size, ...bounds(one.count) }))
  const windows = [...Map.groupBy(plain, ({ hours }) => hours)]
  const column = (read: (one: (typeof plain)[number]) => string | number | boolean | null) => arrayOf(plain.map(read))
  return {
    longestHours,
    arrays: [
      sql`${arrayOf(windows.map(([hours]) => hours))}::int[]`,
      sql`${arrayOf(windows.map(([, those]) => arrayOf(countedTypes(those))))}::text[]`,
      sql`${column(({ id }) => id)}::bigint[]`,
      sql`${column(({ hours }) => hours)}::int[]`,
      sql`${column(({ types }) => arrayOf(types))}::text[]`,
      sql`${column(({ names }) => arrayOf(names))}::text[]`,
      sql`${column(countsPeopleOnly)}::boolean[]`,
      sql`${column(({ fewest }) => fewest)}::bigint[]`,
      sql`${column(({ most }) => most)}::bigint[]`,
    ],
  }
}

/** What a look at an account's clock answers. */
export interface Seen {
  looked_at: string
  time_zone: string
  new_day: boolean
  suppression_ended: boolean
  /** An id before which there is no event in any window of hours. */
  since_id: string
  /** Whether the conditions were judged: not where there was very much to judge. */
  is_judged: boolean
  /** Of whom conditions say something else now, as an array in text, and the ids of these conditions. */
  contacts: string | null
  turned: number[] | null
}

/**
 * Moves an account's clock on, and answers what has turned since it was last looked at: of the conditions, those that say something
 * else of somebody now, which is remembered from then on. undefined at the first look.
 */
export async function lookAtClock(
  db: Queryable,
  accountId: number,
  { longestHours, arrays }: ToJudge,
  { timeZone, now }: { timeZone: string; now: Sql },
): Promise<Seen | undefined> {
  const [seen] = await db.query<{ [Key in keyof Seen]: Seen[Key] | null }>(sql`
    select looked_at::text, time_zone, new_day, suppression_ended, since_id, is_judged, contacts::text, turned
    from look_at_clock(${accountId}, ${timeZone}, ${now}, ${LOOK_OVERLAP}::interval, ${longestHours}::int, ${join(arrays)})`)
  return seen!.looked_at === null ? undefined : (seen as Seen)
}

/** The fewest and the most that a condition asks for; no most: null. */
function bounds({ eq, gt, gte, lt, lte }: Count): { fewest: number; most: number | null } {
  const most = Math.min(eq ?? Infinity, lt === undefined ? Infinity : lt - 1, lte ?? Infinity)
  return {
    fewest: Math.max(0, eq ?? 0, gt === undefined ? 0 : gt + 1, gte ?? 0),
    most: most === Infinity ? null : most,
  }
}

/** As PostgreSQL writes one. Arrays of several lengths stand in an array as text, as it has none of these. */
function arrayOf(items: readonly (string | number | boolean | null)[]): string {
  return `{${items.map((item) => (typeof item === 'string' ? `"${item.replaceAll(/["\\]/g, '\\$&')}"` : item === null ? 'null' : item)).join()}}`
}

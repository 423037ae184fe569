import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import {
  type Crossed,
  crossings,
  dependsOnZone,
  LOOK_OVERLAP,
  longestHours,
  mayTurn,
  paceOf,
  turnsIn,
} from '../criteria/clock.ts'
import { happeningId, happeningsIn } from '../criteria/happened.ts'
import { isPlain, lookAtClock, type Seen, type ToJudge, toJudge } from '../criteria/judged.ts'
import type { EventCondition } from '../criteria/parse-event.ts'
import type { SmartLists, TrackedList } from '../criteria/smart-lists.ts'
import { askToCompare } from './smart.ts'
import type { Comparison } from './transitions.ts'

/** Whom time alone may have moved: what is to be compared. */
export type Brought = Pick<Comparison, 'lists' | 'contacts' | 'remembers' | 'since'>

/** What an account's smart lists come to for a look, which is the same for each as long as the lists are. */
interface Prepared {
  tracked: readonly TrackedList[]
  ofClock: readonly TrackedList[]
  toJudge: ToJudge
  canBeJudged: (condition: EventCondition) => boolean
  /** The lists in which a condition stands, by its id. */
  having: ReadonlyMap<number, readonly TrackedList[]>
  /** Those that are to be looked at as well while no day and no suppression ends. */
  besides: readonly TrackedList[]
}

/** By what tells which conditions are settled, which is made anew where any list is (`settled`). */
const PREPARED = new WeakMap<(condition: EventCondition) => boolean, Prepared>()

function prepare({ all }: SmartLists, isSettled: (condition: EventCondition) => boolean): Prepared {
  const known = PREPARED.get(isSettled)
  if (known) return known
  const tracked = all.filter((list) => list.track)
  const ofClock = tracked.filter((list) => paceOf(list.condition) !== null)
  const canBeJudged = (condition: EventCondition) => isPlain(condition) && isSettled(condition)
  const standing = ofClock.flatMap((list) => happeningsIn(list.condition).map((condition) => ({ list, condition })))
  const usually = { day: false, suppression: false, isJudged: canBeJudged }
  const prepared = {
    tracked,
    ofClock,
    toJudge: toJudge(
      standing.map(({ condition }) => condition).filter(canBeJudged),
      longestHours(ofClock.map((list) => list.condition)),
    ),
    canBeJudged,
    having: new Map(
      [...Map.groupBy(standing, ({ condition }) => happeningId(condition))].map(([id, those]) => [
        id,
        those.map(({ list }) => list),
      ]),
    ),
    besides: ofClock.filter((list) => mayTurn(list.condition, usually)),
  }
  PREPARED.set(isSettled, prepared)
  return prepared
}

/**
 * What time has brought since the last look: contacts of whom some conditions say something else now, or may, and the lists that have
 * these conditions. Whether a plain condition on events has turned is found by its events alone; of the others, whoever has an event
 * or a date that crossed an edge is to be compared. undefined where there is nothing to compare.
 * @param isSettled Of which conditions it is remembered what they say of every contact.
 */
export async function whatClockBrought(
  trx: Trx,
  lists: SmartLists,
  isSettled: (condition: EventCondition) => boolean,
  now: Sql,
): Promise<Brought | undefined> {
  const { accountId, timeZone } = lists
  const prepared = prepare(lists, isSettled)
  const seen = await lookAtClock(trx, accountId, prepared.toJudge, { timeZone, now })
  if (!seen) return undefined
  // Days begin elsewhere now: to all criteria that know days that is as an edit of them.
  if (seen.time_zone !== timeZone) {
    const ofDays = prepared.tracked.filter((list) => dependsOnZone(list.condition))
    askToCompare(
      trx,
      accountId,
      ofDays.map(({ id, version }) => ({ id, criteria_version: version })),
    )
  }
  const isJudged = seen.is_judged ? prepared.canBeJudged : () => false
  const turned = { day: seen.new_day, suppression: seen.suppression_ended, isJudged }
  const isUsual = seen.is_judged && !turned.day && !turned.suppression
  const besides = isUsual ? prepared.besides : prepared.ofClock.filter((list) => mayTurn(list.condition, turned))
  const { contacts, crossed } = await whatCrossed(trx, accountId, { lists: besides, timeZone, seen, turned, now })
  const concerned = new Set([
    ...(seen.turned ?? []).flatMap((id) => prepared.having.get(id)!),
    ...besides.filter((list) => mayTurn(list.condition, turned, crossed)),
  ])
  if (concerned.size === 0) return undefined
  const remembers = (condition: EventCondition) =>
    isSettled(condition) && (isJudged(condition) || condition.within === null || !turnsIn(condition.within, turned))
  const read = [...concerned].flatMap((list) => happeningsIn(list.condition)).filter((one) => !remembers(one))
  return {
    lists: [...concerned],
    contacts: sql`
      select contact_id, null::bigint as change_set_id from (
        select unnest(${seen.contacts ?? '{}'}::uuid[]) as contact_id union select unnest(${contacts}::uuid[])) as asked`,
    remembers,
    since: read.every(({ within }) => within?.unit === 'h') ? seen.since_id : undefined,
  }
}

interface Span {
  lists: readonly TrackedList[]
  timeZone: string
  seen: Seen
  turned: Parameters<typeof mayTurn>[1]
  now: Sql
}

/** Contacts (an array in text) of whom something crossed an edge in what these lists look at besides, and what that was. */
async function whatCrossed(
  trx: Trx,
  accountId: number,
  { lists, timeZone, seen, turned, now }: Span,
): Promise<{ contacts: string; crossed: Crossed[] }> {
  if (lists.length === 0) return { contacts: '{}', crossed: [] }
  const from = sql`(${seen.looked_at}::timestamptz - ${LOOK_OVERLAP}::interval)`
  const conditions = lists.map((list) => list.condition)
  const crossing = crossings(accountId, conditions, { timeZone, from, to: now }, turned, seen.since_id)
  if (!crossing) return { contacts: '{}', crossed: [] }
  const [moved] = await trx.query<{ contacts: string; crossed: Crossed[] }>(sql`
    with moved as materialized (${crossing})
    select array(select distinct contact_id from moved)::text as contacts,
      (select coalesce(jsonb_agg(distinct jsonb_build_object('window', "window", 'types', types)), '[]') from moved) as crossed`)
  return moved!
}

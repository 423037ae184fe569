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
import { isPlain, lookAtClock, type Seen } from '../criteria/judged.ts'
import type { EventCondition } from '../criteria/parse-event.ts'
import type { SmartLists, TrackedList } from '../criteria/smart-lists.ts'
import { askToCompare } from './smart.ts'
import type { Comparison } from './transitions.ts'

/** Whom time alone may have moved: what is to be compared. */
export type Brought = Pick<Comparison, 'lists' | 'contacts' | 'remembers' | 'since'>

/**
 * What time has brought since the last look: contacts of whom some conditions say something else now, or may, and the lists that have
 * these conditions. Whether a plain condition on events has turned is found by its events alone; of the others, whoever has an event
 * or a date that crossed an edge is to be compared. undefined where there is nothing to compare.
 * @param isSettled Of which conditions it is remembered what they say of every contact.
 */
export async function whatClockBrought(
  trx: Trx,
  { accountId, timeZone, all }: SmartLists,
  isSettled: (condition: EventCondition) => boolean,
  now: Sql,
): Promise<Brought | undefined> {
  const tracked = all.filter((list) => list.track)
  const ofClock = tracked.filter((list) => paceOf(list.condition) !== null)
  const canBeJudged = (condition: EventCondition) => isPlain(condition) && isSettled(condition)
  const seen = await lookAtClock(trx, accountId, {
    timeZone,
    now,
    longestHours: longestHours(ofClock.map((list) => list.condition)),
    conditions: ofClock.flatMap((list) => happeningsIn(list.condition)).filter(canBeJudged),
  })
  if (!seen) return undefined
  // Days begin elsewhere now: to all criteria that know days that is as an edit of them.
  if (seen.time_zone !== timeZone) {
    const ofDays = tracked.filter((list) => dependsOnZone(list.condition))
    askToCompare(
      trx,
      accountId,
      ofDays.map(({ id, version }) => ({ id, criteria_version: version })),
    )
  }
  const isJudged = (condition: EventCondition) => seen.is_judged && canBeJudged(condition)
  const turned = { day: seen.new_day, suppression: seen.suppression_ended, isJudged }
  const mayHave = ofClock.filter((list) => mayTurn(list.condition, turned))
  const { contacts, crossed } = await whatCrossed(trx, accountId, { lists: mayHave, timeZone, seen, turned, now })
  const ids = new Set(seen.turned)
  const hasTurned = (list: TrackedList) => happeningsIn(list.condition).some((one) => ids.has(happeningId(one)))
  const lists = ofClock.filter((list) => hasTurned(list) || mayTurn(list.condition, turned, crossed))
  if (lists.length === 0) return undefined
  const remembers = (condition: EventCondition) =>
    isSettled(condition) && (isJudged(condition) || condition.within === null || !turnsIn(condition.within, turned))
  const read = lists.flatMap((list) => happeningsIn(list.condition)).filter((condition) => !remembers(condition))
  return {
    lists,
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

import sql, { type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { AccountSettings } from '../accounts/settings.ts'

export interface Stats {
  /** People of each state now, and where they came from. */
  by_state: Record<string, number>
  by_origin: Record<string, number>
  /** Each day of the account's time zone, the oldest first: permissions given and withdrawn, and how many were subscribed at its end. */
  days: { day: string; joined: number; left: number; subscribed: number }[]
  /** What became of mail in those days, by type of event. */
  mail: Record<string, number>
  mails_waiting: number
  /** Smart lists that moved in those days, the one that moved most first. */
  moved: { list_id: number; name: string; entered: number; left: number }[]
}

const MAIL_TYPES = [
  ...['email_sent', 'email_delivered', 'email_opened', 'email_clicked', 'email_bounced', 'email_complained'],
]
const MOST_LISTS = 10

/** Events that tell of lists: the condition of the index events_of_lists, in the same words. */
export const OF_LISTS = sql`types && '{list_added,list_removed,list_entered,list_left}'`

/** The last so many days of a time zone, today included: from which id on things are of them, and `each (day)`, the oldest first. */
export function window(timeZone: string, days: number): { since: Sql; eachDay: Sql } {
  const today = sql`date_trunc('day', now() at time zone ${timeZone})`
  const first = sql`${today} - make_interval(days => ${days - 1})`
  return {
    since: sql`id_floor((${first}) at time zone ${timeZone})`,
    eachDay: sql`generate_series(${first}, ${today}, '1 day') as each (day)`,
  }
}

/**
 * How an account's audience stands and moved. Read from what there is, by the order of time in the ids of consents and
 * events.
 * @param days so many, today included
 */
export async function readStats(
  db: Queryable,
  accountId: number,
  { time_zone: timeZone, retention }: AccountSettings,
  days: number,
): Promise<Stats> {
  const { since, eachDay } = window(timeZone, days)
  const [people, daily, mails, moved, [waiting]] = await Promise.all([
    db.query<{ state: string; origin: string; count: number }>(sql`
      select state, origin, count(*) as count from contacts where account_id = ${accountId} group by 1, 2`),
    // `type` is the most telling of several: none but these have a state that changed.
    db.query<Daily>(sql`
      with permissions as (
        select (at at time zone ${timeZone})::date as day, count(*) filter (where action = 'granted') as joined,
          count(*) filter (where action = 'withdrawn') as left
        from consents where account_id = ${accountId} and id >= ${since} and not data ? 'list_id' group by 1
      ), states as (
        select (at at time zone ${timeZone})::date as day,
          count(*) filter (where data #>> '{state,to}' = 'subscribed')
            - count(*) filter (where data #>> '{state,from}' = 'subscribed') as gained
        from events
        where account_id = ${accountId} and id >= ${since} and type in ('created', 'updated', 'subscribed', 'unsubscribed')
          and data ? 'state' group by 1
      )
      select each.day::date::text as day, coalesce(joined, 0) as joined, coalesce("left", 0) as left,
        case when (each.day at time zone ${timeZone} >= now() - make_interval(days => ${retention.events_days}::int)) is not false
          then coalesce(gained, 0) else coalesce(joined, 0) - coalesce("left", 0) end as gained
      from ${eachDay} left join permissions on permissions.day = each.day::date left join states on states.day = each.day::date
      order by each.day`),
    // A bounce or a complaint that has changed a state stands second in its event, behind that.
    db.query<{ type: string; count: number }>(sql`
      select mail.type, count(*) as count from events, lateral unnest(types) as mail (type)
      where account_id = ${accountId} and id >= ${since} and types && ${MAIL_TYPES}::text[] and mail.type = any(${MAIL_TYPES}::text[])
      group by 1`),
    db.query<Stats['moved'][number]>(sql`
      select l.id as list_id, l.name, sum(entered)::bigint as entered, sum("left")::bigint as "left"
      from events as e, lateral (
        select jsonb_array_elements_text(e.data #> '{smart_lists,entered}')::bigint as id, 1 as entered, 0 as "left"
        union all select jsonb_array_elements_text(e.data #> '{smart_lists,left}')::bigint, 0, 1
      ) as moves join lists as l on l.account_id = ${accountId} and l.id = moves.id
      where e.account_id = ${accountId} and e.id >= ${since} and ${OF_LISTS} and types && '{list_entered,list_left}'
      group by 1, 2 order by sum(entered) + sum("left") desc, l.id limit ${MOST_LISTS}`),
    db.query<{ count: number }>(
      sql`select count(*) as count from messages where account_id = ${accountId} and phase = 'queued'`,
    ),
  ])
  const sum = (key: 'state' | 'origin') => {
    const counts: Record<string, number> = {}
    for (const row of people) counts[row[key]] = (counts[row[key]] ?? 0) + row.count
    return counts
  }
  const byState = sum('state')
  const levels = levelsBefore(daily, byState.subscribed ?? 0)
  return {
    by_state: byState,
    by_origin: sum('origin'),
    days: daily.map(({ day, joined, left }, at) => ({ day, joined, left, subscribed: levels[at]! })),
    mail: Object.fromEntries(MAIL_TYPES.map((type) => [type, mails.find((row) => row.type === type)?.count ?? 0])),
    mails_waiting: waiting!.count,
    moved,
  }
}

/** `gained`: by how many more were subscribed at its end than before, as events tell; of days whose events are not kept, as permissions do. */
interface Daily {
  day: string
  joined: number
  left: number
  gained: number
}

/** How many there were at each day's end, counted back from now. */
export function levelsBefore(days: readonly { gained: number }[], now: number): number[] {
  const levels: number[] = []
  let level = now
  for (const { gained } of days.toReversed()) {
    levels.unshift(Math.max(0, level))
    level -= gained
  }
  return levels
}

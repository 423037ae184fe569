import sql, { type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'

export interface Stats {
  /** People of each state now, and where they came from. */
  by_state: Record<string, number>
  by_origin: Record<string, number>
  /** Each day of the account's time zone, the oldest first: permissions given and withdrawn, and so how many were subscribed at its end. */
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

/** The last so many days of a time zone, today included: from which id on things are of them, and `each (day)`, the oldest first. */
function window(timeZone: string, days: number): { since: Sql; eachDay: Sql } {
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
export async function readStats(db: Queryable, accountId: number, timeZone: string, days: number): Promise<Stats> {
  const { since, eachDay } = window(timeZone, days)
  const [people, permissions, mails, moved, [waiting]] = await Promise.all([
    db.query<{ state: string; origin: string; count: number }>(sql`
      select state, origin, count(*) as count from contacts where account_id = ${accountId} group by 1, 2`),
    db.query<{ day: string; joined: number; left: number }>(sql`
      with counted as (
        select (at at time zone ${timeZone})::date as day, count(*) filter (where action = 'granted') as joined,
          count(*) filter (where action = 'withdrawn') as left
        from consents where account_id = ${accountId} and id >= ${since} and not data ? 'list_id' group by 1
      )
      select each.day::date::text as day, coalesce(joined, 0) as joined, coalesce("left", 0) as left
      from ${eachDay}
      left join counted on counted.day = each.day::date order by each.day`),
    db.query<{ type: string; count: number }>(sql`
      select type, count(*) as count from events
      where account_id = ${accountId} and id >= ${since} and type = any(${MAIL_TYPES}::text[]) group by 1`),
    db.query<Stats['moved'][number]>(sql`
      select l.id as list_id, l.name, sum(entered)::bigint as entered, sum("left")::bigint as "left" from (
        select jsonb_array_elements_text(data #> '{smart_lists,entered}')::bigint as id, 1 as entered, 0 as "left" from events
        where account_id = ${accountId} and id >= ${since} and types && '{list_entered,list_left}' and data #> '{smart_lists,entered}' is not null
        union all
        select jsonb_array_elements_text(data #> '{smart_lists,left}')::bigint, 0, 1 from events
        where account_id = ${accountId} and id >= ${since} and types && '{list_entered,list_left}' and data #> '{smart_lists,left}' is not null
      ) as moves join lists as l on l.account_id = ${accountId} and l.id = moves.id
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
  return {
    by_state: byState,
    by_origin: sum('origin'),
    days: withLevels(permissions, byState.subscribed ?? 0),
    mail: Object.fromEntries(MAIL_TYPES.map((type) => [type, mails.find((row) => row.type === type)?.count ?? 0])),
    mails_waiting: waiting!.count,
    moved,
  }
}

/** How many were subscribed at each day's end, counted back from now. */
function withLevels(days: readonly { day: string; joined: number; left: number }[], now: number): Stats['days'] {
  const levels: Stats['days'] = []
  let subscribed = now
  for (const { day, joined, left } of days.toReversed()) {
    levels.unshift({ day, joined, left, subscribed: Math.max(0, subscribed) })
    subscribed -= joined - left
  }
  return levels
}

/** Whom a list took in and let go, a day: transitions of a smart list, acts on a static one. */
export async function readListDays(
  db: Queryable,
  accountId: number,
  listId: number,
  timeZone: string,
  days: number,
): Promise<{ day: string; entered: number; left: number }[]> {
  const { since, eachDay } = window(timeZone, days)
  const list = sql`to_jsonb(${listId}::bigint)`
  return db.query(sql`
    with counted as (
      select (at at time zone ${timeZone})::date as day, count(*) filter (where took) as entered, count(*) filter (where not took) as "left"
      from (
        select at, true as took from events where account_id = ${accountId} and id >= ${since}
          and (data #> '{lists,added}' @> ${list} or data #> '{smart_lists,entered}' @> ${list})
        union all
        select at, false from events where account_id = ${accountId} and id >= ${since}
          and (data #> '{lists,removed}' @> ${list} or data #> '{smart_lists,left}' @> ${list})
      ) as moves group by 1
    )
    select each.day::date::text as day, coalesce(entered, 0) as entered, coalesce("left", 0) as left
    from ${eachDay}
    left join counted on counted.day = each.day::date order by each.day`)
}

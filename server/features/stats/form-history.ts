import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { window } from './stats.ts'

export interface FormDay {
  day: string
  sign_ups: number
  confirmed: number
}

/** A form with how often it was filled in those days, and how many of its sign-ups were confirmed. */
export interface FormHistory {
  form_id: number
  sign_ups: number
  confirmed: number
  /** The oldest first. */
  days: FormDay[]
}

/**
 * What has come by each form, a day of a time zone, today included. Whoever signs up on one day and confirms on the next is
 * counted on each.
 */
export async function readFormHistory(
  db: Queryable,
  accountId: number,
  timeZone: string,
  days: number,
): Promise<FormHistory[]> {
  const { eachDay } = window(timeZone, days)
  return db.query<FormHistory>(sql`
    with counted as (
      select form_id, (quarter at time zone ${timeZone})::date as day, sum(sign_ups)::int as sign_ups, sum(confirmed)::int as confirmed
      from form_counts where account_id = ${accountId} and quarter > now() - make_interval(days => ${days}::int + 1) group by 1, 2
    )
    select f.id as form_id, coalesce(sum(n.sign_ups), 0)::int as sign_ups, coalesce(sum(n.confirmed), 0)::int as confirmed,
      jsonb_agg(jsonb_build_object('day', each.day::date::text, 'sign_ups', coalesce(n.sign_ups, 0), 'confirmed', coalesce(n.confirmed, 0))
        order by each.day) as days
    from forms as f cross join ${eachDay}
    left join counted as n on n.form_id = f.id and n.day = each.day::date
    where f.account_id = ${accountId} group by f.id order by f.id`)
}

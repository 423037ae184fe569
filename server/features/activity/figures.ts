import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { AccountFigure } from '../../http/metrics.ts'

/** How far behind the feed is, by account: how old the oldest waiting act is, and how many events wait. */
export function feedFigures(db: Queryable): AccountFigure[] {
  return [
    {
      name: 'rollcall_outbox_age_seconds',
      help: 'Age of the oldest act that has no place in the feed yet.',
      read: () =>
        db.query<{ accountId: number; value: number }>(sql`
          select head.account_id as "accountId",
            coalesce(extract(epoch from clock_timestamp() - min(outbox.at)), 0)::float8 as value
          from feed_heads as head left join outbox on outbox.account_id = head.account_id
          group by head.account_id`),
    },
    {
      name: 'rollcall_feed_lag_events',
      help: 'Events that have no place in the feed yet.',
      read: () =>
        db.query<{ accountId: number; value: number }>(sql`
          select head.account_id as "accountId", coalesce(sum(cardinality(outbox.event_ids)), 0)::float8 as value
          from feed_heads as head left join outbox on outbox.account_id = head.account_id
          group by head.account_id`),
    },
  ]
}

import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { AccountFigure } from '../../http/metrics.ts'

/** How far behind the feed an account's webhooks are: those that are disabled aside. */
export function webhookFigures(db: Queryable): AccountFigure[] {
  return [
    {
      name: 'rollcall_webhook_lag_events',
      help: 'Events of the feed that the slowest enabled webhook has not read yet.',
      read: () =>
        db.query<{ accountId: number; value: number }>(sql`
          select h.account_id as "accountId", (h.position - min(w.position))::float8 as value
          from feed_heads as h join webhooks as w on w.account_id = h.account_id and w.disabled_at is null
          group by h.account_id, h.position`),
    },
  ]
}

import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { repeat } from '../../lib/repeat.ts'
import type { Waiting } from '../activity/batch.ts'

const EVERY_MS = 10_000
/**
 * How old the last look may be: windows of hours are to be told within a minute, of days within an hour. A look is a moment later
 * than it was asked for, so its age is just short of five rounds at the fifth: the next look is asked for then, after 50 s.
 */
const OLDEST = { minute: '44 seconds', hour: '40 minutes' } as const
const COMPARED_EVERY = '24 hours'

/**
 * Asks the dispatcher for what time alone brings: looks at the clock where criteria depend on it, and at once where the
 * account's time zone has changed; once a day the comparison of all; and the taking over of criteria that got lost (an older
 * release may have taken its row for an act). Each reads across accounts, then writes for one account at a time.
 */
export async function askForLooks(db: Database): Promise<void> {
  const [looks, comparisons, criteria] = await Promise.all([
    db.query<{ account_id: number }>(sql`
      select k.account_id from smart_looks as k join accounts as a on a.id = k.account_id
      where k.time_zone <> coalesce(a.settings ->> 'time_zone', 'UTC') and ${has(sql`true`)}
        or k.looked_at < now() - ${OLDEST.minute}::interval and ${has(sql`l.clock = 'minute'`)}
        or k.looked_at < now() - ${OLDEST.hour}::interval and ${has(sql`l.clock = 'hour'`)}`),
    db.query<{ account_id: number }>(
      sql`select account_id from smart_looks where compared_at < now() - ${COMPARED_EVERY}::interval`,
    ),
    db.query<{ account_id: number; id: number; criteria_version: number }>(sql`
      select l.account_id, l.id, l.criteria_version from lists as l
      left join smart_counts as n on n.account_id = l.account_id and n.list_id = l.id
      where l.criteria is not null and n.version is distinct from l.criteria_version`),
  ])
  const asked = [
    ...looks.map(({ account_id }) => asking(account_id, 'clock')),
    ...comparisons.map(({ account_id }) => asking(account_id, 'comparison')),
    ...criteria.map(({ account_id, id, criteria_version: version }) =>
      asking(account_id, 'criteria', { list_id: id, version, announce: false }),
    ),
  ]
  // On one connection: a pool's worth of new ones each time cost more than what they were opened for.
  if (asked.length > 0)
    await db.transaction(async (trx) => {
      for (const statement of asked) trx.send(statement)
    })
}

/** Whether the account of `smart_looks as k` has a smart list of this kind. */
function has(which: Sql): Sql {
  return sql`exists (select from lists as l where l.account_id = k.account_id and l.criteria is not null and ${which})`
}

/** Unless the same is asked for already. */
function asking(accountId: number, kind: Waiting['kind'], details: Record<string, unknown> = {}): Sql {
  const asked = JSON.stringify(details)
  return sql`
    insert into outbox (account_id, event_ids, size, kind, details)
    select ${accountId}::bigint, '{}'::uuid[], 0, ${kind}::text, ${asked}::jsonb
    where not exists (
      select from outbox where account_id = ${accountId} and kind = ${kind}
        and (kind <> 'criteria' or details ->> 'list_id' = ${asked}::jsonb ->> 'list_id'))`
}

/** Asks now and every 10 s. */
export function startLooks(db: Database, onError: (error: unknown) => void) {
  return repeat(EVERY_MS, () => askForLooks(db).catch(onError))
}

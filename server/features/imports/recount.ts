import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { Counts } from './imports.ts'

/** What became of an import's rows, counted from the rows themselves. */
export async function recount(db: Queryable, accountId: number, importId: number): Promise<Counts> {
  const rows = await db.query<{ action: string; count: number; opted_out: number; kept_unsubscribed: number }>(sql`
    select action, count(*) as count,
      count(*) filter (where problem -> 'notes' ? 'opted_out') as opted_out,
      count(*) filter (where problem -> 'notes' ? 'kept_unsubscribed') as kept_unsubscribed
    from change_rows where account_id = ${accountId} and change_set_id = ${importId}
    group by action`)
  const of = (action: string) => rows.find((row) => row.action === action)?.count ?? 0
  return {
    rows_read: rows.reduce((sum, row) => sum + row.count, 0),
    created: of('created'),
    updated: of('updated'),
    unchanged: of('unchanged'),
    duplicate: of('duplicate'),
    rejected: of('rejected'),
    suppressed: of('suppressed'),
    over_limit: 0,
    opted_out: rows.reduce((sum, row) => sum + row.opted_out, 0),
    kept_unsubscribed: rows.reduce((sum, row) => sum + row.kept_unsubscribed, 0),
  }
}

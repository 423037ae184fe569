import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { Counts } from './imports.ts'

/** What may become of a row: one of these. */
const OUTCOMES = ['created', 'updated', 'unchanged', 'duplicate', 'rejected', 'suppressed'] as const

/** Of how many rows it is counted what became of them. */
export function keptOf(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + (counts[outcome] ?? 0), 0)
}

/** Every count that an import has when it ends, also those of nothing. */
export function allOf(counts: Counts): Record<string, number> {
  const names = ['rows_read', ...OUTCOMES, 'over_limit', 'opted_out', 'kept_unsubscribed'] as const
  return Object.fromEntries(names.map((name) => [name, counts[name] ?? 0]))
}

/** What became of an import's rows, counted from the rows themselves. */
export async function recount(db: Queryable, accountId: number, importId: number): Promise<Counts> {
  const rows = await db.query<{ action: string; count: number; opted_out: number; kept_unsubscribed: number }>(sql`
    select action, count(*) as count,
      count(*) filter (where problem -> 'notes' ? 'opted_out') as opted_out,
      count(*) filter (where problem -> 'notes' ? 'kept_unsubscribed') as kept_unsubscribed
    from change_rows where account_id = ${accountId} and change_set_id = ${importId}
    group by action`)
  const sum = (of: 'count' | 'opted_out' | 'kept_unsubscribed') => rows.reduce((sum, row) => sum + row[of], 0)
  return allOf({
    ...Object.fromEntries(rows.map(({ action, count }) => [action, count])),
    rows_read: sum('count'),
    opted_out: sum('opted_out'),
    kept_unsubscribed: sum('kept_unsubscribed'),
  })
}

import sql, { raw } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'

/** From which on PostgreSQL can be told to forget a sample. */
const CAN_FORGET = 180_000

/**
 * Has PostgreSQL draw its planner's samples anew where they are older than the last erasure: they are values of rows as they
 * were, addresses and names among them, and stay until the next ANALYZE of a table, which a large one may not see for months.
 * Costs a second or two after an erasure, however large the tables are, and one look when there was none.
 */
export async function renewSamples(db: Database): Promise<void> {
  const tables = await db.query<{ name: string; table: string; forget: boolean }>(sql`
    select c.oid::regclass::text as name, c.relname as table,
      current_setting('server_version_num')::int >= ${CAN_FORGET}::int as forget
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
      and exists (select from pg_stats as s where s.schemaname = n.nspname and s.tablename = c.relname)
      and coalesce(greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)), '-infinity')
        < (select max(greatest(created_at, finished_at)) from erasures)
    order by 1`)
  // One after the other: each reads 30,000 rows of its table, and nobody waits for it.
  for (const { name, table, forget } of tables) {
    await db.query(raw(`analyze ${name}`))
    // Of a table without rows the samples of those that it had stay as they were.
    if (forget)
      await db.query(sql`
        select pg_clear_attribute_stats(schemaname, tablename, attname, inherited) from pg_stats
        where schemaname = 'public' and tablename = ${table} and case when inherited
          then not exists (select from ${raw(name)}) else not exists (select from only ${raw(name)}) end`)
  }
}

import pg from 'pg'
import { ownTables } from '../db/migrate.ts'

/** A table that holds rows itself: one of ours, or a partition of one. */
export interface Table {
  name: string
  /** Of which it is a partition. */
  parent: string | null
  /** Those that are written; PostgreSQL makes the generated ones. */
  columns: string[]
}

/**
 * Every table of ours, each after those that it refers to, so that no row ever comes before what it names. Throws when
 * tables refer to one another in a circle.
 */
export async function tablesOf(client: pg.ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    select c.relname::text as name, p.relname::text as parent,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
    from pg_class as c
      left join pg_inherits as i on i.inhrelid = c.oid left join pg_class as p on p.oid = i.inhparent
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    order by c.relname`)
  const own = ownTables()
  return sorted(
    rows.filter(({ name, parent }) => own.has(parent ?? name)),
    await referencesOf(client),
  )
}

/** By the name of a table, those that it refers to. */
async function referencesOf(client: pg.ClientBase): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ name: string; refers: string[] }>(`
    select t.relname::text as name, array_agg(r.relname::text) as refers
    from pg_constraint as f join pg_class as t on t.oid = f.conrelid join pg_class as r on r.oid = f.confrelid
    where f.contype = 'f' and f.connamespace = current_schema()::regnamespace and f.conrelid <> f.confrelid
    group by t.relname`)
  return new Map(rows.map(({ name, refers }) => [name, refers]))
}

function sorted(tables: readonly Table[], references: ReadonlyMap<string, string[]>): Table[] {
  const placed = new Set<string>()
  const order: Table[] = []
  while (order.length < tables.length) {
    const ready = tables.filter(
      ({ name }) => !placed.has(name) && (references.get(name) ?? []).every((other) => placed.has(other)),
    )
    if (ready.length === 0) throw new Error('tables refer to one another in a circle: none of them can come first')
    for (const table of ready) placed.add(table.name)
    order.push(...ready)
  }
  return order
}

/** The sequences that have given out a number, with the last one. */
export async function sequencesOf(client: pg.ClientBase): Promise<{ name: string; value: string }[]> {
  const { rows } = await client.query<{ name: string; value: string }>(
    `select s.relname::text as name, pg_sequence_last_value(q.seqrelid)::text as value
     from pg_sequence as q join pg_class as s on s.oid = q.seqrelid
       join pg_depend as d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype in ('a', 'i')
       join pg_class as t on t.oid = d.refobjid
     where s.relnamespace = current_schema()::regnamespace and t.relname = any($1)
       and pg_sequence_last_value(q.seqrelid) is not null
     order by 1`,
    [[...ownTables()]],
  )
  return rows
}

export const quoted = (names: readonly string[]) => names.map((name) => pg.escapeIdentifier(name)).join(', ')

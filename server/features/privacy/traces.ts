import sql, { raw, type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { awaitNotes } from '../contacts/removal-lock.ts'
import type { Person } from './person.ts'
import { likeInDatabase, patternInDatabase } from './written.ts'

/** What stands in the place of an address inside a text that stays: an address that no mail ever reaches. */
export const NOBODY = 'erased@erased.invalid'

/**
 * Columns in which callers may have written an address, in rows that are about other things and stay: criteria and
 * selections, the requests of exports, what a file's columns and faults looked like.
 */
const WRITTEN_IN: Readonly<Record<string, readonly string[]>> = {
  lists: ['criteria', 'description'],
  webhooks: ['criteria', 'description'],
  change_sets: ['options', 'counts'],
  imports: ['options', 'detected', 'columns', 'report', 'warnings', 'progress', 'problem', 'file_name'],
  import_recipes: ['options'],
  exports: ['request', 'error'],
  events: ['data'],
  outbox: ['details'],
  suppressions: ['source'],
  views: ['name', 'q', 'criteria'],
}

const JSON_COLUMNS: ReadonlySet<string> = new Set(
  'criteria options counts detected columns report warnings progress request details data'.split(' '),
)

/**
 * Does away with everything the tables still say of a person whose contact is gone; answers how many rows of each kind.
 * Safe to run again: what an import has brought meanwhile goes the next time.
 */
export async function clearTraces(trx: Trx, accountId: number, person: Person): Promise<Record<string, number>> {
  const of = sql`account_id = ${accountId}`
  const emails = sql`${person.emails}::text[]`
  const pattern = patternInDatabase(person.emails)
  const counts: Record<string, number> = {}
  awaitNotes(trx, accountId)
  const count = async (what: string, statement: Sql) => {
    const [row] = await trx.query<{ rows: number }>(
      sql`with gone as (${statement} returning 1) select count(*) as rows from gone`,
    )
    if (row!.rows > 0) counts[what] = (counts[what] ?? 0) + row!.rows
  }
  await count('list_opt_outs', sql`delete from list_opt_outs where ${of} and email = any(${emails})`)
  await count(
    'suppressions',
    sql`delete from suppressions where ${of} and (
      (kind = 'address' and value = any(${emails}))
      or (kind = 'sha256' and value = any(array(select encode(sha256(convert_to(email, 'UTF8')), 'hex') from unnest(${emails}) as email))))`,
  )
  // Rows that wait to be merged are kept without them, so that the import's numbers add up. An empty `input`, as of all
  // that the reading of a file has settled: it stays when the rest is merged.
  const waiting = sql`${of} and (key = any(${[...person.emails, ...person.externalIds]}::text[]) or email = any(${emails}))`
  await count(
    'import_rows',
    sql`
      insert into change_rows (account_id, change_set_id, line, action, input)
      select ${accountId}::bigint, import_id, line, 'suppressed', '[]' from import_rows where ${waiting}
      on conflict (account_id, change_set_id, line) do update set action = 'suppressed', input = '[]', problem = null`,
  )
  await trx.query(sql`delete from import_rows where ${waiting}`)
  const forget = sql`contact_id = null, email = null, input = case when input is not null then '[]'::jsonb end, before = null, after = null, problem = null`
  await count(
    'change_rows',
    sql`update change_rows set ${forget} where ${of} and contact_id = any(${person.ids}::uuid[])`,
  )
  // Rows of the unchanged that are nobody's say nothing.
  await count(
    'change_rows',
    sql`update only change_rows set ${forget} where ${of} and contact_id is null and email = any(${emails})`,
  )
  // Refused rows have no address; of a file that went wrong there may be a million. To look for a part of a text takes a
  // tenth of the time that the pattern takes.
  const parts = sql`${likeInDatabase(person.emails)}::text[]`
  const names = (column: Sql) =>
    sql`case when lower(${column}::text) like any(${parts}) then ${column}::text ~* ${pattern} else false end`
  await count(
    'change_rows',
    sql`update only change_rows set ${forget} where ${of} and contact_id is null and email is null and (${names(sql`input`)} or ${names(sql`problem`)})`,
  )
  for (const [table, columns] of Object.entries(WRITTEN_IN)) {
    const replaced = (column: string) => sql`regexp_replace(${raw(column)}::text, ${pattern}, ${NOBODY}, 'gi')`
    const sets = columns.map(
      (column) => sql`${raw(column)} = ${replaced(column)}${JSON_COLUMNS.has(column) ? sql`::jsonb` : sql``}`,
    )
    const holds = columns.map((column) => sql`${raw(column)}::text ~* ${pattern}`)
    const those = table === 'events' ? sql`${of} and contact_id is null` : of // of others they are others' words
    await count(
      table,
      sql`update ${raw(table)} set ${joined(sets, sql`, `)} where ${those} and (${joined(holds, sql` or `)})`,
    )
  }
  return counts
}

function joined(parts: readonly Sql[], between: Sql): Sql {
  return parts.reduce((all, next) => sql`${all}${between}${next}`)
}

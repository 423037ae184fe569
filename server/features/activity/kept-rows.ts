import sql, { join, type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'

/** What an act did to one person. */
export interface ChangeRow {
  line: number
  email: string | null
  action: string | null
  contact_id: string | null
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
  problem: unknown
}

/**
 * How far the rows of an act have been read: to a line; or, among those of `unchanged_rows`, to a contact and its line. Those of people who
 * were erased since have no contact.
 */
export type Place = readonly [line: number] | readonly [line: number, contactId: string | null]

const START: Place = [0]

/** Rows of an act. */
export interface KeptPage {
  rows: ChangeRow[]
  /** Where to go on; undefined when these are the last. */
  next: Place | undefined
}

interface KeptAsked {
  /** Where the page before has ended. */
  after?: Place | undefined
  limit: number
  /** Only rows that are about a person. */
  ofSomebody?: boolean
  /** Without before, after and problem, which then are null. */
  isBrief?: boolean
}

/**
 * The next rows of an act: first in the order of its lines, then those of `unchanged_rows` in the order of contacts, as these have no
 * index of lines. Each page is read from where the one before ended.
 */
export async function readKept(
  db: Queryable,
  accountId: number,
  changeSetId: number,
  { after = START, limit, ofSomebody = false, isBrief = false }: KeptAsked,
): Promise<KeptPage> {
  const [line, contactId] = after
  const named: Part = { from: sql`unchanged_rows`, key: sql`contact_id, line`, where: sql`contact_id is not null` }
  const parts: Part[] = [
    { from: sql`only change_rows`, key: sql`line`, where: ofSomebody ? sql`contact_id is not null` : sql`true` },
    named,
    ...(ofSomebody ? [] : [{ from: sql`unchanged_rows`, key: sql`line`, where: sql`contact_id is null` }]),
  ]
  const first = contactId === undefined ? 0 : contactId === null ? 2 : 1
  const said = isBrief ? sql`null as before, null as after, null as problem` : sql`before, after, problem`
  const values = first === 1 ? sql`${contactId}::uuid, ${line}::bigint` : sql`${line}::bigint`
  const pages = parts.slice(first).map(({ from, key, where }, nth) => {
    const behind = nth === 0 ? sql`and (${key}) > (${values})` : sql``
    return sql`(
      select ${first + nth}::int as part, line, email, action, contact_id, ${said} from ${from}
      where account_id = ${accountId} and change_set_id = ${changeSetId} and ${where} ${behind} order by ${key} limit ${limit + 1})`
  })
  const found = await db.query<ChangeRow & { part: number }>(sql`
    select * from (${join(pages, ' union all ')}) as rows
    order by part, case when part = 1 then contact_id end, line limit ${limit + 1}`)
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return {
    rows: rows.map(({ part: _, ...row }) => row),
    next: last && found.length > limit ? placeOf(last) : undefined,
  }
}

/** Rows of one table that have an index by their key. */
interface Part {
  from: Sql
  key: Sql
  where: Sql
}

function placeOf({ part, line, contact_id }: { part: number; line: number; contact_id: string | null }): Place {
  return part === 0 ? [line] : [line, contact_id]
}

import { isDeepStrictEqual } from 'node:util'
import sql, { type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { LOOKED_AT as ALL_LOOKED_AT, SLICE, sampleOf, scaleOf } from '../fields/sample.ts'

/** Sampled rows looked at, at most: 2 to 3 ms for a large account. 3,000 take twice as long, and spare few terms the count. */
export const LOOKED_AT = 1500
/**
 * Where each row's events must be looked up, 80 µs for two conditions over a year: enough to know of a twentieth of a million
 * that it is more than 10,000.
 */
export const LOOKED_AT_FIRST = 250

/** What a uniform sample of an account's contacts says about a selection. */
export interface Probe {
  /** Sampled contacts that were looked at. */
  seen: number
  /** Of these, the ones that match the search text. */
  matching: number
  /** Of those looked at, the ones whose ids events or lists name. */
  listed: number
  /** Of those that match, the ones in the selection: filtered, and behind the cursor. */
  selected: number
  /** Sampled contacts that an ordered walk passes before the first one in the selection. */
  passed: number
  /** Contacts of the account for each that was looked at. */
  scale: number
  /** Rows of the whole table, all accounts together. */
  tableRows: number
}

interface Parts {
  accountId: number
  /** Whether a row matches the search text, over `contacts as c`. */
  matches: Sql
  /** Whether events or lists name it; whoever meets the filter is among these. */
  listed?: Sql | undefined
  /** Whether it meets everything else, the cursor left out. */
  filter: Sql
  /** Whether it lies behind the cursor. */
  behind: Sql
  descending: boolean
  most: number
}

/**
 * Looks at one contact in 256. Planner statistics would be cheaper, but after a large import they are of before it, and
 * the newest contacts alone are like each other, not like the rest.
 */
export async function probe(db: Queryable, parts: Parts): Promise<Probe> {
  const { accountId, matches, listed, filter, behind, descending, most } = parts
  const before = descending ? sql`>` : sql`<`
  const way = descending ? sql`desc` : sql`asc`
  // Events are looked up once, for those whom they name besides what else is asked of them.
  const isFilter = listed && listed.text === filter.text && isDeepStrictEqual(listed.values, filter.values)
  const filtered = isFilter ? sql`c.listed` : sql`(c.listed and ${filter})`
  const [row] = await db.query<{
    seen: number
    matching: number
    listed: number
    selected: number
    passed: number
    last: number | null
    table_rows: number
  }>(sql`
    with sampled as materialized (
      select c.id, ${SLICE} as slice, ${matches} as matching, c.listed, ${filtered} as filtered, ${behind} as behind
      from (select c.*, ${listed ?? sql`true`} as listed ${sampleOf(accountId, most)}) as c
    ), first as (
      select id from sampled where matching and filtered and behind order by id ${way} limit 1
    )
    select count(*) as seen, count(*) filter (where matching) as matching, count(*) filter (where listed) as listed,
      count(*) filter (where matching and filtered and behind) as selected, max(slice) as last,
      (select count(*) from sampled, first where behind and sampled.id ${before} first.id) as passed,
      (select coalesce(nullif(reltuples, -1) / nullif(relpages, 0), 30) * pg_relation_size(oid) / 8192
        from pg_class where oid = 'contacts'::regclass) as table_rows
    from sampled`)
  const { seen, matching, listed: named, selected, passed, last, table_rows: tableRows } = row!
  return { seen, matching, listed: named, selected, passed, scale: scaleOf(seen, last, most), tableRows }
}

/** So long the sample may be asked for an estimate, in µs: together with a pause between keys less than half a second. */
const LONGEST_US = 150_000

/** What the sample says of a selection. */
export interface Estimate {
  /** About how many are selected, rounded to as many digits as it can tell. */
  total: number
  /** Ids of some of them, the newest first. */
  ids: string[]
}

/**
 * Estimates how many a selection has from as much of the sample as a moment allows: of 700 in a million three are among these, so
 * that half or twice as many may be meant.
 * @param each What it takes to look at one contact, in µs.
 */
export async function estimate(
  db: Queryable,
  { accountId, selects, each, limit }: { accountId: number; selects: Sql; each: number; limit: number },
): Promise<Estimate> {
  const most = Math.min(ALL_LOOKED_AT, Math.floor(LONGEST_US / each))
  const [row] = await db.query<{ seen: number; selected: number; last: number | null; ids: string[] }>(sql`
    with sampled as materialized (select c.id, ${SLICE} as slice, ${selects} as selected ${sampleOf(accountId, most)})
    select count(*) as seen, count(*) filter (where selected) as selected, max(slice) as last,
      array(select id from sampled where selected order by id desc limit ${limit}) as ids
    from sampled`)
  const { seen, selected, last, ids } = row!
  return { total: roundedTo(selected < 30 ? 1 : 2, selected * scaleOf(seen, last, most)), ids }
}

function roundedTo(digits: number, number: number): number {
  return Number(number.toPrecision(digits))
}

import sql, { empty, type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import { levelsBefore, OF_LISTS, window } from './stats.ts'

export interface ListDay {
  day: string
  entered: number
  left: number
  /** How many were in it at the day's end. */
  contacts: number
}

/** Somebody came into a list or went out of it. */
export interface Move {
  id: string
  at: Date
  move: 'entered' | 'left'
  contact_id: string
  email: string
  change_set_id: number | null
}

/** A page looks at so many events of lists at most, of which few may be of this one: about 50 ms. */
const LOOKED_AT = 20_000

/**
 * Which way an event moved somebody, over `events`: null where it is about other lists, or tells again who was in it already.
 * The types say where to look: to look everywhere takes twice as long.
 */
function moveIn({ id, converted }: Pick<Found, 'id' | 'converted'>): Sql {
  const list = sql`to_jsonb(${id}::bigint)`
  return sql`case
    when change_set_id = any(${converted}::bigint[]) then null
    when 'list_added' = any(types) and data #> '{lists,added}' @> ${list} then 'entered'
    when 'list_entered' = any(types) and data #> '{smart_lists,entered}' @> ${list} then 'entered'
    when 'list_removed' = any(types) and data #> '{lists,removed}' @> ${list} then 'left'
    when 'list_left' = any(types) and data #> '{smart_lists,left}' @> ${list} then 'left' end`
}

interface Found {
  id: number
  created_at: Date
  smart: boolean
  /** Acts that made it a static list: they tell everyone who was in it as having come. */
  converted: number[]
}

/** Throws not_found. */
async function findList(db: Queryable, accountId: number, listId: number): Promise<Found> {
  const [row] = await db.query<Found>(sql`
    select l.id, l.created_at, l.criteria is not null as smart,
      array(select s.id from change_sets as s where s.account_id = ${accountId} and s.kind = 'list_convert'
        and s.options ->> 'list_id' = l.id::text) as converted
    from lists as l where l.account_id = ${accountId} and l.id = ${listId}`)
  if (!row) throw notFound()
  return row
}

/**
 * Whom a list took in and let go, a day, and how many were in it: transitions of a smart list, acts on a static one. Levels are
 * counted back from now, so that whoever came or went without being told of (by criteria that were changed silently) counts
 * as if they had always been there or away. Throws not_found.
 */
export async function readListDays(
  db: Queryable,
  accountId: number,
  listId: number,
  timeZone: string,
  days: number,
): Promise<ListDay[]> {
  const { since, eachDay } = window(timeZone, days)
  const list = await findList(db, accountId, listId)
  const which = sql`account_id = ${accountId} and list_id = ${listId}`
  // Of a smart list by what was told last.
  const counting = list.smart
    ? sql`select contacts from smart_counts where ${which}`
    : sql`select count(*) as contacts from list_members where ${which}`
  const [[counted], rows] = await Promise.all([
    db.query<{ contacts: number }>(counting),
    db.query<Omit<ListDay, 'contacts'> & { existed: boolean }>(sql`
    with counted as (
      select (at at time zone ${timeZone})::date as day, count(*) filter (where move = 'entered') as entered,
        count(*) filter (where move = 'left') as "left"
      from (
        select at, ${moveIn(list)} as move from events
        where account_id = ${accountId} and id >= ${since} and ${OF_LISTS}
      ) as moves where move is not null group by 1
    )
    select each.day::date::text as day, coalesce(entered, 0) as entered, coalesce("left", 0) as left,
      each.day::date >= (${list.created_at}::timestamptz at time zone ${timeZone})::date as existed
    from ${eachDay}
    left join counted on counted.day = each.day::date order by each.day`),
  ])
  const levels = levelsBefore(
    rows.map(({ entered, left }) => ({ gained: entered - left })),
    counted?.contacts ?? 0,
  )
  return rows.map(({ existed, ...row }, at) => ({ ...row, contacts: existed ? levels[at]! : 0 }))
}

export interface MovesAsked {
  /** Only those of this day of the time zone, as YYYY-MM-DD. */
  day: string | undefined
  timeZone: string
  move: 'entered' | 'left' | undefined
  /** Only what is older than this event. */
  before: string | undefined
  limit: number
}

/**
 * Who entered a list and left it, the latest first. `before` is where to go on, undefined at the end: there may be a few only,
 * or none, and more behind it all the same. Throws not_found.
 */
export async function readMoves(
  db: Queryable,
  accountId: number,
  listId: number,
  { day, timeZone, move, before, limit }: MovesAsked,
): Promise<{ rows: Move[]; before: string | undefined }> {
  const list = await findList(db, accountId, listId)
  const bound = (days: number) => sql`id_floor((${day}::date + ${days}::int)::timestamp at time zone ${timeZone})`
  const looked = sql`
    select id, at, contact_id, change_set_id, ${moveIn(list)} as move from events
    where account_id = ${accountId} and ${OF_LISTS}
      ${day === undefined ? empty : sql`and id >= ${bound(0)} and id < ${bound(1)}`}
      ${before === undefined ? empty : sql`and id < ${before}::uuid`}
    order by id desc limit ${LOOKED_AT}`
  const rows = await db.query<Move>(sql`
    select found.*, c.email from (
      select * from (${looked}) as looked where move ${move === undefined ? sql`is not null` : sql`= ${move}`} limit ${limit + 1}
    ) as found
    join contacts as c on c.account_id = ${accountId} and c.id = found.contact_id order by found.id desc`)
  if (rows.length > limit) return { rows: rows.slice(0, limit), before: rows[limit - 1]!.id }
  const [last] = await db.query<{ id: string }>(sql`select id from (${looked}) as looked offset ${LOOKED_AT - 1}`)
  return { rows, before: last?.id }
}

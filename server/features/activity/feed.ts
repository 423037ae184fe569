import { randomUUID } from 'node:crypto'
import sql, { type Sql } from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { EventType } from './event-types.ts'
import type { EventRow } from './timeline.ts'

/** How far an account's feed has come. */
export interface FeedHead {
  position: number
  /** Its name changes when an older copy of the database is put back. */
  epoch: string
  /** The lowest position at which an epoch but the first has begun: up to there all of them tell the same. */
  floor: number | null
}

/** Throws not only when there is no such account: every account has a head from its beginning. */
export async function readHead(db: Queryable, accountId: number): Promise<FeedHead> {
  const [head] = await readHeads(db, [accountId])
  if (!head) throw new Error(`account ${accountId} has no feed`)
  return head
}

/** A plain read across accounts. */
export function readHeads(
  db: Queryable,
  accountIds: readonly number[],
): Promise<(FeedHead & { account_id: number })[]> {
  return db.query(sql`
    select account_id, position, epoch, epoch_floor as floor from feed_heads where account_id = any(${[...accountIds]}::bigint[])`)
}

/**
 * Begins a new epoch of an account's feed: for whoever puts an older copy of the database back, once for each account,
 * before the first change. Cursors of before are then answered with the position up to which both copies agree.
 */
export async function beginEpoch(db: Queryable, accountId: number): Promise<void> {
  await db.query(sql`
    update feed_heads set epoch = ${randomUUID()}, epoch_floor = least(epoch_floor, position) where account_id = ${accountId}`)
}

/** An event in its place; `type` is null when its contact was removed, or when it is older than events are kept. */
export interface FeedRow extends Omit<EventRow, 'type'> {
  position: number
  type: EventType | null
}

export interface FeedFilter {
  /** Empty: all of them. `erased` asks for the places of events that are gone. */
  types: readonly string[]
  contactId: string | undefined
}

/** With a filter a page looks at so many positions at most: it takes as long whether they match or not. */
export const SPAN = 20_000

export const EVERYTHING: FeedFilter = { types: [], contactId: undefined }

const COLUMNS = sql`f.position, f.event_id as id, e.type, e.types, e.name, e.at, e.data, e.contact_id, e.change_set_id`

/**
 * The events behind a position, in order, up to the head as it was known before. `readTo` is the position up to which the
 * feed was read: with a filter it may lie far behind the last row, and there may be no row at all.
 */
export async function readFeed(
  db: Queryable,
  accountId: number,
  asked: { after: number; head: FeedHead; limit: number; filter?: FeedFilter },
): Promise<{ rows: FeedRow[]; readTo: number }> {
  const { after, head, limit, filter = EVERYTHING } = asked
  const end = Math.min(head.position, after + SPAN)
  const rows = await db.query<FeedRow>(sql`
    select ${COLUMNS}
    from feed as f left join ${eventOf(accountId)} as e on true
    where f.account_id = ${accountId} and f.position > ${after} and f.position <= ${end} and ${conditionOf(filter)}
    order by f.position limit ${limit}`)
  return { rows, readTo: rows.length < limit ? Math.max(end, after) : rows.at(-1)!.position }
}

/**
 * The events up to a position, the latest first. `readTo` is the position up to which to go on; 0 at the beginning of all, and
 * with a filter it may lie far before the last row, as in `readFeed`.
 */
export async function readFeedBack(
  db: Queryable,
  accountId: number,
  { upTo, limit, filter }: { upTo: number; limit: number; filter: FeedFilter },
): Promise<{ rows: FeedRow[]; readTo: number }> {
  const begin = Math.max(0, upTo - SPAN)
  const rows = await db.query<FeedRow>(sql`
    select ${COLUMNS} from feed as f left join ${eventOf(accountId)} as e on true
    where f.account_id = ${accountId} and f.position <= ${upTo} and f.position > ${begin} and ${conditionOf(filter)}
    order by f.position desc limit ${limit}`)
  return { rows, readTo: rows.length < limit ? begin : rows.at(-1)!.position - 1 }
}

/**
 * The event of a place `f`, looked up place by place: so reading ends with the last row that is wanted, whatever the
 * planner believes of tables that have just been filled. There is none when its contact was removed.
 */
export function eventOf(accountId: number): Sql {
  return sql`lateral (select * from events where account_id = ${accountId} and id = f.event_id offset 0)`
}

function conditionOf({ types, contactId }: FeedFilter): Sql {
  const ofTypes =
    types.length === 0
      ? sql`true`
      : sql`(e.types && ${types}::text[] or (e.id is null and ${types.includes('erased')}::boolean))`
  return contactId === undefined ? ofTypes : sql`${ofTypes} and e.contact_id = ${contactId}`
}

/** Whether an event that was read without a filter is one of those. */
export function passes({ types, contactId }: FeedFilter, row: FeedRow): boolean {
  if (contactId !== undefined && row.contact_id !== contactId) return false
  return (
    types.length === 0 || (row.type === null ? types.includes('erased') : row.types.some((is) => types.includes(is)))
  )
}

import { randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { EventType } from './event-types.ts'
import type { EventData } from './record.ts'

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
export interface FeedRow {
  position: number
  id: string
  type: EventType | null
  types: EventType[]
  name: string | null
  at: Date
  data: EventData
  contact_id: string | null
  change_set_id: number | null
}

export interface FeedFilter {
  /** Empty: all of them. `erased` asks for the places of events that are gone. */
  types: readonly string[]
  contactId: string | undefined
}

/** With a filter a page looks at so many positions at most: it takes as long whether they match or not. */
export const SPAN = 20_000

export const EVERYTHING: FeedFilter = { types: [], contactId: undefined }

/**
 * The events behind a position, in order. `readTo` is the position up to which the feed was read: with a filter it may
 * lie far behind the last row, and there may be no row at all.
 */
export async function readFeed(
  db: Queryable,
  accountId: number,
  asked: { after: number; limit: number; filter?: FeedFilter },
): Promise<{ rows: FeedRow[]; readTo: number }> {
  const { after, limit, filter = EVERYTHING } = asked
  return filter === EVERYTHING || isEverything(filter)
    ? readAll(db, accountId, after, limit)
    : readSome(db, accountId, after, limit, filter)
}

function isEverything({ types, contactId }: FeedFilter): boolean {
  return types.length === 0 && contactId === undefined
}

/** Whether an event that was read without a filter is one of those. */
export function passes({ types, contactId }: FeedFilter, row: FeedRow): boolean {
  if (contactId !== undefined && row.contact_id !== contactId) return false
  return (
    types.length === 0 || (row.type === null ? types.includes('erased') : row.types.some((is) => types.includes(is)))
  )
}

const COLUMNS = sql`e.type, e.types, e.name, e.at, e.data, e.contact_id, e.change_set_id`

async function readAll(db: Queryable, accountId: number, after: number, limit: number) {
  const rows = await db.query<FeedRow>(sql`
    select f.position, f.event_id as id, ${COLUMNS}
    from feed as f left join events as e on e.account_id = ${accountId} and e.id = f.event_id
    where f.account_id = ${accountId} and f.position > ${after}
    order by f.position limit ${limit}`)
  return { rows, readTo: rows.at(-1)?.position ?? after }
}

async function readSome(db: Queryable, accountId: number, after: number, limit: number, filter: FeedFilter) {
  const { types, contactId } = filter
  const ofTypes =
    types.length === 0
      ? sql`true`
      : sql`(e.types && ${types}::text[] or (e.id is null and ${types.includes('erased')}::boolean))`
  const ofContact = contactId === undefined ? sql`true` : sql`e.contact_id = ${contactId}`
  const rows = await db.query<FeedRow & { end: number | null }>(sql`
    with span as materialized (
      select position, event_id from feed where account_id = ${accountId} and position > ${after} order by position limit ${SPAN}
    ), matched as (
      select span.position, span.event_id as id, ${COLUMNS}
      from span left join events as e on e.account_id = ${accountId} and e.id = span.event_id
      where ${ofTypes} and ${ofContact}
      order by span.position limit ${limit}
    )
    select (select max(position) from span) as end, matched.* from (values (1)) as one (row) left join matched on true
    order by matched.position`)
  const found = rows.filter((row) => row.position !== null)
  const end = rows[0]!.end ?? after
  return { rows: found, readTo: found.length < limit ? end : found.at(-1)!.position }
}

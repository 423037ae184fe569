import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'

/** A row of the outbox, without its events. */
export interface Waiting {
  id: number
  kind: 'acts' | 'criteria' | 'clock' | 'comparison' | 'suppressions'
  /** Events. */
  size: number
  bulk: boolean
  change_set_id: number | null
  /** Between which contacts an act is, in the order of their ids: about nobody, from the last of all ids to the first; null where it is not known. */
  first_contact: string | null
  last_contact: string | null
  details: {
    list_id?: number
    version?: number
    announce?: boolean
    after?: string
    addresses?: string[]
    /** Of a comparison: events were removed, of these contacts, or of anyone's. An older release compares all, which finds the same. */
    cause?: 'retention'
    contacts?: string[]
  } | null
}

/** Acts looked at, at most. */
const LOOKED_AT = 10_000

/** Events placed in one transaction: enough to make its fixed cost small. Small ones are fewer where bulk acts wait with them. */
const MOST_EVENTS = 20_000
const MOST_SMALL = 1000

/** Events of bulk acts in one transaction, whatever it takes: an import has chunks of so many. */
const FEWEST_BULK = 5000
/** How long a transaction of bulk acts may take, as a small act that has come meanwhile waits for its end. */
const BULK_MS = 500

/**
 * How many events of bulk acts are placed in one transaction: about as many as take half a second, by what the account's last ones took.
 * The more there are the better two processors share them, where both are free: 10,000 take a tenth less than twice 5000.
 * How long they take depends on smart lists, on how many people move, and on what else the machine does.
 */
export class BulkPace {
  readonly #events = new Map<number, number>()

  /** `accounts`: of how many bulk acts wait, each of which has its turn. */
  most(accountId: number, accounts = 1): number {
    const events = this.#events.get(accountId) ?? FEWEST_BULK
    return Math.max(Math.round(events / Math.max(accounts, 1)), FEWEST_BULK)
  }

  /** Learns from a transaction that has placed bulk acts of so many events. What few of them take says nothing of many. */
  took(accountId: number, events: number, ms: number): void {
    if (events < FEWEST_BULK) return
    const inTime = events * (BULK_MS / Math.max(ms, 1))
    this.#events.set(accountId, Math.max(FEWEST_BULK, Math.min(inTime, 2 * events, MOST_EVENTS)))
  }

  /** Begins again with the fewest, after a transaction that failed: it may have been too large. */
  forget(accountId: number): void {
    this.#events.delete(accountId)
  }
}

/** Acts in the order of the outbox, and all that is no act. */
export function readWaiting(trx: Trx, accountId: number): Promise<Waiting[]> {
  const rows = (kind: Sql) => sql`
    select id, kind, size, bulk, change_set_id, first_contact, last_contact, details from outbox where account_id = ${accountId} and kind ${kind} 'acts'`
  return trx.query<Waiting>(sql`
    (${rows(sql`=`)} order by id limit ${LOOKED_AT}) union all (${rows(sql`<>`)} order by id) order by id`)
}

/** Whether there may be more acts than `readWaiting` answered. */
export function mayBeMore(acts: number): boolean {
  return acts === LOOKED_AT
}

/**
 * The acts to be placed now, in the order of their positions. Small ones overtake bulk ones unless they are about the same
 * people or of the same change set: then they wait, and with them whatever is about people of those that wait.
 */
export async function chooseActs(
  trx: Trx,
  accountId: number,
  waiting: readonly Waiting[],
  mostBulk: number,
): Promise<Waiting[]> {
  const acts = waiting.filter((row) => row.kind === 'acts')
  const firstBulk = acts.find((row) => row.bulk)
  if (!firstBulk) return upTo(MOST_EVENTS, acts)
  const small = upTo(
    MOST_SMALL,
    acts.filter((row) => !row.bulk),
  )
  const behind = small.filter((row) => row.id > firstBulk.id)
  const { held, people } = await heldBack(trx, accountId, behind, acts)
  // A bulk act that stands behind one that waits may be about the same people as that.
  const firstHeld = Math.min(...people)
  const bulk = acts.filter((row) => row.bulk && row.id < firstHeld)
  return [...small.filter((row) => !held.has(row.id)), ...upTo(mostBulk, bulk)]
}

/** Whether somebody of these acts may be in one of the others, too. Acts on many go through people in some order, so that mostly nobody is. */
export function mayMeet(acts: readonly Waiting[], others: readonly Waiting[]): boolean {
  if (acts.length * others.length > MOST_PAIRS) return true
  return others.some((other) => acts.some((act) => !areApart(act, other)))
}

/** Of acts and others, compared in some 3 ms: of a thousand small acts and as many more it takes less to look into their people's events. */
const MOST_PAIRS = 100_000

/** Ids are in lower case, and so in the order of their texts. */
function areApart(one: Waiting, other: Waiting): boolean {
  if (one.first_contact === null || one.last_contact === null) return false
  if (other.first_contact === null || other.last_contact === null) return false
  return one.last_contact < other.first_contact || other.last_contact < one.first_contact
}

/** As many as come nearest to so many events, one at least. */
function upTo(most: number, rows: readonly Waiting[]): Waiting[] {
  let events = 0
  const end = rows.findIndex(({ size }, at) => {
    events += size
    return at > 0 && events - size / 2 > most
  })
  return end === -1 ? [...rows] : rows.slice(0, end)
}

/** Which of these small acts must wait, and which of them are about people rather than the account. */
async function heldBack(
  trx: Trx,
  accountId: number,
  small: readonly Waiting[],
  acts: readonly Waiting[],
): Promise<{ held: Set<number>; people: Set<number> }> {
  if (small.length === 0) return { held: new Set(), people: new Set() }
  const people = await trx.query<{ id: number; contact_id: string; touches: boolean }>(sql`
    with bulk as materialized (
      select id, change_set_id, first_event, last_event from outbox where account_id = ${accountId} and bulk
    ), since as (
      select first_event as id from bulk order by first_event limit 1
    ), small as materialized (
      select o.id, e.contact_id, e.id as event_id
      from outbox as o, unnest(o.event_ids) as named (id) join events as e on e.account_id = ${accountId} and e.id = named.id
      where o.account_id = ${accountId} and o.id = any(${small.map((row) => row.id)}::bigint[]) and e.contact_id is not null
    )
    select small.id, small.contact_id, exists (
      select from events as earlier
      where earlier.account_id = ${accountId} and earlier.contact_id = small.contact_id
        and earlier.id >= (select id from since) and earlier.id <> small.event_id
        and not earlier.types && '{list_entered,list_left}' -- these have their places already
        and exists (select from bulk where bulk.id < small.id and bulk.change_set_id is not distinct from earlier.change_set_id
          and earlier.id between bulk.first_event and bulk.last_event)) as touches
    from small`)
  const peopleOf = Map.groupBy(people, (row) => row.id)
  const held = new Set<number>()
  const heldWithPeople = new Set<number>()
  const heldPeople = new Set<string>()
  const heldChangeSets = new Set<number>()
  for (const row of acts) {
    if (row.bulk) {
      if (row.change_set_id !== null) heldChangeSets.add(row.change_set_id)
      continue
    }
    if (!small.includes(row)) continue
    const about = peopleOf.get(row.id) ?? []
    const waits =
      (row.change_set_id !== null && heldChangeSets.has(row.change_set_id)) ||
      about.some((one) => one.touches || heldPeople.has(one.contact_id))
    if (!waits) continue
    held.add(row.id)
    if (row.change_set_id !== null) heldChangeSets.add(row.change_set_id)
    if (about.length > 0) heldWithPeople.add(row.id)
    for (const one of about) heldPeople.add(one.contact_id)
  }
  return { held, people: heldWithPeople }
}

/** An act that has its place in the feed: the positions of its events, and between which ids they are. */
export interface PlacedAct {
  id: number
  bulk: boolean
  first: number
  last: number
  firstEvent: string
  lastEvent: string
}

/** Gives the events of these acts the next positions, in the order of the acts, and takes the acts out of the outbox. */
export async function placeActs(
  trx: Trx,
  accountId: number,
  position: number,
  acts: readonly Waiting[],
): Promise<PlacedAct[]> {
  if (acts.length === 0) return []
  const rows = await trx.query<{
    id: number
    bulk: boolean
    events: number
    first_event: string
    last_event: string
  }>(sql`
    with taken as materialized (
      select chosen.nth, o.id, o.bulk, o.event_ids, o.first_event, o.last_event,
        sum(cardinality(o.event_ids)) over (order by chosen.nth) - cardinality(o.event_ids) as before
      from unnest(${acts.map((row) => row.id)}::bigint[]) with ordinality as chosen (id, nth)
      join outbox as o on o.account_id = ${accountId} and o.id = chosen.id
    ), placed as (
      insert into feed (account_id, position, event_id)
      select ${accountId}::bigint, ${position}::bigint + taken.before + event.nth, event.id
      from taken, unnest(taken.event_ids) with ordinality as event (id, nth)
    ), removed as (
      delete from outbox where account_id = ${accountId} and id in (select id from taken)
    )
    select id, bulk, cardinality(event_ids) as events,
      coalesce(first_event, (select event from unnest(event_ids) as event order by event limit 1)) as first_event,
      coalesce(last_event, (select event from unnest(event_ids) as event order by event desc limit 1)) as last_event
    from taken order by nth`)
  let last = position
  return rows.map(({ id, bulk, events, first_event: firstEvent, last_event: lastEvent }) => {
    const first = last + 1
    last += events
    return { id, bulk, first, last, firstEvent, lastEvent }
  })
}

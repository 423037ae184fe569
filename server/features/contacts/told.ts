import sql, { empty, join, type Sql } from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { clockParts, isSendable, LOOK_OVERLAP, movedByClock } from '../criteria/clock.ts'
import { compile } from '../criteria/compile.ts'
import { expandLists } from '../criteria/expand.ts'
import { FOR_FEW } from '../criteria/forms.ts'
import type { Condition } from '../criteria/parse.ts'
import type { FieldSet } from '../fields/field-set.ts'
import type { Found, Place } from './page.ts'

/** Contacts looked at anew, at most: each costs up to 80 µs, where two conditions look at a year of events. */
const MOST_TOUCHED = 500

/**
 * A list of fewer may have all of its members at the far end of the walk: of 660,000 memberships that took 80 to 100 ms. So it is
 * walked for the first so many memberships, 8 ms, and if these have too few of its members, all of them are found by whatever takes
 * the planner the least, with two processes.
 */
const FEW = 10_000
const WALKED = 50_000
const FOR_ALL = sql`
  select set_config('enable_seqscan', 'on', true), set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true)`

/** One page of a smart list, by id. */
export interface MembersAsk {
  accountId: number
  listId: number
  fields: FieldSet
  timeZone: string
  descending: boolean
  /** Only those behind a cursor; over `contacts as c`, by id alone. */
  behind: Sql | undefined
  limit: number
  offset: number
  /** The moment that it is; `now()` unless given. */
  now?: Sql
}

interface Told {
  contacts: number
  looked_at: string
  new_day: boolean
  suppression_ended: boolean
  /** Events of acts that wait in the outbox. */
  waiting: number
}

/** The only smart list that an expanded condition consists of; undefined where there is more to it. */
export function oneSmartList(condition: Condition): number | undefined {
  if (condition.is === 'smart') return condition.listId
  if (condition.is !== 'all') return undefined
  const parts = condition.of.filter((part) => part.is !== 'all' || part.of.length > 0)
  return parts.length === 1 ? oneSmartList(parts[0]!) : undefined
}

/**
 * One page of a smart list, and exactly how many are in it, from the membership that the dispatcher last told: with those left
 * out and looked at anew, whom an act that waits in the outbox, or the clock, has touched since. All in one snapshot, so it
 * is what running the criteria would find. undefined where that can't be told, or would take as long: the list is not
 * tracked, its criteria are being taken over, too much has happened since.
 * @param walked Memberships that are walked through for a list of few; for tests, which have few.
 */
export function findMembers(db: Database, ask: MembersAsk, walked = WALKED): Promise<Found | undefined> {
  return db.transaction(async (trx) => {
    const now = ask.now ?? sql`now()`
    const told = await readTold(trx, ask, now)
    if (!told || told.waiting > MOST_TOUCHED) return undefined
    const named: Condition = { is: 'list', listIds: [ask.listId] }
    const condition = await expandLists(trx, ask.accountId, named, ask.fields)
    if (condition.is !== 'smart') return undefined
    const turned = { day: told.new_day, suppression: told.suppression_ended }
    // To know of whom a date or a suppression has turned, everyone is looked at.
    if (clockParts(condition).tests.some(({ subject }) => (isSendable(subject) ? turned.suppression : turned.day)))
      return undefined
    const span = {
      timeZone: ask.timeZone,
      from: sql`(${told.looked_at}::timestamptz - ${LOOK_OVERLAP}::interval)`,
      to: now,
    }
    const moved = movedByClock(ask.accountId, [condition], span, turned)
    // All is found by keys, whatever statistics say of what a load has just filled.
    trx.send(sql`
      select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)`)
    const touched = [...(told.waiting > 0 ? [acted(ask.accountId)] : []), ...(moved ? [moved] : [])]
    const isIn = compile(condition, { timeZone: ask.timeZone, now }, FOR_FEW)
    const looked = touched.length === 0 ? NOBODY : await lookAnew(trx, ask, join(touched, ' union all '), isIn)
    if (looked.count > MOST_TOUCHED) return undefined
    const total = told.contacts + looked.step
    return { places: await placesOf(trx, ask, looked, total < FEW ? walked : undefined), total, capped: false }
  }, 'repeatable read')
}

/** What was last told of the list, unless that is of other criteria, or more is under way than acts and looks at the clock. */
async function readTold(trx: Trx, { accountId, listId, timeZone }: MembersAsk, now: Sql): Promise<Told | undefined> {
  const since = sql`(k.looked_at - ${LOOK_OVERLAP}::interval)`
  const [told] = await trx.query<Told>(sql`
    select n.contacts, k.looked_at::text,
      (${since} at time zone ${timeZone})::date <> (${now} at time zone ${timeZone})::date as new_day,
      exists (select from suppressions as s where s.account_id = ${accountId} and s.expires_at between ${since} and ${now}) as suppression_ended,
      (select coalesce(sum(o.size), 0) from outbox as o where o.account_id = ${accountId} and o.kind = 'acts') as waiting
    from lists as l
    join smart_counts as n on n.account_id = l.account_id and n.list_id = l.id and n.version = l.criteria_version
    join smart_looks as k on k.account_id = l.account_id and k.time_zone = ${timeZone}
    where l.account_id = ${accountId} and l.id = ${listId} and l.track
      and not exists (select from outbox as o where o.account_id = ${accountId} and o.kind not in ('acts', 'clock'))`)
  return told && { ...told, waiting: Number(told.waiting) }
}

/** Of whom acts wait in the outbox, as `select … as contact_id`. Each event is looked up by its id, in the one month that has it. */
function acted(accountId: number): Sql {
  return sql`
    select e.contact_id from outbox as o cross join lateral unnest(o.event_ids) as named (id)
    cross join lateral (
      select contact_id from events where account_id = ${accountId} and id = named.id and contact_id is not null offset 0) as e
    where o.account_id = ${accountId} and o.kind = 'acts'`
}

interface Looked {
  count: number
  /** How many more of them are in the list than were told to be. */
  step: number
  /** Their ids, and of those who are in it, as arrays in text. */
  ids: string
  inside: string
}

const NOBODY: Looked = { count: 0, step: 0, ids: '{}', inside: '{}' }

/** Looks at these as they are now. */
async function lookAnew(trx: Trx, { accountId, listId }: MembersAsk, touched: Sql, isIn: Sql): Promise<Looked> {
  const [looked] = await trx.query<Looked>(sql`
    with touched as materialized (
      select contact_id from (${touched}) as touched group by contact_id limit ${MOST_TOUCHED + 1}
    ), looked as materialized (
      select touched.contact_id as id, coalesce(m.list_ids @> ${[listId]}::bigint[], false) as was_in, coalesce(now.is_in, false) as is_in
      from touched
      left join lateral (
        select list_ids from smart_memberships where account_id = ${accountId} and contact_id = touched.contact_id offset 0) as m on true
      left join lateral (
        select ${isIn} as is_in from contacts as c where c.account_id = ${accountId} and c.id = touched.contact_id offset 0) as now on true
    )
    select count(*) as count, count(*) filter (where is_in) - count(*) filter (where was_in) as step,
      coalesce(array_agg(id), '{}')::text as ids, coalesce(array_agg(id) filter (where is_in), '{}')::text as inside
    from looked`)
  return looked!
}

/** The places of a page, by id: of members as they were told, but of those as they were looked at. */
async function placesOf(trx: Trx, ask: MembersAsk, looked: Looked, walked: number | undefined): Promise<Place[]> {
  const { accountId, listId, descending, behind, limit, offset } = ask
  const beyond = behind ? sql`and ${behind}` : empty
  const inOrder = sql`order by c.id ${descending ? sql`desc` : sql`asc`}`
  const told = sql`(select contact_id as id, list_ids from smart_memberships where account_id = ${accountId})`
  const isMember = sql`${listId}::bigint = any(c.list_ids)`
  const page = async (members: Sql) => {
    const [row] = await trx.query<{ found: number; ids: string[] }>(sql`
      with told as materialized (
        select c.id from ${members} as c where ${isMember} and c.id <> all(${looked.ids}::uuid[]) ${beyond} ${inOrder} limit ${limit + offset}
      )
      select (select count(*) from told) as found, array(
        select c.id from (
          select id from told union all select c.id from unnest(${looked.inside}::uuid[]) as c (id) where true ${beyond}
        ) as c ${inOrder} limit ${limit} offset ${offset}) as ids`)
    return { found: row!.found, places: row!.ids.map((id) => ({ id, position: null })) }
  }
  if (walked === undefined) return (await page(told)).places
  const near = await page(
    sql`(select c.id, c.list_ids from ${told} as c where true ${beyond} ${inOrder} limit ${WALKED})`,
  )
  if (near.found === limit + offset) return near.places
  trx.send(FOR_ALL)
  const all = sql`(
    with all_members as materialized (select c.id, c.list_ids from ${told} as c where ${isMember}) select id, list_ids from all_members)`
  return (await page(all)).places
}

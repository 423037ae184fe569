import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { PLANNED_BY_KEYS } from '../activity/dispatcher.ts'
import { membershipIn, type SmartList } from '../criteria/membership.ts'
import type { EventCondition } from '../criteria/parse-event.ts'
import type { People } from './placed.ts'

/** Bound values of one statement, of which PostgreSQL takes 65,535. */
const MOST_VALUES = 30_000

/** Why someone is found to have entered or left. */
export type Cause = 'act' | 'clock' | 'criteria' | 'comparison' | 'suppression' | 'retention'

export interface Comparison {
  accountId: number
  timeZone: string
  /** Which lists are compared; of others the membership stays as it was told. */
  lists: readonly SmartList[]
  /**
   * `select … as contact_id, … as change_set_id`: contacts that are there or were, and the act on many that may have moved
   * them, to which what is told then belongs; null for what else may have.
   */
  contacts: Sql
  /** The same, where they are so many that both of two processors are worth while. */
  people?: People | undefined
  cause: Cause
  /** Whether transitions are told; else only the membership is taken over. */
  announce: boolean
  /** The moment that it is, where that is not the transaction's. */
  now?: Sql | undefined
  position: number
  /** Of which conditions on events it is known what they say of these contacts: their events are not read for those. */
  remembers: (condition: EventCondition) => boolean
  /** The id of an event before which none of these contacts has any that is read for. */
  since?: string | undefined
  /** Whether this is all that can be looked at: then nobody is behind after it. */
  isWhole: boolean
  /** Whether it is all lists, so that hardly a membership names another: then it is quicker not to ask which it names of these. */
  areAll?: boolean
}

export interface Compared {
  /** The last one, behind what was told. */
  position: number
  /** Of how many contacts the membership was another. */
  differing: number
  /** Into and out of how many lists they have gone, together. */
  entered: number
  left: number
}

/**
 * Compares the membership last told with that of now, takes it over, and tells the difference: one event for a contact,
 * placed in the feed at once. Who has been removed is forgotten without one. One statement, whatever the
 * number of contacts; with very many values in criteria, a few.
 */
export async function compareMembership(trx: Trx, comparison: Comparison): Promise<Compared> {
  const { accountId, lists, contacts, position, isWhole } = comparison
  if (lists.length === 0) return { position, differing: 0, entered: 0, left: 0 }
  const read = reading(comparison)
  const all = read(contacts)
  if (all.values.length > MOST_VALUES && lists.length > 1) {
    const half = Math.ceil(lists.length / 2)
    const some = { ...comparison, isWhole: false, areAll: false, people: undefined }
    const first = await compareMembership(trx, { ...some, lists: lists.slice(0, half) })
    const second = await compareMembership(trx, { ...some, lists: lists.slice(half), position: first.position })
    if (isWhole) catchUp(trx, accountId, contacts)
    return sum(first, second)
  }
  return (
    (comparison.people && (await compareTogether(trx, comparison, comparison.people, read))) ??
    takeOver(trx, comparison, foundHere(all))
  )
}

/** Of how many it is found out here how many of them move, and how many are compared elsewhere meanwhile. */
const [HERE_FIRST, THERE_FIRST] = [0.12, 0.25]

/**
 * How much of the rest is compared here, for both processors to end at once: to write someone who moves, which is all done here,
 * takes half as long as to compare them.
 */
function shareHere(moving: number): number {
  return 0.65 - 0.5 * moving
}

/**
 * Two processors compare: this connection some, whom it takes over at once, others the rest, of whom they read what has changed
 * for this one to take over. undefined where there is no other.
 */
async function compareTogether(
  trx: Trx,
  comparison: Comparison,
  people: People,
  read: (contacts: Sql) => Sql,
): Promise<Compared | undefined> {
  const [second, third] = [HERE_FIRST, HERE_FIRST + THERE_FIRST].map((share) => Math.ceil(share * people.size))
  const early = await compareBeside(trx, comparison, [people.slice(second!, third!)])
  if (!early) return undefined
  let done = await takeOver(trx, comparison, foundHere(read(people.slice(0, second!).sql)))
  const fourth = third! + Math.round(shareHere(done.differing / second!) * (people.size - third!))
  const half = fourth + Math.ceil((people.size - fourth) / 2) // of which the first is written while the second is read
  const late = await compareBeside(trx, comparison, [people.slice(fourth, half), people.slice(half)])
  const own = people.slice(third!, late && fourth)
  const others = [...early, ...(late ?? [])]
  for (const next of [foundHere(read(own.sql)), ...others]) {
    const found = await next
    if (found) done = sum(done, await takeOver(trx, { ...comparison, position: done.position }, found))
  }
  return done
}

/** What is found of each part, one after the other; undefined where no connection is free. */
async function compareBeside(
  trx: Trx,
  comparison: Comparison,
  parts: readonly People[],
): Promise<Promise<Found | undefined>[] | undefined> {
  const found = parts.map(() => Promise.withResolvers<Found | undefined>())
  const beside = await trx.beside(async (other, now) => {
    other.send(PLANNED_BY_KEYS)
    const read = reading({ ...comparison, now: comparison.now ?? now })
    const reads = parts.map((part) => foundThere(other, read(part.sql)))
    for (const [nth, one] of reads.entries()) void one.then(found[nth]!.resolve, found[nth]!.reject)
    await Promise.all(reads)
  })
  if (!beside) return undefined
  beside.done.catch((error: unknown) => {
    for (const { reject } of found) reject(error) // also those that it did not come to
  })
  for (const { promise } of found) promise.catch(() => {}) // whoever awaits it hears of it
  return found.map(({ promise }) => promise)
}

function sum(first: Compared, second: Compared): Compared {
  return {
    position: second.position,
    differing: first.differing + second.differing,
    entered: first.entered + second.entered,
    left: first.left + second.left,
  }
}

/**
 * Those of whom something is to be written: `contact_id`, `change_set_id`, `is_there`, `is_known` (whether they have a row of
 * membership), `moved`, `behind`, which lists they have `entered` and which are `gone`, and what is to be kept: `after`, `happened`
 * (null for what was), and whether that `remembers` anything. To find what is in one array and not in another takes 3 to 4 µs, and
 * mostly one side has nothing: so the one that must have something is looked at first, and the other where numbers say that it has.
 */
function reading({ accountId, timeZone, lists, now, isWhole, ...comparison }: Comparison): (contacts: Sql) => Sql {
  const remembered = { has: comparison.remembers, column: sql`coalesce(told.happened, '{}')` }
  const calendar = now ? { timeZone, now } : { timeZone }
  const membership = membershipIn(lists, calendar, { remembered, since: comparison.since })
  const { inside, happened, recounted, joins } = membership
  const ids = sql`${lists.map((list) => list.id)}::bigint[]`
  const kept = sql`case when remembered <> '{}' then ${without(sql`remembered`, sql`${recounted}::bigint[]`)} end`
  const toRemember = isWhole
    ? sql`happened`
    : recounted.length === 0
      ? sql`remembered`
      : sql`in_order(${kept} || happened)`
  const come = without(sql`inside`, sql`here`)
  // With null for a list that is not compared, so that their number tells whether there is anything else to find.
  const gone = sql`array(select case when id = any(${ids}) then id end from unnest(here) as id where id <> all(inside))`
  const stayed = sql`case when gone = '{}' then before else ${without(sql`before`, sql`gone`)} end`
  const compared = (contacts: Sql) => sql`
    select asked.contact_id, asked.change_set_id, c.id is not null as is_there, told.list_ids is not null as is_known,
      coalesce(told.list_ids, '{}') as before, coalesce(told.happened, '{}') as remembered, coalesce(told.behind, false) as behind,
      case when c.id is null then '{}' else ${inside} end as inside, ${happened} as happened
    from (${contacts}) as asked
    left join lateral (
      select account_id, id, email, external_id, state, fields, tags, origin, created_at, updated_at
      from contacts where account_id = ${accountId} and id = asked.contact_id offset 0) as c on true
    left join lateral (
      select list_ids, happened, behind from smart_memberships where account_id = ${accountId} and contact_id = asked.contact_id offset 0) as told on true ${joins}
    offset 0`
  const steps = [
    sql`${comparison.areAll ? sql`before` : hereIn(lists, ids)} as here`, // in which of these lists they were told to be
    sql`cardinality(here) > cardinality(inside) as is_fewer`,
    sql`case when not is_there or here = inside then '{}' when here = '{}' then inside
      when is_fewer then ${gone} else ${come} end as most`,
    sql`case when not is_there or cardinality(most) = abs(cardinality(inside) - cardinality(here)) then '{}'
      when is_fewer then ${come} else ${gone} end as rest`,
    sql`case when is_fewer then rest else most end as entered,
      case when is_there then array_remove(case when is_fewer then most else rest end, null) else before end as gone`,
    sql`entered <> '{}' or gone <> '{}' as moved, ${toRemember} as to_remember`,
  ]
  return (contacts) => sql`
    select contact_id, change_set_id, is_there, is_known, moved, behind and not ${isWhole}::boolean as behind, entered, gone,
      case when not is_there then '{}' when not moved then before
        when cardinality(before) + cardinality(entered) - cardinality(gone) = cardinality(inside) then inside -- they are in no other
        when entered = '{}' then ${stayed} else in_order(${stayed} || entered) end as after,
      to_remember <> '{}' as remembers, case when remembered <> to_remember then to_remember end as happened
    from (${steps.reduce(withStep, compared(contacts))}) as compared
    where moved or remembered <> to_remember or (is_known and not is_there) or (behind and ${isWhole}::boolean)`
}

/** The same with more columns. Each is worked out once: without `offset 0` PostgreSQL would write it out wherever it is used. */
function withStep(from: Sql, columns: Sql): Sql {
  return sql`select *, ${columns} from (${from}) as compared offset 0`
}

/** Up to so many lists it is quicker to look for each: of 25 ids for ten lists in 1.4 µs, where to take the array apart takes 2.7. */
const FEW_LISTS = 16

/** Which of these lists stand in `before`. */
function hereIn(lists: readonly SmartList[], ids: Sql): Sql {
  if (lists.length > FEW_LISTS) return sql`array(select id from unnest(before) as id where id = any(${ids}))`
  const inOrder = lists.map(({ id }) => id).toSorted((a, b) => a - b)
  const cases = inOrder.map((id) => sql`case when ${id}::bigint = any(before) then ${id}::bigint end`)
  return sql`array_remove(array[${join(cases)}]::bigint[], null)`
}

function without(all: Sql, some: Sql): Sql {
  return sql`array(select id from unnest(${all}) as id where id <> all(${some}))`
}

/** Those of whom something is to be written, and how many more are in each list now. */
interface Found {
  /** A `select` with the columns of `reading`; `entered` and `gone` as they are, or as text. */
  changed: Sql
  /** `select … as id, … as step`; may name `changed`. */
  steps: Sql
  /** Into and out of how many lists those have gone who are there. */
  entered: Sql
  left: Sql
}

const STEPS = sql`
  select id, sum(step) as step
  from (select unnest(entered) as id, 1 as step from changed union all select unnest(gone), -1 from changed) as steps group by id`
const ENTERED = sql`(select coalesce(sum(cardinality(entered)), 0) from changed where is_there)::int`
const LEFT = sql`(select coalesce(sum(cardinality(gone)), 0) from changed where is_there)::int`

/** What is read by the statement that takes it over. */
function foundHere(changed: Sql): Found {
  return { changed, steps: STEPS, entered: ENTERED, left: LEFT }
}

/** What is read by another connection; undefined where nothing has changed. Arrays go back as the text that they came as. */
async function foundThere(trx: Trx, changed: Sql): Promise<Found | undefined> {
  const columns = CHANGED.map(
    ([name, type]) => sql`array_agg(${raw(name)}${raw(type.endsWith('[]') ? '::text' : '')})::text as ${raw(name)}`,
  )
  interface Row extends Record<(typeof CHANGED)[number][0], string | null> {
    ids: string
    steps: string
    entered_in_all: number
    left_in_all: number
  }
  const [row] = await trx.query<Row>(sql`
    with changed as materialized (${changed}), steps as materialized (${STEPS})
    select ${join(columns)}, ${ENTERED} as entered_in_all, ${LEFT} as left_in_all,
      array(select id from steps order by id)::text as ids, array(select step from steps order by id)::text as steps
    from changed`)
  const { ids, steps, entered_in_all: entered, left_in_all: left } = row!
  if (row!.contact_id === null) return undefined
  const names = CHANGED.map(([name, type]) => sql`${raw(name)}${raw(isTold(name) ? '' : `::${type}`)}`)
  const arrays = CHANGED.map(([name, type]) => sql`${row![name]}::${raw(type.endsWith('[]') ? 'text' : type)}[]`)
  return {
    changed: sql`select ${join(names)} from unnest(${join(arrays)}) as changed (${raw(CHANGED.map(([name]) => name).join())})`,
    steps: sql`select id, step from unnest(${ids}::bigint[], ${steps}::bigint[]) as steps (id, step)`,
    entered: sql`${entered}::int`,
    left: sql`${left}::int`,
  }
}

/** The columns of `reading`, with their types. */
const CHANGED = [
  ['contact_id', 'uuid'],
  ['change_set_id', 'bigint'],
  ['is_there', 'boolean'],
  ['is_known', 'boolean'],
  ['moved', 'boolean'],
  ['behind', 'boolean'],
  ['entered', 'bigint[]'],
  ['gone', 'bigint[]'],
  ['after', 'bigint[]'],
  ['remembers', 'boolean'],
  ['happened', 'bigint[]'],
] as const

/** Of what is told, and not kept, text is all that is needed. */
const isTold = (name: string) => name === 'entered' || name === 'gone'

/** Writes what has changed, and tells it. */
async function takeOver(
  trx: Trx,
  { accountId, cause, announce, position }: Comparison,
  found: Found,
): Promise<Compared> {
  // As text: half of what it takes to build it out of values, each of which is copied once for each level.
  const idsOf = (side: string, ids: Sql) => sql`${`"${side}":[`}::text || btrim(${ids}::text, '{}') || ']'`
  const moves = sql`case when gone = '{}' then ${idsOf('entered', sql`entered`)} when entered = '{}' then ${idsOf('left', sql`gone`)}
    else ${idsOf('entered', sql`entered`)} || ',' || ${idsOf('left', sql`gone`)} end`
  const data = sql`(${`{"cause":"${cause}","smart_lists":{`}::text || ${moves} || '}}')::jsonb`
  const types = sql`case when gone = '{}' then '{list_entered}' when entered = '{}' then '{list_left}' else '{list_entered,list_left}' end::text[]`
  const isKept = sql`is_there and (after <> '{}' or remembers or changed.behind)`
  const [done] = await trx.query<{ differing: number; placed: number; entered: number; left: number }>(sql`
    with changed as materialized (${found.changed}), kept as (
      update smart_memberships as m set list_ids = after, happened = coalesce(changed.happened, m.happened), behind = changed.behind
      from changed where m.account_id = ${accountId} and m.contact_id = changed.contact_id and is_known and ${isKept}
    ), begun as (
      insert into smart_memberships (account_id, contact_id, list_ids, happened, behind)
      select ${accountId}::bigint, contact_id, after, coalesce(happened, '{}'), behind from changed where not is_known and ${isKept}
      on conflict (account_id, contact_id) do update
        set list_ids = excluded.list_ids, happened = excluded.happened, behind = excluded.behind
    ), forgotten as (
      delete from smart_memberships where account_id = ${accountId} and contact_id in (
        select contact_id from changed where is_known and not (${isKept}))
    ), told as (
      insert into events (account_id, contact_id, type, types, at, data, change_set_id)
      select ${accountId}::bigint, contact_id, types[1], types, clock_timestamp(), data, change_set_id
      from (select contact_id, change_set_id, ${types} as types, ${data} as data from changed where moved and is_there and ${announce}) as transitions
      returning id
    ), placed as (
      insert into feed (account_id, position, event_id)
      select ${accountId}::bigint, ${position}::bigint + row_number() over (order by id), id from told
      returning position
    ), counted as (
      update smart_counts as n set contacts = n.contacts + steps.step, counted_at = now()
      from (${found.steps}) as steps where n.account_id = ${accountId} and n.list_id = steps.id
    )
    select (select count(*) from changed where moved and is_there) as differing, (select count(*) from placed) as placed,
      ${found.entered} as entered, ${found.left} as left`)
  const { placed, ...counts } = done!
  return { position: position + placed, ...counts }
}

function catchUp(trx: Trx, accountId: number, contacts: Sql): void {
  const are = sql`account_id = ${accountId} and behind and contact_id in (select contact_id from (${contacts}) as asked)`
  trx.send(sql`delete from smart_memberships where ${are} and list_ids = '{}' and happened = '{}'`)
  trx.send(sql`update smart_memberships set behind = false where ${are}`)
}

/** Contacts of whom more acts wait are compared with the last of these, and then with all lists. */
export function leaveBehind(trx: Trx, accountId: number, contacts: Sql): void {
  trx.send(sql`
    insert into smart_memberships as m (account_id, contact_id, list_ids, behind)
    select ${accountId}::bigint, contact_id, '{}', true from (${contacts}) as asked
    on conflict (account_id, contact_id) do update set behind = true where not m.behind`)
}

/**
 * Of whom an act waits in the outbox still: that will tell what follows from it. Only the contact's own events since the first
 * that waits are read, as there may be a million that wait. Those of a bulk act are known as in `chooseActs`; where it is of
 * no change set, one by one, since others of none may lie between them.
 */
export function isWaiting(accountId: number, contactId: Sql): Sql {
  const waiting = sql`from outbox as o where o.account_id = ${accountId} and o.kind = 'acts'`
  return sql`exists (
    select from events as e
    where e.account_id = ${accountId} and e.contact_id = ${contactId} and not e.types && '{list_entered,list_left}'
      and e.id >= (select id from (select first_event as id ${waiting} and bulk union all select unnest(event_ids) ${waiting} and not bulk) as first order by id limit 1)
      and (e.id in (select unnest(event_ids) ${waiting} and not bulk) or exists (
        select ${waiting} and bulk and o.change_set_id is not distinct from e.change_set_id and e.id between o.first_event and o.last_event
          and (o.change_set_id is not null or e.id = any(o.event_ids)) offset 0)) offset 0)`
}

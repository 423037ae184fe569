import sql, { join, type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { PlacedAct } from '../activity/batch.ts'
import type { Placed } from '../activity/dispatcher.ts'
import { ALONE, type EventType } from '../activity/event-types.ts'
import { happeningsIn } from '../criteria/happened.ts'
import { countedTypes, TELLING } from '../criteria/relevance.ts'
import type { TrackedList } from '../criteria/smart-lists.ts'

/**
 * How much may have changed of a contact of whom acts were placed. `changed`: nothing that is counted has happened. `happened`:
 * something has that some list counts. `created`: it is new, and before its first act there is nothing of it. `unknown`: it was
 * left behind by an earlier batch, or what had happened is seen otherwise now.
 */
export const STANDINGS = ['changed', 'happened', 'created', 'unknown'] as const
export type Standing = (typeof STANDINGS)[number]

/** Contacts, and with each the act on many that was the last about it; null where that was an act by itself. As PostgreSQL writes them. */
export class People {
  readonly #contacts: readonly string[]
  readonly #changeSets: readonly string[]

  constructor(contacts: readonly string[], changeSets: readonly string[]) {
    this.#contacts = contacts
    this.#changeSets = changeSets
  }

  /** Out of two arrays, as text: to have them read as values and written again takes Node 20 ms for ten thousand. */
  static from(contacts: string, changeSets: string): People {
    const [ids, sets] = [contacts, changeSets].map((array) => array.slice(1, -1).split(','))
    return new People(ids!, sets!)
  }

  get size(): number {
    return this.#contacts.length
  }

  slice(from: number, to = this.size): People {
    return new People(this.#contacts.slice(from, to), this.#changeSets.slice(from, to))
  }

  /** `select … as contact_id, … as change_set_id`. */
  get sql(): Sql {
    return sql`
      select contact_id, change_set_id
      from unnest(${`{${this.#contacts.join()}}`}::uuid[], ${`{${this.#changeSets.join()}}`}::bigint[]) as told (contact_id, change_set_id)`
  }
}

/** What the acts just placed were about. */
export interface Seen {
  types: EventType[]
  parts: string[]
  /** Not those of whom more acts wait. */
  people: Partial<Record<Standing, People>>
  /** The first of the events. */
  since: string
}

/** Contacts of whom more acts wait are left to the last of these: what follows from it stands behind it. */
export async function whatHappened(
  trx: Trx,
  accountId: number,
  lists: readonly TrackedList[],
  placed: Placed,
): Promise<Seen> {
  const since = firstOf(placed.acts)
  const counted = lists.flatMap((list) => happeningsIn(list.condition))
  const types = countedTypes(counted)
  const waits = sql`exists (
    select from events as e where e.account_id = ${accountId} and e.contact_id = newest.contact_id
      and e.id > newest.id and e.id >= ${since}::uuid and not e.types && '{list_entered,list_left}' offset 0)`
  interface Row extends Pick<Seen, 'types' | 'parts'> {
    groups: { standing: Standing; contacts: string; change_sets: string }[]
  }
  const [row] = await trx.query<Row>(sql`
    with placed as materialized (${eventsPlaced(accountId, placed)}),
    newest as (select distinct on (contact_id) contact_id, id, change_set_id from placed order by contact_id, id desc),
    seen as materialized (select contact_id, change_set_id, ${placed.actsWait ? waits : sql`false`} as waits from newest),
    left_behind as (
      insert into smart_memberships as m (account_id, contact_id, list_ids, behind)
      select ${accountId}::bigint, contact_id, '{}', true from seen where waits and ${lists.length > 0}::boolean
      on conflict (account_id, contact_id) do update set behind = true where not m.behind
    ), told as (
      select contact_id, change_set_id, case
        when contact_id in (select contact_id from smart_memberships where account_id = ${accountId} and behind)
          or contact_id in (select contact_id from placed where data ? 'marked_as_machine') then 'unknown'
        when contact_id in (select contact_id from placed where type = 'created') then 'created'
        when contact_id in (select contact_id from placed where types && ${types}::text[]) then 'happened'
        else 'changed' end as standing
      from seen where not waits
    ), kinds as materialized (
      select array(select distinct unnest(types) from (select distinct types from placed) as of_acts) as types
    ), telling as (select data from placed where type <> all(${[...ALONE]}))
    select types,
      case when types <@ ${[...TELLING, ...ALONE]}::text[] then array(
        select distinct jsonb_object_keys(data) from telling
        union all select distinct 'fields.' || jsonb_object_keys(data -> 'fields') from telling where jsonb_typeof(data -> 'fields') = 'object'
        union all select '?' where exists (
          select from telling where data = '{}' or data ? 'fields' and jsonb_typeof(data -> 'fields') <> 'object')
      ) else '{?}' end as parts,
      (select coalesce(jsonb_agg(jsonb_build_object('standing', standing, 'contacts', contacts, 'change_sets', change_sets)), '[]') from (
        select standing, array_agg(contact_id)::text as contacts, array_agg(change_set_id)::text as change_sets
        from told group by standing) as grouped) as groups
    from kinds`)
  const { groups, parts, ...seen } = row!
  const people = groups.map((group) => [group.standing, People.from(group.contacts, group.change_sets)])
  return { ...seen, parts: parts.filter((part) => part !== 'fields'), people: Object.fromEntries(people), since }
}

/** The events that have just been placed, of contacts. Small acts have their places before bulk ones. */
function eventsPlaced(accountId: number, { acts, after, position }: Placed): Sql {
  const bulk = acts.filter((act) => act.bulk)
  const behindSmall = Math.max(after, ...acts.filter((act) => !act.bulk).map((act) => act.last))
  const parts = [
    ...(behindSmall > after ? [lookedUp(accountId, firstOf(acts), after, behindSmall)] : []),
    ...(bulk.length > 0 ? [readThrough(accountId, bulk, behindSmall, position)] : []),
  ]
  return join(parts, ' union all ')
}

/**
 * Each is looked for by its id, in the months since the first of them: left to itself, PostgreSQL joined them to all events of
 * the account, 20 µs for each that was placed where there were 200,000.
 */
function lookedUp(accountId: number, first: string, after: number, position: number): Sql {
  return sql`
    select e.* from feed as f cross join lateral (
      select e.contact_id, e.id, e.type, e.types, e.data, e.change_set_id from events as e
      where e.account_id = ${accountId} and e.id = f.event_id and e.id >= ${first}::uuid and e.contact_id is not null offset 0) as e
    where f.account_id = ${accountId} and f.position > ${after} and f.position <= ${position}`
}

/**
 * Those of a bulk act were recorded by one statement, and lie together: all between the first and the last are read, which takes
 * a third of looking for each. What others have recorded meanwhile is left out by a table of the ids that were placed; asked
 * for as a value, as PostgreSQL would make a join of a condition, in whichever way it takes to be best for one row.
 */
function readThrough(accountId: number, bulk: readonly PlacedAct[], after: number, position: number): Sql {
  const runs = together(bulk)
  return sql`
    select contact_id, id, type, types, data, change_set_id from (
      select e.*, e.id in (
        select event_id from feed where account_id = ${accountId} and position > ${after} and position <= ${position}) as is_placed
      from unnest(${runs.map((run) => run.first)}::uuid[], ${runs.map((run) => run.last)}::uuid[]) as run (first, last) cross join lateral (
        select e.contact_id, e.id, e.type, e.types, e.data, e.change_set_id from events as e
        where e.account_id = ${accountId} and e.id between run.first and run.last and e.contact_id is not null offset 0) as e
      offset 0
    ) as read where is_placed`
}

/** Between which ids they lie, each id once: two that were recorded at the same time are one run. */
function together(acts: readonly PlacedAct[]): { first: string; last: string }[] {
  const runs: { first: string; last: string }[] = []
  for (const { firstEvent, lastEvent } of acts.toSorted((a, b) => (a.firstEvent < b.firstEvent ? -1 : 1))) {
    const before = runs.at(-1)
    if (!before || before.last < firstEvent) runs.push({ first: firstEvent, last: lastEvent })
    else if (before.last < lastEvent) before.last = lastEvent
  }
  return runs
}

/** The first id among the events of these acts: they are written in lower case, and so in the order of the ids. */
function firstOf(acts: readonly PlacedAct[]): string {
  return acts.reduce((first, { firstEvent }) => (firstEvent < first ? firstEvent : first), acts[0]!.firstEvent)
}

/** Transitions of contacts that were removed while these were being told. */
export function forgetTransitions(trx: Trx, accountId: number, placed: Placed): void {
  trx.send(sql`
    delete from events where account_id = ${accountId} and type in ('list_entered', 'list_left')
      and contact_id in (select contact_id from (${eventsPlaced(accountId, placed)}) as placed where types && '{deleted}')`)
}

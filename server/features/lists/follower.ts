import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Waiting } from '../activity/batch.ts'
import type { Follower, Placed } from '../activity/dispatcher.ts'
import { ALONE, type EventType } from '../activity/event-types.ts'
import { asksWhetherSendable, dependsOnZone, LOOK_OVERLAP, movedByClock, paceOf } from '../criteria/clock.ts'
import { membersOf } from '../criteria/membership.ts'
import { concerns } from '../criteria/relevance.ts'
import { loadSmartLists, type SmartLists, type TrackedList } from '../criteria/smart-lists.ts'
import { addToAnnouncement, endAnnouncement } from './announcements.ts'
import { askToCompare } from './smart.ts'
import { type Cause, compareMembership, isWaiting } from './transitions.ts'

/** Contacts compared in one transaction: a fraction of a second, so that small acts need not wait. */
const CHUNK = 20_000

export interface FollowerOptions {
  /** Is told how many contacts a full comparison found in other lists than was told: it must be none. */
  onDifferences: (accountId: number, contacts: number) => void
  /** The moment that it is, for tests that turn the clock; else the database's `now()`. */
  now?: () => Date
}

/** Tells who enters and leaves smart lists. */
export class SmartListFollower implements Follower {
  readonly #options: FollowerOptions

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  async afterActs(trx: Trx, accountId: number, placed: Placed): Promise<number> {
    const { position, actsWait } = placed
    const lists = await loadSmartLists(trx, accountId)
    if (!lists) return position
    const events = eventsPlaced(accountId, placed)
    const later = sql`exists (
      select from events as later where later.account_id = ${accountId} and later.contact_id = placed.contact_id
        and later.id > placed.id and later.id >= ${firstOf(placed)}::uuid and not later.types && '{list_entered,list_left}' offset 0)`
    interface Seen {
      types: EventType[]
      parts: string[]
      contacts: string[]
      /** Of each, the change set of the last act; null where it was an act by itself. */
      change_sets: (number | null)[]
      deferred: boolean
      was_deferred: boolean
    }
    const [seen] = await trx.query<Seen>(sql`
      with placed as materialized (${events}),
      newest as materialized (select distinct on (contact_id) contact_id, id, change_set_id from placed order by contact_id, id desc),
      told as materialized (select contact_id, change_set_id from newest as placed ${actsWait ? sql`where not ${later}` : sql``}),
      telling as (select data from placed where type <> all(${[...ALONE]}))
      select array(select distinct unnest(types) from placed) as types,
        array(
          select distinct case when key <> 'fields' then key else 'fields.' || field end
          from telling, jsonb_object_keys(data) as key left join lateral jsonb_object_keys(
            case when jsonb_typeof(data -> 'fields') = 'object' then data -> 'fields' else '{"?": 0}' end) as field on key = 'fields'
          union all select '?' where exists (select from telling where data = '{}')) as parts,
        array(select contact_id from told order by contact_id) as contacts,
        array(select change_set_id from told order by contact_id) as change_sets,
        (select count(*) from told) < (select count(*) from newest) as deferred,
        coalesce((select deferred from smart_looks where account_id = ${accountId}), false) as was_deferred`)
    const touched = { types: new Set(seen!.types), parts: new Set(seen!.parts) }
    if (touched.types.has('deleted')) forgetTransitions(trx, accountId, events)
    // Of whom an act stands in the outbox still, the state is that after it: what follows from it stands behind it. Until
    // these acts have been placed, all lists are looked at, as the acts before them may have changed anything.
    const deferred = seen!.deferred || (seen!.was_deferred && actsWait)
    if (deferred !== seen!.was_deferred) this.#rememberDeferred(trx, lists, deferred)
    const everything = deferred || seen!.was_deferred
    const concerned = tracked(lists).filter((list) => everything || concerns(list.condition, touched))
    const contacts = sql`
      select contact_id, change_set_id from unnest(${seen!.contacts}::uuid[], ${seen!.change_sets}::bigint[]) as told (contact_id, change_set_id)`
    await this.#takeOverSilently(trx, lists, concerned, contacts, placed)
    return (await this.#compare(trx, lists, concerned, contacts, position, 'act', true)).position
  }

  #rememberDeferred(trx: Trx, { accountId, timeZone }: SmartLists, deferred: boolean): void {
    trx.send(sql`
      insert into smart_looks (account_id, looked_at, time_zone, deferred)
      select ${accountId}::bigint, ${this.#now}, ${timeZone}, ${deferred}::boolean
      on conflict (account_id) do update set deferred = excluded.deferred`)
  }

  /** Acts before new criteria tell nothing of them: what they bring is taken over with the criteria. */
  async #takeOverSilently(trx: Trx, lists: SmartLists, some: TrackedList[], contacts: Sql, { acts, items }: Placed) {
    const { accountId } = lists
    for (const list of some) {
      const since = Math.max(list.since, sinceOf(items, list.id))
      const older = acts.filter((act) => act.id < since)
      if (older.length === 0) continue
      const ofOlder = sql`
        select e.contact_id from unnest(${older.map((act) => act.first)}::bigint[], ${older.map((act) => act.last)}::bigint[]) as act (first, last)
        join feed as f on f.account_id = ${accountId} and f.position between act.first and act.last
        join events as e on e.account_id = ${accountId} and e.id = f.event_id and e.contact_id is not null`
      const both = sql`select contact_id, change_set_id from (${contacts}) as newest where contact_id in (${ofOlder})`
      await this.#compare(trx, lists, [list], both, 0, 'criteria', false)
    }
  }

  async attend(
    trx: Trx,
    accountId: number,
    item: Waiting,
    { position, actsWait }: { position: number; actsWait: boolean },
  ) {
    const lists = (await loadSmartLists(trx, accountId)) ?? { accountId, timeZone: 'UTC', all: [] }
    // Who is passed over here because an act of theirs waits is looked at with that act, whatever it may concern.
    if (actsWait) this.#rememberDeferred(trx, lists, true)
    switch (item.kind) {
      case 'criteria':
        return this.#takeOver(trx, lists, item, position)
      case 'clock':
        return { position: await this.#look(trx, lists, position), done: true }
      case 'suppressions':
        return this.#compareSendable(trx, lists, item, position)
      case 'comparison':
        return this.#compareAll(trx, lists, item, await this.#look(trx, lists, position))
      case 'acts':
        throw new TypeError('acts are not attended to')
    }
  }

  get #now(): Sql {
    const now = this.#options.now?.()
    return now ? sql`${now.toISOString()}::timestamptz` : sql`now()`
  }

  #compare(
    trx: Trx,
    { accountId, timeZone }: SmartLists,
    lists: TrackedList[],
    contacts: Sql,
    position: number,
    cause: Cause,
    announce: boolean,
  ) {
    return compareMembership(trx, {
      accountId,
      timeZone,
      lists,
      contacts,
      position,
      cause,
      announce,
      now: this.#now,
    })
  }

  /** Takes new criteria over, contact by contact in order of their ids. Nothing is told of it unless that is asked for. */
  async #takeOver(trx: Trx, lists: SmartLists, item: Waiting, position: number) {
    const { accountId } = lists
    const { list_id: listId = 0, version = 0, announce = false, after } = item.details ?? {}
    const list = lists.all.find((one) => one.id === listId)
    const end = async (last: number, phase: 'finished' | 'cancelled') => {
      const act = item.change_set_id
      return { position: act === null ? last : await endAnnouncement(trx, accountId, act, last, phase), done: true }
    }
    if (list && list.version !== version) return end(position, 'cancelled') // a later edit has a row of its own
    if (after === undefined && list) {
      trx.send(sql`
        insert into smart_looks (account_id, looked_at, time_zone) select ${accountId}::bigint, ${this.#now}, ${lists.timeZone}
        on conflict do nothing`)
      trx.send(sql`
        insert into smart_counts (account_id, list_id, version, contacts, since)
        values (${accountId}, ${listId}, 0, 0, ${announce ? 0 : item.id})
        on conflict (account_id, list_id) do update set since = excluded.since`)
    }
    const chunk = await this.#chunk(trx, accountId, item)
    if (!list?.track) {
      forgetList(trx, accountId, listId, chunk.range(sql`contact_id`))
      if (chunk.isLast && list) this.#count(trx, lists, list)
      if (chunk.isLast && !list)
        trx.send(sql`delete from smart_counts where account_id = ${accountId} and list_id = ${listId}`)
      return chunk.isLast ? end(position, 'cancelled') : { position, done: false }
    }
    const done = await this.#compare(trx, lists, [list], chunk.contacts, position, 'criteria', announce)
    if (item.change_set_id !== null) addToAnnouncement(trx, accountId, item.change_set_id, done)
    if (!chunk.isLast) return { position: done.position, done: false }
    trx.send(sql`
      update smart_counts set version = ${version}, counted_at = now(), contacts = (
        select count(*) from smart_memberships where account_id = ${accountId} and list_ids @> ${[listId]}::bigint[])
      where account_id = ${accountId} and list_id = ${listId}`)
    return end(done.position, 'finished')
  }

  /** Of a list that is not tracked: how many meet its criteria. */
  #count(trx: Trx, { accountId, timeZone }: SmartLists, list: TrackedList): void {
    trx.send(sql`
      insert into smart_counts (account_id, list_id, version, contacts)
      select ${accountId}::bigint, ${list.id}::bigint, ${list.version}::int, count(*)
      from (${membersOf(accountId, list, { timeZone, now: this.#now })}) as members
      on conflict (account_id, list_id) do update
        set version = excluded.version, contacts = excluded.contacts, counted_at = now()`)
  }

  /** Only those of whom something crossed the edge of a window since the last look are compared. */
  async #look(trx: Trx, lists: SmartLists, position: number): Promise<number> {
    const { accountId, timeZone } = lists
    const now = this.#now
    const [last] = await trx.query<{
      looked_at: string
      time_zone: string
      new_day: boolean
      suppression_ended: boolean
    }>(sql`
      select looked_at::text, time_zone, ((looked_at - ${LOOK_OVERLAP}::interval) at time zone ${timeZone})::date <> (${now} at time zone ${timeZone})::date as new_day,
        exists (select from suppressions as s where s.account_id = ${accountId}
          and s.expires_at between looked_at - ${LOOK_OVERLAP}::interval and ${now}) as suppression_ended
      from smart_looks where account_id = ${accountId}`)
    trx.send(sql`
      insert into smart_looks (account_id, looked_at, time_zone) select ${accountId}::bigint, ${now}, ${timeZone}
      on conflict (account_id) do update set looked_at = excluded.looked_at, time_zone = excluded.time_zone`)
    if (!last) return position
    // Days begin elsewhere now: to all criteria that know days that is as an edit of them.
    if (last.time_zone !== timeZone) {
      const ofDays = tracked(lists).filter((list) => dependsOnZone(list.condition))
      askToCompare(
        trx,
        accountId,
        ofDays.map(({ id, version }) => ({ id, criteria_version: version })),
      )
    }
    const affected = tracked(lists).filter((list) => paceOf(list.condition) !== null)
    if (affected.length === 0) return position
    const span = { timeZone, from: sql`(${last.looked_at}::timestamptz - ${LOOK_OVERLAP}::interval)`, to: now }
    const turned = { day: last.new_day, suppression: last.suppression_ended }
    const moved = movedByClock(
      accountId,
      affected.map((list) => list.condition),
      span,
      turned,
    )
    if (!moved) return position
    const contacts = await trx.query<{ contact_id: string }>(sql`
      select contact_id from (${moved}) as moved where not ${isWaiting(accountId, sql`moved.contact_id`)}`)
    if (contacts.length === 0) return position
    const ids = contacts.map((row) => row.contact_id)
    const asked = sql`select unnest(${ids}::uuid[]) as contact_id, null::bigint as change_set_id`
    return (await this.#compare(trx, lists, affected, asked, position, 'clock', true)).position
  }

  /** Mail to some addresses, or to anyone, has been forbidden or allowed: nothing of the contacts themselves has changed. */
  async #compareSendable(trx: Trx, lists: SmartLists, item: Waiting, position: number) {
    const { accountId } = lists
    const asking = tracked(lists).filter((list) => asksWhetherSendable(list.condition))
    if (asking.length === 0) return { position, done: true }
    const addresses = item.details?.addresses
    const { contacts, isLast } = addresses
      ? {
          contacts: sql`
          select c.id as contact_id, null::bigint as change_set_id from contacts as c
          where c.account_id = ${accountId} and c.email = any(${addresses}::text[]) and not ${isWaiting(accountId, sql`c.id`)}`,
          isLast: true,
        }
      : await this.#chunk(trx, accountId, item)
    const done = await this.#compare(trx, lists, asking, contacts, position, 'suppression', true)
    return { position: done.position, done: isLast }
  }

  async #compareAll(trx: Trx, lists: SmartLists, item: Waiting, position: number) {
    const { accountId } = lists
    if (!item.details?.after) trx.send(sql`update smart_looks set differences = 0 where account_id = ${accountId}`)
    const chunk = await this.#chunk(trx, accountId, item)
    const done = await this.#compare(trx, lists, tracked(lists), chunk.contacts, position, 'comparison', true)
    if (done.differing > 0) {
      trx.afterCommit(() => this.#options.onDifferences(accountId, done.differing))
      trx.send(
        sql`update smart_looks set differences = differences + ${done.differing} where account_id = ${accountId}`,
      )
    }
    if (chunk.isLast) {
      trx.send(sql`update smart_looks set compared_at = ${this.#now} where account_id = ${accountId}`)
      for (const list of lists.all.filter((one) => !one.track)) this.#count(trx, lists, list)
    }
    return { position: done.position, done: chunk.isLast }
  }

  /** The next contacts, in order of their ids, of which no act waits; the row remembers how far it has come. */
  async #chunk(trx: Trx, accountId: number, { id: itemId, change_set_id: changeSetId, details }: Waiting) {
    const after = details?.after ?? '00000000-0000-0000-0000-000000000000'
    const [last] = await trx.query<{ id: string }>(sql`
      select id from contacts where account_id = ${accountId} and id > ${after}::uuid order by id offset ${CHUNK - 1} limit 1`)
    if (last)
      trx.send(sql`
        update outbox set details = ${JSON.stringify({ ...details, after: last.id })}::jsonb
        where account_id = ${accountId} and id = ${itemId}`)
    const range = (id: Sql) => sql`${id} > ${after}::uuid ${last ? sql`and ${id} <= ${last.id}::uuid` : sql``}`
    const contacts = sql`
      select id as contact_id, ${changeSetId}::bigint as change_set_id from (
        select id from contacts where account_id = ${accountId} and ${range(sql`id`)}
        union select contact_id from smart_memberships where account_id = ${accountId} and ${range(sql`contact_id`)}
      ) as everyone where not ${isWaiting(accountId, sql`everyone.id`)}`
    return { contacts, range, isLast: !last }
  }
}

/** Nothing is told of a list that is gone, or not tracked any more. */
function forgetList(trx: Trx, accountId: number, listId: number, range: Sql): void {
  const isIn = sql`account_id = ${accountId} and ${range} and list_ids @> ${[listId]}::bigint[]`
  trx.send(sql`delete from smart_memberships where ${isIn} and cardinality(list_ids) = 1`)
  trx.send(sql`update smart_memberships set list_ids = array_remove(list_ids, ${listId}::bigint) where ${isIn}`)
}

/**
 * The events that have just been placed, of contacts. Each is looked for by its id, in the months since the first of them:
 * left to itself, PostgreSQL joined them to all events of the account, 20 µs for each that was placed where there were 200,000.
 */
function eventsPlaced(accountId: number, placed: Placed): Sql {
  return sql`
    select e.* from feed as f cross join lateral (
      select e.contact_id, e.id, e.type, e.types, e.data, e.change_set_id from events as e
      where e.account_id = ${accountId} and e.id = f.event_id and e.id >= ${firstOf(placed)}::uuid and e.contact_id is not null offset 0) as e
    where f.account_id = ${accountId} and f.position > ${placed.after} and f.position <= ${placed.position}`
}

/** The first id among the events of these acts: they are written in lower case, and so in the order of the ids. */
function firstOf({ acts }: Placed): string {
  return acts.reduce((first, { firstEvent }) => (firstEvent < first ? firstEvent : first), acts[0]!.firstEvent)
}

/** Transitions of contacts that were removed while these were being told. */
function forgetTransitions(trx: Trx, accountId: number, events: Sql): void {
  trx.send(sql`
    delete from events where account_id = ${accountId} and type in ('list_entered', 'list_left')
      and contact_id in (select contact_id from (${events}) as placed where types && '{deleted}')`)
}

/** The row that asks for a list's new criteria to be taken over without a word; 0 when none waits. */
function sinceOf(items: readonly Waiting[], listId: number): number {
  return Math.max(
    0,
    ...items
      .filter(({ kind, details }) => kind === 'criteria' && details?.list_id === listId && !details.announce)
      .map((item) => item.id),
  )
}

function tracked({ all }: SmartLists): TrackedList[] {
  return all.filter((list) => list.track)
}

import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Waiting } from '../activity/batch.ts'
import type { Follower, Placed } from '../activity/dispatcher.ts'
import { asksWhetherSendable, hasEvents } from '../criteria/clock.ts'
import { among, happeningsIn } from '../criteria/happened.ts'
import { membersOf, type SmartList } from '../criteria/membership.ts'
import type { EventCondition } from '../criteria/parse-event.ts'
import { concerns, counts } from '../criteria/relevance.ts'
import { KnownSmartLists, type SmartLists, type TrackedList } from '../criteria/smart-lists.ts'
import { addToAnnouncement, endAnnouncement } from './announcements.ts'
import { whatClockBrought } from './clock-look.ts'
import { forgetTransitions, STANDINGS, type Standing, whatHappened } from './placed.ts'
import { type Comparison, compareMembership, isWaiting, leaveBehind } from './transitions.ts'

/** Contacts compared in one transaction: a fraction of a second, so that small acts need not wait. */
const CHUNK = 20_000

/** Of so many it pays to have another connection compare some: that one plans its statement as well, which takes some ms. */
const MANY = 2000

export interface FollowerOptions {
  /** Is told how many contacts a full comparison found in other lists than was told: it must be none. */
  onDifferences: (accountId: number, contacts: number) => void
  /** The moment that it is, for tests that turn the clock; else the database's `now()`. */
  now?: () => Date
  /** Of how many contacts some are compared by another connection, for tests, which have few. */
  many?: number
}

/** Tells who enters and leaves smart lists. */
export class SmartListFollower implements Follower {
  readonly #options: FollowerOptions
  readonly #known = new KnownSmartLists()

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  async afterActs(trx: Trx, accountId: number, placed: Placed): Promise<number> {
    const lists = await this.#known.of(trx, accountId)
    if (!lists) return placed.position
    const seen = await whatHappened(trx, accountId, tracked(lists), placed)
    const touched = { types: new Set(seen.types), parts: new Set(seen.parts) }
    if (touched.types.has('deleted')) forgetTransitions(trx, accountId, placed)
    const all = tracked(lists)
    const concerned = all.filter((list) => concerns(list.condition, touched))
    const isSettled = settled(lists, placed.items)
    const groups: Record<Standing, Pick<Comparison, 'lists' | 'remembers' | 'since' | 'isWhole'>> = {
      changed: { lists: concerned, remembers: isSettled, isWhole: false },
      happened: {
        lists: concerned,
        remembers: (condition) => isSettled(condition) && !counts(condition, touched.types),
        isWhole: false,
      },
      // Nothing has happened to them but what has just been placed, and that is what is remembered where nothing is.
      created: {
        lists: all,
        remembers: (condition) => !counts(condition, touched.types),
        since: seen.since,
        isWhole: true,
      },
      unknown: { lists: all, remembers: () => false, isWhole: true },
    }
    let { position } = placed
    for (const standing of STANDINGS) {
      const [group, those] = [groups[standing], seen.people[standing]]
      if (!those) continue
      const contacts = those.sql
      const isSilent = await this.#takeOverSilently(trx, lists, group.lists, contacts, placed)
      // What has just been written, another connection would not see.
      const people = those.size >= (this.#options.many ?? MANY) && !isSilent ? those : undefined
      const areAll = group.lists.length === all.length
      const comparison = { ...group, areAll, people, position, cause: 'act', announce: true } as const
      position = (await this.#compare(trx, lists, contacts, comparison)).position
    }
    return position
  }

  /** Acts before new criteria tell nothing of them: what they bring is taken over with the criteria. Answers whether there were any. */
  async #takeOverSilently(
    trx: Trx,
    lists: SmartLists,
    some: readonly SmartList[],
    contacts: Sql,
    { acts, items }: Placed,
  ): Promise<boolean> {
    const { accountId } = lists
    let any = false
    const ids = new Set(some.map(({ id }) => id))
    for (const list of lists.all.filter(({ id }) => ids.has(id))) {
      const since = Math.max(list.since, sinceOf(items, list.id))
      const older = acts.filter((act) => act.id < since)
      if (older.length === 0) continue
      const ofOlder = sql`
        select e.contact_id from unnest(${older.map((act) => act.first)}::bigint[], ${older.map((act) => act.last)}::bigint[]) as act (first, last)
        join feed as f on f.account_id = ${accountId} and f.position between act.first and act.last
        join events as e on e.account_id = ${accountId} and e.id = f.event_id and e.contact_id is not null`
      const both = sql`select contact_id, change_set_id from (${contacts}) as newest where contact_id in (${ofOlder})`
      await this.#compare(trx, lists, both, { lists: [list], cause: 'criteria', announce: false })
      any = true
    }
    return any
  }

  async attend(
    trx: Trx,
    accountId: number,
    item: Waiting,
    { position, actsWait, items }: { position: number; actsWait: boolean; items: readonly Waiting[] },
  ) {
    const lists = (await this.#known.of(trx, accountId)) ?? { accountId, timeZone: 'UTC', all: [] }
    const task = { lists, position, actsWait, isSettled: settled(lists, items) }
    switch (item.kind) {
      case 'criteria':
        return this.#takeOver(trx, task, item)
      case 'clock':
        return { position: await this.#look(trx, task), done: true }
      case 'suppressions':
        return this.#compareSendable(trx, task, item)
      case 'comparison':
        if (item.details?.cause === 'retention') return this.#compareForgotten(trx, task, item)
        return this.#compareAll(trx, { ...task, position: await this.#look(trx, task) }, item)
      case 'acts':
        throw new TypeError('acts are not attended to')
    }
  }

  get #now(): Sql {
    const now = this.#options.now?.()
    return now ? sql`${now.toISOString()}::timestamptz` : sql`now()`
  }

  /** Reads the events of all these contacts, and tells nothing, unless said otherwise. */
  #compare(
    trx: Trx,
    { accountId, timeZone }: SmartLists,
    contacts: Sql,
    comparison: Pick<Comparison, 'lists' | 'cause' | 'announce'> & Partial<Comparison>,
  ) {
    const usual = { position: 0, remembers: () => false, isWhole: false }
    const now = this.#options.now && this.#now
    return compareMembership(trx, { ...usual, ...comparison, accountId, timeZone, contacts, now })
  }

  /** Of these contacts, those of whom no act waits; the others are looked at with their last one, whatever it may concern. */
  #ofWhomNoneWaits(trx: Trx, { lists, actsWait }: Task, contacts: Sql): Sql {
    if (!actsWait) return contacts
    const waits = isWaiting(lists.accountId, sql`asked.contact_id`)
    if (tracked(lists).length > 0)
      leaveBehind(trx, lists.accountId, sql`select contact_id from (${contacts}) as asked where ${waits}`)
    return sql`select contact_id, change_set_id from (${contacts}) as asked where not ${waits}`
  }

  /** Takes new criteria over, contact by contact in order of their ids. Nothing is told of it unless that is asked for. */
  async #takeOver(trx: Trx, task: Task, item: Waiting) {
    const { lists, position } = task
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
    const chunk = await this.#chunk(trx, task, item)
    if (!list?.track) {
      forgetList(trx, lists, listId, chunk.range(sql`contact_id`))
      if (chunk.isLast && list) this.#count(trx, lists, list)
      if (chunk.isLast && !list)
        trx.send(sql`delete from smart_counts where account_id = ${accountId} and list_id = ${listId}`)
      return chunk.isLast ? end(position, 'cancelled') : { position, done: false }
    }
    const done = await this.#compare(trx, lists, chunk.contacts(), {
      lists: [list],
      position,
      cause: 'criteria',
      announce,
    })
    if (item.change_set_id !== null) addToAnnouncement(trx, accountId, item.change_set_id, done)
    if (!chunk.isLast) return { position: done.position, done: false }
    trx.send(sql`
      update smart_counts set version = ${version}, happened = true, counted_at = now(), contacts = (
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

  /** Only those whom time may have moved since the last look are compared, with the lists that it may have moved them into or out of. */
  async #look(trx: Trx, task: Task): Promise<number> {
    const { lists, position, isSettled } = task
    const brought = await whatClockBrought(trx, lists, isSettled, this.#now)
    if (!brought) return position
    const contacts = this.#ofWhomNoneWaits(trx, task, brought.contacts)
    const comparison = { ...brought, contacts, position, cause: 'clock', announce: true } as const
    return (await this.#compare(trx, lists, contacts, comparison)).position
  }

  /** Mail to some addresses, or to anyone, has been forbidden or allowed: nothing of the contacts themselves has changed. */
  #compareSendable(trx: Trx, task: Task, item: Waiting) {
    const addresses = item.details?.addresses
    return this.#compareNamed(trx, task, item, {
      lists: tracked(task.lists).filter((list) => asksWhetherSendable(list.condition)),
      cause: 'suppression',
      remembers: task.isSettled,
      named:
        addresses &&
        sql`
          select c.id as contact_id, null::bigint as change_set_id from contacts as c
          where c.account_id = ${task.lists.accountId} and c.email = any(${addresses}::text[])`,
    })
  }

  /** Events have been removed because of their age, of the contacts that are named, or of anyone's. */
  #compareForgotten(trx: Trx, task: Task, item: Waiting) {
    const contacts = item.details?.contacts
    return this.#compareNamed(trx, task, item, {
      lists: tracked(task.lists).filter((list) => hasEvents(list.condition)),
      cause: 'retention',
      remembers: () => false,
      named: contacts && sql`select unnest(${contacts}::uuid[]) as contact_id, null::bigint as change_set_id`,
    })
  }

  /** Compares those lists with the contacts that a row of the outbox names, at once; or with the next chunk of all. */
  async #compareNamed(
    trx: Trx,
    task: Task,
    item: Waiting,
    { named, ...some }: Pick<Comparison, 'lists' | 'cause' | 'remembers'> & { named: Sql | undefined },
  ) {
    const { lists, position } = task
    if (some.lists.length === 0) return { position, done: true }
    const chunk = named
      ? { contacts: () => this.#ofWhomNoneWaits(trx, task, named), isLast: true }
      : await this.#chunk(trx, task, item)
    const compared = await this.#compare(trx, lists, chunk.contacts(), { ...some, position, announce: true })
    return { position: compared.position, done: chunk.isLast }
  }

  async #compareAll(trx: Trx, task: Task, item: Waiting) {
    const { lists, position } = task
    const { accountId } = lists
    if (!item.details?.after) trx.send(sql`update smart_looks set differences = 0 where account_id = ${accountId}`)
    const chunk = await this.#chunk(trx, task, item)
    const comparison = {
      lists: tracked(lists),
      position,
      cause: 'comparison',
      announce: true,
      isWhole: true,
      areAll: true,
    } as const
    const done = await this.#compare(trx, lists, chunk.contacts(), comparison)
    if (done.differing > 0) {
      trx.afterCommit(() => this.#options.onDifferences(accountId, done.differing))
      trx.send(
        sql`update smart_looks set differences = differences + ${done.differing} where account_id = ${accountId}`,
      )
    }
    if (chunk.isLast) {
      trx.send(sql`update smart_looks set compared_at = ${this.#now} where account_id = ${accountId}`)
      trx.send(sql`update smart_counts set happened = true where account_id = ${accountId} and not happened`)
      for (const list of lists.all.filter((one) => !one.track)) this.#count(trx, lists, list)
    }
    return { position: done.position, done: chunk.isLast }
  }

  /** The next contacts, in order of their ids; the row remembers how far it has come. */
  async #chunk(trx: Trx, task: Task, { id: itemId, change_set_id: changeSetId, details }: Waiting) {
    const { accountId } = task.lists
    const after = details?.after ?? '00000000-0000-0000-0000-000000000000'
    const [last] = await trx.query<{ id: string }>(sql`
      select id from contacts where account_id = ${accountId} and id > ${after}::uuid order by id offset ${CHUNK - 1} limit 1`)
    if (last)
      trx.send(sql`
        update outbox set details = ${JSON.stringify({ ...details, after: last.id })}::jsonb
        where account_id = ${accountId} and id = ${itemId}`)
    const range = (id: Sql) => sql`${id} > ${after}::uuid ${last ? sql`and ${id} <= ${last.id}::uuid` : sql``}`
    const everyone = sql`
      select id as contact_id, ${changeSetId}::bigint as change_set_id from (
        select id from contacts where account_id = ${accountId} and ${range(sql`id`)}
        union select contact_id from smart_memberships where account_id = ${accountId} and ${range(sql`contact_id`)}
      ) as everyone`
    return { contacts: () => this.#ofWhomNoneWaits(trx, task, everyone), range, isLast: !last }
  }
}

/** Part of what a row asks for that is no act. */
interface Task {
  lists: SmartLists
  position: number
  actsWait: boolean
  isSettled: (condition: EventCondition) => boolean
}

/**
 * Tells of conditions on events whether it is remembered of all contacts what they say: not while they are being taken over, nor
 * while it is looked at whose events have been removed.
 */
function settled(lists: SmartLists, items: readonly Waiting[]): (condition: EventCondition) => boolean {
  if (items.some(({ details }) => details?.cause === 'retention')) return () => false
  const waiting = new Set(items.filter(({ kind }) => kind === 'criteria').map(({ details }) => details?.list_id))
  const known = waiting.size === 0 ? SETTLED.get(lists) : undefined
  if (known) return known
  const those = tracked(lists).filter((list) => list.isSettled && !waiting.has(list.id))
  const isSettled = among(those.flatMap((list) => happeningsIn(list.condition)))
  if (waiting.size === 0) SETTLED.set(lists, isSettled)
  return isSettled
}

/** The same while none waits, for as long as the lists are kept: it is asked for by each batch and each look. */
const SETTLED = new WeakMap<SmartLists, (condition: EventCondition) => boolean>()

/** Nothing is told of a list that is gone, or not tracked any more. */
function forgetList(trx: Trx, lists: SmartLists, listId: number, range: Sql): void {
  const those = sql`account_id = ${lists.accountId} and ${range}`
  if (tracked(lists).length === 0) {
    trx.send(sql`delete from smart_memberships where ${those}`)
    return
  }
  const isIn = sql`${those} and list_ids @> ${[listId]}::bigint[]`
  trx.send(sql`
    delete from smart_memberships where ${isIn} and cardinality(list_ids) = 1 and happened = '{}' and not behind`)
  trx.send(sql`update smart_memberships set list_ids = array_remove(list_ids, ${listId}::bigint) where ${isIn}`)
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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { type Tenant, testApp } from '../../test/app.ts'
import { dispatchAll, type Follower } from '../activity/dispatcher.ts'
import { findMembers } from '../contacts/told.ts'
import { defineFields } from '../criteria/generated.ts'
import { membersOf } from '../criteria/membership.ts'
import { loadSmartLists } from '../criteria/smart-lists.ts'
import { loadFields } from '../fields/field-set.ts'
import { SmartListFollower } from './follower.ts'
import { removingEvents } from './forgotten.ts'

/** `CRITERIA_RUNS=500` looks for long, at other sequences each time. */
const RUNS = process.env.CRITERIA_RUNS

const HOUR = 3_600_000
const DAYS_AGO = 60
/** A quarter past an hour: no sequence of steps of half hours then ends at a midnight, whenever it is run. */
const END = Math.floor(Date.now() / HOUR) * HOUR - 0.75 * HOUR

const person = fc.nat(3)
const list = fc.nat(2)
const tags = fc.subarray(['vip', 'lead'])
const day = fc.integer({ min: -12, max: 3 }) // from the clock of that moment
const leaf = fc.oneof(
  fc.record({ tag: fc.constantFrom('vip', 'lead') }),
  fc.record({ plan: fc.constantFrom('Free', 'Pro') }),
  fc.record({
    event: fc.constantFrom('email_opened', 'bought'),
    within: fc.constantFrom('1h', '5h', '1d', '7d'),
    count: fc.constantFrom({ gte: 1 }, { gte: 2 }, { eq: 1 }, { lt: 1 }),
  }),
  fc.record({ event: fc.constant('bought') }),
  fc.record({
    field: fc.constant('born'),
    op: fc.constantFrom('within_last', 'older_than', 'within_next', 'anniversary_within'),
    value: fc.constantFrom(0, 1, 7),
  }),
  fc.record({ field: fc.constant('sendable'), value: fc.boolean() }),
)
const criteria = fc.oneof(
  leaf,
  fc.record({ all: fc.tuple(leaf, leaf) }),
  fc.record({ any: fc.tuple(leaf, leaf) }),
  fc.record({ not: leaf }),
)

const step = fc.oneof(
  {
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      person,
      tags,
      plan: fc.constantFrom('Free', 'Pro', null),
      day: fc.option(day),
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      person,
      type: fc.constantFrom('email_opened', 'bought'),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ do: fc.constant('suppress' as const), person, hours: fc.constantFrom(1, 30) }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('remove' as const), person }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('criteria' as const), list, criteria, uses: fc.option(list) }), weight: 3 },
  {
    arbitrary: fc.record({ do: fc.constant('clock' as const), hours: fc.constantFrom(0.5, 1, 4, 24, 24 * 7) }),
    weight: 4,
  },
  {
    arbitrary: fc.record({ do: fc.constant('forget' as const), hours: fc.constantFrom(0, 3, 48), names: fc.boolean() }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('dispatch' as const), fails: fc.boolean() }), weight: 5 },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** A small world that is changed step by step, under a clock of its own, which lies in the past. */
class Play {
  readonly #db: Database
  readonly #tenant: Tenant
  readonly #announce: boolean
  readonly #lists: (number | undefined)[] = []
  /** Whose events were removed from the feed, by position. */
  readonly #forgotten = new Map<number, string>()
  #clock = new Date(END - DAYS_AGO * 24 * HOUR)
  readonly follower: Follower
  /** Reads of members from what was told, and how many of them could be answered. */
  readonly reads = { asked: 0, answered: 0 }

  constructor(db: Database, tenant: Tenant, announce: boolean) {
    this.#db = db
    this.#tenant = tenant
    this.#announce = announce
    this.follower = new SmartListFollower({
      now: () => this.#clock,
      ...(announce && { many: 2 }), // half of a batch of two and more is compared by another connection
      onDifferences: (_account, contacts) => assert.fail(`the comparison found ${contacts} differences`),
    })
  }

  async take(step: Step): Promise<void> {
    const { call } = this.#tenant
    const email = 'person' in step ? `p${step.person}@example.com` : ''
    switch (step.do) {
      case 'write': {
        const born =
          step.day === null ? null : new Date(this.#clock.getTime() + step.day * 24 * HOUR).toISOString().slice(0, 10)
        const body = { tags: step.tags, fields: { plan: step.plan, born } }
        assert.equal((await call('PATCH', `/api/contacts/${email}`, body)).status, 200)
        return
      }
      case 'event':
        return this.#happen(email, step.type)
      case 'suppress':
        await this.#db.query(sql`
          insert into suppressions (account_id, kind, value, reason, source, expires_at)
          values (${this.#tenant.accountId}, 'address', ${email}, 'manual', 'test', ${new Date(this.#clock.getTime() + step.hours * HOUR)})
          on conflict do nothing`)
        return this.#happen(email, 'email_bounced')
      case 'remove':
        await call('DELETE', `/api/contacts/${email}`)
        return
      case 'criteria':
        return this.#write(step)
      case 'clock':
        this.#clock = new Date(Math.min(this.#clock.getTime() + step.hours * HOUR, END))
        return this.ask('clock')
      case 'forget':
        return this.#forget(step)
      case 'dispatch':
        await Promise.allSettled([this.#dispatch(step.fails), this.#dispatch(false)])
    }
  }

  /** Ends what is under way, looks at the clock and compares all. */
  async settle(): Promise<void> {
    await this.#dispatch(false)
    // While a suppression has just ended, whoever asks is answered by the criteria themselves.
    this.#clock = new Date(this.#clock.getTime() + HOUR / 6)
    await this.ask('clock')
    await this.#dispatch(false)
    await this.ask('comparison')
    await this.#dispatch(false)
  }

  async ask(kind: string): Promise<void> {
    await this.#db.query(sql`
      insert into outbox (account_id, event_ids, size, kind) values (${this.#tenant.accountId}, '{}', 0, ${kind})`)
  }

  /** Something that is recorded now, but happened by this clock. */
  async #happen(email: string, type: string): Promise<void> {
    const name = type === 'bought' ? 'bought' : null
    await this.#db.query(sql`
      with held as (
        select id from contacts where account_id = ${this.#tenant.accountId} and email = ${email} for update
      ), happened as (
        insert into events (account_id, contact_id, type, types, name, at)
        select ${this.#tenant.accountId}, id, kind, array[kind], ${name}, ${this.#clock}
        from held, (select ${name === null ? type : 'custom'}::text as kind) as what returning id
      )
      insert into outbox (account_id, event_ids) select ${this.#tenant.accountId}, array[id] from happened`)
  }

  /** Retention takes what is older, of what has its place in the feed. */
  async #forget({ hours, names }: Extract<Step, { do: 'forget' }>): Promise<void> {
    const { accountId } = this.#tenant
    const old = sql`
      from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
      where f.account_id = ${accountId} and e.at <= ${this.#now} - make_interval(hours => ${hours}::int)
        and not e.types && '{list_entered,list_left}'`
    const those = await this.#db.query<{ position: number; contact_id: string }>(sql`
      select f.position, e.contact_id ${old} and e.contact_id is not null`)
    for (const { position, contact_id } of those) this.#forgotten.set(position, contact_id)
    await this.#db.query(removingEvents(accountId, sql`select e.id ${old}`, names ? 5 : 0))
  }

  async #write({ list, criteria, uses }: Extract<Step, { do: 'criteria' }>): Promise<void> {
    const { call } = this.#tenant
    const other = uses === null ? undefined : this.#lists[uses]
    const body = { criteria: other ? { any: [{ list: other }, criteria] } : criteria, announce: this.#announce }
    const known = this.#lists[list]
    const answer = known
      ? await call('PATCH', `/api/contact_lists/${known}`, body)
      : await call('POST', '/api/contact_lists', { name: `L${list}`, ...body })
    if (answer.status === 422) assert.match(answer.body.errors.criteria[0], /come back/)
    else this.#lists[list] = answer.body.id
  }

  /** A dispatcher that breaks down just before its first batch is done leaves no trace. */
  async #dispatch(fails: boolean): Promise<void> {
    const { follower } = this
    let broken = !fails
    const breakOnce = <Answer>(answer: Answer): Answer => {
      if (broken) return answer
      broken = true
      throw new Error('broken down')
    }
    const breaking: Follower = {
      afterActs: async (trx, accountId, placed) => breakOnce(await follower.afterActs(trx, accountId, placed)),
      attend: async (trx, accountId, item, state) => breakOnce(await follower.attend(trx, accountId, item, state)),
    }
    await dispatchAll(this.#db, breaking)
  }

  get #now() {
    return sql`${this.#clock.toISOString()}::timestamptz`
  }

  /** Who is in each list by a fresh run of its criteria, in order of their ids. */
  async #fresh(): Promise<Map<number, string[]>> {
    const { accountId } = this.#tenant
    const lists = await loadSmartLists(this.#db, accountId)
    const fresh = new Map<number, string[]>()
    for (const one of lists?.all ?? []) {
      const members = membersOf(accountId, one, { timeZone: 'UTC', now: this.#now })
      fresh.set(one.id, (await this.#db.query<{ id: string }>(members)).map((row) => row.id).sort())
    }
    return fresh
  }

  /** At any moment, whatever waits: what is read from the membership last told is what a fresh read finds. */
  async checkReads(): Promise<void> {
    const { accountId } = this.#tenant
    const fields = await loadFields(this.#db, accountId)
    for (const [listId, members] of await this.#fresh()) {
      for (const descending of [true, false]) {
        const inOrder = descending ? members.toReversed() : members
        const from = inOrder.at(0)
        const pages = [
          { behind: undefined, limit: 2, offset: 0, expected: inOrder.slice(0, 2) },
          { behind: undefined, limit: 5, offset: 1, expected: inOrder.slice(1, 6) },
          ...(from
            ? [
                {
                  behind: descending ? sql`c.id < ${from}::uuid` : sql`c.id > ${from}::uuid`,
                  ...{ limit: 2, offset: 0, expected: inOrder.slice(1, 3) },
                },
              ]
            : []),
        ]
        for (const { expected, ...page } of pages) {
          const ask = { accountId, listId, fields, timeZone: 'UTC', descending, now: this.#now }
          const found = await findMembers(this.#db, { ...ask, ...page }, 3)
          this.reads.asked++
          if (!found) continue
          this.reads.answered++
          assert.deepEqual([found.total, found.places.map((place) => place.id)], [members.length, expected])
        }
      }
    }
  }

  async check(): Promise<void> {
    const { accountId } = this.#tenant
    const fresh = await this.#fresh()
    const told = await this.#db.query<{ contact_id: string; list_ids: number[] }>(
      sql`select contact_id, list_ids from smart_memberships where account_id = ${accountId}`,
    )
    const counts = await this.#db.query<{ list_id: number; contacts: number }>(
      sql`select list_id, contacts from smart_counts where account_id = ${accountId}`,
    )
    for (const [id, members] of fresh) {
      const asTold = told.filter((row) => row.list_ids.includes(id)).map((row) => row.contact_id)
      assert.deepEqual(asTold.sort(), members, 'what was told last is what a fresh read finds')
      assert.equal(counts.find((row) => row.list_id === id)?.contacts, members.length, 'and so is the number')
    }
    await this.#checkFeed(fresh)
  }

  async #checkFeed(fresh: Map<number, string[]>): Promise<void> {
    const { accountId } = this.#tenant
    interface Row {
      position: number
      contact_id: string | null
      type: string | null
      data: { cause: string; smart_lists: { entered?: number[]; left?: number[] } } | null
    }
    const feed = await this.#db.query<Row>(sql`
      select f.position, e.contact_id, e.type, e.data from feed as f
      left join events as e on e.account_id = f.account_id and e.id = f.event_id
      where f.account_id = ${accountId} order by f.position`)
    assert.deepEqual(
      feed.map((row) => row.position),
      feed.map((_, at) => at + 1),
      'no gaps',
    )
    const members = new Map<number, Set<string>>([...fresh.keys()].map((id) => [id, new Set()]))
    const acted = new Set<string>()
    for (const { position, contact_id: contact, type, data } of feed) {
      if (contact === null) {
        const whose = this.#forgotten.get(position)
        if (whose) acted.add(whose)
        continue
      }
      if (type !== 'list_entered' && type !== 'list_left') {
        acted.add(contact)
        continue
      }
      const { cause, smart_lists: moved } = data!
      if (cause === 'act') assert.ok(acted.delete(contact), 'an act stands before what follows from it')
      if (!this.#announce) continue
      for (const id of moved.entered ?? []) {
        assert.ok(!members.get(id)!.has(contact), 'nobody enters twice')
        members.get(id)!.add(contact)
      }
      for (const id of moved.left ?? []) assert.ok(members.get(id)!.delete(contact), 'nobody leaves where they are not')
    }
    if (!this.#announce) return
    for (const [id, expected] of fresh)
      assert.deepEqual([...members.get(id)!].sort(), expected, 'transitions one by one lead to what a fresh read finds')
  }
}

test('after any sequence of changes, clock steps, edits and breakdowns, what was told equals a fresh read, each once', async (t) => {
  const made = await testApp(t)
  const reads = { asked: 0, answered: 0 }
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 25 }),
    fc.boolean(),
    async (steps, announce) => {
      const tenant = await made.another()
      await made.db.query(defineFields(tenant.accountId))
      const play = new Play(made.db, tenant, announce)
      for (const step of steps) {
        await play.take(step)
        await play.checkReads()
      }
      await play.settle()
      await play.check()
      const { asked, answered } = { ...play.reads }
      await play.checkReads()
      assert.equal(play.reads.answered - answered, play.reads.asked - asked, 'when nothing waits, all can be answered')
      reads.asked += asked
      reads.answered += answered
      await made.db.query(sql`delete from smart_memberships where account_id = ${tenant.accountId}`)
    },
  )
  await fc.assert(property, RUNS ? { numRuns: Number(RUNS) } : { numRuns: 12, seed: 7 })
  assert.ok(
    reads.answered > reads.asked / 4,
    `${reads.answered} of ${reads.asked} reads were answered while acts waited`,
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DateTime } from 'luxon'
import sql from 'sql-template-tag'
import { dispatched, type Tenant, type TestApp, testApp } from '../../test/app.ts'
import { upload } from '../../test/imports.ts'
import { confirmationLink, pathOf, press } from '../../test/permission.ts'
import { DEFAULT_SETTINGS } from '../accounts/settings.ts'
import { readListDays } from './list-history.ts'
import { readStats } from './stats.ts'

/** `STATS_RUNS=200` looks for long, at other histories each time. */
const RUNS = process.env.STATS_RUNS
const DAYS = 6

const person = fc.nat(4)
const act = fc.oneof(
  {
    arbitrary: fc.record({ do: fc.constant('create' as const), person, unsubscribed: fc.boolean(), vip: fc.boolean() }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('import' as const),
      person,
      state: fc.constantFrom('none', 'pending', 'subscribed', 'unsubscribed', 'bounced'),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('exclude' as const), person, unsubscribed: fc.boolean() }), weight: 3 },
  {
    arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'confirm' as const, 'ask' as const), person }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      person,
      type: fc.constantFrom('delivered', 'opened', 'complained', 'unsubscribed'),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({ do: fc.constant('bounce' as const), person, bounce: fc.constantFrom('hard', 'soft') }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('vip' as const), person, vip: fc.boolean() }), weight: 3 },
  {
    arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'part' as const, 'leaveList' as const), person }),
    weight: 3,
  },
  { arbitrary: fc.record({ do: fc.constantFrom('bulk' as const, 'remove' as const), person }), weight: 1 },
)
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never
/** What is done at once, and how many hours then pass. */
const history = fc.array(
  fc.record({ acts: fc.array(act, { minLength: 1, maxLength: 4 }), hours: fc.constantFrom(1, 7, 25, 60) }),
  {
    minLength: 2,
    maxLength: 6,
  },
)

/** An account whose past is made by moving back, after each step, all that has happened. */
class Play {
  readonly #made: TestApp
  readonly #tenant: Tenant
  #events = 0
  #hook = ''
  readonly lists = { smart: 0, news: 0 }

  constructor(made: TestApp, tenant: Tenant) {
    this.#made = made
    this.#tenant = tenant
  }

  async begin(): Promise<void> {
    const { call } = this.#tenant
    await call('PATCH', '/api/account', { soft_bounce_limit: 2 })
    this.lists.smart = (await call('POST', '/api/contact_lists', { name: 'VIP', criteria: { tag: 'vip' } })).body.id
    this.lists.news = (await call('POST', '/api/contact_lists', { name: 'News' })).body.id
    this.#hook = pathOf((await call('POST', '/api/provider_hooks', { provider: 'generic' })).body.url)
  }

  async take(act: Act): Promise<void> {
    const { call } = this.#tenant
    const email = `p${act.person}@example.com`
    const tell = (type: string, more = {}) => {
      const event = {
        id: `e${++this.#events}`,
        type,
        email,
        at: new Date().toISOString(),
        message_id: `m${this.#events}`,
        ...more,
      }
      return call('POST', this.#hook, event)
    }
    const list = `/api/contact_lists/${this.lists.news}/contacts`
    switch (act.do) {
      case 'create':
        return void (await call('POST', '/api/contacts', {
          email,
          unsubscribed: act.unsubscribed,
          tags: act.vip ? ['vip'] : [],
          list_ids: [this.lists.news],
        }))
      case 'import': {
        const { status, body } = await upload({ call }, `email,state\n${email},${act.state}\n`)
        assert.equal(status, 201, JSON.stringify(body))
        return this.#made.runJobs()
      }
      case 'exclude':
        return void (await call('PATCH', `/api/contacts/${email}`, { unsubscribed: act.unsubscribed }))
      case 'leave':
        return void (await call('POST', `/api/contacts/${email}/unsubscribe`))
      case 'ask':
        return void (await call('POST', `/api/contacts/${email}/resubscribe`, { send_confirmation: true }))
      case 'confirm': {
        const link = await confirmationLink({ call }, email).catch(() => undefined) // nobody has the address
        return link === undefined ? undefined : void (await press(this.#made, link))
      }
      case 'tell':
        return void (await tell(act.type))
      case 'bounce':
        return void (await tell('bounced', { bounce: act.bounce }))
      case 'vip':
        return void (await call('PATCH', `/api/contacts/${email}`, { tags: act.vip ? ['vip'] : [] }))
      case 'join':
        return void (await call('POST', list, { contact_ids: [email] }))
      case 'part':
        return void (await call('DELETE', list, { contact_ids: [email] }))
      case 'leaveList':
        return void (await call('POST', `/api/contacts/${email}/unsubscribe`, { list_id: this.lists.news }))
      case 'bulk':
        await call('POST', '/api/contacts/bulk', {
          selection: { q: `p${act.person}@` },
          action: { type: 'unsubscribe' },
        })
        return this.#made.runJobs()
      case 'remove':
        return void (await call('DELETE', `/api/contacts/${email}`))
    }
  }

  /** Time passes: what has happened lies so much further back. An id holds its moment in its first 48 bits. */
  async pass(hours: number): Promise<void> {
    const { db } = this.#made
    const { accountId } = this.#tenant
    await dispatched(db)
    const earlier = sql`(lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint - ${hours * 3_600_000}::bigint), 12, '0')
      || substr(replace(id::text, '-', ''), 13))::uuid`
    const at = sql`at - make_interval(hours => ${hours})`
    await db.query(sql`update events set id = ${earlier}, at = ${at} where account_id = ${accountId}`)
    await db.query(sql`update consents set id = ${earlier}, at = ${at} where account_id = ${accountId}`)
    await db.query(
      sql`update lists set created_at = created_at - make_interval(hours => ${hours}) where account_id = ${accountId}`,
    )
  }
}

interface Event {
  contact_id: string | null
  types: string[]
  at: Date
  data: {
    state?: { from?: string; to?: string }
    lists?: Record<'added' | 'removed', number[] | undefined>
    smart_lists?: Record<'entered' | 'left', number[] | undefined>
  }
}

/** The same numbers, row by row from the tables that hold what happened. */
async function recount({ db }: TestApp, accountId: number, timeZone: string, lists: Play['lists']) {
  const contacts = await db.query<{
    id: string
    state: string
    origin: string
    list_ids: number[]
    smart_ids: number[]
  }>(sql`
    select id, state, origin,
      array(select list_id from list_members as m where m.account_id = ${accountId} and m.contact_id = c.id) as list_ids,
      coalesce((select list_ids from smart_memberships as m where m.account_id = ${accountId} and m.contact_id = c.id), '{}') as smart_ids
    from contacts as c where account_id = ${accountId}`)
  const consents = await db.query<{ action: string; at: Date; data: object }>(
    sql`select action, at, data from consents where account_id = ${accountId}`,
  )
  const events = await db.query<Event>(sql`
    select contact_id, types, at, data from events where account_id = ${accountId} order by id`)
  const waiting = await db.query(sql`select from messages where account_id = ${accountId} and phase = 'queued'`)
  const today = DateTime.now().setZone(timeZone).startOf('day')
  const days = Array.from({ length: DAYS }, (_, n) => today.minus({ days: DAYS - 1 - n }).toISODate()!)
  const dayOf = (at: Date) => DateTime.fromJSDate(at).setZone(timeZone).toISODate()!
  const tally = (values: string[]) =>
    Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]))

  /** Where everybody stood at a day's end: their events up to then, one by one. */
  const stateAt = (id: string, day: string) =>
    events.filter((event) => event.contact_id === id && dayOf(event.at) <= day && event.data.state).at(-1)?.data.state
      ?.to
  for (const { id, state } of contacts)
    assert.equal(stateAt(id, days.at(-1)!), state, 'events tell of every change of state')
  const given = (action: string, day: string) =>
    consents.filter((consent) => consent.action === action && dayOf(consent.at) === day && !('list_id' in consent.data))
      .length
  const mailed = (type: string) =>
    events.filter((event) => event.types.includes(type) && dayOf(event.at) >= days[0]!).length
  const moves = (id: number) => ({
    entered: (event: Event) => [event.data.lists?.added, event.data.smart_lists?.entered].flat().includes(id),
    left: (event: Event) => [event.data.lists?.removed, event.data.smart_lists?.left].flat().includes(id),
  })
  const moved = (id: number, way: 'entered' | 'left', day: string) =>
    events.filter((event) => dayOf(event.at) === day && moves(id)[way](event)).length
  const isInAt = (contact: string, list: number, day: string) => {
    const last = events.filter(
      (event) =>
        event.contact_id === contact &&
        dayOf(event.at) <= day &&
        (moves(list).entered(event) || moves(list).left(event)),
    )
    return last.length > 0 && moves(list).entered(last.at(-1)!)
  }
  const total = (way: 'entered' | 'left') => days.reduce((sum, day) => sum + moved(lists.smart, way, day), 0)
  const [entered, left] = [total('entered'), total('left')]
  return {
    stats: {
      by_state: tally(contacts.map(({ state }) => state)),
      by_origin: tally(contacts.map(({ origin }) => origin)),
      days: days.map((day) => ({
        day,
        joined: given('granted', day),
        left: given('withdrawn', day),
        subscribed: contacts.filter(({ id }) => stateAt(id, day) === 'subscribed').length,
      })),
      mail: Object.fromEntries(
        ['sent', 'delivered', 'opened', 'clicked', 'bounced', 'complained'].map((name) => [
          `email_${name}`,
          mailed(`email_${name}`),
        ]),
      ),
      mails_waiting: waiting.length,
      moved: entered + left === 0 ? [] : [{ list_id: lists.smart, name: 'VIP', entered, left }],
    },
    growth: (list: number) =>
      days.map((day) => ({
        ...{ day, entered: moved(list, 'entered', day), left: moved(list, 'left', day) },
        contacts: contacts.filter(({ id }) => isInAt(id, list, day)).length,
      })),
    members: (list: number) =>
      contacts.filter((contact) => [...contact.list_ids, ...contact.smart_ids].includes(list)).length,
  }
}

test('after any history, the statistics of Home and of lists are what a recount of the tables finds', async (t) => {
  const made = await testApp(t)
  const zones = fc.constantFrom('UTC', 'Pacific/Auckland', 'America/St_Johns')
  const property = fc.asyncProperty(history, zones, async (steps, timeZone) => {
    const tenant = await made.another()
    const play = new Play(made, tenant)
    await play.begin()
    for (const { acts, hours } of steps) {
      for (const act of acts) await play.take(act)
      await play.pass(hours)
    }
    const { accountId } = tenant
    const today = () => DateTime.now().setZone(timeZone).toISODate()
    for (let day = ''; day !== today(); ) {
      day = today()! // and again, should midnight be passed between one count and the other
      const counted = await recount(made, accountId, timeZone, play.lists)
      const found = await readStats(made.db, accountId, { ...DEFAULT_SETTINGS, time_zone: timeZone }, DAYS)
      if (day === today()) assert.deepEqual(found, counted.stats)
      for (const list of Object.values(play.lists)) {
        const days = await readListDays(made.db, accountId, list, timeZone, DAYS)
        if (day !== today()) continue
        assert.deepEqual(days, counted.growth(list))
        assert.equal(days.at(-1)!.contacts, counted.members(list))
      }
    }
  })
  await fc.assert(property, RUNS ? { numRuns: Number(RUNS) } : { numRuns: 8, seed: 11 })
})

test('where events are kept for some days only, levels of the days before go by permissions', async (t) => {
  const made = await testApp(t)
  const play = new Play(made, made)
  await play.begin()
  await play.take({ do: 'create', person: 1, unsubscribed: false, vip: false })
  await play.pass(72)
  await play.take({ do: 'create', person: 2, unsubscribed: false, vip: false })
  await play.pass(1)
  await made.db.query(sql`delete from events where at < now() - interval '2 days'`)

  const settings = { ...DEFAULT_SETTINGS, retention: { ...DEFAULT_SETTINGS.retention, events_days: 2 } }
  const { days } = await readStats(made.db, made.accountId, settings, DAYS)

  const levels = days.map(({ subscribed }) => subscribed)
  assert.deepEqual([levels[0], levels.at(-1)], [0, 2])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { pathOf } from '../../test/permission.ts'
import type { State, StateReason } from '../subscriptions/states.ts'
import { move, standpointOf } from '../subscriptions/transitions.ts'

const LIMIT = 3
const NAMES = ['a', 'b', 'c'] as const

/** Everything that counts in the past hour, by the minute; few mails, so that they meet. */
const told = fc.record({
  who: fc.constantFrom(...NAMES),
  what: fc.constantFrom(
    ...([
      'sent',
      'delivered',
      'delivered',
      'opened',
      'clicked',
      'clicked',
      'soft',
      'soft',
      'soft',
      'soft',
      'hard',
    ] as const),
    ...(['complained', 'unsubscribed'] as const),
  ),
  mail: fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5'),
  second: fc.integer({ min: 0, max: 60 }),
})
type Told = typeof told extends fc.Arbitrary<infer One> ? One : never

const START = Date.now() - 3_600_000

/** From rarely anything of an end to much of it, so that also what only soft bounces decide is met. */
const histories = fc
  .array(told, { minLength: 3, maxLength: 14 })
  .map((all) => all.filter(({ what }, nth) => nth % 3 === 0 || !['hard', 'complained', 'unsubscribed'].includes(what)))

/** A set of events, told again and again in any order, in parts of any size. */
const tellings = (events: Told[]) =>
  fc
    .tuple(
      fc.shuffledSubarray([...events.keys(), ...events.keys()], { minLength: events.length }),
      fc.integer({ min: 1, max: 5 }),
    )
    .map(([order, size]) => ({ order: [...order, ...events.keys()], size }))

const cases = histories.chain((events) => fc.tuple(fc.constant(events), tellings(events), tellings(events)))

async function begin(made: TestApp): Promise<void> {
  for (const table of ['contacts', 'events', 'outbox', 'consents', 'suppressions', 'soft_bounces', 'provider_events'])
    await made.db.query({ text: `delete from ${table} where account_id = $1`, values: [made.accountId] })
  await made.db.query(sql`
    insert into contacts (account_id, email, state, state_reason, origin)
    select ${made.accountId}, name || '@example.com', case name when 'c' then 'none' else 'subscribed' end, 'caller', 'test'
    from unnest(${[...NAMES]}::text[]) as name`)
}

/** Where it all has led, without when it was written and which of several words was the first. */
async function outcome({ db, accountId }: TestApp) {
  const people = await db.query<{
    email: string
    state: State
    state_reason: StateReason
    state_before: State | null
  }>(sql`
    select email, state, state_reason, state_before from contacts where account_id = ${accountId} order by email`)
  const events = await db.query<{
    email: string
    at: Date
    params: { message_id: string }
    machine: boolean | null
    is_click: boolean
  }>(sql`
    select c.email, e.at, e.data -> 'params' as params, e.type = 'email_clicked' as is_click,
      e.data -> 'machine' as machine,
      e.types && '{email_bounced,email_complained}' as is_grave
    from events as e join contacts as c on c.account_id = e.account_id and c.id = e.contact_id
    where e.account_id = ${accountId} and e.data ? 'params' order by 1, 2, (e.data -> 'params')::text, 4, 6`)
  const words = await db.query(sql`
    select c.email, k.action from consents as k join contacts as c on c.account_id = k.account_id and c.id = k.contact_id
    where k.account_id = ${accountId} order by 1, 2`)
  const suppressed = await db.query(sql`select value from suppressions where account_id = ${accountId} order by 1`)
  const soft = await db.query(sql`
    select c.email, s.key, s.at from soft_bounces as s join contacts as c on c.account_id = s.account_id and c.id = s.contact_id
    where s.account_id = ${accountId} order by 1, 2`)
  return {
    people: people.map((one) => ({ email: one.email, stands: standpointOf(one), state: one.state })),
    events,
    words,
    suppressed,
    soft,
  }
}

/** The meaning, said once more without any database: where one person's events lead, whatever their order. */
function meaning(start: State, events: readonly Told[]): State {
  const has = (what: Told['what']) => events.some((one) => one.what === what)
  if (has('complained') || has('unsubscribed')) return 'unsubscribed'
  if (has('hard')) return 'bounced'
  const delivered = Math.max(-1, ...events.filter(({ what }) => what === 'delivered').map(({ second }) => second))
  const bounced = new Set(
    events.filter(({ what, second }) => what === 'soft' && second > delivered).map(({ mail }) => mail),
  )
  return bounced.size >= LIMIT ? 'bounced' : start
}

test('any order and repetition of what is told leads to the same end, which is what it means', async (t) => {
  const made = await testApp(t)
  await made.patch('/api/account', { soft_bounce_limit: LIMIT })
  const url = pathOf((await made.post('/api/provider_hooks', { provider: 'generic' })).body.url)
  const tell = async (events: Told[], { order, size }: { order: number[]; size: number }) => {
    await begin(made)
    for (let at = 0; at < order.length; at += size) {
      const body = order.slice(at, at + size).map((nth) => {
        const { who, what, mail, second } = events[nth]!
        const isBounce = what === 'soft' || what === 'hard'
        return {
          ...{
            id: `e${nth}`,
            email: `${who}@example.com`,
            message_id: mail,
            at: new Date(START + second * 1000).toISOString(),
          },
          ...(isBounce ? { type: 'bounced', bounce: what } : { type: what }),
        }
      })
      const answer = await made.app.inject({ method: 'POST', url, payload: { events: body } })
      assert.equal(answer.statusCode, 200, answer.body)
      assert.deepEqual(answer.json().problems, [])
    }
    return outcome(made)
  }

  const property = fc.asyncProperty(cases, async ([events, one, other]) => {
    const first = await tell(events, one)
    assert.deepEqual(await tell(events, other), first)
    for (const [nth, name] of NAMES.entries()) {
      const theirs = events.filter(({ who }) => who === name)
      assert.equal(first.people[nth]!.state, meaning(name === 'c' ? 'none' : 'subscribed', theirs), name)
    }
    assert.equal(first.events.length, events.length)
    for (const event of first.events) {
      const isSoon = events.some(({ who, what, mail, second }) => {
        const afterMs = event.at.getTime() - (START + second * 1000)
        const isIts = `${who}@example.com` === event.email && mail === event.params.message_id
        return what === 'delivered' && isIts && afterMs >= -60_000 && afterMs < 10_000
      })
      assert.equal(event.machine, event.is_click && isSoon ? true : null)
    }
  })
  await fc.assert(property, { numRuns: 25, seed: 12, endOnFailure: true })
})

test('what a provider tells leads where the table says', () => {
  const now = { state: 'pending', state_reason: 'caller', state_before: null } as const
  const soft = move(now, 'soft_bounces')
  assert.ok(soft && !('refused' in soft))
  const hard = move(soft.standing, 'hard_bounce')
  assert.ok(hard && !('refused' in hard))
  assert.deepEqual(hard.standing, { state: 'bounced', state_reason: 'bounce', state_before: 'pending' })
  const back = move(soft.standing, 'recovers')
  assert.ok(back && !('refused' in back))
  assert.equal(back.standing.state, 'pending')
  assert.equal(move(hard.standing, 'recovers'), undefined)
})

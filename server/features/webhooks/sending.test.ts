import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { dispatched, keyring, type TestApp, testApp } from '../../test/app.ts'
import { atEnd } from '../../test/database.ts'
import { type Behaviour, type Receiver, receiver, verify } from '../../test/receiver.ts'
import { testSender } from '../../test/webhooks.ts'
import { removeContacts } from '../contacts/remove.ts'
import type { Sender } from './sender.ts'

interface Made extends TestApp {
  receiver: Receiver
  /** As another process would have it. */
  sender: (settings?: Record<string, string>) => Sender
  /** Does at once what the workers do shortly: the feed, then all that is due. */
  sent: () => Promise<void>
  hook: (path: string, options?: object) => Promise<{ id: number; secret: string }>
  log: (id: number) => Promise<Logged[]>
}

interface Logged {
  id: number
  message_id: string
  kind: string
  state: string
  tries: number
  next_try_at: string | null
  event_ids: string[]
  attempts: { status: number | null; answer: string | null; error: string | null; latency_ms: number }[]
}

async function withReceiver(t: TestContext): Promise<Made> {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { db } = made
  const sender = (settings: Record<string, string> = {}) => {
    const begun = testSender(db, settings)
    atEnd(t, () => begun.stop(0))
    return begun
  }
  const there = await receiver(t)
  const first = sender()
  return {
    ...made,
    receiver: there,
    sender,
    async sent() {
      await dispatched(db)
      await first.look()
      await first.settled()
    },
    async hook(path, options = {}) {
      const url = there.at(path, 200)
      const { status, body } = await made.post('/api/webhooks', { url, ...options })
      assert.equal(status, 201, JSON.stringify(body))
      return body
    },
    log: async (id) => (await made.get(`/api/webhooks/${id}/deliveries?per_page=1000`)).body.data,
  }
}

const add = async (made: TestApp, name: string, more: object = {}): Promise<string> =>
  (await made.post('/api/contacts', { email: `${name}@example.com`, ...more })).body.data.id

/** As if the time until the next try had passed. */
const makeDue = ({ db }: TestApp) =>
  db.query(sql`update deliveries set due_at = now(), claimed_until = null where state = 'pending'`)

test('what happens is told in messages that the official library accepts, with the event as the API shows it', async (t) => {
  const made = await withReceiver(t)
  const hook = await made.hook('/hook')
  await add(made, 'ada', { fields: { company: 'Acme' } })
  await made.sent()

  const [message, ...more] = made.receiver.received('/hook')

  const [event] = (await made.get('/api/events')).body.data
  const { position, ...shown } = event
  assert.deepEqual([more, position], [[], 1])
  assert.deepEqual(verify(hook.secret, message!), { type: 'created', timestamp: event.at, data: shown })
  assert.equal(message!.id, event.id)
  assert.equal(message!.headers['content-type'], 'application/json')
  assert.throws(() => verify(hook.secret, { ...message!, body: `${message!.body} ` }))
  const [logged] = await made.log(hook.id)
  assert.deepEqual(
    [logged!.state, logged!.tries, logged!.message_id, logged!.attempts[0]!.status, logged!.attempts[0]!.error],
    ['delivered', 1, event.id, 200, null],
  )
  assert.ok(logged!.attempts[0]!.latency_ms >= 0)
  const one = (await made.get(`/api/webhooks/${hook.id}/deliveries/${logged!.id}`)).body
  assert.equal(one.request.body, message!.body)
})

test('only what is committed is told, to each webhook by its types and criteria', async (t) => {
  const made = await withReceiver(t)
  const { patch, del, call } = made
  await add(made, 'before', { fields: { plan: 'Pro' } })
  await made.sent()
  await made.hook('/all')
  await made.hook('/types', { types: ['unsubscribed', 'deleted'] })
  await made.hook('/pro', { criteria: { plan: 'Pro' } })

  await add(made, 'free', { fields: { plan: 'Free' } })
  await patch('/api/contacts/before@example.com', { unsubscribed: true })
  await patch('/api/contacts/before@example.com', { email: 'no address' })
  await patch('/api/contacts/free@example.com', { fields: { plan: 'Pro' }, tags: ['x'] })
  await del('/api/contacts/before@example.com')
  await call('POST', '/api/contacts', { email: 'free@example.com' })
  await made.sent()

  const told = (path: string) => made.receiver.received(path).map(({ json }) => json.type)
  assert.deepEqual(told('/all').sort(), ['created', 'deleted', 'updated'], 'the unsubscription was erased')
  assert.deepEqual(told('/types'), ['deleted'])
  assert.deepEqual(told('/pro').sort(), ['created', 'deleted', 'updated'], 'as the contacts are now')
})

test('an act on many is one message with counts, or each person in messages of at most 500', async (t) => {
  const made = await withReceiver(t)
  const { db, accountId, patch } = made
  await db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}, 'p' || n || '@example.com', 'none', 'test' from generate_series(1, 700) as n`)
  await made.hook('/once')
  const each = await made.hook('/each', { each: true })
  const ids = (await db.query<{ id: string }>(sql`select id from contacts order by id`)).map(({ id }) => id)

  const { body } = await patch('/api/contacts/batch', { contact_ids: ids, tags_added: ['x'] })
  await made.sent()

  assert.deepEqual(
    made.receiver.received('/once').map(({ json }) => [json.type, json.data.data, json.data.change_set_id]),
    [
      [
        'change_set_finished',
        { kind: 'batch_update', counts: { updated: 700, unchanged: 0, not_found: 0 } },
        body.change_set_id,
      ],
    ],
  )
  const messages = made.receiver.received('/each')
  const many = messages.filter(({ json }) => json.type === 'events')
  assert.deepEqual(messages.map(({ json }) => json.type).sort(), ['change_set_finished', 'events', 'events'])
  const [first, second] = many.sort((a, b) => b.json.data.length - a.json.data.length)
  assert.deepEqual([first!.json.data.length, second!.json.data.length], [500, 200])
  assert.match(first!.id, /^1-500-[0-9a-f]{8}$/)
  assert.match(second!.id, /^501-700-[0-9a-f]{8}$/)
  const told = many.flatMap((message) => (verify(each.secret, message) as { data: { contact_id: string }[] }).data)
  assert.deepEqual(told.map(({ contact_id }) => contact_id).sort(), ids.sort())
})

test('a failed message is sent again after growing waits, under the same id, until it is answered well', async (t) => {
  const made = await withReceiver(t)
  const { id, secret } = await made.hook('/flaky')
  made.receiver.at('/flaky', 'close', 500, 404, 200)
  await add(made, 'ada')
  await made.sent()

  const waits: number[] = []
  for (let nth = 1; nth <= 3; nth++) {
    const [logged] = await made.log(id)
    assert.deepEqual([logged!.state, logged!.tries], ['pending', nth])
    waits.push((Date.parse(logged!.next_try_at!) - Date.now()) / 1000)
    await made.sent()
    assert.equal(made.receiver.received('/flaky').length, nth, 'not before its time')
    await makeDue(made)
    await made.sent()
  }

  const [logged] = await made.log(id)
  assert.deepEqual(
    [logged!.state, logged!.attempts.map(({ status, error, answer }) => [status, error, answer])],
    [
      'delivered',
      [
        [null, 'the connection was closed before an answer', ''],
        [500, 'answered 500', 'no: 500'],
        [404, 'answered 404', 'no: 404'],
        [200, null, ''],
      ],
    ],
  )
  const messages = made.receiver.received('/flaky')
  assert.equal(new Set(messages.map((message) => message.id)).size, 1)
  for (const message of messages) verify(secret, message)
  const near = (wait: number, seconds: number) => wait > seconds * 0.8 - 1 && wait < seconds * 1.2
  assert.ok(near(waits[0]!, 5) && near(waits[1]!, 30) && near(waits[2]!, 120), waits.join())
})

test('a receiver that stalls, redirects, closes midway or answers without end is dealt with in its time', async (t) => {
  const made = await withReceiver(t)
  const hooks: Record<string, number> = {}
  for (const [path, behaviour] of [
    ['/stall', 'stall'],
    ['/redirect', 'redirect'],
    ['/midway', 'close midway'],
    ['/endless', 'endless'],
  ] as const) {
    hooks[path] = (await made.hook(path)).id
    made.receiver.at(path, behaviour)
  }
  made.receiver.at('/elsewhere', 200)
  await add(made, 'ada')
  const startedMs = performance.now()
  await made.sent()

  assert.ok(performance.now() - startedMs < 10_000)
  const outcome = async (path: string) => {
    const [logged] = await made.log(hooks[path]!)
    const [attempt] = logged!.attempts
    return [logged!.state, attempt!.status, attempt!.error, attempt!.answer?.length]
  }
  assert.deepEqual(await outcome('/stall'), ['pending', null, 'no answer within 1 s', 0])
  const told = 'answered 302: redirects are not followed, give the address they lead to'
  assert.deepEqual(await outcome('/redirect'), ['pending', 302, told, 0])
  assert.deepEqual(await outcome('/midway'), ['delivered', 200, null, 6])
  assert.deepEqual(await outcome('/endless'), ['delivered', 200, null, 1000])
  assert.deepEqual(made.receiver.received('/elsewhere'), [])
})

test('a webhook that stalls keeps no other waiting, and has one message under way at a time', async (t) => {
  const made = await withReceiver(t)
  await made.hook('/dead')
  await made.hook('/alive')
  made.receiver.at('/dead', 'stall')
  await add(made, 'first')
  await made.sent()
  for (let nth = 0; nth < 20; nth++) await add(made, `p${nth}`)
  await dispatched(made.db)
  await makeDue(made)

  const startedMs = performance.now()
  const worker = made.sender().start()
  const alive = await made.receiver.until('/alive', 21)
  const tookMs = performance.now() - startedMs
  const dead = made.receiver.received('/dead').length
  await worker.stop(0)

  assert.equal(alive.length, 21)
  assert.ok(tookMs < 10_000, `${tookMs} ms: it would take 20 s to wait for each`)
  assert.ok(dead <= 2 + Math.ceil(tookMs / 1000), `${dead} messages to one that does not answer`)
})

test('once it answers well again, all that waited comes at once', async (t) => {
  const made = await withReceiver(t)
  const { id } = await made.hook('/hook')
  made.receiver.at('/hook', 500)
  for (const name of ['a', 'b', 'c']) await add(made, name)
  await made.sent()
  assert.equal((await made.log(id)).filter(({ state }) => state === 'pending').length, 3)
  assert.notEqual((await made.get(`/api/webhooks/${id}`)).body.failing_since, null)

  made.receiver.at('/hook', 200)
  await add(made, 'd')
  await made.sent()

  assert.deepEqual(
    (await made.log(id)).map(({ state }) => state),
    ['delivered', 'delivered', 'delivered', 'delivered'],
  )
  assert.equal((await made.get(`/api/webhooks/${id}`)).body.failing_since, null)
})

test('a webhook with enough open deliveries reads no further, and goes on from there', async (t) => {
  const made = await withReceiver(t)
  const { db, accountId } = made
  const { id } = await made.hook('/hook', { types: ['custom'] })
  made.receiver.at('/hook', 500)
  await db.query(sql`
    with made as (
      insert into events (account_id, type, types) select ${accountId}, 'custom', '{custom}' from generate_series(1, 250) returning id
    )
    insert into outbox (account_id, event_ids) select ${accountId}, array_agg(id order by id) from made`)
  await made.sent()

  assert.equal((await made.log(id)).length, 100)
  assert.match(
    (await made.get('/metrics')).body,
    new RegExp(`^rollcall_webhook_lag_events\\{account="${accountId}"\\} 150$`, 'm'),
  )
  assert.equal((await made.get(`/api/webhooks/${id}`)).body.position, 100)
  made.receiver.at('/hook', 200)
  await makeDue(made)
  await made.sent()
  const good = (await made.log(id)).filter(({ state }) => state === 'delivered')
  assert.deepEqual([good.length, new Set(good.map(({ message_id }) => message_id)).size], [250, 250])
})

test('any number of workers send each message once', async (t) => {
  const made = await withReceiver(t)
  await made.hook('/one')
  await made.hook('/two')
  const workers = [1, 2, 3, 4].map(() => made.sender().start())
  for (let nth = 0; nth < 60; nth++) {
    await add(made, `p${nth}`)
    if (nth % 7 === 0) await dispatched(made.db)
  }
  await dispatched(made.db)

  for (const path of ['/one', '/two']) await made.receiver.until(path, 60)
  await sleep(600)
  await Promise.all(workers.map((worker) => worker.stop(1000)))

  for (const path of ['/one', '/two']) {
    const ids = made.receiver.received(path).map(({ id }) => id)
    assert.deepEqual([ids.length, new Set(ids).size], [60, 60])
  }
})

test('a worker that stops cuts off what is not answered, and it counts for no try', async (t) => {
  const made = await withReceiver(t)
  const { id } = await made.hook('/hook')
  made.receiver.at('/hook', 'stall', 200)
  await add(made, 'ada')
  await dispatched(made.db)
  const worker = made.sender({ WEBHOOK_TIMEOUT_S: '30' }).start()
  await made.receiver.until('/hook', 1)
  const startedMs = performance.now()
  await worker.stop(100)

  assert.ok(performance.now() - startedMs < 1000)
  const [logged] = await made.log(id)
  assert.deepEqual([logged!.state, logged!.tries, logged!.attempts], ['pending', 0, []])
  await made.sent()
  assert.equal((await made.log(id))[0]!.state, 'delivered')
})

test('after 23.7 hours of tries a message is given up; after 5 days of failures its webhook, which the feed tells', async (t) => {
  const made = await withReceiver(t)
  const { db, accountId } = made
  const { id } = await made.hook('/hook')
  const other = await made.hook('/other', { types: ['webhook_disabled'] })
  made.receiver.at('/hook', 503)
  await add(made, 'ada')
  await made.sent()
  for (let nth = 2; nth <= 11; nth++) {
    await makeDue(made)
    await made.sent()
  }
  const [logged] = await made.log(id)
  assert.deepEqual([logged!.state, logged!.tries, logged!.next_try_at], ['failed', 11, null])
  assert.equal((await made.get(`/api/webhooks/${id}`)).body.enabled, true)

  const failing = (days: number, lastHours: number) =>
    db.query(sql`
      update webhooks set failing_since = now() - make_interval(days => ${days}), last_failed_at = now() - make_interval(hours => ${lastHours})
      where account_id = ${accountId} and id = ${id}`)
  await failing(30, 49)
  await add(made, 'bob')
  await made.sent()
  assert.equal((await made.get(`/api/webhooks/${id}`)).body.enabled, true, 'that was long ago, and forgotten')
  await failing(5, 10)
  await makeDue(made)
  await made.sent()
  const disabled = (await made.get(`/api/webhooks/${id}`)).body
  assert.deepEqual(
    [disabled.enabled, disabled.disabled_reason],
    [false, 'no good answer for 5 days, at last: answered 503'],
  )
  await made.sent()
  const { json } = made.receiver.received('/other')[0]!
  assert.deepEqual(
    [json.type, json.data.contact_id, json.data.data],
    [
      'webhook_disabled',
      null,
      { webhook_id: id, reason: disabled.disabled_reason, failing_since: disabled.failing_since },
    ],
  )
  const before = made.receiver.received('/hook').length
  await makeDue(made)
  await add(made, 'eve')
  await made.sent()
  assert.equal(made.receiver.received('/hook').length, before, 'nothing is sent to it any more')

  made.receiver.at('/hook', 200)
  await made.patch(`/api/webhooks/${id}`, { enabled: true })
  await made.sent()
  const good = (await made.log(id)).filter(({ state }) => state === 'delivered')
  assert.equal(good.length, 3, 'bob, that it was disabled, and eve: it goes on where it stopped')
  assert.equal((await made.log(other.id)).length, 1)
})

test('for a day after a change of the secret, both sign', async (t) => {
  const made = await withReceiver(t)
  const old = await made.hook('/hook')
  const next = (await made.post(`/api/webhooks/${old.id}/rotate_secret`)).body
  assert.notEqual(next.secret, old.secret)
  const inHours = (Date.parse(next.previous_secret_until) - Date.now()) / 3_600_000
  assert.ok(inHours > 23.9 && inHours <= 24)

  await add(made, 'ada')
  await made.sent()
  await made.db.query(sql`update webhooks set previous_until = now() - interval '1 second'`)
  await add(made, 'bob')
  await made.sent()

  const [both, one] = made.receiver.received('/hook')
  verify(old.secret, both!)
  verify(next.secret, both!)
  verify(next.secret, one!)
  assert.throws(() => verify(old.secret, one!))
})

test('a test message is sent once, also by a webhook that is disabled', async (t) => {
  const made = await withReceiver(t)
  const { id, secret } = await made.hook('/hook')
  await made.patch(`/api/webhooks/${id}`, { enabled: false })
  made.receiver.at('/hook', 500, 200)

  for (const state of ['failed', 'delivered']) {
    const { status, body } = await made.post(`/api/webhooks/${id}/test`)
    assert.deepEqual([status, body.state], [202, 'pending'])
    await made.sent()
    assert.equal((await made.get(`/api/webhooks/${id}/deliveries/${body.id}`)).body.state, state)
  }

  const messages = made.receiver.received('/hook')
  assert.deepEqual(
    messages.map((message) => (verify(secret, message) as { type: string }).type),
    ['test', 'test'],
  )
  assert.equal((await made.get(`/api/webhooks/${id}`)).body.failing_since, null)
})

test('a delivery can be sent again, and the feed replayed from any position, under the same ids', async (t) => {
  const made = await withReceiver(t)
  const { id } = await made.hook('/hook')
  for (const name of ['a', 'b', 'c']) await add(made, name)
  await made.sent()
  const ids = () => made.receiver.received('/hook').map((message) => message.id)
  const first = [...ids()].sort()
  const { data, next_cursor } = (await made.get('/api/events?limit=2')).body

  const [latest] = await made.log(id)
  assert.equal((await made.post(`/api/webhooks/${id}/deliveries/${latest!.id}/redeliver`)).status, 202)
  await made.sent()
  assert.deepEqual(ids().slice(3), [latest!.message_id])
  assert.equal((await made.post(`/api/webhooks/${id}/replay`, { after: next_cursor })).body.position, 2)
  await made.sent()
  assert.deepEqual(ids().slice(4), [first.find((known) => !data.some((event: { id: string }) => event.id === known))])
  await made.post(`/api/webhooks/${id}/replay`, { after: 'start' })
  await made.sent()
  assert.deepEqual(ids().slice(5).sort(), first)

  for (const [after, says] of [
    ['abc', /is not a cursor/],
    [undefined, /can't be blank/],
  ] as const) {
    const refused = await made.post(`/api/webhooks/${id}/replay`, { after })
    assert.equal(refused.status, 422)
    assert.match(refused.body.errors.after[0], says)
  }
  await made.patch(`/api/webhooks/${id}`, { enabled: false })
  assert.equal((await made.post(`/api/webhooks/${id}/deliveries/${latest!.id}/redeliver`)).status, 422)
})

test('criteria that are no longer right disable their webhook and say why', async (t) => {
  const made = await withReceiver(t)
  const field = (await made.post('/api/contact_fields', { name: 'Age', type: 'number' })).body
  const { id } = await made.hook('/hook', { criteria: { all: [{ field: 'age', op: 'gte', value: 18 }] } })
  await made.db.query(sql`update fields set type = 'boolean' where id = ${field.id}`)
  await add(made, 'ada')
  await made.sent()

  const { enabled, disabled_reason } = (await made.get(`/api/webhooks/${id}`)).body
  assert.equal(enabled, false)
  assert.match(disabled_reason, /^its criteria are no longer right: criteria\.all\.0\.op is not an operator for age/)
  assert.deepEqual(made.receiver.received('/hook'), [])
})

test('the log keeps what has ended for 14 days', async (t) => {
  const made = await withReceiver(t)
  const { id } = await made.hook('/hook')
  for (const name of ['a', 'b']) await add(made, name)
  await made.sent()
  const [young] = await made.log(id)
  await made.db.query(
    sql`update deliveries set finished_at = now() - interval '14 days 1 minute' where id <> ${young!.id}`,
  )
  const worker = made.sender()

  await worker.forget()

  assert.deepEqual(
    (await made.log(id)).map((delivery) => delivery.id),
    [young!.id],
  )
})

test('what is answered about someone who is being removed at that moment is not kept', async (t) => {
  const made = await withReceiver(t)
  const { db, accountId } = made
  const removal = { accountId, changeSetId: null, source: 'test', keyring }
  const answers = async () => {
    const rows = await db.query<{ answer: string | null }>(sql`
      select attempt ->> 'answer' as answer from deliveries, jsonb_array_elements(attempts) as attempt`)
    return rows.map(({ answer }) => answer)
  }
  const { id: hookId } = await made.hook('/hook', { types: ['created'] })
  for (const when of ['before', 'at the moment of']) {
    const id = await add(made, 'ada')
    await dispatched(db)
    const gate = Promise.withResolvers<Behaviour>()
    made.receiver.at('/hook', gate.promise)
    const sending = made.sent()
    const [message] = await made.receiver.until('/hook', 1)
    assert.ok(message!.body.includes('ada@example.com'))
    await db.transaction(async (trx) => {
      await removeContacts(trx, [id], removal)
      await trx.settle()
      if (when === 'before') return
      gate.resolve('echo')
      for (let waiting = 0; waiting === 0; await sleep(10)) {
        const [row] = await db.query<{ count: number }>(sql`
          select count(*) as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
        waiting = row!.count
      }
    })
    gate.resolve('echo')
    await sending

    assert.deepEqual(await answers(), [null], when)
    assert.equal((await made.log(hookId))[0]!.state, 'delivered')
    await db.query(sql`delete from deliveries`)
    made.receiver.forget()
  }
})

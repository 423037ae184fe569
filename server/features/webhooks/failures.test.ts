import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { dispatched } from '../../test/app.ts'
import { verify } from '../../test/receiver.ts'
import { add, makeDue, withReceiver } from '../../test/webhooks.ts'

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

  assert.ok(performance.now() - startedMs < 60_000)
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
  const worker = made.sender({ WEBHOOK_TIMEOUT_S: '5' }).start()
  const alive = await made.receiver.until('/alive', 21)
  const tookMs = performance.now() - startedMs
  const dead = made.receiver.received('/dead').length
  await worker.stop(0)

  assert.equal(alive.length, 21)
  assert.ok(tookMs < 60_000, `${tookMs} ms: it would take 100 s to wait for each`)
  assert.ok(dead <= 2 + Math.ceil(tookMs / 5000), `${dead} messages to one that does not answer`)
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

  assert.ok(performance.now() - startedMs < 15_000)
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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, keyring } from '../../test/app.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { type Behaviour, verify } from '../../test/receiver.ts'
import { add, withReceiver } from '../../test/webhooks.ts'
import { removeContacts } from '../contacts/remove.ts'

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
      await waitsForLocks(db, 1)
    })
    gate.resolve('echo')
    await sending

    assert.deepEqual(await answers(), [null], when)
    assert.equal((await made.log(hookId))[0]!.state, 'delivered')
    await db.query(sql`delete from deliveries`)
    made.receiver.forget()
  }
})

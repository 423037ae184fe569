import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../test/app.ts'

test('a key makes a change happen once: later requests with it get the first answer', async (t) => {
  const { call, get, db } = await testApp(t)
  const create = (key: string, email = 'ann@example.com') =>
    call('POST', '/api/contacts', { email }, { 'idempotency-key': key })

  const first = await create('one')
  const second = await create('one')

  assert.equal(first.status, 201)
  assert.deepEqual([second.status, second.body], [first.status, first.body])
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.equal((await get('/api/contacts')).body.total, 1)
  const [kept] = await db.query<{ answer: Buffer }>(sql`select answer from idempotency_keys`)
  assert.ok(!kept!.answer.toString('latin1').includes('ann@example.com'), 'the answer is kept sealed')
})

test('requests with one key at the same moment make one change', async (t) => {
  const { call, get } = await testApp(t)

  const answers = await Promise.all(
    Array.from({ length: 6 }, () =>
      call('POST', '/api/contacts', { email: 'ann@example.com' }, { 'idempotency-key': 'k' }),
    ),
  )

  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([201]))
  assert.equal(new Set(answers.map((answer) => answer.body.data.id)).size, 1)
  assert.equal((await get('/api/contacts')).body.total, 1)
})

test('a key that was used for another request is refused', async (t) => {
  const { call } = await testApp(t)
  await call('POST', '/api/contacts', { email: 'ann@example.com' }, { 'idempotency-key': 'k' })

  const other = await call('POST', '/api/contacts', { email: 'bob@example.com' }, { 'idempotency-key': 'k' })

  assert.equal(other.status, 422)
  assert.match(other.body.errors['Idempotency-Key'][0], /another request/)
})

test('a refusal is kept too, and leaves nothing else behind', async (t) => {
  const { call, post, get, del } = await testApp(t)
  const taken = (await post('/api/contacts', { email: 'ann@example.com' })).body.data
  const again = () =>
    call('POST', '/api/contacts', { email: 'ann@example.com', fields: { company: 'Acme' } }, { 'idempotency-key': 'k' })

  assert.equal((await again()).status, 422)
  await del(`/api/contacts/${taken.id}`)

  assert.deepEqual((await again()).body, { errors: { email: ['has already been taken'] } })
  assert.ok(
    !(await get('/api/contact_fields')).body.some((field: { merge_tag: string }) => field.merge_tag === 'company'),
  )
})

test('who is told to come again is heard anew with the same key', async (t) => {
  const { call, post, db } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com' })
  await post('/api/contacts/ann@example.com/unsubscribe')
  const ask = (key: string) =>
    call('POST', '/api/contacts/ann@example.com/resubscribe', undefined, { 'idempotency-key': key })
  for (const key of ['a', 'b', 'c']) assert.equal((await ask(key)).status, 200)
  const refused = await ask('d')
  assert.deepEqual([refused.status, Number(refused.headers['retry-after']) > 3500], [429, true])

  await db.query(sql`update confirmations set created_at = created_at - interval '61 minutes'`)

  assert.equal((await ask('d')).status, 200)
})

test('an answer without a body is given again as such, and a key must be printable', async (t) => {
  const { call, post } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com' })
  const remove = (key: string) => call('DELETE', '/api/contacts/ann@example.com', undefined, { 'idempotency-key': key })

  assert.deepEqual(
    [(await remove('d')).status, (await remove('d')).status, (await remove('e')).status],
    [204, 204, 404],
  )
  assert.equal((await remove('a b')).status, 422)
  assert.equal((await remove('x'.repeat(256))).status, 422)
})

test('two accounts may use the same key', async (t) => {
  const { call, another } = await testApp(t)
  const other = await another()
  const headers = { 'idempotency-key': 'k' }

  const first = await call('POST', '/api/contacts', { email: 'ann@example.com' }, headers)
  const second = await other.call('POST', '/api/contacts', { email: 'ann@example.com' }, headers)

  assert.deepEqual([first.status, second.status], [201, 201])
  assert.notEqual(first.body.data.id, second.body.data.id)
})

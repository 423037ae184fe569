import assert from 'node:assert/strict'
import { body, Client, clientOf, fails, test } from './node-sdk.ts'

const UNKNOWN = '018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132'
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('contacts.create answers 201 with the contact in data', async ({ client, call, accountId }) => {
  const one = await body(client.contactLists.create({ name: 'One' }))
  const two = await body(client.contactLists.create({ name: 'Two' }))

  const { data, ...rest } = await body(
    client.contacts.create({
      email: 'John@Example.com',
      fields: { first_name: 'John', age: 41, vip: true },
      list_ids: [two.id, one.id],
    }),
  )

  assert.deepEqual(rest, {})
  assert.match(data.id, UUID_V7)
  assert.equal(data.email, 'john@example.com')
  assert.equal(data.status, 'subscribed')
  assert.deepEqual(data.fields, { first_name: 'John', age: 41, vip: true })
  assert.deepEqual(data.list_ids, [one.id, two.id])
  for (const at of [data.created_at, data.updated_at]) {
    assert.ok(Number.isInteger(at) && Math.abs(Date.now() - at) < 60_000, `${at} is the present in milliseconds`)
  }
  const raw = await call('GET', `/api/accounts/${accountId}/contacts/${data.id}`)
  assert.deepEqual(raw.body.data, data, 'nothing of the answer was lost on the way')
})

test('contacts.create takes unsubscribed', async ({ client }) => {
  const { data } = await body(client.contacts.create({ email: 'a@example.com', unsubscribed: true }))
  assert.equal(data.status, 'unsubscribed')
})

test('contacts.create fails with the fields that are wrong', async ({ client }) => {
  const create = (contact: object) => client.contacts.create(contact as { email: string })
  await create({ email: 'a@example.com' })

  await fails(create({ email: 'invalid-email-1' }), 422, /^email: is invalid/)
  await fails(create({ email: '' }), 422, /^email: /)
  await fails(create({}), 422, /^email: can't be blank/)
  await fails(create({ email: 'A@Example.com' }), 422, 'email: has already been taken')
  await fails(create({ email: 'b@example.com', list_ids: [7] }), 422, 'list_ids: not found: 7')
  await fails(create({ email: 'b@example.com', list_ids: 'all' }), 422, /^list_ids: /)
})

test('contacts.get finds by id and by address, in any case, with signs that are not encoded', async ({ client }) => {
  const plus = await body(client.contacts.create({ email: 'a+b@example.com' }))
  const quote = await body(client.contacts.create({ email: "o'b&c=d@example.com" }))

  for (const name of [plus.data.id, 'a+b@example.com', 'A+B@Example.com', 'a%2Bb%40example.com']) {
    const { data } = await body(client.contacts.get(name))
    assert.deepEqual(data, plus.data, name)
  }
  assert.deepEqual(await body(client.contacts.get("o'b&c=d@example.com")), quote)
  await fails(client.contacts.get(UNKNOWN), 404, 'Not Found')
  await fails(client.contacts.get('nobody@example.com'), 404, 'Not Found')
  await fails(client.contacts.get('neither'), 404, 'Not Found')
})

test('contacts.update changes what is given and keeps the rest', async ({ client }) => {
  const one = await body(client.contactLists.create({ name: 'One' }))
  const two = await body(client.contactLists.create({ name: 'Two' }))
  const { data: john } = await body(
    client.contacts.create({ email: 'john@example.com', fields: { first_name: 'John' }, list_ids: [two.id] }),
  )

  const { data, action, ...rest } = await body(
    client.contacts.update('john@example.com', {
      email: 'john@example.com',
      fields: { last_name: 'S', age: 3, vip: true },
      list_ids_included: [one.id],
      list_ids_excluded: [two.id],
      unsubscribed: true,
    }),
  )

  assert.deepEqual([action, rest], ['updated', {}])
  assert.equal(data.id, john.id)
  assert.deepEqual(data.fields, { first_name: 'John', last_name: 'S', age: 3, vip: true })
  assert.deepEqual(data.list_ids, [one.id])
  assert.equal(data.status, 'unsubscribed')
  assert.ok(data.updated_at >= data.created_at)

  const again = await body(
    client.contacts.update(john.id, { email: 'john@example.com', unsubscribed: false, list_ids: [two.id] }),
  )
  assert.equal(again.data.status, 'subscribed', 'unsubscribed: false takes back what unsubscribed: true did')
  assert.deepEqual(again.data.list_ids, [two.id], 'list_ids is the whole set')
  const moved = await body(client.contacts.update(john.id, { email: 'jo@example.com' }))
  assert.deepEqual([moved.data.id, moved.data.email], [john.id, 'jo@example.com'])
})

test('contacts.update enters an unknown address, and no unknown id', async ({ client }) => {
  const made = await body(
    client.contacts.update('new@example.com', { email: 'new@example.com', fields: { first_name: 'New' } }),
  )
  assert.equal(made.action, 'created')
  assert.deepEqual(made.data.fields, { first_name: 'New' })
  await fails(client.contacts.update(UNKNOWN, { email: 'x@example.com' }), 404, 'Not Found')
})

test('contacts.update fails with what is wrong', async ({ client }) => {
  await client.contacts.create({ email: 'john@example.com' })
  await client.contacts.create({ email: 'taken@example.com' })
  const update = (contact: object) => client.contacts.update('john@example.com', contact as { email: string })

  await fails(update({ email: 'invalid-email-1' }), 422, /^email: is invalid/)
  await fails(update({ email: 'taken@example.com' }), 422, 'email: has already been taken')
  await fails(
    update({ list_ids_included: [1, 2, 3], list_ids_excluded: [1, 2, 3] }),
    422,
    'same list_ids 1, 2, 3 are specified both as included and excluded',
  )
  await fails(update({ list_ids_included: [7] }), 422, 'list_ids: not found: 7')
  const { data } = await body(update({ list_ids_excluded: [7] }))
  assert.deepEqual(data.list_ids, [], 'an unknown list is nothing to be taken out of')
})

test('contacts.delete answers nothing, and fails for nobody', async ({ client }) => {
  const { data } = await body(client.contacts.create({ email: 'a@example.com' }))
  await client.contacts.create({ email: 'b@example.com' })

  assert.equal(await body(client.contacts.delete(data.id)), '')
  assert.equal(await body(client.contacts.delete('b@example.com')), '')
  await fails(client.contacts.get(data.id), 404, 'Not Found')
  await fails(client.contacts.delete('b@example.com'), 404, 'Contact(s) not found')
  await fails(client.contacts.delete(UNKNOWN), 404, 'Contact(s) not found')
})

test('contactEvents.create answers what was noted, by id and by address', async ({ client }) => {
  const { data } = await body(client.contacts.create({ email: 'john@example.com' }))
  const params = { user_id: 101, is_active: true, last_seen: null, plan: 'Pro', ratio: 0.5 }

  for (const name of [data.id, 'john@example.com']) {
    assert.deepEqual(await body(client.contactEvents.create(name, { name: 'UserLogin', params })), {
      contact_id: data.id,
      contact_email: 'john@example.com',
      name: 'UserLogin',
      params,
    })
  }
})

test('contactEvents.create fails without a name, and for nobody', async ({ client }) => {
  await client.contacts.create({ email: 'john@example.com' })
  const create = (who: string, event: object) =>
    client.contactEvents.create(who, event as { name: string; params: Record<string, string> })

  await fails(create('john@example.com', { params: { a: 1 } }), 422, "can't be blank, must be a string")
  await fails(create('john@example.com', { name: 7 }), 422, /must be a string/)
  await fails(create('john@example.com', { name: 'x', params: { deep: { er: 1 } } }), 422, /params/)
  await fails(create('nobody@example.com', { name: 'x', params: {} }), 404, 'Not Found')
  await fails(create(UNKNOWN, { name: 'x', params: {} }), 404, 'Not Found')
})

test('a wrong token, and the account of another, are refused in the official words', async (made) => {
  const { origin, accountId, token } = made
  const other = await made.another()

  const stranger = clientOf(origin, accountId, 'no-token-of-ours')
  await fails(stranger.contactLists.getList(), 401, 'Incorrect API token')
  await fails(stranger.contacts.create({ email: 'a@example.com' }), 401, 'Incorrect API token')
  const astray = clientOf(origin, other.accountId, token)
  await fails(astray.contactLists.getList(), 403, 'Account access forbidden')
  await fails(astray.contacts.get('a@example.com'), 403, 'Account access forbidden')
  assert.throws(() => new Client({ token }).contacts, /accountId is missing/)
})

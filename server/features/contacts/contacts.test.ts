import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { hmac } from '../../lib/secret.ts'
import { dispatched, keyring, type TestApp, testApp } from '../../test/app.ts'

/** The events of an account in the order in which they happened. */
function eventsOf(db: Database) {
  return db.query<{ contact_id: string; type: string; types: string[]; data: Record<string, unknown> }>(sql`
    select contact_id, type, types, data from events order by id`)
}

async function suppress(made: TestApp, kind: string, value: string, reason = 'manual', expires = 'infinity') {
  await made.db.query(sql`
    insert into suppressions (account_id, kind, value, reason, source, expires_at)
    values (${made.accountId}, ${kind}, ${value}, ${reason}, 'test', ${expires}::timestamptz)`)
}

test('creating is one event with all that is set, one place in the feed, and one asserted consent', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body

  const { status, body } = await made.post('/api/contacts', {
    email: 'Ann@Example.com',
    external_id: ' a1 ',
    fields: { first_name: 'Ann', city: 'Oslo', born: '2000-02-29', age: 5.5, vip: false },
    tags: [' customer ', 'lead', 'customer'],
    list_ids: [list.id, list.id],
  })

  assert.equal(status, 201)
  const { id, created_at, updated_at, version: _, ...rest } = body.data
  assert.deepEqual(rest, {
    email: 'ann@example.com',
    external_id: 'a1',
    status: 'subscribed',
    state: 'subscribed',
    subscribed: true,
    sendable: { allowed: true, reason: null },
    fields: { first_name: 'Ann', city: 'Oslo', born: '2000-02-29', age: 5.5, vip: false },
    tags: ['customer', 'lead'],
    list_ids: [list.id],
    origin: 'api',
  })
  assert.ok(Math.abs(created_at - Date.now()) < 60_000 && updated_at >= created_at)
  assert.deepEqual((await made.get(`/api/contacts/${id}`)).body, body)
  assert.deepEqual(await eventsOf(made.db), [
    {
      contact_id: id,
      type: 'created',
      types: ['created', 'subscribed', 'list_added'],
      data: {
        origin: 'api',
        email: { to: 'ann@example.com' },
        external_id: { to: 'a1' },
        state: { to: 'subscribed' },
        fields: {
          first_name: { to: 'Ann' },
          city: { to: 'Oslo' },
          born: { to: '2000-02-29' },
          age: { to: 5.5 },
          vip: { to: false },
        },
        tags: { added: ['customer', 'lead'] },
        lists: { added: [list.id] },
      },
    },
  ])
  const [{ acts }] = (await made.db.query<{ acts: number }>(sql`select count(*) as acts from outbox`)) as [
    { acts: number },
  ]
  assert.equal(acts, 1)
  await dispatched(made.db)
  const feed = await made.db.query<{ position: number; contact_id: string }>(sql`
    select f.position, e.contact_id from feed as f join events as e on e.id = f.event_id`)
  assert.deepEqual(feed, [{ position: 1, contact_id: id }])
  const consents = await made.db.query(
    sql`select contact_id, action, grade, source, actor, host(ip) as ip from consents`,
  )
  assert.equal(consents.length, 1)
  const { actor, ...consent } = consents[0] as Record<string, unknown>
  assert.match(String(actor), /^token:\d+$/)
  assert.deepEqual(consent, { contact_id: id, action: 'granted', grade: 'asserted', source: 'api', ip: '127.0.0.1' })
})

test('an external id is unique, can be set, and names a contact', async (t) => {
  const { post, get } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com', external_id: 'a1' })

  const taken = await post('/api/contacts', { email: 'bob@example.com', external_id: ' a1' })
  const none = await post('/api/contacts', { email: 'cay@example.com', external_id: '' })
  const alsoNone = await post('/api/contacts', { email: 'dan@example.com', external_id: null })

  assert.deepEqual([taken.status, taken.body], [422, { errors: { external_id: ['has already been taken'] } }])
  assert.equal((await get('/api/contacts/bob@example.com')).status, 404)
  assert.deepEqual([none.body.data.external_id, alsoNone.body.data.external_id], [null, null])
  assert.equal((await get('/api/contacts/ext:a1')).body.data.email, 'ann@example.com')
})

test('keys that no field has are defined, refused or passed over, as the account says', async (t) => {
  const { post, patch, get } = await testApp(t)
  const tags = async () =>
    (await get('/api/contact_fields')).body.map((field: { merge_tag: string }) => field.merge_tag)
  const create = (name: string) =>
    post('/api/contacts', {
      email: `${name}@example.com`,
      fields: { first_name: name, [`new_${name}`]: 1, other: null },
    })

  const made = await create('create')
  assert.deepEqual(made.body.data.fields, { first_name: 'create', new_create: 1 })
  assert.deepEqual(await tags(), ['first_name', 'last_name', 'new_create'])

  await patch('/api/account', { unknown_fields: 'reject' })
  const refused = await create('reject')
  assert.deepEqual(
    [refused.status, refused.body],
    [422, { errors: { fields: ['contains invalid values: new_reject', 'contains invalid values: other'] } }],
  )
  const known = await patch('/api/contacts/create@example.com', { fields: { NEW_CREATE: 2 } })
  assert.deepEqual(known.body.data.fields, { first_name: 'create', new_create: 2 })

  await patch('/api/account', { unknown_fields: 'ignore' })
  assert.deepEqual((await create('ignore')).body.data.fields, { first_name: 'ignore' })
  assert.deepEqual(await tags(), ['first_name', 'last_name', 'new_create'])
})

test('unset fields are left out, or null where the account says so', async (t) => {
  const { post, patch, get } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com', fields: { first_name: 'Ann' } })

  assert.deepEqual((await get('/api/contacts/ann@example.com')).body.data.fields, { first_name: 'Ann' })
  await patch('/api/account', { null_fields: 'include' })
  assert.deepEqual((await get('/api/contacts/ann@example.com')).body.data.fields, {
    first_name: 'Ann',
    last_name: null,
  })
  assert.deepEqual((await get('/api/contacts')).body.data[0].fields, { first_name: 'Ann', last_name: null })
})

test('with double opt-in people wait as pending, and no consent is asserted for them', async (t) => {
  const { post, patch, db } = await testApp(t)
  await patch('/api/account', { double_opt_in: true })

  const { data } = (await post('/api/contacts', { email: 'ann@example.com' })).body

  assert.deepEqual([data.state, data.status, data.subscribed], ['pending', 'unsubscribed', false])
  assert.deepEqual(data.sendable, { allowed: false, reason: 'pending' })
  assert.deepEqual((await eventsOf(db))[0]!.types, ['created'])
  assert.equal((await db.query(sql`select from consents`)).length, 0)

  await post('/api/contacts', { email: 'bob@example.com', unsubscribed: true })
  const back = await patch('/api/contacts/bob@example.com', { unsubscribed: false })
  assert.equal(back.body.data.state, 'pending', 'taking back an unsubscription does not stand for a confirmation')
})

test('someone entered as unsubscribed is so, with the withdrawal in the ledger', async (t) => {
  const { post, db } = await testApp(t)

  const { data } = (await post('/api/contacts', { email: 'ann@example.com', unsubscribed: true })).body

  assert.deepEqual([data.state, data.sendable], ['unsubscribed', { allowed: false, reason: 'unsubscribed' }])
  assert.deepEqual((await eventsOf(db))[0]!.types, ['created', 'unsubscribed'])
  assert.deepEqual(await db.query(sql`select action, grade from consents`), [
    { action: 'withdrawn', grade: 'asserted' },
  ])
})

test('a suppressed address, hash or domain can be entered, and is not sendable', async (t) => {
  const made = await testApp(t)
  await suppress(made, 'address', 'address@example.com')
  await suppress(made, 'sha256', createHash('sha256').update('hash@example.com').digest('hex'))
  await suppress(made, 'domain', 'domain.example')
  await suppress(made, 'domain', '*.below.example')
  await suppress(made, 'domain', 'xn--mnchen-3ya.de')
  await suppress(made, 'address', 'past@example.com', 'manual', '2020-01-01')
  await suppress(made, 'address', 'future@example.com', 'complaint', '2999-01-01')
  const allowed = {
    'address@example.com': false,
    'ADDRESS@example.com': false,
    'hash@example.com': false,
    'ann@domain.example': false,
    'ann@sub.domain.example': true,
    'ann@below.example': true,
    'ann@far.below.example': false,
    'ann@very.far.below.example': false,
    'ann@münchen.de': false,
    'past@example.com': true,
    'future@example.com': false,
    'ann@example.com': true,
  }

  for (const [email, expected] of Object.entries(allowed)) {
    const answer = await made.post('/api/contacts', { email })
    if (email.startsWith('ADDRESS')) assert.equal(answer.status, 422)
    else {
      assert.equal(answer.status, 201, email)
      const sendable = { allowed: expected, reason: expected ? null : 'suppressed' }
      assert.deepEqual(answer.body.data.sendable, sendable, `${email}, as created`)
      assert.equal(answer.body.data.status, 'subscribed')
      const { data } = (await made.get(`/api/contacts/${encodeURIComponent(email)}`)).body
      assert.deepEqual(data.sendable, sendable, `${email}, as read`)
      const changed = await made.patch(`/api/contacts/${encodeURIComponent(email)}`, { fields: { first_name: 'A' } })
      assert.deepEqual(changed.body.data.sendable, sendable, `${email}, as changed`)
    }
  }
  assert.equal((await made.get('/api/contacts?sendable=true')).body.total, 4)
  assert.equal((await made.get('/api/contacts?sendable=false')).body.total, 7)
})

test('an erased address does not come back; one that withdrew comes back unsubscribed', async (t) => {
  const made = await testApp(t)
  for (const [name, reason] of Object.entries({ erased: 'erased', withdrawn: 'withdrawn' })) {
    await suppress(made, 'hmac', hmac(keyring, 'suppression', `${name}@example.com`).value, reason)
  }

  const erased = await made.post('/api/contacts', { email: 'Erased@example.com', fields: { brand_new: 1 } })
  const withdrawn = await made.post('/api/contacts', { email: 'withdrawn@example.com', unsubscribed: false })

  assert.deepEqual([erased.status, erased.body], [422, { errors: { email: ['is suppressed'] } }])
  assert.deepEqual((await made.patch('/api/contacts/erased@example.com', {})).body, erased.body)
  assert.equal((await made.get('/api/contacts?email=erased@example.com')).body.total, 0)
  assert.equal((await made.get('/api/contact_fields')).body.length, 2, 'and no field was made of the request')
  assert.deepEqual([withdrawn.status, withdrawn.body.data.state], [201, 'unsubscribed'])
  assert.equal(
    (await made.patch('/api/contacts/withdrawn@example.com', { unsubscribed: false })).body.data.state,
    'unsubscribed',
  )
  assert.deepEqual(
    (await eventsOf(made.db)).map((event) => event.types),
    [['created', 'unsubscribed']],
  )
  assert.equal((await made.db.query(sql`select from consents`)).length, 0, 'no one asserted anything')
})

test('an opt-out keeps someone out of a list into which they are entered', async (t) => {
  const made = await testApp(t)
  const [left, stayed] = [
    (await made.post('/api/contact_lists', { name: 'Left' })).body.id,
    (await made.post('/api/contact_lists', { name: 'Stayed' })).body.id,
  ]
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${left}, 'ann@example.com')`)

  const { data } = (await made.post('/api/contacts', { email: 'ann@example.com', list_ids: [stayed, left] })).body

  assert.deepEqual(data.list_ids, [stayed])
  assert.deepEqual((await eventsOf(made.db))[0]!.data.lists, { added: [stayed] })
})

test('of many who create one address at once one wins, and the others hear that it is taken', async (t) => {
  const made = await testApp(t)

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      made.post('/api/contacts', { email: n % 2 ? 'ann@example.com' : 'ANN@example.com', fields: { nth: n } }),
    ),
  )

  assert.equal(answers.filter((answer) => answer.status === 201).length, 1)
  for (const answer of answers.filter((answer) => answer.status !== 201)) {
    assert.deepEqual([answer.status, answer.body], [422, { errors: { email: ['has already been taken'] } }])
  }
  assert.deepEqual(
    (await eventsOf(made.db)).map((event) => event.type),
    ['created'],
  )
  assert.equal((await made.db.query(sql`select from consents`)).length, 1)
})

test('of many who give one external id at once one wins', async (t) => {
  const made = await testApp(t)

  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      made.post('/api/contacts', { email: `p${n}@example.com`, external_id: 'one' }),
    ),
  )

  assert.equal(answers.filter((answer) => answer.status === 201).length, 1)
  for (const answer of answers.filter((answer) => answer.status !== 201)) {
    assert.deepEqual([answer.status, answer.body], [422, { errors: { external_id: ['has already been taken'] } }])
  }
  assert.equal((await eventsOf(made.db)).length, 1)
})

test('writers who define the same fields at once, in whatever order, all succeed', async (t) => {
  const made = await testApp(t)
  const names = ['alpha', 'beta', 'gamma', 'delta']

  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => {
      const turned = [...names.slice(n % 4), ...names.slice(0, n % 4)]
      const tags = n % 2 ? turned : turned.reverse().map((name) => name.toUpperCase())
      return made.post('/api/contacts', {
        email: `p${n}@example.com`,
        fields: Object.fromEntries(tags.map((tag) => [tag, n])),
      })
    }),
  )

  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([201]))
  const fields = (await made.get('/api/contact_fields')).body as { merge_tag: string }[]
  assert.deepEqual(
    fields
      .slice(2)
      .map((field) => field.merge_tag.toLowerCase())
      .sort(),
    [...names].sort(),
  )
  for (const [n, answer] of answers.entries()) {
    const { data } = (await made.get(`/api/contacts/${answer.body.data.id}`)).body
    assert.deepEqual(Object.values(data.fields), [n, n, n, n])
  }
})

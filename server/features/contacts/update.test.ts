import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { hmac } from '../../lib/secret.ts'
import { keyring, type TestApp, testApp } from '../../test/app.ts'

const ANN = '/api/contacts/ann@example.com'

function eventsOf(db: Database) {
  return db.query<{ type: string; types: string[]; data: Record<string, unknown> }>(sql`
    select type, types, data from events order by id`)
}

/** What has happened since the last look. */
function watch(db: Database) {
  let seen = 0
  return async () => {
    const events = await eventsOf(db)
    const [{ acts }] = (await db.query<{ acts: number }>(sql`select count(*) as acts from outbox`)) as [
      { acts: number },
    ]
    assert.equal(acts, events.length, 'one act in the outbox for each event')
    const news = events.slice(seen)
    seen = events.length
    return news
  }
}

async function lists(made: TestApp, ...names: string[]): Promise<number[]> {
  const ids: number[] = []
  for (const name of names) ids.push((await made.post('/api/contact_lists', { name })).body.id)
  return ids
}

async function setState(made: TestApp, state: string, reason: string | null): Promise<void> {
  await made.db.query(sql`update contacts set state = ${state}, state_reason = ${reason}, state_before = null`)
}

test('what is given is set, the rest stays, null unsets, and the event says from what to what', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', {
    email: 'ann@example.com',
    fields: { first_name: 'Ann', last_name: 'Lee', city: 'Oslo' },
    tags: ['a', 'b'],
  })
  const news = watch(made.db)
  await news()

  const { status, body } = await made.patch(ANN, {
    fields: { first_name: 'Anna', city: null, age: 5 },
    tags: ['b', ' c ', 'c'],
    external_id: 'x1',
  })

  assert.deepEqual([status, body.action], [200, 'updated'])
  assert.deepEqual(body.data.fields, { first_name: 'Anna', last_name: 'Lee', age: 5 })
  assert.deepEqual([body.data.tags, body.data.external_id], [['b', 'c'], 'x1'])
  assert.ok(body.data.updated_at > body.data.created_at)
  assert.deepEqual(await news(), [
    {
      type: 'updated',
      types: ['updated'],
      data: {
        external_id: { to: 'x1' },
        fields: { first_name: { from: 'Ann', to: 'Anna' }, city: { from: 'Oslo' }, age: { to: 5 } },
        tags: { added: ['c'], removed: ['a'] },
      },
    },
  ])
})

test('a patch that changes nothing is no event and no new time', async (t) => {
  const made = await testApp(t)
  const [one] = await lists(made, 'One')
  const created = await made.post('/api/contacts', {
    email: 'ann@example.com',
    external_id: 'a1',
    fields: { first_name: 'Ann', age: 5 },
    tags: ['a', 'b'],
    list_ids: [one],
  })
  const news = watch(made.db)
  await news()

  for (const body of [
    {},
    { email: ' ANN@example.com' },
    { fields: {} },
    { fields: { first_name: 'Ann', age: '5', last_name: null, FIRST_NAME: undefined } },
    { tags: ['b', 'a', 'a'] },
    { external_id: ' a1 ' },
    { unsubscribed: false },
    { list_ids: [one] },
    { list_ids_included: [one], list_ids_excluded: [999] },
  ]) {
    const answer = await made.patch(ANN, body)
    assert.deepEqual([answer.status, answer.body.action], [200, 'updated'], JSON.stringify(body))
    assert.deepEqual(answer.body.data, created.body.data, JSON.stringify(body))
  }

  assert.deepEqual(await news(), [])
  assert.equal((await made.db.query(sql`select from consents`)).length, 1)
})

test('lists are replaced, added to and taken from', async (t) => {
  const made = await testApp(t)
  const [a, b, c] = (await lists(made, 'A', 'B', 'C')) as [number, number, number]
  await made.post('/api/contacts', { email: 'ann@example.com', list_ids: [a] })
  const news = watch(made.db)
  await news()
  const change = async (body: object) => {
    const answer = await made.patch(ANN, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const events = await news()
    return [answer.body.data.list_ids, events.flatMap((event) => event.types), events[0]?.data.lists]
  }

  assert.deepEqual(await change({ list_ids_included: [b, b] }), [[a, b], ['list_added'], { added: [b] }])
  assert.deepEqual(await change({ list_ids_excluded: [a, 999] }), [[b], ['list_removed'], { removed: [a] }])
  assert.deepEqual(await change({ list_ids: [c] }), [[c], ['list_added', 'list_removed'], { added: [c], removed: [b] }])
  assert.deepEqual(await change({ list_ids: [c], list_ids_included: [a] }), [[a, c], ['list_added'], { added: [a] }])
  assert.deepEqual(await change({ list_ids: [] }), [[], ['list_removed'], { removed: [a, c] }])

  const both = await made.patch(ANN, { list_ids_included: [a], list_ids_excluded: [a] })
  assert.equal(both.status, 422)
  for (const body of [{ list_ids: [a, 999] }, { list_ids_included: [a, 999] }]) {
    const unknown = await made.patch(ANN, { ...body, fields: { first_name: 'X' } })
    assert.deepEqual([unknown.status, unknown.body], [422, { errors: { list_ids: ['not found: 999'] } }])
  }
  assert.deepEqual((await made.get(ANN)).body.data.list_ids, [])
  assert.deepEqual((await made.get(ANN)).body.data.fields, {})
  assert.deepEqual(await news(), [])
})

test('unsubscribed: true works on every state, and false returns to the state before', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  const news = watch(made.db)

  for (const state of ['none', 'pending', 'subscribed', 'bounced']) {
    await setState(made, state, 'anything')
    await made.db.query(sql`delete from consents`)
    await news()

    const off = await made.patch(ANN, { unsubscribed: true })
    assert.deepEqual([off.body.data.state, off.body.data.sendable.reason], ['unsubscribed', 'unsubscribed'])
    assert.equal((await made.patch(ANN, { unsubscribed: true })).body.data.state, 'unsubscribed')
    const on = await made.patch(ANN, { unsubscribed: false })
    assert.equal(on.body.data.state, state)
    assert.equal((await made.patch(ANN, { unsubscribed: false })).body.data.state, state)

    const events = await news()
    assert.deepEqual(
      events.map((event) => event.data.state),
      [
        { from: state, to: 'unsubscribed' },
        { from: 'unsubscribed', to: state },
      ],
    )
    assert.deepEqual(
      events.map((event) => event.type),
      ['unsubscribed', state === 'subscribed' ? 'subscribed' : 'updated'],
    )
    const consents = await made.db.query<{ action: string; grade: string }>(
      sql`select action, grade from consents order by id`,
    )
    assert.deepEqual(
      consents.map((consent) => consent.action),
      state === 'subscribed' ? ['withdrawn', 'granted'] : ['withdrawn'],
    )
    assert.deepEqual(new Set(consents.map((consent) => consent.grade)), new Set(['asserted']))
  }
})

test("a person's own act is not undone by a caller, an import's column is", async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  const news = watch(made.db)
  await news()

  for (const reason of ['link', 'one_click', 'complaint', 'unsubscribe', 'withdrawn', null]) {
    await setState(made, 'unsubscribed', reason)
    for (const unsubscribed of [false, true, false]) {
      assert.equal(
        (await made.patch(ANN, { unsubscribed })).body.data.state,
        'unsubscribed',
        `${reason} ${unsubscribed}`,
      )
    }
  }
  assert.deepEqual(await news(), [])

  await setState(made, 'unsubscribed', 'import')
  assert.equal((await made.patch(ANN, { unsubscribed: false })).body.data.state, 'subscribed')
})

test('an external id is set, cleared, and refused when another contact has it', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.post('/api/contacts', { email: 'bob@example.com', external_id: 'b1' })
  const news = watch(made.db)
  await news()

  assert.equal((await made.patch(ANN, { external_id: 'a1' })).body.data.external_id, 'a1')
  const taken = await made.patch('/api/contacts/ext:a1', { external_id: 'b1', fields: { first_name: 'X' } })
  assert.deepEqual([taken.status, taken.body], [422, { errors: { external_id: ['has already been taken'] } }])
  assert.equal((await made.patch('/api/contacts/ext:a1', { external_id: null })).body.data.external_id, null)
  assert.equal((await made.patch('/api/contacts/ext:a1', { external_id: 'a2' })).status, 404)

  assert.deepEqual(
    (await news()).map((event) => event.data),
    [{ external_id: { to: 'a1' } }, { external_id: { from: 'a1' } }],
  )
  assert.deepEqual((await made.get(ANN)).body.data.fields, {})
})

test('another address: taken and erased ones are refused, and what was left stays left', async (t) => {
  const made = await testApp(t)
  const [left, other] = (await lists(made, 'Left', 'Other')) as [number, number]
  const { id } = (await made.post('/api/contacts', { email: 'ann@example.com' })).body.data
  await made.post('/api/contacts', { email: 'bob@example.com' })
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${left}, 'ann@example.com')`)
  for (const reason of ['erased', 'withdrawn']) {
    await made.db.query(sql`
      insert into suppressions (account_id, kind, value, reason, source)
      values (${made.accountId}, 'hmac', ${hmac(keyring, 'suppression', `${reason}@example.com`).value}, ${reason}, 'test')`)
  }
  const news = watch(made.db)
  await news()

  const taken = await made.patch(ANN, { email: 'Bob@example.com', fields: { first_name: 'X' } })
  assert.deepEqual([taken.status, taken.body], [422, { errors: { email: ['has already been taken'] } }])
  const erased = await made.patch(ANN, { email: 'erased@example.com', list_ids: [other] })
  assert.deepEqual([erased.status, erased.body], [422, { errors: { email: ['is suppressed'] } }])
  assert.deepEqual(await news(), [])

  const moved = await made.patch(ANN, { email: 'anna@example.com', list_ids_included: [left, other] })
  assert.deepEqual([moved.body.action, moved.body.data.id, moved.body.data.email], ['updated', id, 'anna@example.com'])
  assert.deepEqual(moved.body.data.list_ids, [other], 'not back into the list that was left under the old address')
  assert.deepEqual(await news(), [
    {
      type: 'updated',
      types: ['updated', 'list_added'],
      data: { email: { from: 'ann@example.com', to: 'anna@example.com' }, lists: { added: [other] } },
    },
  ])
  assert.deepEqual(await made.db.query(sql`select list_id, email from list_opt_outs`), [
    { list_id: left, email: 'anna@example.com' },
  ])
  assert.equal((await made.get(ANN)).status, 404)

  const withdrawn = await made.patch(`/api/contacts/${id}`, { email: 'withdrawn@example.com', unsubscribed: false })
  assert.equal(withdrawn.body.data.state, 'unsubscribed')
  assert.equal((await made.patch(`/api/contacts/${id}`, { unsubscribed: false })).body.data.state, 'unsubscribed')
  assert.deepEqual(
    (await news()).map((event) => event.types),
    [['unsubscribed', 'updated']],
  )
  assert.deepEqual(await made.db.query(sql`select action from consents where contact_id = ${id}::uuid`), [
    { action: 'granted' },
  ])
})

test('an unknown address is entered by a patch as by a create', async (t) => {
  const made = await testApp(t)
  const [one, two] = (await lists(made, 'One', 'Two')) as [number, number]

  const { status, body } = await made.patch(ANN, {
    fields: { first_name: 'Ann' },
    tags: ['a'],
    list_ids: [one],
    list_ids_included: [two],
    list_ids_excluded: [999],
  })

  assert.deepEqual([status, body.action], [200, 'created'])
  assert.deepEqual([body.data.email, body.data.tags, body.data.list_ids], ['ann@example.com', ['a'], [one, two]])
  assert.deepEqual(
    (await eventsOf(made.db)).map((event) => event.types),
    [['created', 'subscribed', 'list_added']],
  )
  assert.equal((await made.patch('/api/contacts/nobody', {})).status, 404)
  assert.equal((await made.patch('/api/contacts/ext:nobody', {})).status, 404)
})

test('of many upserts of a new address one creates and the others update', async (t) => {
  const made = await testApp(t)

  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, n) => made.patch(ANN, { fields: { [`f${n % 4}`]: n }, tags: [`t${n}`] })),
  )

  assert.deepEqual(
    answers.map((answer) => answer.status),
    Array(16).fill(200),
  )
  assert.deepEqual(answers.map((answer) => answer.body.action).sort(), ['created', ...Array(15).fill('updated')])
  assert.equal(new Set(answers.map((answer) => answer.body.data.id)).size, 1)
  const types = (await eventsOf(made.db)).map((event) => event.type)
  assert.deepEqual([types.length, types.filter((type) => type === 'created').length], [16, 1])
  const { fields } = (await made.get(ANN)).body.data
  assert.deepEqual(Object.keys(fields).sort(), ['f0', 'f1', 'f2', 'f3'])
})

test('people who swap addresses at once end with one answer each and never a failure', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.post('/api/contacts', { email: 'bob@example.com' })

  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, n) =>
      n % 2
        ? made.patch('/api/contacts/bob@example.com', { email: 'ann@example.com' })
        : made.patch(ANN, { email: 'bob@example.com' }),
    ),
  )

  for (const answer of answers) {
    assert.deepEqual([answer.status, answer.body], [422, { errors: { email: ['has already been taken'] } }])
  }
})

test('a patch and a removal at once: the patch changes, creates anew, or finds nobody', async (t) => {
  const made = await testApp(t)
  for (let round = 0; round < 6; round++) {
    const { id } = (await made.post('/api/contacts', { email: `p${round}@example.com` })).body.data

    const answers = await Promise.all([
      made.patch(`/api/contacts/p${round}@example.com`, { fields: { first_name: 'A' } }),
      made.del(`/api/contacts/${id}`),
      made.patch(`/api/contacts/${id}`, { fields: { first_name: 'B' } }),
      made.del(`/api/contacts/${id}`),
      made.post(`/api/contacts/${id}/events`, { name: 'login' }),
    ])

    const [upserted, removed, changed, again, event] = answers.map((answer) => answer.status)
    assert.equal(upserted, 200)
    assert.ok([200, 404].includes(changed!) && [201, 404].includes(event!), answers.map(({ status }) => status).join())
    assert.deepEqual([removed, again].sort(), [204, 404])
    const [{ orphans }] = (await made.db.query<{ orphans: number }>(sql`
      select count(*) as orphans from events where type <> 'deleted' and contact_id not in (select id from contacts)`)) as [
      { orphans: number },
    ]
    assert.equal(orphans, 0)
  }
})

test('a no goes with the address and stays with the old one', async (t) => {
  const { db, accountId, post, patch } = await testApp(t)
  const list = (await post('/api/contact_lists', { name: 'News' })).body
  const ann = (await post('/api/contacts', { email: 'ann@example.com', list_ids: [list.id] })).body.data
  await post('/api/contacts', { email: 'out@example.com', unsubscribed: true })
  await db.query(
    sql`insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${list.id}, 'left@example.com')`,
  )

  const moved = await patch(`/api/contacts/${ann.id}`, { email: 'left@example.com' })
  await patch('/api/contacts/out@example.com', { email: 'elsewhere@example.com' })
  const again = await post('/api/contacts', { email: 'out@example.com' })

  assert.deepEqual(moved.body.data.list_ids, [], 'the address had left that list')
  assert.equal((await patch('/api/contacts/elsewhere@example.com', {})).body.data.state, 'unsubscribed')
  assert.equal(again.body.data.state, 'unsubscribed')
})

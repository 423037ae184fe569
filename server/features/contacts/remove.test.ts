import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, type TestApp, testApp } from '../../test/app.ts'

const count = async (made: TestApp, table: ReturnType<typeof sql>) =>
  (await made.db.query<{ count: number }>(sql`select count(*) as count from ${table}`))[0]!.count

test('a removal takes everything but the `deleted` event, and earlier events keep their places in the feed', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'One' })).body
  const { id } = (await made.post('/api/contacts', { email: 'ann@example.com', list_ids: [list.id] })).body.data
  await made.post(`/api/contacts/${id}/events`, { name: 'login' })
  await made.patch('/api/contacts/batch', { contact_ids: [id], fields: { city: 'Oslo' } })
  await dispatched(made.db)

  const removed = await made.del('/api/contacts/ANN@example.com')

  assert.deepEqual([removed.status, removed.body], [204, ''])
  assert.deepEqual((await made.del('/api/contacts/ann@example.com')).body, { errors: 'Contact(s) not found' })
  assert.equal((await made.get(`/api/contacts/${id}`)).status, 404)
  assert.equal((await made.get(`/api/contacts/${id}/events`)).status, 404)
  assert.equal((await made.get(`/api/contact_lists/${list.id}`)).body.contacts_count, 0)
  for (const table of [sql`contacts`, sql`list_members`, sql`consents`, sql`suppressions`]) {
    assert.equal(await count(made, table), 0)
  }
  assert.deepEqual(await made.db.query(sql`select types, data from events where contact_id = ${id}::uuid`), [
    { types: ['deleted'], data: {} },
  ])
  await dispatched(made.db)
  const [{ positions }] = (await made.db.query<{ positions: number[] }>(sql`
    select array_agg(position::int order by position) as positions from feed`)) as [{ positions: number[] }]
  assert.deepEqual(positions, [1, 2, 3, 4, 5])
  const everything = await made.db.query<{ rows: string }>(sql`
    select concat((select json_agg(r) from change_rows as r), (select json_agg(e) from events as e), (select json_agg(s) from change_sets as s)) as rows`)
  assert.ok(!everything[0]!.rows.includes('ann@example.com'))
})

test('a complaint from a list that was brought along outlives the contact, as one that a provider told does', async (t) => {
  const made = await testApp(t)
  const soon = new Date(Date.now() + 3_600_000).toISOString()
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.post('/api/contacts', { email: 'bob@example.com' })
  await made.post('/api/suppressions', { entries: ['ann@example.com'], reason: 'complaint' })
  await made.post('/api/suppressions', { entries: ['bob@example.com'], reason: 'complaint', expires_at: soon })
  await made.db.query(sql`update suppressions set expires_at = now() where value = 'bob@example.com'`)

  for (const name of ['ann', 'bob']) await made.del(`/api/contacts/${name}@example.com`)

  assert.equal((await made.get('/api/suppressions')).body.total, 0, 'of neither the address stays')
  const back = async (email: string) => (await made.post('/api/contacts', { email })).body.data.sendable
  assert.deepEqual(await back('ann@example.com'), { allowed: false, reason: 'unsubscribed' })
  assert.equal((await back('bob@example.com')).allowed, true, 'what was over is not in force for good')
})

test('who was unsubscribed or bounced leaves a mark, and comes back as unsubscribed', async (t) => {
  const made = await testApp(t)
  const states = { none: false, pending: false, subscribed: false, unsubscribed: true, bounced: true }

  for (const [state, leaves] of Object.entries(states)) {
    const email = `${state}@example.com`
    await made.post('/api/contacts', { email })
    await made.db.query(sql`update contacts set state = ${state}, state_reason = 'link' where email = ${email}`)
    const marks = await count(made, sql`suppressions`)
    await made.del(`/api/contacts/${email}`)
    assert.equal((await count(made, sql`suppressions`)) - marks, leaves ? 1 : 0, state)

    const again = await made.post('/api/contacts', { email: email.toUpperCase() })
    assert.equal(again.body.data?.state, leaves ? 'unsubscribed' : 'subscribed', JSON.stringify([state, again.body]))
    const insisted = await made.patch(`/api/contacts/${email}`, { unsubscribed: false })
    assert.equal(insisted.body.data.state, leaves ? 'unsubscribed' : 'subscribed', JSON.stringify([state, again.body]))
    await made.del(`/api/contacts/${email}`)
  }
  const marks = await made.db.query<{ kind: string; reason: string; row: string }>(sql`
    select kind, reason, row_to_json(s)::text as row from suppressions as s`)
  assert.equal(marks.length, 2, 'one mark an address, however often it left')
  for (const { kind, reason, row } of marks) {
    assert.deepEqual([kind, reason], ['hmac', 'withdrawn'])
    assert.ok(!row.includes('example.com'))
  }
})

test('a batch of removals leaves marks too', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com', unsubscribed: true })
  await made.post('/api/contacts', { email: 'bob@example.com' })

  await made.del('/api/contacts/batch', { contact_ids: ['ann@example.com', 'bob@example.com'] })

  assert.equal((await made.post('/api/contacts', { email: 'ann@example.com' })).body.data.state, 'unsubscribed')
  assert.equal((await made.post('/api/contacts', { email: 'bob@example.com' })).body.data.state, 'subscribed')
  const other = await made.another()
  const elsewhere = await other.call('POST', '/api/contacts', { email: 'ann@example.com' })
  assert.equal(elsewhere.body.data.state, 'subscribed', "another account's withdrawal is not this one's")
})

test('opt-outs outlive the contact', async (t) => {
  const made = await testApp(t)
  const { id } = (await made.post('/api/contact_lists', { name: 'One' })).body
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${id}, 'ann@example.com')`)
  await made.del('/api/contacts/ann@example.com')

  const again = await made.post('/api/contacts', { email: 'ann@example.com', list_ids: [id] })

  assert.deepEqual([again.status, again.body.data.list_ids], [201, []])
})

test('of many removals at once one removes, and there is one `deleted` event', async (t) => {
  const made = await testApp(t)
  const { id } = (await made.post('/api/contacts', { email: 'ann@example.com', unsubscribed: true })).body.data

  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => made.del(`/api/contacts/${n % 2 ? id : 'ann@example.com'}`)),
  )

  assert.deepEqual(answers.map((answer) => answer.status).sort(), [204, ...Array(9).fill(404)])
  assert.equal(await count(made, sql`events where type = 'deleted'`), 1)
  assert.equal(await count(made, sql`suppressions`), 1)
})

test('a list that is deleted while people come in leaves nobody in a list that is not there', async (t) => {
  const made = await testApp(t)
  for (let round = 0; round < 4; round++) {
    const list = (await made.post('/api/contact_lists', { name: `List ${round}` })).body.id
    const email = (n: number) => `r${round}p${n}@example.com`
    for (let n = 0; n < 3; n++) await made.post('/api/contacts', { email: email(n) })

    const answers = await Promise.all([
      made.post(`/api/contact_lists/${list}/contacts`, { contact_ids: [email(0), email(1)] }),
      made.patch(`/api/contacts/${email(1)}`, { list_ids_included: [list] }),
      made.post('/api/contacts', { email: email(9), list_ids: [list] }),
      made.del(`/api/contact_lists/${list}`),
      made.patch(`/api/contacts/${email(2)}`, { list_ids: [list] }),
      made.del(`/api/contacts/${email(0)}`),
    ])

    const [added, included, created, deleted, replaced, removed] = answers.map((answer) => answer.status)
    assert.deepEqual([deleted, removed], [204, 204])
    assert.ok([200, 404].includes(added!), `${added}`)
    for (const status of [included, created, replaced])
      assert.ok([200, 201, 422].includes(status!), JSON.stringify(answers.map((a) => [a.status, a.body])))
    const [{ orphans }] = (await made.db.query<{ orphans: number }>(sql`
      select count(*) as orphans from list_members
      where list_id not in (select id from lists) or contact_id not in (select id from contacts)`)) as [
      { orphans: number },
    ]
    assert.equal(orphans, 0)
  }
})

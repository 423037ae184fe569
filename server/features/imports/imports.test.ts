import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { countsOf, imported, upload } from '../../test/imports.ts'

const OVERVIEW = `email,first_name,last_name,company,tags
john@example.com,John,Doe,Acme Corp,"customer,premium"
jane@example.com,Jane,Smith,Tech Inc,"lead,trial"
`

test('the file of the overview brings its people with fields, tags and list', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'Newsletter' })).body.id

  const answer = await upload(made, OVERVIEW, { list_id: String(list), update_existing: 'true' })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  assert.equal(answer.body.status, 'created')
  await made.runJobs()

  const done = (await made.get(`/api/contact_imports/${answer.body.id}`)).body
  assert.equal(done.status, 'finished', JSON.stringify(done))
  assert.deepEqual(countsOf(done), { rows_read: 2, created: 2 })
  const john = (await made.get('/api/contacts/john@example.com')).body.data
  assert.deepEqual(john.fields, { first_name: 'John', last_name: 'Doe', company: 'Acme Corp' })
  assert.deepEqual(john.tags, ['customer', 'premium'])
  assert.deepEqual(john.list_ids, [list])
  assert.equal(john.state, 'subscribed')
  assert.equal(john.origin, 'import')
  const events = (await made.get(`/api/contacts/${john.id}/events`)).body.data
  assert.deepEqual(
    events.map((event: { types: string[] }) => event.types),
    [['created', 'subscribed', 'list_added']],
  )
  assert.deepEqual(events[0].data.fields.company, { to: 'Acme Corp' })
  const consents = await made.db.query(
    sql`select action, grade, source, data from consents where contact_id = ${john.id}`,
  )
  assert.deepEqual(consents, [
    { action: 'granted', grade: 'asserted', source: 'import', data: { import_id: done.id, line: 2 } },
  ])
})

test('the same file again changes nothing; with other values it updates what they differ in, and says so', async (t) => {
  const made = await testApp(t)
  await imported(made, OVERVIEW)

  const again = await imported(made, OVERVIEW, { update_existing: 'true' })
  const changed = await imported(made, OVERVIEW.replace('Acme Corp', 'Initech').replace('premium', 'vip'), {
    update_existing: 'true',
  })

  assert.deepEqual(countsOf(again), { rows_read: 2, unchanged: 2 })
  assert.deepEqual(countsOf(changed), { rows_read: 2, updated: 1, unchanged: 1 })
  const john = (await made.get('/api/contacts/john@example.com')).body.data
  assert.equal(john.fields.company, 'Initech')
  assert.deepEqual(john.tags, ['customer', 'premium', 'vip'])
  const diff = (await made.get(`/api/change_sets/${changed.id}/diff`)).body.data
  assert.deepEqual(diff[0].before, { fields: { company: 'Acme Corp' }, tags: ['customer', 'premium'] })
  assert.deepEqual(diff[0].after, { fields: { company: 'Initech' }, tags: ['customer', 'premium', 'vip'] })
  assert.deepEqual([diff[1].action, diff[1].before, diff[1].after], ['unchanged', null, null])
})

test('a field that a file has just defined can be asked for at once, though others are still known from before', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'Newsletter' })).body.id
  assert.equal((await made.get('/api/contacts')).body.total, 0, 'now the fields of before are known')
  await imported(made, 'email,shoe,hat\na@example.com,42,L\nb@example.com,43,M\n', { list_id: String(list) })

  const found = await made.get('/api/contacts?shoe=42')
  assert.equal(found.body.total, 1, JSON.stringify(found.body))
  assert.equal((await made.get('/api/contacts?shoe=42&foot=1')).status, 422, 'what is no field is still refused')
})

for (const [what, ask] of [
  ['sorting', (made: TestApp) => made.get('/api/contacts?sort=-hat')],
  ['members of a list', (made: TestApp) => made.get('/api/contact_lists/1/contacts?hat=L')],
  ['a search', (made: TestApp) => made.post('/api/contacts/search', { criteria: { hat: 'L' } })],
  ['a preview', (made: TestApp) => made.post('/api/contact_lists/preview', { criteria: { hat: 'L' } })],
  ['an export', (made: TestApp) => made.post('/api/contact_exports', { fields: ['email', 'hat'] })],
] as const)
  test(`${what} may name a field that a file has just defined`, async (t) => {
    const made = await testApp(t)
    await made.post('/api/contact_lists', { name: 'Newsletter' })
    assert.equal((await made.get('/api/contacts')).body.total, 0, 'now the fields of before are known')
    await imported(made, 'email,hat\na@example.com,L\n', { list_id: '1' })

    const answer = await ask(made)

    assert.ok(answer.status < 300, JSON.stringify(answer.body))
  })

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { countsOf, filesIn, person, run, upload } from '../../test/imports.ts'

test('contacts as JSON are answered with created, and come in with fields and lists as through the API', async (t) => {
  const made = await testApp(t)
  const [list, left] = [
    (await made.post('/api/contact_lists', { name: 'A' })).body.id,
    (await made.post('/api/contact_lists', { name: 'B' })).body.id,
  ]
  await made.post('/api/contacts', { email: 'known@example.com', list_ids: [left], fields: { first_name: 'Old' } })
  const contacts = [
    {
      email: 'A@example.com',
      fields: { first_name: 'Ann', age: 41, company: null, mail: 'x', since: '2024-01-02', vip: true },
      list_ids_included: [list],
      list_ids_excluded: [],
    },
    {
      email: 'known@example.com',
      fields: { first_name: 'New' },
      list_ids_included: [],
      list_ids_excluded: [left, 99_999],
    },
    { email: 'c@example.com', fields: [], list_ids_included: [list] },
    { email: 'd@example.com', fields: { Age: 42, company: 5, VIP: false } },
  ]

  const answer = await made.call('POST', `/api/accounts/${made.accountId}/contacts/imports`, { contacts })
  const done = await run(made, answer.body.id)
  const bare = await made.post('/api/contacts/imports', contacts)
  const again = await run(made, bare.body.id)

  assert.deepEqual([answer.status, answer.body.status, bare.status], [201, 'created', 201])
  assert.deepEqual(countsOf(done), { rows_read: 4, created: 3, updated: 1 }, JSON.stringify(done.errors))
  assert.deepEqual(countsOf(again), { rows_read: 4, unchanged: 4 })
  const ann = await person(made, 'a@example.com')
  assert.deepEqual(ann.fields, { first_name: 'Ann', age: 41, mail: 'x', since: '2024-01-02', vip: true })
  assert.deepEqual(ann.list_ids, [list])
  assert.deepEqual((await person(made, 'd@example.com')).fields, { age: 42, company: 5, vip: false })
  const known = await person(made, 'known@example.com')
  assert.deepEqual([known.fields.first_name, known.list_ids], ['New', []])
  const fields = (await made.get('/api/contact_fields')).body as { merge_tag: string; type: string }[]
  assert.deepEqual(
    fields
      .slice(2)
      .map(({ merge_tag, type }) => `${merge_tag} ${type}`)
      .sort(),
    ['age number', 'company number', 'mail text', 'since date', 'vip boolean'],
  )
  assert.deepEqual(filesIn(made), [])
})

test('one bad contact refuses all of them, each with its errors, and nothing is imported', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Age', type: 'integer' })
  const list = (await made.post('/api/contact_lists', { name: 'A' })).body.id
  const contacts = [
    { email: 'a@example.com' },
    { email: 'nobody' },
    { email: 'b@example.com', fields: { age: 'old', status: 'x' } },
    { email: 'b@example.com', fields: { age: 'old' } },
    { email: 'c@example.com', list_ids_included: [7777] },
    { email: 'c@example.com', list_ids_included: [list], list_ids_excluded: [list] },
    { email: 'd@example.com', fields: { a: 1, A: 2 } },
    { email: 'e@example.com', name: 'E' },
    { fields: {} },
    'f@example.com',
  ]

  const answer = await made.post('/api/contacts/imports', { contacts })

  assert.equal(answer.status, 422)
  const errors = answer.body.errors as { email: string; errors: Record<string, string[]> }[]
  assert.equal(errors.length, 9)
  assert.deepEqual(
    errors.map(({ email, errors }) => [email, ...Object.keys(errors)]),
    [
      ['nobody', 'email'],
      ['b@example.com', 'status'],
      ['b@example.com', 'age'],
      ['c@example.com', 'list_ids'],
      ['c@example.com', 'base'],
      ['d@example.com', 'A'],
      ['e@example.com', 'base'],
      ['', 'email'],
      ['', 'base'],
    ],
  )
  assert.deepEqual(errors[3]!.errors, { list_ids: ['not found: 7777'] })
  await made.patch('/api/account', { unknown_fields: 'reject' })
  const rejected = await made.post('/api/contacts/imports', {
    contacts: [{ email: 'a@example.com', fields: { hobby: 'x' } }],
  })
  assert.deepEqual(rejected.body, {
    errors: [{ email: 'a@example.com', errors: { fields: ['contains invalid values: hobby'] } }],
  })
  for (const body of [{}, { contacts: {} }, { contacts: [] }, 5])
    assert.equal((await made.post('/api/contacts/imports', body)).status, 422, JSON.stringify(body))
  assert.deepEqual(
    [filesIn(made), (await made.get('/api/contact_imports')).body.total, (await made.get('/api/contacts')).body.total],
    [[], 0, 0],
  )
})

test('50,000 contacts are answered well within 10 s, and one more is refused', async (t) => {
  const made = await testApp(t)
  const contacts = Array.from({ length: 50_000 }, (_, n) => ({
    email: `p${n}@example.com`,
    fields: { first_name: `N${n}`, age: n, city: 'Oslo' },
    list_ids_included: [],
  }))
  const began = Date.now()

  const answer = await made.post('/api/contacts/imports', { contacts })
  const tookMs = Date.now() - began
  const refused = await made.post('/api/contacts/imports', { contacts: [...contacts, { email: 'one@example.com' }] })

  t.diagnostic(`answered in ${tookMs} ms`)
  assert.equal(answer.status, 201)
  assert.ok(tookMs < 10_000, `${tookMs} ms`)
  assert.deepEqual(
    [refused.status, refused.body],
    [422, { errors: { base: ['contacts limit reached', 'cannot import more than 50000 contacts at once'] } }],
  )
  assert.equal(filesIn(made).length, 1)
})

test('more fields than an account can have are refused before anything is made, in a file and in JSON', async (t) => {
  const made = await testApp(t)
  const names = Array.from({ length: 499 }, (_, n) => `f${n}`)

  const json = await made.post('/api/contacts/imports', {
    contacts: [{ email: 'a@example.com', fields: Object.fromEntries(names.map((name) => [name, 1])) }],
  })
  const file = await upload(made, `email,${names.join(',')}\na@example.com,${names.map(() => 'x').join(',')}\n`)

  assert.equal(json.status, 422)
  assert.match(json.body.errors.fields[0], /more than 500/)
  assert.equal(file.status, 422)
  assert.match(file.body.errors.field_mapping[0], /would define 499 fields, and an account can have 500 in all/)
  const [fields] = await made.db.query<{ count: number }>(
    sql`select count(*) as count from fields where account_id = ${made.accountId}`,
  )
  assert.deepEqual([fields!.count, filesIn(made)], [2, []])
})

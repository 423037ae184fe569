import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, type TestApp, testApp } from '../../test/app.ts'

async function define({ post }: TestApp, ...fields: object[]): Promise<void> {
  for (const field of fields) {
    const answer = await post('/api/contact_fields', field)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
  }
}

/** The kind of each field that is not there from the start. */
async function kinds({ get }: TestApp): Promise<Record<string, string>> {
  const fields = (await get('/api/contact_fields')).body as { merge_tag: string; type: string }[]
  return Object.fromEntries(fields.slice(2).map((field) => [field.merge_tag, field.type]))
}

function assertRefused(answer: Answer, errors: unknown): void {
  assert.deepEqual([answer.status, answer.body], [422, { errors }])
}

test('a required field must be there on creation, and can not be cleared', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  await define(made, { name: 'Company', type: 'text', required: true })
  const blank = { company: ["can't be blank"] }

  for (const fields of [undefined, {}, { company: null }, { company: ' ' }, []])
    assertRefused(await post('/api/contacts', { email: 'a@example.com', ...(fields && { fields }) }), blank)
  assertRefused(await patch('/api/contacts/a@example.com', {}), blank)
  assert.equal((await post('/api/contacts', { email: 'a@example.com', fields: { Company: 'Acme' } })).status, 201)

  for (const company of [null, '', '\t']) {
    assertRefused(await patch('/api/contacts/a@example.com', { fields: { company } }), blank)
    const batch = { contact_ids: ['a@example.com'], fields: { company } }
    assertRefused(await patch('/api/contacts/batch', batch), blank)
  }
  assert.equal((await patch('/api/contacts/a@example.com', { fields: { first_name: 'Ann' } })).status, 200)
  assert.deepEqual((await get('/api/contacts/a@example.com')).body.data.fields, { first_name: 'Ann', company: 'Acme' })
})

test('who is there already when a field becomes required can be changed without it', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'a@example.com' })
  await define(made, { name: 'Company', type: 'text', required: true })

  assert.equal((await made.patch('/api/contacts/a@example.com', { fields: { first_name: 'Ann' } })).status, 200)
})

test('a default applies at creation only', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  await post('/api/contacts', { email: 'before@example.com' })
  await define(
    made,
    { name: 'Plan', type: 'select', options: ['Free', 'Pro'], default: 'Free', required: true },
    { name: 'Verified', type: 'boolean', default: false },
    { name: 'Rank', type: 'integer', default: 0 },
  )
  const fieldsOf = async (email: string) => (await get(`/api/contacts/${email}`)).body.data.fields

  await patch('/api/contacts/before@example.com', { fields: { first_name: 'B' } })
  assert.deepEqual(await fieldsOf('before@example.com'), { first_name: 'B' })
  await post('/api/contacts', { email: 'new@example.com', fields: { Rank: 3 } })
  assert.deepEqual(await fieldsOf('new@example.com'), { plan: 'Free', verified: false, rank: 3 })
  await patch('/api/contacts/upsert@example.com', { fields: { verified: null } })
  assert.deepEqual(await fieldsOf('upsert@example.com'), { plan: 'Free', rank: 0 })
  await patch('/api/contacts/new@example.com', { fields: { verified: '', rank: null } })
  assert.deepEqual(await fieldsOf('new@example.com'), { plan: 'Free' })
  assertRefused(await patch('/api/contacts/new@example.com', { fields: { plan: null } }), { plan: ["can't be blank"] })
})

test('values are taken as people write them, and stored as the fields define them', async (t) => {
  const made = await testApp(t)
  await define(
    made,
    { name: 'Plan', type: 'select', options: ['Free', 'Größe L'] },
    { name: 'Born', type: 'date', format: 'DD.MM.YYYY' },
    { name: 'Seen', type: 'date' },
    { name: 'Age', type: 'integer' },
    { name: 'Score', type: 'number' },
    { name: 'Vip', type: 'boolean' },
    { name: 'Note', type: 'text' },
  )

  const created = await made.post('/api/contacts', {
    email: 'a@example.com',
    fields: {
      PLAN: ' GRÖSSE l ',
      Born: '31.12.1999',
      seen: '2025-01-31T23:30:00-05:00',
      age: '41',
      score: '1e1',
      vip: 'YES',
      note: 5,
    },
  })

  assert.equal(created.status, 201, JSON.stringify(created.body))
  assert.deepEqual(created.body.data.fields, {
    plan: 'Größe L',
    born: '1999-12-31',
    seen: '2025-01-31',
    age: 41,
    score: 10,
    vip: true,
    note: '5',
  })
  const [{ fields }] = (await made.db.query(sql`select fields from contacts`)) as [{ fields: object }]
  assert.deepEqual(fields, created.body.data.fields)
})

test('every violation is told at once, each under its field, and nothing is done', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  await define(
    made,
    { name: 'Company', type: 'text', required: true },
    { name: 'Country', type: 'text', required: true },
    { name: 'Age', type: 'integer', min: 18 },
    { name: 'Plan', type: 'select', options: ['Free'] },
    { name: 'Born', type: 'date', format: 'D.M.YYYY' },
  )
  const fields = { AGE: 5, plan: 'x', born: 'soon', company: '', 'my tag': 1, id: 2, things: {}, first_name: 'A' }
  const faults = {
    age: ['must be at least 18'],
    plan: ['is not one of Free'],
    born: ['is not a date: write YYYY-MM-DD or D.M.YYYY'],
    company: ["can't be blank"],
    'my tag': ['is not a merge tag: it may have letters, digits and _, at most 80, and starts with a letter or _'],
    id: ['is reserved: choose another merge tag'],
    things: ['must be a text, a number or a boolean'],
  }

  assertRefused(await post('/api/contacts', { email: 'a@example.com', fields }), {
    ...faults,
    country: ["can't be blank"],
  })
  await post('/api/contacts', { email: 'a@example.com', fields: { company: 'Acme', country: 'NO' } })
  assertRefused(await patch('/api/contacts/a@example.com', { fields }), faults)
  assertRefused(await patch('/api/contacts/batch', { contact_ids: ['a@example.com'], fields }), faults)
  assertRefused(await patch('/api/contacts/a@example.com', { fields: { age: 20, AGE: 21 } }), {
    AGE: ['is given twice, in different letter case'],
  })
  assert.deepEqual((await get('/api/contacts/a@example.com')).body.data.fields, { company: 'Acme', country: 'NO' })

  await patch('/api/account', { unknown_fields: 'reject' })
  assertRefused(await patch('/api/contacts/a@example.com', { fields: { age: 1, nope: 1, neither: null } }), {
    age: ['must be at least 18'],
    fields: ['contains invalid values: nope', 'contains invalid values: neither'],
  })
})

test('an unknown field is defined from the kind of its first value', async (t) => {
  const made = await testApp(t)
  const { post, get } = made

  const created = await post('/api/contacts', {
    email: 'a@example.com',
    fields: {
      company: 'Acme',
      Since: '2025-01-31',
      at: '2025-01-31T10:00:00Z',
      visits: 3,
      rate: 0.5,
      vip: false,
      code: '007',
      nothing: null,
      blank: ' ',
    },
  })

  assert.equal(created.status, 201, JSON.stringify(created.body))
  assert.deepEqual(await kinds(made), {
    company: 'text',
    Since: 'date',
    at: 'text',
    visits: 'number',
    rate: 'number',
    vip: 'boolean',
    code: 'text',
  })
  assert.deepEqual(created.body.data.fields, {
    company: 'Acme',
    Since: '2025-01-31',
    at: '2025-01-31T10:00:00Z',
    visits: 3,
    rate: 0.5,
    vip: false,
    code: '007',
  })
  assert.equal((await post('/api/contacts', { email: 'b@example.com', fields: { SINCE: '2025-02-01' } })).status, 201)
  assert.equal(Object.keys(await kinds(made)).length, 7, 'letter case makes no new field')
  assertRefused(await post('/api/contacts', { email: 'c@example.com', fields: { since: 'soon' } }), {
    Since: ['is not a date: write YYYY-MM-DD'],
  })
  assert.equal((await get('/api/contacts?since=2025-02-01')).body.total, 1)
})

test('a refused request leaves no field behind, also when its answer is kept', async (t) => {
  const made = await testApp(t)
  const bad = { email: 'not an address', fields: { company: 'Acme' } }

  assert.equal((await made.post('/api/contacts', bad)).status, 422)
  await made.post('/api/contacts', { email: 'a@example.com' })
  const again = { email: 'a@example.com', fields: { company: 'Acme' } }
  assert.equal((await made.call('POST', '/api/contacts', again, { 'idempotency-key': 'k' })).status, 422)

  assert.deepEqual(await kinds(made), {})
  assert.equal((await made.patch('/api/contacts/a@example.com', { fields: { company: 'Acme' } })).status, 200)
  assert.deepEqual(await kinds(made), { company: 'text' })
})

test('writers who define the same fields at once all succeed, in whatever order they name them', async (t) => {
  const made = await testApp(t)
  const tags = ['city', 'plan', 'Size', 'zip', 'age']

  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, n) => {
      const named = n % 2 ? tags : tags.toReversed()
      const fields = Object.fromEntries(named.map((tag) => [n % 3 ? tag : tag.toUpperCase(), `v${n}`]))
      return made.post('/api/contacts', { email: `p${n}@example.com`, fields })
    }),
  )

  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201], JSON.stringify(answers[0]!.body))
  for (const [n, { body }] of answers.entries())
    assert.deepEqual(Object.values(body.data.fields), Array(5).fill(`v${n}`))
  assert.equal(Object.keys(await kinds(made)).length, 5)
})

test('of writers whose first values are of different kinds, one decides and the others are told', async (t) => {
  const made = await testApp(t)

  const answers = await Promise.all(
    [5, 'abc', '2025-01-01', false, 6, 'def'].map((level, n) =>
      made.post('/api/contacts', { email: `p${n}@example.com`, fields: { level } }),
    ),
  )

  const [kind] = Object.values(await kinds(made))
  for (const { status, body } of answers) {
    if (status === 201) assert.ok(body.data.fields.level !== undefined)
    else assert.deepEqual([status, Object.keys(body.errors)], [422, ['level']])
  }
  const fitting = { text: 6, number: 2, date: 1, boolean: 1 }[kind!]
  assert.equal(answers.filter((answer) => answer.status === 201).length, fitting, kind)
})

test('an account can refuse or pass over what is unknown', async (t) => {
  const made = await testApp(t)
  const { post, patch } = made
  await define(made, { name: 'Company', merge_tag: 'Firm', type: 'text' })

  await patch('/api/account', { unknown_fields: 'reject' })
  assertRefused(await post('/api/contacts', { email: 'a@example.com', fields: { x: 1, firm: 'A', y: null } }), {
    fields: ['contains invalid values: x', 'contains invalid values: y'],
  })
  assert.equal((await post('/api/contacts', { email: 'a@example.com', fields: { FIRM: 'A' } })).status, 201)

  await patch('/api/account', { unknown_fields: 'ignore' })
  const ignoring = await post('/api/contacts', { email: 'b@example.com', fields: { x: {}, 'no tag': 1, firm: 'B' } })
  assert.deepEqual([ignoring.status, ignoring.body.data.fields], [201, { Firm: 'B' }])
  assert.deepEqual(await kinds(made), { Firm: 'text' })
})

for (const unknown_fields of ['create', 'reject', 'ignore']) {
  test(`a field that another process has just defined is known (${unknown_fields})`, async (t) => {
    const made = await testApp(t)
    const { post, patch, db, accountId } = made
    await patch('/api/account', { unknown_fields })
    await post('/api/contacts', { email: 'warm@example.com' })
    await db.query(sql`
      insert into fields (account_id, name, merge_tag, key, type) values (${accountId}, 'Age', 'age', 'age', 'integer')`)

    const created = await post('/api/contacts', { email: 'a@example.com', fields: { AGE: '41' } })

    assert.deepEqual([created.status, created.body.data?.fields], [201, { age: 41 }])
  })
}

test('a new field never loses its value to the key of another', async (t) => {
  const made = await testApp(t)
  const { post, get, del } = made
  await post('/api/contacts', { email: 'a@example.com', fields: { plan: 'old' } })
  const [plan] = (await get('/api/contact_fields')).body.slice(2)
  await del(`/api/contact_fields/${plan.id}`)

  const both = await post('/api/contacts', { email: 'b@example.com', fields: { plan: 'new', plan_2: 'other' } })

  assert.deepEqual([both.status, both.body.data.fields], [201, { plan: 'new', plan_2: 'other' }])
  assert.deepEqual((await get('/api/contacts/a@example.com')).body.data.fields, {})
})

test('a field defined by its first value gets a name of its own', async (t) => {
  const made = await testApp(t)
  await define(made, { name: 'Company', merge_tag: 'employer', type: 'text' })

  await made.post('/api/contacts', { email: 'a@example.com', fields: { company: 'Acme' } })

  const fields = (await made.get('/api/contact_fields')).body as { id: number; name: string; merge_tag: string }[]
  assert.deepEqual(
    fields.slice(2).map((field) => [field.name, field.merge_tag]),
    [
      ['Company', 'employer'],
      ['company_2', 'company'],
    ],
  )
  const { id, ...sent } = fields[3]!
  assert.equal((await made.patch(`/api/contact_fields/${id}`, { name: sent.name, merge_tag: '' })).status, 200)
})

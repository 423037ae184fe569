import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'

interface Field {
  id: number
  name: string
  merge_tag: string
  [key: string]: unknown
}

async function define({ post }: TestApp, field: object): Promise<Field> {
  const { status, body } = await post('/api/contact_fields', field)
  assert.equal(status, 201, JSON.stringify(body))
  return body
}

async function refused(answer: Promise<{ status: number; body: { errors: unknown } }>): Promise<unknown> {
  const { status, body } = await answer
  assert.equal(status, 422, JSON.stringify(body))
  return body.errors
}

test('a field of every kind is answered as it was defined, with the nearest official kind', async (t) => {
  const made = await testApp(t)
  const plain = { required: false, editable: false, min: null, max: null, options: null, default: null, format: null }
  const cases: [given: object, answered: object][] = [
    [
      { name: 'Job title', type: 'text', required: true },
      { type: 'text', data_type: 'text', merge_tag: 'job_title', required: true },
    ],
    [
      { name: 'Age', type: 'integer', min: 18, max: 120 },
      { type: 'integer', data_type: 'integer', min: 18, max: 120 },
    ],
    [
      { name: 'Score', type: 'number', min: 0.5, default: 1 },
      { type: 'number', data_type: 'float', min: 0.5, default: 1 },
    ],
    [
      { name: 'Rate', data_type: 'float', merge_tag: 'rate' },
      { type: 'number', data_type: 'float' },
    ],
    [
      { name: 'Plan', type: 'select', options: [' Free', 'Pro'], default: 'FREE' },
      { type: 'select', data_type: 'text', options: ['Free', 'Pro'], default: 'Free' },
    ],
    [
      { name: 'Born', type: 'date', format: 'DD.MM.YYYY', default: '31.12.1999' },
      { type: 'date', data_type: 'date', format: 'DD.MM.YYYY', default: '1999-12-31' },
    ],
    [
      { name: 'Verified', data_type: 'boolean', merge_tag: 'Is_Verified', default: false },
      { type: 'boolean', data_type: 'boolean', merge_tag: 'Is_Verified', default: false },
    ],
    [
      { name: 'Empty', type: 'text', merge_tag: '', options: [], min: null, format: '', default: '' },
      { merge_tag: 'empty' },
    ],
  ]

  for (const [given, answered] of cases) {
    const field = await define(made, given)
    for (const [key, value] of Object.entries({ ...plain, ...answered }))
      assert.deepEqual(field[key], value, `${field.name}: ${key}`)
    const { values_count, ...read } = (await made.get(`/api/contact_fields/${field.id}`)).body
    assert.deepEqual([values_count, read], [0, field])
  }

  const all = (await made.get('/api/contacts/fields')).body as Field[]
  assert.deepEqual(
    all.map((field) => field.merge_tag),
    ['first_name', 'last_name', 'job_title', 'age', 'score', 'rate', 'plan', 'born', 'Is_Verified', 'empty'],
  )
})

test('a merge tag is made from a name in any script, and numbered where it is taken or reserved', async (t) => {
  const made = await testApp(t)
  const names: [name: string, tag: string][] = [
    ['Größe', 'grosse'],
    ['名前', 'ming_qian'],
    ['Дата рождения', 'data_rozhdeniya'],
    ['grosse', 'grosse_2'],
    ['GROSSE!', 'grosse_3'],
    ['List', 'list_2'],
    ['constructor', 'constructor_2'],
    ['1st name', 'field_1st_name'],
    ['★', 'custom_field'],
    ['★★', 'custom_field_2'],
    ['x'.repeat(80), 'x'.repeat(80)],
    [`${'x'.repeat(79)}!`, 'x'.repeat(79)],
    [`${'X'.repeat(79)}?`, `${'x'.repeat(76)}_2`],
  ]

  for (const [name, tag] of names) assert.equal((await define(made, { name, type: 'text' })).merge_tag, tag, name)
})

test('what is wrong with a definition is told at once, under its names', async (t) => {
  const made = await testApp(t)
  const { post } = made
  await define(made, { name: 'Company', merge_tag: 'Firm', type: 'text' })
  const create = (field: object) => refused(post('/api/contact_fields', field))

  assert.deepEqual(await create({ name: ' company ', merge_tag: 'FIRM', type: 'text' }), {
    merge_tag: ['has already been taken'],
    name: ['has already been taken'],
  })
  assert.deepEqual(await create({ name: 'Another', merge_tag: 'id', type: 'nonsense', min: 5, max: 1 }), {
    type: ['is not included in the list: text, integer, number, select, date, boolean, float'],
    max: ['must be at least 5, which is the min'],
    merge_tag: ['is reserved: choose another merge tag'],
  })
  assert.deepEqual(await create({}), { name: ["can't be blank"], type: ["can't be blank"] })
  assert.deepEqual(Object.keys((await create({ name: 'X', merge_tag: '2 b', type: 'select' })) as object).sort(), [
    'merge_tag',
    'options',
  ])
  for (const reserved of ['email', 'Created_At', 'constructor', '__proto__', 'list_ids'])
    assert.deepEqual(await create({ name: 'X', merge_tag: reserved, type: 'text' }), {
      merge_tag: ['is reserved: choose another merge tag'],
    })
  assert.deepEqual(await create({ name: 'X', type: 'select', options: ['a', 'A'] }), {
    options: ['item 2 is the same as item 1: A'],
  })
  assert.deepEqual(await create({ name: 'X', type: 'number', min: 1, default: 0 }), { default: ['must be at least 1'] })
  assert.equal((await made.get('/api/contact_fields')).body.length, 3, 'and nothing was defined')
})

test('of many who define the same field at once one succeeds, and the others are told that it is taken', async (t) => {
  const { post, get } = await testApp(t)

  const answers = await Promise.all(
    Array.from({ length: 12 }, () => post('/api/contact_fields', { name: 'Plan', merge_tag: 'plan', type: 'text' })),
  )

  assert.deepEqual(
    answers.map((answer) => answer.status).sort(),
    [201, ...Array(11).fill(422)],
    JSON.stringify(answers.find((answer) => ![201, 422].includes(answer.status))?.body),
  )
  assert.equal((await get('/api/contact_fields')).body.length, 3)
})

test('a change sets what is given, and takes the empty texts and nulls that clients send for nothing', async (t) => {
  const made = await testApp(t)
  const { patch, get } = made
  const field = await define(made, { name: 'Age', type: 'integer', min: 1, max: 9, default: 5, required: true })
  const url = `/api/contact_fields/${field.id}`
  const change = async (body: object) => {
    const answer = await patch(url, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const { updated_at, values_count, ...rest } = answer.body
    assert.deepEqual({ ...rest, updated_at, values_count }, (await get(url)).body)
    return rest
  }
  const { updated_at, ...before } = field

  assert.deepEqual(await change({}), before)
  assert.deepEqual(await change({ name: '', merge_tag: '' }), before)
  assert.deepEqual(await change({ name: null, merge_tag: null, required: null }), before)
  assert.deepEqual(await change({ name: 'Age', merge_tag: '', data_type: 'integer' }), before)
  assert.deepEqual(await change({ name: 'AGE' }), { ...before, name: 'AGE' })
  assert.deepEqual(await change({ min: null, default: null }), { ...before, name: 'AGE', min: null, default: null })
  assert.deepEqual(await change({ name: 'Years', merge_tag: 'Years', max: 120, required: false }), {
    ...before,
    name: 'Years',
    merge_tag: 'Years',
    min: null,
    default: null,
    max: 120,
    required: false,
  })
  assert.deepEqual(await change({ merge_tag: 'years' }), {
    ...before,
    name: 'Years',
    merge_tag: 'years',
    min: null,
    default: null,
    max: 120,
    required: false,
  })
})

test('a change is refused with everything that is wrong in it', async (t) => {
  const made = await testApp(t)
  const { call, patch } = made
  const age = await define(made, { name: 'Age', type: 'number', min: 5, default: 7 })
  const url = `/api/contact_fields/${age.id}`

  assert.deepEqual(await refused(patch(url, { name: 'LAST NAME', merge_tag: 'First_Name', max: 1 })), {
    merge_tag: ['has already been taken'],
    name: ['has already been taken'],
    max: ['must be at least 5, which is the min'],
  })
  assert.deepEqual(await refused(patch(url, { merge_tag: 'email' })), {
    merge_tag: ['is reserved: choose another merge tag'],
  })
  assert.deepEqual(await refused(patch(url, { min: 8 })), { default: ['must be at least 8'] })
  const kind = (await refused(patch(url, { data_type: 'text' }))) as { data_type: string[] }
  assert.match(kind.data_type[0]!, new RegExp(`contact_fields/${age.id}/convert`))
  const once = await call('PATCH', url, { data_type: 'text' }, { 'idempotency-key': 'k' })
  assert.deepEqual(once.body.errors, kind, 'a refusal that is kept says it in the same words')
  assert.equal((await patch(url, { data_type: 'number' })).status, 200)
  assert.equal((await patch(url, { data_type: 'float' })).status, 200)
  assert.equal((await patch('/api/contact_fields/999999', { name: 'X' })).status, 404)
  assert.equal((await patch('/api/contact_fields/nonsense', { name: 'X' })).status, 404)
})

test('options are added freely, and go only while no contact has them', async (t) => {
  const made = await testApp(t)
  const { patch, post } = made
  const plan = await define(made, { name: 'Plan', type: 'select', options: ['Free', 'Basic', 'Pro'], default: 'Free' })
  const url = `/api/contact_fields/${plan.id}`
  for (const [name, value] of Object.entries({ a: 'pro', b: 'PRO', c: 'Basic', d: null }))
    await post('/api/contacts', { email: `${name}@example.com`, fields: { plan: value } })

  assert.deepEqual((await patch(url, { options: ['Gold', 'Free', 'Basic', 'Pro'] })).body.options, [
    'Gold',
    'Free',
    'Basic',
    'Pro',
  ])
  assert.deepEqual(await refused(patch(url, { options: ['Gold', 'Free'] })), {
    options: ["can't lose Basic: 1 contact has it", "can't lose Pro: 2 contacts have it"],
  })
  assert.deepEqual(await refused(patch(url, { options: ['Gold', 'Basic', 'Pro'] })), {
    default: ['is not one of Gold, Basic, Pro'],
  })
  assert.deepEqual((await patch(url, { options: ['Free', 'Basic', 'Pro'] })).status, 200)
  assert.deepEqual(await refused(patch(url, { options: null })), { options: ["can't be blank"] })
  assert.deepEqual(await refused(patch(url, { options: ['Free', 'free', 'Basic', 'Pro'] })), {
    options: ['item 2 is the same as item 1: free'],
  })
})

test('a renamed merge tag keeps its values; whoever takes the old one never sees them', async (t) => {
  const made = await testApp(t)
  const { patch, post, get, db } = made
  const company = await define(made, { name: 'Company', type: 'text' })
  const { id } = (await post('/api/contacts', { email: 'ann@example.com', fields: { company: 'Acme' } })).body.data
  const batch = await patch('/api/contacts/batch', { contact_ids: [id], fields: { company: 'Acme Corp' } })
  const fieldsNow = async () => (await get(`/api/contacts/${id}`)).body.data.fields

  await patch(`/api/contact_fields/${company.id}`, { merge_tag: 'employer', name: '' })
  assert.deepEqual(await fieldsNow(), { employer: 'Acme Corp' })

  const second = await define(made, { name: 'Company 2', merge_tag: 'company', type: 'number' })
  assert.deepEqual(await fieldsNow(), { employer: 'Acme Corp' })
  await patch(`/api/contacts/${id}`, { fields: { company: 7 } })
  assert.deepEqual(await fieldsNow(), { employer: 'Acme Corp', company: 7 })

  const events = (await get(`/api/contacts/${id}/events`)).body.data as { data: { fields: object } }[]
  assert.deepEqual(
    events.map((event) => event.data.fields),
    [{ company: { to: 7 } }, { employer: { from: 'Acme', to: 'Acme Corp' } }, { employer: { to: 'Acme' } }],
  )
  const diff = (await get(`/api/change_sets/${batch.body.change_set_id}/diff`)).body.data
  assert.deepEqual([diff[0].before.fields, diff[0].after.fields], [{ employer: 'Acme' }, { employer: 'Acme Corp' }])
  assert.equal((await get('/api/contacts?employer=acme corp')).body.total, 1)
  assert.equal((await get('/api/contacts?company=7')).body.total, 1)
  const keys = await db.query<{ id: number; key: string }>(
    sql`select id, key from fields where id = any(${[company.id, second.id]}) order by id`,
  )
  assert.deepEqual(
    keys.map((row) => row.key),
    ['company', 'company_2'],
  )
})

test('values are counted by field', async (t) => {
  const made = await testApp(t)
  const company = await define(made, { name: 'Company', type: 'text' })
  await made.post('/api/contacts', { email: 'a@example.com', fields: { company: 'Acme' } })
  await made.post('/api/contacts', { email: 'b@example.com', fields: { company: '' } })
  await made.post('/api/contacts', { email: 'c@example.com', fields: { company: 'Acme' } })

  assert.equal((await made.get(`/api/contact_fields/${company.id}`)).body.values_count, 2)
  await made.patch('/api/contacts/a@example.com', { fields: { company: null } })
  assert.equal((await made.patch(`/api/contact_fields/${company.id}`, { name: 'Firm' })).body.values_count, 1)
})

test('an account has at most 500 fields, whoever defines them', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post, del } = made
  await db.query(sql`
    insert into fields (account_id, name, merge_tag, key, type)
    select ${accountId}, 'f' || n, 'f' || n, 'f' || n, 'text' from generate_series(1, 497) as n`)

  const last = await define(made, { name: 'The last', type: 'text' })
  assert.deepEqual(await refused(post('/api/contact_fields', { name: 'One more', type: 'text' })), {
    base: ['an account can have at most 500 fields'],
  })
  assert.deepEqual(await refused(post('/api/contacts', { email: 'a@example.com', fields: { more: 1 } })), {
    fields: ['would become more than 500, the most an account can have'],
  })
  assert.equal((await del(`/api/contact_fields/${last.id}`)).status, 204)
  assert.equal((await post('/api/contacts', { email: 'a@example.com', fields: { more: 1 } })).status, 201)
})

test('requests that find nothing known of the fields all get their answer, however many there are', async (t) => {
  const { post, get } = await testApp(t)

  const created = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      post('/api/contacts', { email: `p${n}@example.com`, fields: { first_name: 'x' } }),
    ),
  )
  const mixed = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      n % 3 === 0
        ? post('/api/contact_fields', { name: `f${n}`, type: 'text' })
        : n % 3 === 1
          ? post('/api/contacts', { email: `q${n}@example.com`, fields: { [`g${n}`]: n } })
          : get('/api/contacts?first_name=x&per_page=1'),
    ),
  )

  assert.deepEqual([...new Set(created.map((answer) => answer.status))], [201])
  assert.deepEqual([...new Set(mixed.map((answer) => answer.status))].sort(), [200, 201])
})

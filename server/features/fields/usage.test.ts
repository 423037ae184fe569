import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { caller, testApp } from '../../test/app.ts'
import { signedIn } from '../../test/browser.ts'
import { createToken } from '../accounts/tokens.ts'

interface Usage {
  field_id: number
  filled: { count: number; share: number }
  used_by: { kind: string; id: number | string; name: string | null }[]
}

test('each field tells how many have a value and what speaks of it, and names nothing that is not the reader’s to see', async (t) => {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { post, get, accountId } = made
  const field = async (name: string, type: string) =>
    (await post('/api/contact_fields', { name, type })).body.id as number
  const [city, plan, size] = [await field('City', 'text'), await field('Plan', 'text'), await field('Size', 'integer')]
  for (const [email, fields] of [
    ['a@example.com', { city: 'Oslo', plan: 'Pro' }],
    ['b@example.com', { city: 'Rome' }],
    ['c@example.com', {}],
    ['d@example.com', { plan: 'Free' }],
  ])
    assert.equal((await post('/api/contacts', { email, fields })).status, 201)
  await (await made.another()).call('POST', '/api/contacts', { email: 'x@example.com', fields: { city: 'Lima' } })

  const criteria = { all: [{ city: 'Oslo' }, { not: { field: 'plan', op: 'eq', value: 'Pro' } }] }
  const { id: list } = (await post('/api/contact_lists', { name: 'Oslo', criteria })).body
  const { id: form } = (await post('/api/forms', { name: 'Sign up', fields: [{ field: 'city' }] })).body.data
  const url = 'http://127.0.0.1:9/very-secret'
  const { id: webhook } = (await post('/api/webhooks', { url, description: 'Shop', criteria: { plan: 'Pro' } })).body
  const { id: view } = (await post('/api/views', { name: 'By city', columns: ['email', 'city'], sort: '-plan' })).body
  const ann = await signedIn(made, 'ann@example.com', { [accountId]: 'viewer' })
  const own = await ann.call('POST', `/api/accounts/${accountId}/views`, {
    name: 'x',
    shared: false,
    criteria: { city: 'Oslo' },
  })
  assert.equal(own.status, 403, 'a viewer has no views of their own')
  const ben = await signedIn(made, 'ben@example.com', { [accountId]: 'editor' })
  const theirs = await ben.call('POST', `/api/accounts/${accountId}/views`, {
    name: 'Mine',
    shared: false,
    criteria: { city: 'Oslo' },
  })
  const columns = ['Mail', 'Ort']
  const { id: recipe } = (
    await post('/api/import_recipes', {
      name: 'CRM',
      columns,
      options: { field_mapping: { Ort: 'CITY' }, value_mapping: { plan: { p: 'Pro' } } },
    })
  ).body
  const text = 'Hello {{ contact.plan }}'
  assert.equal(
    (await post('/api/templates', { name: 'hello', subject: text, html: '{{ contact["city"] }}', text })).status,
    201,
  )

  const { body } = await ann.call('GET', `/api/accounts/${accountId}/contact_fields/usage`)
  const of = (id: number) => (body.data as Usage[]).find((one) => one.field_id === id)!

  assert.deepEqual([body.looked_at, body.is_exact, body.margin], [4, true, 0])
  assert.deepEqual(of(city).filled, { count: 2, share: 0.5 })
  assert.deepEqual(of(size), { field_id: size, filled: { count: 0, share: 0 }, used_by: [] })
  assert.deepEqual(of(city).used_by, [
    { kind: 'smart_list', id: list, name: 'Oslo' },
    { kind: 'form', id: form, name: 'Sign up' },
    { kind: 'view', id: view, name: 'By city' },
    { kind: 'view', id: theirs.body.id, name: null },
    { kind: 'recipe', id: recipe, name: 'CRM' },
    { kind: 'template', id: 'hello', name: 'hello' },
  ])
  assert.deepEqual(of(plan).used_by, [
    { kind: 'smart_list', id: list, name: 'Oslo' },
    { kind: 'webhook', id: webhook, name: null },
    { kind: 'view', id: view, name: 'By city' },
    { kind: 'recipe', id: recipe, name: 'CRM' },
    { kind: 'template', id: 'hello', name: 'hello' },
  ])
  assert.ok(!JSON.stringify(body).includes('very-secret'))
  assert.deepEqual((await get('/api/contacts/fields/usage')).body.looked_at, 4, 'by its other spelling, too')
})

test('values of a field, of tags and domains are suggested, the commonest first', async (t) => {
  const { app, db, accountId, post, get, another } = await testApp(t)
  await post('/api/contact_fields', { name: 'City', type: 'text' })
  await post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Free', 'Pro'] })
  await post('/api/contact_fields', { name: 'Age', type: 'integer' })
  const people = [
    ['a@bücher.example', 'Oslo', 'Pro', ['vip']],
    ['b@example.com', 'oslo', 'Pro', ['vip', 'lead_1']],
    ['c@example.com', 'Oslo', 'Free', ['lead%2']],
    ['d@example.com', 'Rome', 'Pro', []],
    ['e@example.com', 'New Oslo', 'Free', []],
    ['f@example.org', null, 'Pro', []],
  ] as const
  for (const [email, city, plan, tags] of people)
    assert.equal((await post('/api/contacts', { email, fields: { city, plan }, tags })).status, 201)
  const other = await another()
  await other.call('POST', '/api/contacts', { email: 'x@elsewhere.example', fields: { city: 'Oslo' }, tags: ['vip'] })
  const reader = caller(app, (await createToken(db, accountId, { name: 'reader', scopes: ['read'] })).token)
  const values = async (name: string, query = '') => {
    const { status, body } = await reader('GET', `/api/contact_fields/${name}/values${query}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body.values.map(({ value, count }: { value: string; count: number }) => `${count} ${value}`)
  }
  const { id } = (await get('/api/contact_fields')).body.find((field: { name: string }) => field.name === 'City')

  assert.deepEqual(await values('city'), ['3 Oslo', '1 New Oslo', '1 Rome'], 'told apart without regard to case')
  assert.deepEqual(await values(String(id), '?q=OSL'), ['3 Oslo', '1 New Oslo'], 'what begins with it stands first')
  assert.deepEqual(await values('City', '?q=w%20o&limit=1'), ['1 New Oslo'])
  assert.deepEqual(await values('plan'), ['4 Pro', '2 Free'])
  assert.deepEqual(await values('tag'), ['2 vip', '1 lead%2', '1 lead_1'])
  assert.deepEqual(await values('tag', '?q=d%25'), ['1 lead%2'], 'signs stand for themselves')
  assert.deepEqual(await values('tag', '?q=_1'), ['1 lead_1'])
  assert.deepEqual(await values('email_domain'), ['4 example.com', '1 example.org', '1 bücher.example'])
  assert.deepEqual(await values('origin'), ['6 api'])
  assert.deepEqual(await values('city', '?q=nowhere'), [])

  assert.deepEqual((await get('/api/contact_fields/age/values')).body.errors, {
    field_id: ['is a integer field: values are told of text and select fields'],
  })
  for (const name of ['999999', 'nothing', 'email', '__proto__'])
    assert.equal((await get(`/api/contact_fields/${name}/values`)).status, 404, name)
  assert.equal((await other.call('GET', `/api/contact_fields/${id}/values`)).status, 404)
  assert.equal((await get('/api/contact_fields/city/values?limit=101')).status, 422)
})

test('of a large account a sample is asked, and the answer says so and is close', async (t) => {
  const { db, accountId, get } = await testApp(t)
  await db.query(sql`
    insert into fields (account_id, name, merge_tag, key, type) values (${accountId}, 'City', 'city', 'city', 'text')`)
  await db.query(sql`
    insert into contacts (account_id, email, state, origin, fields, tags)
    select ${accountId}, 'p' || n || '@example.com', 'none', 'import',
      case when n % 4 = 0 then '{}' else jsonb_build_object('city', case when n % 8 < 6 then 'Oslo' else 'Rome' end) end,
      case when n % 2 = 0 then array['even'] else '{}' end
    from generate_series(1, 40000) as n`)

  const { body } = await get('/api/contact_fields/usage')
  const city = (body.data as Usage[]).at(-1)!
  const { values, ...looked } = (await get('/api/contact_fields/city/values')).body

  assert.equal(body.is_exact, false)
  assert.ok(body.looked_at > 80 && body.looked_at < 300, `${body.looked_at} of 40,000 contacts`)
  assert.ok(Math.abs(city.filled.share - 0.75) < 2 * body.margin, `${city.filled.share} ± ${body.margin}`)
  assert.equal(city.filled.count, Math.round(city.filled.share * body.looked_at * 256))
  assert.deepEqual(looked, { looked_at: body.looked_at, is_exact: false })
  assert.deepEqual(
    values.map(({ value }: { value: string }) => value),
    ['Oslo', 'Rome'],
  )
  const even = (await get('/api/contact_fields/tag/values?q=e')).body.values[0]
  assert.ok(even.count > 10_000 && even.count < 30_000, `${even.count} of 20,000`)
})

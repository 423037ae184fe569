import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, type TestApp, testApp } from '../../test/app.ts'

interface List {
  id: number
  name: string
  contacts_count: number
}

async function list({ post }: TestApp, name: string, description?: string): Promise<List> {
  const { status, body } = await post('/api/contact_lists', { name, ...(description && { description }) })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

const names = (answer: Answer) => (answer.body as List[]).map((row) => row.name)

test('a list is created, read, renamed, described, and refused with what is wrong', async (t) => {
  const made = await testApp(t)
  const { get, post, patch } = made

  const created = await list(made, '  News  ', 'Weekly')
  const { id, counted_at, created_at, updated_at, ...rest } = created as List & Record<string, unknown>
  const hidden = { public: false, public_name: null, public_description: null, double_opt_in: false }
  const plain = { name: 'News', description: 'Weekly', type: 'static', criteria: null, contacts_count: 0 }
  assert.deepEqual(rest, { ...plain, ...hidden })
  assert.ok(Number.isInteger(id))
  const url = `/api/contacts/lists/${id}`
  assert.deepEqual({ ...(await get(url)).body, counted_at }, created)

  assert.equal((await patch(url, { name: 'Weekly news' })).body.name, 'Weekly news')
  assert.equal((await patch(url, { name: '' })).body.name, 'Weekly news')
  assert.equal((await patch(url, { name: 'WEEKLY NEWS' })).body.name, 'WEEKLY NEWS')
  assert.equal((await patch(url, { description: null })).body.description, null)
  const shown = { public: true, public_name: ' Our news ', public_description: 'All of it', double_opt_in: true }
  const { body: open } = await patch(url, shown)
  assert.deepEqual([open.public, open.public_name, open.double_opt_in], [true, 'Our news', true])
  const { body: named } = await patch(url, { public_name: '' })
  assert.deepEqual([named.public_name, named.public_description], [null, 'All of it'], 'what is not given stays')
  assert.equal((await patch(url, { name: 'x'.repeat(255), description: 'é'.repeat(2000) })).status, 200)

  await list(made, 'Éclair')
  const errors = async (answer: Promise<Answer>) => {
    const { status, body } = await answer
    assert.equal(status, 422, JSON.stringify(body))
    return body.errors
  }
  for (const body of [{}, { name: '' }, { name: '  ' }])
    assert.deepEqual(await errors(post('/api/contact_lists', body)), { name: ["can't be blank"] })
  assert.deepEqual(await errors(post('/api/contact_lists', { name: ' éCLAIR' })), { name: ['has already been taken'] })
  assert.deepEqual(await errors(patch(url, { name: 'éclair' })), { name: ['has already been taken'] })
  assert.deepEqual(await errors(post('/api/contact_lists', { name: 'x'.repeat(256), description: 'x'.repeat(2001) })), {
    name: ['is too long (maximum is 255 characters)'],
    description: ['is too long (maximum is 2000 characters)'],
  })
  assert.deepEqual(Object.keys(await errors(post('/api/contact_lists', { name: 5 }))), ['name'])
  for (const unknown of ['999999', '0', '-1', 'x', '99999999999999999999']) {
    assert.equal((await get(`/api/contact_lists/${unknown}`)).status, 404, unknown)
    assert.equal((await patch(`/api/contact_lists/${unknown}`, { name: 'y' })).status, 404, unknown)
    assert.equal((await get(`/api/contact_lists/${unknown}/contacts`)).status, 404, unknown)
  }
})

test('of many who create a list of one name at once, one does', async (t) => {
  const { post } = await testApp(t)

  const answers = await Promise.all(Array.from({ length: 8 }, () => post('/api/contact_lists', { name: 'News' })))

  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, ...Array(7).fill(422)])
})

test('lists stand in the order of their names, and are found by how these begin', async (t) => {
  const made = await testApp(t)
  for (const name of ['beta', 'Alpha', 'news & co', 'Newsletter', '100%', '100_', 'Ärzte', 'old news'])
    await list(made, name)
  const found = async (search: string) => names(await made.get(`/api/contacts/lists?search=${search}`))

  const inOrder = names(await made.get('/api/contact_lists')).filter((name) => /^[a-z]/i.test(name))
  assert.deepEqual(inOrder, ['Alpha', 'beta', 'news & co', 'Newsletter', 'old news'])
  assert.deepEqual(await found('NEWS'), ['news & co', 'Newsletter'])
  assert.deepEqual(await found('news+%26+co'), ['news & co'])
  assert.deepEqual(await found('100%25'), ['100%'])
  assert.deepEqual(await found('%C3%A4'), ['Ärzte'])
  assert.deepEqual(await found('letter'), [])
  assert.equal((await found('')).length, 8)
})

test('the counts of the index are those of each list, and those of its members', async (t) => {
  const made = await testApp(t)
  const lists = [await list(made, 'a'), await list(made, 'b'), await list(made, 'c')]
  for (let n = 0; n < 7; n++)
    await made.post('/api/contacts', {
      email: `p${n}@example.com`,
      list_ids: lists.filter((_, at) => n % (at + 2) === 0).map((row) => row.id),
    })
  await made.del('/api/contacts/p0@example.com')
  await made.del(`/api/contact_lists/${lists[0]!.id}/contacts/p2@example.com`)

  const index = (await made.get('/api/contact_lists')).body as List[]

  assert.deepEqual(
    index.map((row) => row.contacts_count),
    [2, 2, 1],
  )
  for (const { id, contacts_count } of index) {
    assert.equal((await made.get(`/api/contact_lists/${id}`)).body.contacts_count, contacts_count)
    assert.equal((await made.get(`/api/contact_lists/${id}/contacts`)).body.total, contacts_count)
  }
})

test('a deleted list takes its memberships and opt-outs along, and leaves its contacts', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post, get, del } = made
  const [gone, stays] = [await list(made, 'Gone'), await list(made, 'Stays')]
  for (const name of ['ann', 'bob'])
    await post('/api/contacts', { email: `${name}@example.com`, list_ids: [gone.id, stays.id] })
  await db.query(sql`
    insert into list_opt_outs (account_id, list_id, email)
    values (${accountId}, ${gone.id}, 'eve@example.com'), (${accountId}, ${stays.id}, 'eve@example.com')`)
  const url = `/api/contact_lists/${gone.id}`

  const answer = await del(url)

  assert.deepEqual([answer.status, answer.body], [204, ''])
  assert.equal((await get(url)).status, 404)
  assert.equal((await del(url)).status, 404)
  assert.deepEqual((await get('/api/contacts/ann@example.com')).body.data.list_ids, [stays.id])
  assert.equal((await get('/api/contacts')).body.total, 2)
  const left = await db.query(sql`
    select list_id from list_members union all select list_id from list_opt_outs order by list_id`)
  assert.deepEqual(
    left,
    Array.from({ length: 3 }, () => ({ list_id: stays.id })),
  )
  const [set] = (await get('/api/change_sets')).body.data
  assert.deepEqual(
    [set.kind, set.phase, set.options, set.counts],
    ['list_delete', 'finished', { list_id: gone.id, name: 'Gone' }, { members: 2 }],
  )
  assert.equal((await list(made, 'Gone')).contacts_count, 0, 'its name is free again')
})

test('a list and a template tell what speaks of them, and name nothing that is not the reader’s to see', async (t) => {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { post, get, patch, accountId } = made
  const { id: list } = (await post('/api/contact_lists', { name: 'News' })).body
  const { id: other } = (await post('/api/contact_lists', { name: 'Other' })).body
  const { id: smart } = (
    await post('/api/contact_lists', { name: 'Readers', criteria: { all: [{ list }, { tag: 'x' }] } })
  ).body
  await post('/api/contact_lists', { name: 'Others', criteria: { list: other } })
  const { id: form } = (
    await post('/api/forms', { name: 'Sign up', list_ids: [list], welcome_template: 'welcome_email' })
  ).body.data
  const { id: webhook } = (await post('/api/webhooks', { url: 'http://127.0.0.1:9/secret', criteria: { list } })).body
  const { id: view } = (await post('/api/views', { name: 'Readers', criteria: { not: { list } } })).body
  const options = { field_mapping: { Mail: 'email' }, list_ids: [list] }
  const { id: recipe } = (await post('/api/import_recipes', { name: 'CRM', columns: ['Mail'], options })).body
  await patch('/api/account', { welcome_template: 'welcome_email' })

  assert.deepEqual((await get(`/api/contact_lists/${list}/usage`)).body.used_by, [
    { kind: 'smart_list', id: smart, name: 'Readers' },
    { kind: 'form', id: form, name: 'Sign up' },
    { kind: 'webhook', id: webhook, name: null },
    { kind: 'view', id: view, name: 'Readers' },
    { kind: 'recipe', id: recipe, name: 'CRM' },
  ])
  assert.deepEqual((await get(`/api/contact_lists/${smart}/usage`)).body.used_by, [])
  assert.deepEqual((await get('/api/templates/welcome_email/usage')).body.used_by, [
    { kind: 'account', id: accountId, name: 'First' },
    { kind: 'form', id: form, name: 'Sign up' },
  ])
  assert.deepEqual((await get('/api/templates/confirm_request/usage')).body.used_by, [])
  const { call } = await made.another()
  assert.equal((await call('GET', `/api/contact_lists/${list}/usage`)).status, 404)
  assert.equal((await call('GET', '/api/templates/nothing/usage')).status, 404)
  assert.deepEqual((await call('GET', '/api/templates/welcome_email/usage')).body.used_by, [])
})

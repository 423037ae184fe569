import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { testApp } from '../../server/test/app.ts'
import { live } from '../../server/test/live.ts'

type Live = Awaited<ReturnType<typeof live>>

/** What each row of the guide's table promises, by its first cell. */
const CASES: Record<string, (made: Live, t: TestContext) => Promise<void>> = {
  'a list of contacts': async ({ get, post }) => {
    await post('/api/contacts', { contact: { email: 'ada@example.com', fields: { first_name: 'Ada' } } })
    const { status, body } = await get('/api/contacts?q=ada&first_name=ada')
    assert.deepEqual([status, body.total, body.data[0].email], [200, 1, 'ada@example.com'])
  },
  "a contact's `status`": async ({ get, post }) => {
    await post('/api/contacts', { email: 'wait@example.com', double_opt_in: true })
    const { data } = (await get('/api/contacts/wait@example.com')).body
    assert.deepEqual([data.status, data.state], ['unsubscribed', 'pending'])
  },
  'a field that is unset': async ({ get, patch }) => {
    assert.ok(!('last_name' in (await get('/api/contacts/ada@example.com')).body.data.fields))
    await patch('/api/account', { null_fields: 'include' })
    assert.equal((await get('/api/contacts/ada@example.com')).body.data.fields.last_name, null)
    await patch('/api/account', { null_fields: 'omit' })
  },
  'an unknown merge tag': async ({ post, patch, get }) => {
    assert.equal((await post('/api/contacts', { email: 'a1@example.com', fields: { pet: 'cat' } })).status, 201)
    assert.ok(
      (await get('/api/contacts/fields')).body.some((field: { merge_tag: string }) => field.merge_tag === 'pet'),
    )
    await patch('/api/account', { unknown_fields: 'reject' })
    const refused = await post('/api/contacts', { email: 'a2@example.com', fields: { hat: 'top' } })
    assert.deepEqual([refused.status, Object.keys(refused.body.errors)], [422, ['fields']])
    await patch('/api/account', { unknown_fields: 'ignore' })
    assert.equal((await post('/api/contacts', { email: 'a3@example.com', fields: { hat: 'top' } })).status, 201)
    await patch('/api/account', { unknown_fields: 'create' })
  },
  'a contact that exists, created again': async ({ post }) => {
    const { status, body } = await post('/api/contacts', { contact: { email: 'ada@example.com' } })
    assert.deepEqual([status, body], [422, { errors: { email: ['has already been taken'] } }])
  },
  'PATCH of an unknown UUID': async ({ patch }) => {
    assert.equal((await patch('/api/contacts/01890000-0000-7000-8000-000000000000', { contact: {} })).status, 404)
  },
  '`unsubscribed: false`': async ({ post, patch }) => {
    const state = async (unsubscribed: boolean) =>
      (await patch('/api/contacts/ada@example.com', { contact: { unsubscribed } })).body.data.state
    assert.deepEqual([await state(true), await state(false)], ['unsubscribed', 'subscribed'])
    await post('/api/contacts/ada@example.com/unsubscribe')
    assert.equal(await state(false), 'unsubscribed')
  },
  'an unknown list in `list_ids`': async ({ post }) => {
    const { status, body } = await post('/api/contacts', { contact: { email: 'l@example.com', list_ids: [7] } })
    assert.deepEqual([status, body], [422, { errors: { list_ids: ['not found: 7'] } }])
  },
  '`data_type` in a PATCH of a field': async ({ post, patch }) => {
    const { id } = (await post('/api/contacts/fields', { name: 'Age', merge_tag: 'age', data_type: 'integer' })).body
    assert.equal((await patch(`/api/contacts/fields/${id}`, { name: 'Years', data_type: 'integer' })).status, 200)
    const { status, body } = await patch(`/api/contacts/fields/${id}`, { data_type: 'text' })
    assert.equal(status, 422)
    assert.match(JSON.stringify(body.errors), /convert/)
  },
  "an import's answer": async ({ post, get }) => {
    const contacts = [{ email: 'ada@example.com', fields: { first_name: 'Augusta' } }]
    const { status, body } = await post('/api/contacts/imports', { contacts })
    assert.deepEqual([status, typeof body.id, typeof body.status], [201, 'number', 'string'])
    const ended = await until(async () => (await get(`/api/contacts/imports/${body.id}`)).body)
    assert.deepEqual([ended.phase, ended.updated_contacts_count, ended.errors], ['finished', 1, []])
  },
  "an export's file": async ({ post, get, origin }) => {
    // A request that was never on the network knows no port.
    const load = (url: string) => fetch(new URL(url.replace(/^https?:\/\/[^/]+/, ''), origin))
    const { body: official } = await post('/api/contacts/exports', { filters: [] })
    const { url } = await until(async () => (await get(`/api/contacts/exports/${official.id}`)).body)
    const text = gunzipSync(Buffer.from(await (await load(url)).arrayBuffer())).toString()
    assert.match(text, /^id,email,/)
    const { body: plain } = await post('/api/contacts/exports', { format: 'ndjson' })
    const ended = await until(async () => (await get(`/api/contacts/exports/${plain.id}`)).body)
    assert.ok(JSON.parse((await (await load(ended.url)).text()).split('\n')[0]!).email)
  },
  'rate limits': async ({ get }, t) => {
    assert.equal((await get('/api/contacts/lists')).headers['x-ratelimit-limit'], undefined)
    const limited = await testApp(t, { RATE_LIMIT: '2' })
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await limited.get('/api/contacts/lists')).status)
    assert.deepEqual(statuses, [200, 200, 429])
  },
  'lists and fields at most': async ({ post }) => {
    for (let n = 0; n < 51; n++) assert.equal((await post('/api/contacts/lists', { name: `List ${n}` })).status, 200)
    for (let n = 0; n < 41; n++)
      assert.equal(
        (await post('/api/contacts/fields', { name: `F ${n}`, merge_tag: `f${n}`, data_type: 'text' })).status,
        201,
      )
  },
  "a list's answer": async ({ post }) => {
    const { body } = await post('/api/contacts/lists', { name: 'One more' })
    for (const key of ['id', 'name', 'type', 'contacts_count', 'criteria', 'created_at']) assert.ok(key in body, key)
  },
}

test('the guide to moving over lists what differs, and each row is so', async (t) => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/migrating-from-mailtrap.md'), 'utf8')
  const [, table] = /## What differs[\s\S]*?\n\| --- .*\n([\s\S]*?)(\n\n|$)/.exec(guide)!
  const rows = table!
    .trim()
    .split('\n')
    .map((line) => line.split('|')[1]!.trim())
  assert.deepEqual(rows, Object.keys(CASES))
  const made = await live(t)

  for (const row of rows) await t.test(row, (each) => CASES[row]!(made, each as TestContext))
})

/** Asks until what is asked for has ended. */
// biome-ignore lint/suspicious/noExplicitAny: what a test reads from a body is checked by the test
async function until(read: () => Promise<any>): Promise<any> {
  for (;;) {
    const state = await read()
    if (state.status === 'finished') return state
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

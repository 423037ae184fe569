import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { body, fails, test, until } from './node-sdk.ts'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
// biome-ignore lint/suspicious/noExplicitAny: the assertions say what is expected
const isOver = (answer: any): boolean => answer.status === 'finished' || answer.status === 'failed'

test('contactImports: contacts are taken at once, and counted when they are in', async ({ client }) => {
  const one = await body(client.contactLists.create({ name: 'One' }))
  const two = await body(client.contactLists.create({ name: 'Two' }))
  await client.contacts.create({ email: 'old@example.com', fields: { first_name: 'Old' }, list_ids: [two.id] })

  const taken = await body(
    client.contactImports.create({
      contacts: [
        {
          email: 'new@example.com',
          fields: { first_name: 'New', zip_code: 4711 },
          list_ids_included: [one.id],
        },
        {
          email: 'old@example.com',
          fields: { last_name: 'Er' },
          list_ids_included: [one.id],
          list_ids_excluded: [two.id],
        },
      ],
    }),
  )
  assert.ok(Number.isInteger(taken.id))
  assert.ok(['created', 'started'].includes(taken.status), taken.status)

  const done = await until(() => body(client.contactImports.get(taken.id)), isOver)
  assert.deepEqual(
    [done.status, done.created_contacts_count, done.updated_contacts_count, done.contacts_over_limit_count],
    ['finished', 1, 1, 0],
  )
  const made = (await body(client.contacts.get('new@example.com'))).data
  assert.deepEqual([made.fields, made.list_ids], [{ first_name: 'New', zip_code: 4711 }, [one.id]])
  const old = (await body(client.contacts.get('old@example.com'))).data
  assert.deepEqual([old.fields, old.list_ids], [{ first_name: 'Old', last_name: 'Er' }, [one.id]])
})

test('contactImports: 20,000 contacts are taken within the ten seconds that the client waits', async ({ client }) => {
  const contacts = Array.from({ length: 20_000 }, (_, n) => ({
    email: `p${n}@example.com`,
    fields: { first_name: `P${n}` },
  }))

  const taken = await body(client.contactImports.create({ contacts }))

  const done = await until(() => body(client.contactImports.get(taken.id)), isOver)
  assert.deepEqual([done.status, done.created_contacts_count], ['finished', 20_000])
})

test('contactImports: a request with a fault fails as a whole, and names each contact', async ({ client }) => {
  const { id } = await body(client.contactLists.create({ name: 'One' }))
  const create = (data: object) => client.contactImports.create(data as { contacts: [] })

  await fails(
    create({ contacts: [{ email: 'a@example.com' }, { email: 'invalid-email-1' }, { email: 'invalid-email-2' }] }),
    422,
    /^invalid-email-1: email: is invalid.* \| invalid-email-2: email: is invalid/,
  )
  await fails(
    create({ contacts: [{ email: 'a@example.com', list_ids_included: [id], list_ids_excluded: [id] }] }),
    422,
    `a@example.com: same list_ids ${id} are specified both as included and excluded`,
  )
  await fails(
    create({ contacts: [{ email: 'a@example.com', list_ids_included: [9] }] }),
    422,
    'a@example.com: list_ids: not found: 9',
  )
  await fails(create({}), 422, /contacts|file/)
  await fails(create({ contacts: 'all' }), 422, /contacts/)
  await fails(client.contacts.get('a@example.com'), 404, 'Not Found')
  await fails(client.contactImports.get(-1), 404, 'Not Found')
  await fails(client.contactImports.get(999_999), 404, 'Not Found')
})

test('contactExports: the file holds who was asked for', async ({ client }) => {
  const one = await body(client.contactLists.create({ name: 'One' }))
  await client.contacts.create({ email: 'in@example.com', fields: { first_name: 'In' }, list_ids: [one.id] })
  await client.contacts.create({ email: 'left@example.com', list_ids: [one.id], unsubscribed: true })
  await client.contacts.create({ email: 'out@example.com' })

  const asked = await body(
    client.contactExports.create({
      filters: [
        { name: 'list_id', operator: 'equal', value: [one.id, 999_999] },
        { name: 'subscription_status', operator: 'equal', value: 'subscribed' },
      ],
    }),
  )
  assert.ok(Number.isInteger(asked.id))
  assert.deepEqual([asked.status, asked.url], ['created', null])
  for (const at of [asked.created_at, asked.updated_at]) assert.match(at, ISO)

  const done = await until(() => body(client.contactExports.get(asked.id)), isOver)
  assert.deepEqual([done.id, done.status, done.created_at], [asked.id, 'finished', asked.created_at])
  assert.match(done.updated_at, ISO)
  assert.match(new URL(done.url).pathname, /\.csv\.gz$/)
  const file = await fetch(done.url)
  assert.equal(file.status, 200)
  const rows: Record<string, string>[] = parse(gunzipSync(Buffer.from(await file.arrayBuffer())), {
    columns: true,
    bom: true,
  })
  assert.deepEqual(
    rows.map((row) => [row.email, row.first_name]),
    [['in@example.com', 'In']],
  )
})

test('contactExports: no filters are everyone', async ({ client }) => {
  await client.contacts.create({ email: 'a@example.com' })
  await client.contacts.create({ email: 'b@example.com', unsubscribed: true })

  const asked = await body(client.contactExports.create({ filters: [] }))

  const done = await until(() => body(client.contactExports.get(asked.id)), isOver)
  const text = gunzipSync(Buffer.from(await (await fetch(done.url)).arrayBuffer())).toString()
  assert.match(text, /a@example\.com/)
  assert.match(text, /b@example\.com/)
})

test('contactExports: filters that are none fail in the way that the client passes over', async ({ client }) => {
  const create = (filters: unknown) => client.contactExports.create({ filters: filters as [] })
  const passedOver = 'Request failed with status code 422'

  await fails(create('invalid'), 422, passedOver)
  await fails(create([{ name: 'email', operator: 'equal', value: 'a@example.com' }]), 422, passedOver)
  await fails(create([{ name: 'list_id', operator: 'contains', value: [1] }]), 422, passedOver)
  await fails(create([{ name: 'subscription_status', operator: 'equal', value: 'gone' }]), 422, passedOver)
  await fails(client.contactExports.get(-1), 404, 'Not Found')
  await fails(client.contactExports.get(999_999), 404, 'Not Found')
})

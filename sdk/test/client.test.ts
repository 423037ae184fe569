import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ForbiddenError,
  InvalidError,
  NotFoundError,
  PreconditionFailedError,
  rollcall,
  UnauthorizedError,
} from '../src/rollcall.ts'
import { between, withClient } from './live.ts'

async function gathered<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = []
  for await (const row of rows) all.push(row)
  return all
}

test('what would lead to another path is not sent: neither an empty name nor dots', async (t) => {
  const { client, get } = await withClient(t)
  const { id } = await client.lists.create({ name: 'Members' })

  for (const contact of ['..', '.', ''])
    await assert.rejects(
      client.call('removeMember', { path: { list_id: id, contact } }),
      { name: 'RollcallError', message: `contact names nothing: "${contact}"` },
      contact,
    )
  assert.equal((await get(`/api/contact_lists/${id}`)).status, 200)
})

test('contacts: entered, found by every name they have, changed, gone through and deleted', async (t) => {
  const { client } = await withClient(t)
  const { contacts } = client

  const ann = await contacts.create({ email: 'a+nn@example.com', external_id: 'crm/17 é', fields: { age: 41 } })
  for (const name of [ann.id, 'a+nn@example.com', 'ext:crm/17 é']) assert.deepEqual(await contacts.get(name), ann, name)
  assert.deepEqual((await contacts.update(ann.id, { fields: { first_name: 'Ann' } })).fields, {
    age: 41,
    first_name: 'Ann',
  })
  const bob = await contacts.upsert('bob@example.com', { tags: ['vip'] })
  assert.deepEqual([bob.created, bob.contact.tags], [true, ['vip']])
  assert.equal((await contacts.upsert('bob@example.com', { tags: ['vip'] })).created, false)

  const found = await contacts.list({ filters: { 'age[gt]': 40 } })
  assert.deepEqual([found.total, found.data[0]?.id], [1, ann.id])
  assert.equal((await contacts.search({ criteria: { field: 'age', op: 'gt', value: 40 } })).total, 1)
  assert.equal(
    (await contacts.updateMany({ contact_ids: [ann.id, bob.contact.id], fields: { plan: 'Pro' } })).updated,
    2,
  )
  await contacts.track(ann.id, 'login', { device: 'phone' })
  const types = (await gathered(contacts.events(ann.id))).map(({ type }) => type)
  assert.deepEqual(types, ['custom', 'updated', 'updated', 'created'])
  assert.equal(await contacts.delete(ann.id), undefined)
  assert.equal((await contacts.deleteMany(['bob@example.com'])).deleted, 1)
  assert.deepEqual(await gathered(contacts.all()), [])
})

test('a change under the condition of a version: made at that one, else refused with how the contact is now', async (t) => {
  const { client } = await withClient(t)
  const { contacts } = client
  const ann = await contacts.create({ email: 'ann@example.com', tags: ['a'] })
  const now = await contacts.update(ann.id, { tags: ['b'] }, { ifMatch: ann.version })

  for (const act of [
    () => contacts.update(ann.id, { tags: ['c'] }, { ifMatch: ann.version }),
    () => contacts.delete(ann.id, { ifMatch: ann.version }),
  ])
    await assert.rejects(act, (error) => {
      assert.ok(error instanceof PreconditionFailedError)
      assert.deepEqual([error.status, error.contact], [412, now])
      return true
    })
  await contacts.delete(ann.id, { ifMatch: now.version })
  await assert.rejects(contacts.upsert(ann.email, {}, { ifMatch: now.version }), (error) => {
    assert.ok(error instanceof PreconditionFailedError)
    assert.equal(error.contact, undefined)
    return true
  })
})

test('everyone is gone through once, page by page, and no page is asked for before it is needed', async (t) => {
  const { client, ...made } = await withClient(t)
  for (let n = 0; n < 7; n++) await made.post('/api/contacts', { email: `p${n}@example.com` })

  const everyone = await gathered(client.contacts.all({ per_page: 2, sort: 'email' }))

  assert.deepEqual(
    everyone.map(({ email }) => email),
    Array.from({ length: 7 }, (_, n) => `p${n}@example.com`),
  )
  let asked = 0
  const counting = rollcall({
    url: made.origin,
    token: made.token,
    fetch: (...given) => {
      asked++
      return fetch(...given)
    },
  })
  for await (const _ of counting.contacts.all({ per_page: 2 })) break
  assert.equal(asked, 1)
})

test('lists and fields', async (t) => {
  const { client } = await withClient(t)
  const { lists, fields, contacts } = client
  const list = await lists.create({ name: 'News', description: 'weekly' })
  const other = await lists.create({ name: 'Other' })
  const { id } = await contacts.create({ email: 'a@example.com' })

  assert.equal((await lists.addContacts(list.id, [id, 'nobody@example.com'])).added, 1)
  assert.deepEqual(
    (await gathered(lists.contacts(list.id))).map(({ email }) => email),
    ['a@example.com'],
  )
  assert.equal((await lists.merge(other.id, { list_ids: [list.id] })).added, 1)
  assert.equal((await lists.removeContacts(other.id, [id])).removed, 1)
  assert.equal((await lists.update(other.id, { name: 'Renamed' })).name, 'Renamed')
  assert.deepEqual(
    (await lists.list({ search: 'ren' })).map(({ name }) => name),
    ['Renamed'],
  )
  await lists.delete(other.id)
  await assert.rejects(lists.get(other.id), NotFoundError)

  const age = await fields.create({ name: 'Age', type: 'number' })
  assert.equal((await fields.update(age.id, { name: 'Years' })).name, 'Years')
  assert.equal((await fields.convert(age.id, { type: 'text', dry_run: true })).values_count, 0)
  assert.equal((await fields.list()).length, 3)
  await fields.delete(age.id)
  await assert.rejects(fields.get(age.id), NotFoundError)
})

test('addToList takes an id or a name, makes a list once however many ask, and says whom there is not', async (t) => {
  const { client } = await withClient(t)
  const { addToList, contacts, lists } = client
  const people = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => contacts.create({ email: `${name}@example.com` })),
  )

  await Promise.all(people.map(({ id }) => addToList(id, 'Newsletter')))
  const [list, ...more] = await lists.list()
  assert.deepEqual([list!.name, list!.contacts_count, more.length], ['Newsletter', 4, 0])
  assert.equal((await addToList('a@example.com', ' newsLETTER ')).already_members, 1)
  assert.equal((await addToList(people[1]!.id, list!.id)).already_members, 1)
  await assert.rejects(addToList('nobody@example.com', list!.id), NotFoundError)
  await assert.rejects(addToList('a@example.com', 'Newsletters', { create: false }), /There is no list Newsletters/)
  await assert.rejects(addToList('a@example.com', 999), NotFoundError)
  await assert.rejects(addToList('a@example.com', ''), InvalidError)
})

test('every operation of the API can be called by its name', async (t) => {
  const { client, accountId } = await withClient(t)

  assert.equal((await client.call('getAccount', {})).id, accountId)
  const { id } = await client.contacts.create({ email: 'a@example.com' })
  const batch = await client.call('updateBatch', { body: { contact_ids: [id], tags_added: ['x'] } })
  assert.equal((await client.call('getChangeSet', { path: { id: batch.change_set_id } })).kind, 'batch_update')
})

test('a token that opens nothing, and another account, are errors of their own kinds', async (t) => {
  const { origin, token, another } = await withClient(t)
  const other = await another()

  await assert.rejects(rollcall({ url: origin, token: 'none' }).lists.list(), (error) => {
    assert.ok(error instanceof UnauthorizedError)
    assert.equal(error.message, 'Incorrect API token')
    assert.match(error.requestId!, /^[0-9a-f-]{36}$/)
    return true
  })
  await assert.rejects(rollcall({ url: origin, token, accountId: other.accountId }).lists.list(), ForbiddenError)
  assert.deepEqual(
    await rollcall({ url: `${origin}/`, token: other.token, accountId: other.accountId }).lists.list(),
    [],
  )
})

test('webhooks are made, changed and removed', async (t) => {
  const { client } = await withClient(t)
  const { webhooks } = client

  const made = await webhooks.create({ url: 'https://example.com/hook', types: ['created'] })
  assert.match(made.secret, /^whsec_/)
  assert.equal((await webhooks.update(made.id, { enabled: false })).enabled, false)
  assert.equal((await webhooks.get(made.id)).id, made.id)
  assert.equal((await webhooks.list()).data.length, 1)
  await webhooks.delete(made.id)
  await assert.rejects(webhooks.get(made.id), NotFoundError)
})

test('smart lists and templates are asked for where the service has them', async (t) => {
  const seen: unknown[] = []
  const url = await between(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push([request.method, request.url, JSON.parse(body)])
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  const { sendTemplate, createSmartList } = rollcall({ url, token: 't' })

  await sendTemplate('welcome_email', 'a@example.com')
  await sendTemplate('a/b', 'a@example.com', { variables: { code: 7 } })
  await createSmartList({ name: 'Big', criteria: { plan: 'Enterprise', subscribed: true } })

  assert.deepEqual(seen, [
    ['POST', '/api/templates/welcome_email/send', { email: 'a@example.com' }],
    ['POST', '/api/templates/a%2Fb/send', { email: 'a@example.com', variables: { code: 7 } }],
    ['POST', '/api/contact_lists', { name: 'Big', criteria: { plan: 'Enterprise', subscribed: true } }],
  ])
})

test('forms, mail and permission are asked for by their groups', async (t) => {
  const { client } = await withClient(t)
  const list = await client.lists.create({ name: 'News', public: true, double_opt_in: true })
  const form = await client.forms.create({ name: 'Sign up', list_ids: [list.id], fields: [{ field: 'first_name' }] })
  assert.deepEqual([(await client.forms.update(form.id, { title: 'Hello' })).version, form.version], [2, 1])
  assert.match((await client.forms.embed(form.id)).html, /^<form /)
  assert.match(await client.forms.preview({ title: 'Come in' }), /<h1>Come in<\/h1>/)
  assert.deepEqual(
    (await client.forms.list()).map(({ id }) => id),
    [form.id],
  )

  const ann = await client.contacts.create({ email: 'ann@example.com', double_opt_in: false })
  await client.mail.updateTemplate('welcome_email', { subject: 'Hi' })
  assert.deepEqual(
    (await client.mail.versions('welcome_email')).data.map(({ version }) => version),
    [1],
  )
  assert.match((await client.mail.templateAt('welcome_email', 0)).subject, /^Welcome to/)
  const sent = await client.mail.send('welcome_email', { contact_id: ann.id, list_id: list.id })
  assert.equal((await client.mail.message(sent.message_id)).subject, 'Hi')
  assert.match((await client.permission.links(ann.id)).preferences_url, /\/preferences\//)
  await client.permission.suppress({ entries: ['example.org'] })
  const [entry] = (await client.permission.suppressions()).data
  await client.permission.unsuppress(entry!.id)
  assert.equal((await client.permission.unsubscribe(ann.id)).state, 'unsubscribed')
  assert.equal((await client.permission.consents(ann.id)).data[0]!.action, 'withdrawn')
  assert.ok((await client.permission.resubscribe(ann.id, { send_confirmation: false })).confirmation_url)
  await assert.rejects(client.sendTemplate('welcome_email', 'ann@example.com'), (error: unknown) => {
    assert.ok(error instanceof InvalidError)
    assert.deepEqual(error.fields, { email: ['may not be mailed: unsubscribed'] })
    return true
  })
  await client.forms.delete(form.id)
})

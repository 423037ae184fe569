import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { testApp } from './app.ts'

/** The API on a port of this machine, called with `fetch` as a program that is new to it would. */
async function listening(t: TestContext) {
  const made = await testApp(t)
  const base = await made.app.listen({ port: 0, host: '127.0.0.1' })
  const api = `${base}/api/accounts/${made.accountId}`
  const headers = { 'Api-Token': made.token, 'Content-Type': 'application/json' }
  const send = async (method: string, path: string, body?: unknown, given: Record<string, string> = headers) => {
    const response = await fetch(`${api}${path}`, {
      method,
      headers: given,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    // biome-ignore lint/suspicious/noExplicitAny: the assertions say what is expected
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as any }
  }
  return { ...made, api, send }
}

async function withOverviewData(t: TestContext) {
  const made = await listening(t)
  const { send } = made

  const size = await send('POST', '/contact_fields', {
    name: 'company_size',
    type: 'select',
    options: ['1-10', '11-50', '51-200', '200+'],
  })
  assert.equal(size.status, 201)
  assert.equal(size.body.merge_tag, 'company_size')

  const john = await send('POST', '/contacts', {
    email: 'john@example.com',
    fields: { first_name: 'John', last_name: 'Doe', company: 'Acme Corp', company_size: '51-200' },
  })
  assert.equal(john.status, 201)
  assert.deepEqual(john.body.data.fields, {
    first_name: 'John',
    last_name: 'Doe',
    company_size: '51-200',
    company: 'Acme Corp',
  })
  assert.equal(john.body.data.status, 'subscribed')

  const list = await send('POST', '/contact_lists', {
    name: 'Newsletter Subscribers',
    description: 'Users who opted in for weekly newsletter',
  })
  assert.equal(list.status, 200)

  const others = await Promise.all(
    ['jane', 'joe'].map((name) => send('POST', '/contacts', { email: `${name}@example.com` })),
  )
  const ids = [john, ...others].map((answer) => answer.body.data.id as string)
  const added = await send('POST', `/contact_lists/${list.body.id}/contacts`, { contact_ids: ids })
  assert.equal(added.status, 200)
  assert.deepEqual(
    { ...added.body, change_set_id: 0 },
    { change_set_id: 0, added: 3, already_members: 0, opted_out: 0, not_found: 0, not_found_ids: [] },
  )

  // The five kinds of field, as they are described.
  for (const field of [
    { name: 'job_title', type: 'text', required: false },
    { name: 'age', type: 'number', min: 18, max: 120 },
    { name: 'plan', type: 'select', options: ['Free', 'Basic', 'Pro', 'Enterprise'], default: 'Free' },
    { name: 'signup_date', type: 'date', format: 'YYYY-MM-DD' },
    { name: 'is_verified', type: 'boolean', default: false },
  ]) {
    const made = await send('POST', '/contact_fields', field)
    assert.equal(made.status, 201, JSON.stringify(made.body))
    for (const [key, value] of Object.entries(field)) assert.deepEqual(made.body[key], value, `${field.name}.${key}`)
  }
  return { ...made, ids, listId: list.body.id as number }
}

test('the calls of the overview work in its order: fields, contacts, lists, members, search, batches', async (t) => {
  const { api, token, send, ids, listId } = await withOverviewData(t)
  // biome-ignore lint/suspicious/noExplicitAny: the assertions say what is expected
  const read = async (path: string): Promise<any> =>
    (await fetch(`${api}${path}`, { headers: { 'Api-Token': token } })).json()

  const lists = await read(`/contact_lists`)
  assert.deepEqual(
    lists.map((list: { name: string; contacts_count: number }) => [list.name, list.contacts_count]),
    [['Newsletter Subscribers', 3]],
  )
  const members = await read(`/contact_lists/${listId}/contacts`)
  assert.deepEqual(members.data.map((contact: { email: string }) => contact.email).sort(), [
    'jane@example.com',
    'joe@example.com',
    'john@example.com',
  ])
  assert.equal(
    (await send('DELETE', `/contact_lists/${listId}/contacts/${ids[2]}`, undefined, { 'Api-Token': token })).status,
    204,
  )

  const events = await read(`/contacts/${ids[2]}/events`)
  assert.deepEqual(
    events.data.map((event: { type: string }) => event.type),
    ['list_removed', 'list_added', 'created'],
  )

  const results = await read(`/contacts?q=john`)
  assert.deepEqual(
    results.data.map((contact: { email: string }) => contact.email),
    ['john@example.com'],
  )
  const filtered = await read(`/contacts?company=Acme&subscribed=true`)
  assert.equal(filtered.total, 0, 'equality, not a part')
  assert.equal((await read(`/contacts?company=acme corp&subscribed=true`)).total, 1)
  const page2 = await read(`/contacts?page=2&per_page=50`)
  assert.deepEqual([page2.data, page2.page, page2.per_page, page2.total, page2.total_pages], [[], 2, 50, 3, 1])

  const plan = (await send('GET', '/contact_fields')).body.find(
    (field: { merge_tag: string }) => field.merge_tag === 'plan',
  )
  await send('PATCH', `/contact_fields/${plan.id}`, { options: [...plan.options, 'Premium'] })
  const updated = await send('PATCH', '/contacts/batch', {
    contact_ids: ids,
    fields: { plan: 'Premium', renewal_date: '2025-01-01' },
  })
  assert.deepEqual([updated.status, updated.body.updated, updated.body.unchanged], [200, 3, 0])
  const fields = (await send('GET', '/contact_fields')).body
  assert.equal(fields.find((field: { merge_tag: string }) => field.merge_tag === 'renewal_date').type, 'date')
  assert.equal((await send('GET', `/contacts/${ids[0]}`)).body.data.fields.plan, 'Premium')

  const deleted = await send('DELETE', '/contacts/batch', { contact_ids: ids })
  assert.deepEqual([deleted.status, deleted.body.deleted], [200, 3])
  assert.equal((await send('GET', '/contacts')).body.total, 0)
})

test('a batch with a value that is no option is refused, and the options are named', async (t) => {
  const { send, ids } = await withOverviewData(t)

  const answer = await send('PATCH', '/contacts/batch', {
    contact_ids: ids,
    fields: { plan: 'Premium', renewal_date: '2025-01-01' },
  })

  assert.equal(answer.status, 422)
  assert.match(answer.body.errors.plan[0], /Free, Basic, Pro, Enterprise/)
  const fields = (await send('GET', '/contact_fields')).body
  assert.ok(
    !fields.some((field: { merge_tag: string }) => field.merge_tag === 'renewal_date'),
    'and nothing else of it was done',
  )
})

test('the import of the overview works as it stands there, with a form made by the browser', async (t) => {
  const { api, token, runJobs, send, listId } = await withOverviewData(t)
  const csvFile = new Blob([
    'Email Address,First,Company Name,tags\njohn@example.com,Johnny,Initech,"customer,premium"\nnew@example.com,New,Tech Inc,"lead,trial"\n',
  ])

  const formData = new FormData()
  formData.append('file', csvFile)
  formData.append('list_id', listId as unknown as string)
  formData.append('update_existing', true as unknown as string)
  const plain = await fetch(`${api}/contact_imports`, {
    method: 'POST',
    headers: { 'Api-Token': token },
    body: formData,
  })
  formData.append('skip_invalid', false as unknown as string)
  formData.append(
    'field_mapping',
    JSON.stringify({ 'Email Address': 'email', First: 'first_name', 'Company Name': 'company' }),
  )
  const mapped = await fetch(`${api}/contact_imports`, {
    method: 'POST',
    headers: { 'Api-Token': token },
    body: formData,
  })
  await runJobs()

  assert.deepEqual([plain.status, mapped.status], [201, 201])
  const { id } = (await mapped.json()) as { id: number }
  assert.equal((await send('GET', `/contact_imports/${id}`)).body.status, 'finished')
  const john = (await send('GET', '/contacts/john@example.com')).body.data
  assert.deepEqual(
    [john.fields.first_name, john.fields.company, john.tags],
    ['Johnny', 'Initech', ['customer', 'premium']],
  )
  assert.equal((await send('GET', `/contact_lists/${listId}/contacts`)).body.total, 4)
})

test('the sign-up of the overview works: a contact, in a list, with a mail', async (t) => {
  const { api, token, send, get } = await withOverviewData(t)
  const call = (method: string, path: string, body: unknown) => send(method, path, body)
  const createContact = async (contact: unknown) => (await call('POST', '/contacts', contact)).body.data
  const lists = (await send('GET', '/contact_lists')).body as { id: number; name: string }[]
  const addToList = (id: string, list: number) => call('POST', `/contact_lists/${list}/contacts`, { contact_ids: [id] })
  const sendTemplate = (name: string, email: string) => call('POST', `/templates/${name}/send`, { email })
  const formData = { email: 'sign.up@example.com', firstName: 'Ada' }

  const contact = await createContact({
    email: formData.email,
    fields: { first_name: formData.firstName, source: 'website_signup' },
  })
  const added = await addToList(contact.id, lists[0]!.id)
  const sent = await sendTemplate('welcome_email', contact.email)

  assert.deepEqual([added.body.added, sent.status], [1, 201], JSON.stringify(sent.body))
  const mail = (await get(`/api/messages/${sent.body.message_id}`)).body.data
  assert.deepEqual([mail.to, mail.subject], ['sign.up@example.com', 'Welcome to First'])
  const events = await fetch(`${api}/contacts/${contact.id}/events`, { headers: { 'Api-Token': token } })
  const { data } = (await events.json()) as { data: { type: string }[] }
  assert.deepEqual(
    data.map(({ type }) => type),
    ['email_sent', 'list_added', 'created'],
  )
})

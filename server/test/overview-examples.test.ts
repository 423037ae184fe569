import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { testApp } from './app.ts'

/**
 * The service behind the overview's own address: `fetch` goes to it in place of mailtrap.io, with the account and the token
 * that its examples leave open, and says what was answered. So the examples stand below to the letter.
 */
async function overview(t: TestContext) {
  const made = await testApp(t)
  const base = await made.app.listen({ port: 0, host: '127.0.0.1' })
  const answers: string[] = []
  const theirs = async (address: string, options: RequestInit = {}): Promise<Response> => {
    const url = address.replace('https://mailtrap.io', base).replace('{account_id}', String(made.accountId))
    const response = await fetch(url, { ...options, headers: { ...options.headers, 'Api-Token': made.token } })
    answers.push(`${options.method ?? 'GET'} ${response.status}`)
    return response
  }
  const people = async (...names: string[]): Promise<string[]> => {
    const sent = names.map((name) => made.post('/api/contacts', { email: `${name}@example.com` }))
    return (await Promise.all(sent)).map((answer) => answer.body.data.id)
  }
  return { ...made, fetch: theirs, answers, people }
}

test("the overview's first steps run as they stand there: fields, people, lists", async (t) => {
  const { fetch, answers, people, get } = await overview(t)

  // Create Custom Fields
  {
    const response = await fetch('https://mailtrap.io/api/accounts/{account_id}/contact_fields', {
      method: 'POST',
      headers: {
        'Api-Token': 'YOUR_API_TOKEN',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({
        name: 'company_size',
        type: 'select',
        options: ['1-10', '11-50', '51-200', '200+'],
      }),
    })
    assert.equal(((await response.json()) as { merge_tag: string }).merge_tag, 'company_size')
  }

  // Add Individual
  await fetch('https://mailtrap.io/api/accounts/{account_id}/contacts', {
    method: 'POST',
    headers: {
      'Api-Token': 'YOUR_API_TOKEN',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      email: 'john@example.com',
      fields: {
        first_name: 'John',
        last_name: 'Doe',
        company: 'Acme Corp',
        company_size: '51-200',
      },
    }),
  })

  // Create Contact Lists
  const response = await fetch('https://mailtrap.io/api/accounts/{account_id}/contact_lists', {
    method: 'POST',
    headers: {
      'Api-Token': 'YOUR_API_TOKEN',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      name: 'Newsletter Subscribers',
      description: 'Users who opted in for weekly newsletter',
    }),
  })

  const list = (await response.json()) as { id: number }

  // Add Contacts to Lists
  const listId = list.id
  const [contactId1, contactId2, contactId3] = await people('ann', 'bob', 'cem')
  await fetch(`https://mailtrap.io/api/accounts/{account_id}/contact_lists/${listId}/contacts`, {
    method: 'POST',
    headers: {
      'Api-Token': 'YOUR_API_TOKEN',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      contact_ids: [contactId1, contactId2, contactId3],
    }),
  })

  // List Operations
  const contactId = contactId1
  const lists = await fetch('https://mailtrap.io/api/accounts/{account_id}/contact_lists')
  const contacts = await fetch(`https://mailtrap.io/api/accounts/{account_id}/contact_lists/${listId}/contacts`)
  await fetch(`https://mailtrap.io/api/accounts/{account_id}/contact_lists/${listId}/contacts/${contactId}`, {
    method: 'DELETE',
  })

  assert.deepEqual(answers, ['POST 201', 'POST 201', 'POST 200', 'POST 200', 'GET 200', 'GET 200', 'DELETE 204'])
  assert.equal(((await lists.json()) as unknown[]).length, 1)
  assert.equal(((await contacts.json()) as { total: number }).total, 3)
  assert.equal((await get(`/api/contact_lists/${listId}`)).body.contacts_count, 2)
  assert.equal((await get('/api/contacts/john@example.com')).body.data.fields.company_size, '51-200')
})

test("the overview's import and export run as they stand there", async (t) => {
  const { fetch, answers, get, post, runJobs } = await overview(t)
  const listId = (await post('/api/contact_lists', { name: 'Newsletter' })).body.id
  const csvFile = new Blob([
    `email,first_name,last_name,company,tags
john@example.com,John,Doe,Acme Corp,"customer,premium"
jane@example.com,Jane,Smith,Tech Inc,"lead,trial"
`,
  ])

  // Import from CSV
  const formData = new FormData()
  formData.append('file', csvFile)
  formData.append('list_id', listId)
  formData.append('update_existing', true as unknown as string)

  await fetch('https://mailtrap.io/api/accounts/{account_id}/contact_imports', {
    method: 'POST',
    headers: { 'Api-Token': 'YOUR_API_TOKEN' },
    body: formData,
  })
  await runJobs()

  // Export all contacts
  const response = await fetch('https://mailtrap.io/api/accounts/{account_id}/contact_exports', {
    method: 'POST',
    headers: {
      'Api-Token': 'YOUR_API_TOKEN',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      format: 'csv',
      list_id: listId, // Optional: specific list
      fields: ['email', 'first_name', 'company'],
    }),
  })
  const exportId = ((await response.json()) as { id: number }).id
  await runJobs()

  // Check export status
  const status = await fetch(`https://mailtrap.io/api/accounts/{account_id}/contact_exports/${exportId}`)

  assert.deepEqual(answers, ['POST 201', 'POST 201', 'GET 200'])
  assert.equal(((await status.json()) as { status: string }).status, 'finished')
  const written = (await get(`/api/contact_exports/${exportId}/download`)).body
  assert.deepEqual(written.trimEnd().split('\n').sort(), [
    'email,first_name,company',
    'jane@example.com,Jane,Tech Inc',
    'john@example.com,John,Acme Corp',
  ])
})

test("the overview's events, unsubscription, search and batches run as they stand there", async (t) => {
  const { fetch, answers, people, get, post } = await overview(t)
  await post('/api/contact_fields', { name: 'Company', type: 'text' })
  const [id1, id2, id3] = await people('john', 'bob', 'cem')
  const contactId = id1

  // Get contact events
  await fetch(`https://mailtrap.io/api/accounts/{account_id}/contacts/${contactId}/events`)

  // Unsubscribe contact
  await fetch(`https://mailtrap.io/api/accounts/{account_id}/contacts/${contactId}/unsubscribe`, {
    method: 'POST',
    headers: { 'Api-Token': 'YOUR_API_TOKEN' },
  })
  assert.equal((await get(`/api/contacts/${contactId}`)).body.data.status, 'unsubscribed')

  // Resubscribe (requires double opt-in)
  await fetch(`https://mailtrap.io/api/accounts/{account_id}/contacts/${contactId}/resubscribe`, {
    method: 'POST',
    headers: { 'Api-Token': 'YOUR_API_TOKEN' },
    body: JSON.stringify({
      send_confirmation: true,
    }),
  })
  assert.equal((await get('/api/messages')).body.data[0].template, 'confirm_subscription')

  // Search by email or name
  const results = await fetch('https://mailtrap.io/api/accounts/{account_id}/contacts?q=john')

  // Filter by field values
  const filtered = await fetch('https://mailtrap.io/api/accounts/{account_id}/contacts?company=Acme&subscribed=true')

  // Pagination
  const page2 = await fetch('https://mailtrap.io/api/accounts/{account_id}/contacts?page=2&per_page=50')
  const totals = await Promise.all(
    [results, filtered, page2].map(async (each) => ((await each.json()) as { total: number }).total),
  )
  assert.deepEqual(totals, [1, 0, 3])

  // Batch update
  await fetch('https://mailtrap.io/api/accounts/{account_id}/contacts/batch', {
    method: 'PATCH',
    headers: {
      'Api-Token': 'YOUR_API_TOKEN',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      contact_ids: [id1, id2, id3],
      fields: {
        plan: 'Premium',
        renewal_date: '2025-01-01',
      },
    }),
  })
  assert.deepEqual((await get(`/api/contacts/${id3}`)).body.data.fields, {
    plan: 'Premium',
    renewal_date: '2025-01-01',
  })

  // Delete multiple contacts
  await fetch('https://mailtrap.io/api/accounts/{account_id}/contacts/batch', {
    method: 'DELETE',
    headers: {
      'Api-Token': 'YOUR_API_TOKEN',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      contact_ids: [id1, id2, id3],
    }),
  })

  const expected = ['GET 200', 'POST 200', 'POST 200', 'GET 200', 'GET 200', 'GET 200', 'PATCH 200', 'DELETE 200']
  assert.deepEqual(answers, expected)
  assert.equal((await get('/api/contacts')).body.total, 0)
})

test("the overview's export of one person and their erasure run as they stand there", async (t) => {
  const { fetch, answers, people, get } = await overview(t)
  const [contactId] = await people('john')

  const gdprExport = await fetch(`https://mailtrap.io/api/accounts/{account_id}/contacts/${contactId}/export`, {
    headers: { 'Api-Token': 'YOUR_API_TOKEN' },
  })
  await fetch(`https://mailtrap.io/api/accounts/{account_id}/contacts/${contactId}/gdpr_delete`, {
    method: 'DELETE',
    headers: { 'Api-Token': 'YOUR_API_TOKEN' },
  })

  assert.deepEqual(answers, ['GET 200', 'DELETE 200'])
  const held = (await gdprExport.json()) as { contact: { email: string }; events: { type: string }[] }
  assert.deepEqual([held.contact.email, held.events.map(({ type }) => type)], ['john@example.com', ['created']])
  assert.equal((await get(`/api/contacts/${contactId}`)).status, 404)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyring, testApp } from '../../test/app.ts'
import { exported, withPeople } from '../../test/exported.ts'
import { readPreferencesLink, readUnsubscribeLink } from '../subscriptions/links.ts'

/** What a link is sealed for. */
const read = (url: string): { email: string; listId?: number | null } | undefined => {
  const [, kind, link] = /^http:\/\/[\w.]+:\d+\/(\w+)\/([\w-]+)$/.exec(url)!
  return kind === 'unsubscribe' ? readUnsubscribeLink(keyring, link!) : readPreferencesLink(keyring, link!)
}

test('each person’s links stand in an export that names them, bound to its list, in every format', async (t) => {
  const made = await withPeople(t)
  const { accountId } = made
  await made.post('/api/contacts', {
    email: 'zoë+x@bücher.example',
    list_ids: [made.news],
    fields: { first_name: 'line\nbreak' },
  })
  const people = (await made.get('/api/contacts?sort=email')).body.data as { id: string; email: string }[]
  const fields = ['first_name', 'email', 'preferences_url', 'unsubscribe_url']

  const csv = await exported(made, { format: 'csv', fields: ['email', 'unsubscribe_url', 'preferences_url'] })
  const rows = csv.text
    .trim()
    .split('\n')
    .slice(1)
    .map((line: string) => line.split(',')) as string[][]
  assert.equal(rows.length, people.length)
  for (const [email, unsubscribe, preferences] of rows) {
    const { id } = people.find((person) => person.email.split('@')[0] === email!.split('@')[0])!
    assert.deepEqual(read(unsubscribe!), { accountId, contactId: id, email, listId: null })
    assert.deepEqual(read(preferences!), { accountId, email })
  }
  const { text } = await exported(made, { format: 'ndjson', fields, list_id: made.news })
  const lines = text
    .trim()
    .split('\n')
    .map((line: string) => JSON.parse(line)) as Record<string, string>[]
  assert.ok(lines.some((line) => line.first_name === 'line\nbreak'))
  for (const line of lines) {
    const leaving = read(line.unsubscribe_url!)
    assert.deepEqual([leaving?.email, leaving?.listId], [line.email, made.news])
  }
  const both = await exported(made, { format: 'ndjson', fields, list_id: [made.news, made.customers] })
  const [first] = both.text.split('\n')
  assert.equal(read(JSON.parse(first!).unsubscribe_url)?.listId, null)
})

test('what somebody has put into their name does not become a link', async (t) => {
  const made = await testApp(t)
  const word = '0'.repeat(32)
  const name = `<${word} unsubscribe_url 0197f2c0-0000-7000-8000-000000000000 victim@example.com>`
  await made.post('/api/contacts', { email: 'eve@example.com', fields: { first_name: name } })

  const { text } = await exported(made, { format: 'csv', fields: ['first_name', 'unsubscribe_url'] })

  assert.equal(text.split('\n')[1]!.split(',')[0], name)
})

test('links need PUBLIC_URL where mail goes out, and an export of them is refused with the cure', async (t) => {
  const made = await testApp(t, { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'news@rollcall.example' })
  const refused = await made.post('/api/contact_exports', { fields: ['email', 'preferences_url'] })
  assert.equal(refused.status, 409)
  assert.match(refused.body.errors, /set PUBLIC_URL/)
  assert.equal((await made.post('/api/contact_exports', { fields: ['email'] })).status, 201)
})

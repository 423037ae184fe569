import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { keyring, type TestApp, testApp } from './app.ts'

/** Asks for an export, lets it be written, and answers it with its file as text. */
export async function exported(made: TestApp, body: object) {
  const asked = await made.post('/api/contact_exports', body)
  assert.equal(asked.status, 201, JSON.stringify(asked.body))
  await made.runJobs()
  const { body: written } = await made.get(`/api/contact_exports/${asked.body.id}`)
  assert.equal(written.phase, 'finished', written.error)
  const response = await made.app.inject({ url: new URL(written.url).pathname })
  const bytes = response.rawPayload
  const text: string = (written.format === 'csv.gz' ? gunzipSync(bytes) : bytes).toString()
  return { ...written, text, response }
}

export async function withPeople(t: TestContext) {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Born', merge_tag: 'born', type: 'date', format: 'DD.MM.YYYY' })
  await made.post('/api/contact_fields', { name: 'Age', merge_tag: 'age', type: 'integer' })
  const customers = (await made.post('/api/contact_lists', { name: 'Customers' })).body.id
  const news = (await made.post('/api/contact_lists', { name: 'News, "weekly"' })).body.id
  await made.post('/api/contacts', {
    email: 'ann@example.com',
    external_id: '=7',
    fields: { first_name: 'Ann', last_name: 'O\'Neil, "Q"', born: '1980-05-01', age: -4 },
    tags: ['a b', 'vip'],
    list_ids: [customers, news],
  })
  await made.post('/api/contacts', {
    email: 'bob@example.com',
    fields: { first_name: '=1+1', last_name: 'line\nbreak' },
    list_ids: [customers],
  })
  await made.post('/api/contacts', { email: 'cleo@example.com', unsubscribed: true, fields: { first_name: 'Клео' } })
  return { ...made, customers, news }
}

/** For exports without links. */
export const noLinks = {
  base: () => {
    throw new Error('no links were asked for')
  },
  keyring,
}

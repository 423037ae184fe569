import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inhabited, JSON_TYPE } from './inhabited.ts'

test('what some clients send must work: long paths, empty bodies, text/plain, empty arrays, a merge tag of nothing', async (t) => {
  const made = await inhabited(t)
  const { call } = made
  const longest = `${'a'.repeat(64)}@${`${'d'.repeat(60)}.`.repeat(3)}${'e'.repeat(2)}.com`
  assert.equal(longest.length, 254)

  assert.equal((await made.post('/api/contacts', { email: longest })).status, 201)
  assert.equal((await made.get(`/api/contacts/${longest}`)).body.data.email, longest)
  const encoded = [...longest].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('')
  assert.equal((await made.get(`/api/contacts/${encoded}`)).body.data.email, longest)
  const externalId = '語'.repeat(255)
  await made.post('/api/contacts', { email: 'ext@example.com', external_id: externalId })
  assert.equal((await made.get(`/api/contacts/ext:${encodeURIComponent(externalId)}`)).status, 200)

  assert.equal((await call('DELETE', `/api/contacts/${longest}`, undefined, JSON_TYPE)).status, 204)
  assert.equal(
    (await call('DELETE', '/api/contacts/ext@example.com', '', { ...JSON_TYPE, 'content-length': '0' })).status,
    204,
  )

  const plain = { 'content-type': 'text/plain;charset=UTF-8' }
  assert.equal((await call('POST', '/api/contacts', '{"email":"plain@example.com"}', plain)).status, 201)
  assert.equal((await call('POST', '/api/contacts', '\ufeff{"email":"bom@example.com"}', JSON_TYPE)).status, 201)

  const php = await made.post('/api/contacts', { contact: { email: 'php@example.com', fields: [], list_ids: [] } })
  assert.deepEqual([php.status, php.body.data.fields], [201, {}])
  assert.equal((await call('PUT', '/api/contacts/php@example.com', { contact: { fields: [] } })).status, 200)
  const event = await made.post('/api/contacts/php@example.com/events', { name: 'x', params: [] })
  assert.deepEqual([event.status, event.body.params], [201, {}])

  const [field] = (await made.get('/api/contact_fields')).body
  const renamed = await made.patch(`/api/contact_fields/${field.id}`, { name: 'Given name', merge_tag: '' })
  assert.deepEqual([renamed.status, renamed.body.name, renamed.body.merge_tag], [200, 'Given name', 'first_name'])
  const kept = await made.patch(`/api/contact_lists/${made.listId}`, { name: '' })
  assert.deepEqual([kept.status, kept.body.name], [200, 'Members'])
})

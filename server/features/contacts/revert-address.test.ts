import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { hmac } from '../../lib/secret.ts'
import { keyring, type TestApp, testApp } from '../../test/app.ts'
import { person, took } from '../../test/imports.ts'
import { confirmationLink, press } from '../../test/permission.ts'

/** Gives the person of an external id another address by a file; answers the import. */
async function renamed(made: TestApp, externalId: string, email: string): Promise<number> {
  const file = `external_id,email\n${externalId},${email}\n`
  return (await took(made, file, { match_by: 'external_id', update_existing: 'true' })).id
}

async function reverted(made: TestApp, id: number): Promise<void> {
  assert.equal((await made.post(`/api/change_sets/${id}/revert`)).status, 200)
  await made.runJobs()
}

test('who gets back an address that has been left meanwhile has left', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'old@example.com', external_id: 'x' })
  const id = await renamed(made, 'x', 'new@example.com')
  await made.post('/api/contacts', { email: 'old@example.com' })
  await made.post('/api/contacts/old@example.com/unsubscribe')
  await made.del('/api/contacts/old@example.com')

  await reverted(made, id)

  assert.equal((await person(made, 'old@example.com')).state, 'unsubscribed')
  await made.patch('/api/contacts/old@example.com', { unsubscribed: false })
  assert.equal((await person(made, 'old@example.com')).state, 'unsubscribed')
  const consents = (await made.get('/api/contacts/old@example.com/consents')).body.data
  assert.equal(consents.length, 1, 'it is nobody here who has said so')
})

test('an address that was erased meanwhile is not given back', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'old@example.com', external_id: 'x' })
  const id = await renamed(made, 'x', 'new@example.com')
  const { value, keyId } = hmac(keyring, 'suppression', 'old@example.com')
  await made.db.query(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    values (${made.accountId}, 'hmac', ${value}, ${keyId}, 'erased', 'test')`)

  await reverted(made, id)

  const after = await person(made, 'new@example.com')
  assert.deepEqual([after.external_id, after.state], ['x', 'subscribed'])
})

test('who gets back an address is not in the lists that were left under it meanwhile', async (t) => {
  const made = await testApp(t)
  const lists: number[] = []
  for (const name of ['News', 'Offers', 'Events'])
    lists.push((await made.post('/api/contact_lists', { name })).body.id as number)
  const [news, offers] = lists
  await made.post('/api/contacts', { email: 'old@example.com', external_id: 'x', list_ids: lists })
  const id = await renamed(made, 'x', 'new@example.com')
  await made.post('/api/contacts', { email: 'old@example.com', list_ids: lists })
  for (const list_id of [news, offers]) await made.post('/api/contacts/old@example.com/unsubscribe', { list_id })
  await made.del('/api/contacts/old@example.com')
  const taken = await made.del(`/api/contact_lists/${offers}/contacts`, { contact_ids: ['new@example.com'] })

  await reverted(made, id)
  await reverted(made, taken.body.change_set_id)

  const after = await person(made, 'old@example.com')
  assert.deepEqual(after.list_ids, [lists[2]])
  const [last] = (await made.get('/api/contacts/old@example.com/events')).body.data
  assert.deepEqual([last.types, last.data.lists], [['updated', 'list_removed'], { removed: [news] }])
})

test('links to the address that is taken away are void, and who has left under it has left it', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'old@example.com', external_id: 'x' })
  const id = await renamed(made, 'x', 'new@example.com')
  await made.post('/api/contacts/new@example.com/unsubscribe')
  const link = await confirmationLink(made, 'new@example.com')

  await reverted(made, id)

  assert.equal((await press(made, link)).status, 404)
  assert.equal((await person(made, 'old@example.com')).state, 'unsubscribed')
  assert.equal((await made.post('/api/contacts', { email: 'new@example.com' })).body.data.state, 'unsubscribed')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from '../../test/app.ts'
import { signedIn } from '../../test/browser.ts'

test('a view is kept as it was saved, for everybody or for its maker, and follows a field to another name', async (t) => {
  const made = await testApp(t)
  const { accountId, post, get, patch, del, another } = made
  const other = await another()
  const [ann, bob] = [
    await signedIn(made, 'ann@example.com', { [accountId]: 'editor' }),
    await signedIn(made, 'bob@example.com', { [accountId]: 'editor' }),
  ]
  const viewer = await signedIn(made, 'vera@example.com', { [accountId]: 'viewer' })
  const views = `/api/accounts/${accountId}/views`
  const field = (await post('/api/contact_fields', { name: 'Plan', type: 'text' })).body
  const given = {
    ...{ name: 'Pros', q: 'love', sort: '-plan', columns: ['email', 'plan', 'created_at'] },
    criteria: { all: [{ field: 'plan', op: 'eq', value: 'Pro' }, { tag: 'vip' }] },
  }

  const shared = (await post('/api/views', given)).body
  const own = (await ann.call('POST', views, { ...given, name: 'Mine', shared: false })).body
  assert.deepEqual({ ...shared, ...given, shared: true }, shared)
  const names = async ({ call }: typeof ann) =>
    (await call('GET', views)).body.map(({ name }: { name: string }) => name)
  assert.deepEqual(await names(ann), ['Mine', 'Pros'])
  assert.deepEqual(await names(bob), ['Pros'])
  assert.deepEqual(await names(viewer), ['Pros'])
  assert.deepEqual(
    (await get('/api/views')).body.map(({ id }: { id: number }) => id),
    [shared.id],
  )
  for (const [method, body] of [['GET'], ['PATCH', { name: 'His' }], ['DELETE']] as const)
    assert.equal((await bob.call(method, `${views}/${own.id}`, body)).status, 404, method)
  assert.equal((await other.call('GET', `/api/views/${shared.id}`)).status, 404)
  assert.equal((await viewer.call('POST', views, given)).status, 403)

  await patch(`/api/contact_fields/${field.id}`, { merge_tag: 'tariff' })
  const renamed = (await get(`/api/views/${shared.id}`)).body
  assert.deepEqual([renamed.sort, renamed.columns[1], renamed.criteria.all[0].field], ['-tariff', 'tariff', 'tariff'])
  const changed = (await bob.call('PATCH', `${views}/${shared.id}`, { criteria: null, sort: null, name: 'All' })).body
  assert.deepEqual([changed.name, changed.criteria, changed.sort, changed.q], ['All', null, null, 'love'])
  const faults = await post('/api/views', { name: ' ', shared: false, criteria: { nope: 1 }, sort: 'nope' })
  assert.deepEqual(
    [faults.status, Object.keys(faults.body.errors).sort()],
    [422, ['criteria.nope', 'name', 'shared', 'sort']],
  )

  assert.equal((await del(`/api/views/${shared.id}`)).status, 204)
  assert.equal((await ann.call('DELETE', `${views}/${own.id}`)).status, 204)
  assert.deepEqual(await names(ann), [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { waitsForLocks, whileHeld } from '../../test/locks.ts'

const ANN = '/api/contacts/ann@example.com'

test('a version is another after every change, the same for the same contact, and the ETag of every answer', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'One' })).body.id as number
  const seen: string[] = []
  const note = async (answer: { body: { data: { version: string } }; headers: Record<string, unknown> }) => {
    const { version } = answer.body.data
    assert.equal(answer.headers.etag, `"${version}"`)
    const read = await made.get(ANN)
    assert.deepEqual([read.body.data.version, read.headers.etag], [version, `"${version}"`])
    seen.push(version)
  }

  await note(
    await made.post('/api/contacts', { email: 'ann@example.com', fields: { last_name: 'Lee', first_name: 'A' } }),
  )
  for (const body of [
    { fields: { first_name: 'Ann' } },
    { external_id: 'x1' },
    { tags: ['vip'] },
    { list_ids: [list] },
    { unsubscribed: true },
  ])
    await note(await made.patch(ANN, body))
  assert.equal(new Set(seen).size, 6)

  await made.del(`/api/contact_lists/${list}/contacts/ann@example.com`)
  await note(await made.get(ANN))
  assert.ok(!seen.slice(0, -1).includes(seen.at(-1)!), 'a membership is changed elsewhere')
  await made.post(`/api/contact_lists/${list}/contacts`, { contact_ids: ['ann@example.com'] })
  await note(await made.get(ANN))
  assert.equal(seen.at(-1), seen[5], 'as it was before')
  const [shown] = (await made.get('/api/contacts')).body.data
  assert.equal(shown.version, seen.at(-1))
})

test('If-Match: a change of what is not there any more is refused, with what is there now', async (t) => {
  const made = await testApp(t)
  const { version } = (await made.post('/api/contacts', { email: 'ann@example.com', tags: ['a'] })).body.data
  const now = (await made.patch(ANN, { tags: ['b'] })).body.data
  const patch = (tag: string, body: object = { tags: ['c'] }) => made.call('PATCH', ANN, body, { 'if-match': tag })

  for (const tag of [`"${version}"`, `"x", W/"${version}"`, '""']) {
    const refused = await patch(tag)
    assert.equal(refused.status, 412, tag)
    assert.deepEqual(refused.body, {
      errors: 'The contact has been changed since that version: `data` is how it is now',
      data: now,
    })
    assert.equal((await made.call('DELETE', ANN, undefined, { 'if-match': tag })).status, 412, tag)
  }
  for (const tag of [version, `"${version}`, '*, "x"', '', '"x" "y"']) {
    const refused = await patch(tag)
    assert.equal(refused.status, 422, tag)
    assert.deepEqual(refused.body.errors, { 'If-Match': ['must be a version in quotes, as ETag has it, or *'] })
  }
  assert.deepEqual((await made.get(ANN)).body.data, now)

  for (const tag of [`"${now.version}"`, `"x" , W/"${now.version}"`, '*']) {
    const met = await patch(tag, { tags: ['b'] })
    assert.equal(met.status, 200, tag)
    assert.equal(met.body.data.version, now.version)
  }
  const put = await made.call('PUT', ANN, { tags: ['d'] }, { 'if-match': `"${now.version}"` })
  assert.equal(put.status, 200)
  const last = `"${put.body.data.version}"`
  assert.equal((await made.call('DELETE', ANN, undefined, { 'if-match': last })).status, 204)

  // Nobody is entered who was expected to be there.
  for (const tag of [last, '*']) assert.deepEqual((await patch(tag)).body, { errors: 'There is no such contact' })
  assert.equal((await made.call('DELETE', ANN, undefined, { 'if-match': last })).status, 404)
  assert.equal((await made.get('/api/contacts')).body.total, 0)
})

test('of two who change the same version at once one is told, whichever comes first', async (t) => {
  const made = await testApp(t)
  const { id, version } = (await made.post('/api/contacts', { email: 'ann@example.com' })).body.data
  const headers = { 'if-match': `"${version}"` }
  const path = `/api/contacts/${id}`
  const together = (...calls: (() => Promise<{ status: number }>)[]) =>
    whileHeld(made.db, sql`select from contacts where id = ${id} for update`, async () => {
      const answers = calls.map((call) => call())
      await waitsForLocks(made.db, calls.length, 'for update')
      return { answers }
    }).then(({ answers }) => Promise.all(answers))
  const change = (tag: string, given: Record<string, string>) => () => made.call('PATCH', path, { tags: [tag] }, given)

  const both = await together(change('a', headers), change('b', headers))
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412])
  const now = (await made.get(path)).body.data
  assert.equal(now.tags.length, 1)
  assert.deepEqual((await made.get(`${path}/events`)).body.total, 2)

  const stale = { 'if-match': `"${now.version}"` }
  const mixed = await together(change('c', stale), () => made.call('DELETE', path, undefined, stale))
  assert.equal(mixed.filter(({ status }) => status < 300).length, 1, 'changed or removed, not both')
})

test('who sends a change again gets its first answer with its ETag, not a refusal', async (t) => {
  const made = await testApp(t)
  const { version } = (await made.post('/api/contacts', { email: 'ann@example.com' })).body.data
  const send = (tags: string[], key: string, expected = version) =>
    made.call('PATCH', ANN, { tags }, { 'if-match': `"${expected}"`, 'idempotency-key': key })

  const first = await send(['a'], 'k1')
  const again = await send(['a'], 'k1')
  assert.deepEqual([again.status, again.body, again.headers.etag], [200, first.body, first.headers.etag])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  assert.equal((await send(['b'], 'k2')).status, 412)
  assert.equal((await send(['b'], 'k2')).headers['idempotent-replayed'], 'true')
  assert.equal((await send(['b'], 'k2', first.body.data.version)).status, 422, 'another condition is another request')
})

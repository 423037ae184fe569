import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'

async function people(made: TestApp, count: number, more: object = {}): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    ids.push((await made.post('/api/contacts', { email: `p${n}@example.com`, ...more })).body.data.id)
  }
  return ids
}

test('a batch is a change set: counts that add up, a row each with before and after, an event each that changed', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'plan', type: 'text' })
  const ids = await people(made, 3, { fields: { plan: 'Free', city: 'Oslo' }, tags: ['a', 'b'] })
  await made.patch(`/api/contacts/${ids[1]}`, { fields: { plan: 'Pro', city: null }, tags: ['b', 'c'] })
  const nobody = '018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132'
  const times = async () =>
    (await made.db.query<{ updated_at: Date }>(sql`select updated_at from contacts order by id`)).map(
      (row) => +row.updated_at,
    )
  const [before, counted] = [await times(), (await made.db.query(sql`select from events`)).length]

  const { status, body } = await made.patch('/api/contacts/batch', {
    contact_ids: [ids[2], 'P0@example.com', nobody, ids[1], 'ext:nobody', 'nobody@example.com'],
    fields: { plan: 'Pro', city: null },
    tags_added: [' c', 'c'],
    tags_removed: ['a'],
  })

  const notFound = [nobody, 'ext:nobody', 'nobody@example.com']
  const { change_set_id, ...counts } = body
  assert.equal(status, 200)
  assert.deepEqual(counts, { updated: 2, unchanged: 1, not_found: 3, not_found_ids: notFound })
  for (const id of ids) {
    const { data } = (await made.get(`/api/contacts/${id}`)).body
    assert.deepEqual([data.fields, data.tags], [{ plan: 'Pro' }, ['b', 'c']])
  }
  const after = await times()
  assert.deepEqual(
    after.map((time, n) => time > before[n]!),
    [true, false, true],
  )

  const changeSet = (await made.get(`/api/change_sets/${change_set_id}`)).body
  assert.deepEqual([changeSet.kind, changeSet.phase], ['batch_update', 'finished'])
  assert.deepEqual(changeSet.counts, { updated: 2, unchanged: 1, not_found: 3 })
  assert.match(changeSet.actor, /^token:\d+$/)
  const diff = (await made.get(`/api/change_sets/${change_set_id}/diff`)).body
  assert.deepEqual(
    diff.data.map((row: { action: string; contact_id: string }) => [row.contact_id, row.action]),
    ids.map((id, n) => [id, n === 1 ? 'unchanged' : 'updated']),
  )
  assert.deepEqual(diff.data[0].before, { fields: { plan: 'Free', city: 'Oslo' }, tags: ['a', 'b'] })
  assert.deepEqual(diff.data[0].after, { fields: { plan: 'Pro' }, tags: ['b', 'c'] })

  const events = await made.db.query<{ contact_id: string; types: string[]; data: object; change_set_id: number }>(sql`
    select contact_id, types, data, change_set_id from events order by id offset ${counted}`)
  const data = {
    fields: { plan: { from: 'Free', to: 'Pro' }, city: { from: 'Oslo' } },
    tags: { added: ['c'], removed: ['a'] },
  }
  assert.deepEqual(
    events.map((event) => [event.contact_id, event.types, event.data, event.change_set_id]),
    [
      [ids[0], ['updated'], data, change_set_id],
      [ids[2], ['updated'], data, change_set_id],
      [null, ['change_set_finished'], { kind: 'batch_update', counts: changeSet.counts }, change_set_id],
    ],
  )
})

test('a diff is read in pages, under the merge tags of now', async (t) => {
  const made = await testApp(t)
  const ids = await people(made, 5)
  const { change_set_id } = (await made.patch('/api/contacts/batch', { contact_ids: ids, fields: { city: 'Oslo' } }))
    .body
  const city = (await made.get('/api/contact_fields')).body.at(-1)
  await made.patch(`/api/contact_fields/${city.id}`, { merge_tag: 'town' })

  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { data: { contact_id: string; after: object }[]; next_cursor: string | null } = (
      await made.get(`/api/change_sets/${change_set_id}/diff?per_page=2${cursor && `&cursor=${cursor}`}`)
    ).body
    assert.ok(page.data.length <= 2)
    for (const row of page.data) assert.deepEqual(row.after, { fields: { town: 'Oslo' }, tags: [] })
    seen.push(...page.data.map((row) => row.contact_id))
    cursor = page.next_cursor
  }
  assert.deepEqual(seen, ids)

  const all = (await made.get('/api/change_sets?per_page=1')).body
  assert.deepEqual([all.total, all.data.length, all.data[0].id], [1, 1, change_set_id])
})

test('removing a batch leaves rows of ids alone, and counts what was there', async (t) => {
  const made = await testApp(t)
  const ids = await people(made, 3)
  const updated = (await made.patch('/api/contacts/batch', { contact_ids: ids, fields: { city: 'Oslo' } })).body

  const { body } = await made.del('/api/contacts/batch', { contact_ids: [...ids.slice(1), 'nobody@example.com'] })

  const { change_set_id, ...counts } = body
  assert.deepEqual(counts, { deleted: 2, not_found: 1, not_found_ids: ['nobody@example.com'] })
  const diff = (await made.get(`/api/change_sets/${change_set_id}/diff`)).body.data
  const nothing = { email: null, before: null, after: null, problem: null }
  assert.deepEqual(
    diff,
    ids.slice(1).map((id, n) => ({ line: n + 1, action: 'deleted', contact_id: id, ...nothing })),
  )
  const earlier = (await made.get(`/api/change_sets/${updated.change_set_id}/diff`)).body.data
  assert.deepEqual(
    earlier.map((row: { after: object | null }) => row.after !== null),
    [true, false, false],
  )
  const again = await made.del('/api/contacts/batch', { contact_ids: ids.slice(1) })
  assert.deepEqual([again.body.deleted, again.body.not_found], [0, 2])
})

test('batches and single changes of the same people at once, in any order, all end well', async (t) => {
  const made = await testApp(t)
  const ids = await people(made, 12)

  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => {
      const some = n % 2 ? ids : ids.toReversed()
      if (n % 3 === 0) return made.patch(`/api/contacts/${ids[n]}`, { fields: { [`f${n % 4}`]: n, [`g${n % 3}`]: n } })
      return made.patch('/api/contacts/batch', {
        contact_ids: some,
        fields: { [`g${n % 3}`]: n, [`f${n % 4}`]: n },
        tags_added: [`t${n}`],
      })
    }),
  )

  for (const answer of answers) assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const batches = answers.filter((answer) => answer.body.change_set_id)
  for (const { body } of batches) assert.equal(body.updated + body.unchanged + body.not_found, 12)
  const { tags } = (await made.get(`/api/contacts/${ids[0]}`)).body.data
  assert.equal(tags.length, batches.length)
})

test('changing and removing the same people at once: everyone named is counted once', async (t) => {
  const made = await testApp(t)
  const ids = await people(made, 10)

  const answers = await Promise.all([
    made.patch('/api/contacts/batch', { contact_ids: ids, tags_added: ['a'] }),
    made.del('/api/contacts/batch', { contact_ids: ids.slice(5).reverse() }),
    made.patch('/api/contacts/batch', { contact_ids: ids.toReversed(), tags_added: ['b'] }),
    made.del('/api/contacts/batch', { contact_ids: ids.slice(3, 7) }),
    made.del(`/api/contacts/${ids[0]}`),
  ])

  for (const { status, body } of answers.slice(0, 4)) {
    assert.equal(status, 200)
    const { updated = 0, unchanged = 0, deleted = 0, not_found } = body
    assert.ok([10, 5, 4].includes(updated + unchanged + deleted + not_found), JSON.stringify(body))
    const counts = (await made.get(`/api/change_sets/${body.change_set_id}`)).body.counts
    const rows = (await made.get(`/api/change_sets/${body.change_set_id}/diff`)).body.data.length
    assert.equal(rows, (counts.updated ?? 0) + (counts.unchanged ?? 0) + (counts.deleted ?? 0))
  }
  assert.equal(answers[1]!.body.deleted + answers[3]!.body.deleted, 7)
  assert.equal((await made.get('/api/contacts')).body.total, 2)
})

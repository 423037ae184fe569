import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, type TestApp, testApp } from '../../test/app.ts'

const PEOPLE = 30

/** Thirty people, every third of whom is in Oslo, and a list with the first ten. */
async function withPeople(t: TestContext): Promise<TestApp & { list: number }> {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id as number
  for (let at = 0; at < PEOPLE; at++) {
    const city = at % 3 === 0 ? 'Oslo' : 'Rome'
    await made.post('/api/contacts', {
      email: `p${at}@example.com`,
      fields: { city },
      tags: ['old'],
      ...(at < 10 ? { list_ids: [list] } : {}),
    })
  }
  return { ...made, list }
}

async function bulk(made: TestApp, body: object): Promise<Record<string, unknown> & { id: number }> {
  const answer = await made.post('/api/contacts/bulk', body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  assert.equal(answer.body.phase, 'queued')
  await made.runJobs()
  return (await made.get(`/api/change_sets/${answer.body.id}`)).body
}

const everyone = async (made: TestApp) =>
  (await made.get('/api/contacts?per_page=100&sort=email')).body.data.map(
    ({ updated_at: _, ...contact }: { updated_at: number }) => contact,
  )

test('everyone in a smart list is chosen at one moment, whatever the act itself then makes of that list', async (t) => {
  const made = await withPeople(t)
  const list = (await made.post('/api/contact_lists', { name: 'Old in Oslo', criteria: { city: 'Oslo', tag: 'old' } }))
    .body.id as number
  await dispatched(made.db)
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${list}, 'p0@example.com')`)

  const done = await bulk(made, { selection: { list_id: list }, action: { type: 'remove_tags', tags: ['old'] } })

  assert.deepEqual([done.phase, (done.counts as { updated: number }).updated], ['finished', 9])
  assert.equal((await made.get('/api/contacts?tag=old')).body.total, PEOPLE - 9)
  const acts = await made.db.query<{ size: number; bulk: boolean; change_set_id: number }>(
    sql`select size, bulk, change_set_id from outbox where kind = 'acts' order by id`,
  )
  assert.deepEqual(acts, [
    { size: 9, bulk: true, change_set_id: done.id },
    { size: 1, bulk: false, change_set_id: done.id },
  ])
  await dispatched(made.db)
  const [left] = await made.db.query<{ count: number; sets: number[] }>(sql`
    select count(*) as count, array_agg(distinct change_set_id) as sets from events where type = 'list_left'`)
  assert.deepEqual(left, { count: 9, sets: [done.id] })
})

const ACTIONS: Record<string, (made: { list: number }) => { action: object; found: string; updated: number }> = {
  'a field is set': () => ({
    action: { type: 'update', fields: { city: 'Bern', plan: 'Pro' } },
    found: 'city=Bern&plan=Pro',
    updated: 10,
  }),
  'a field is unset': () => ({
    action: { type: 'update', fields: { city: null } },
    found: 'city[is_not_set]=',
    updated: 10,
  }),
  'tags are added': () => ({ action: { type: 'add_tags', tags: ['new'] }, found: 'tag=new', updated: 10 }),
  'tags are taken away': () => ({ action: { type: 'remove_tags', tags: ['old'] }, found: '', updated: 10 }),
  'a list is joined': ({ list }) => ({
    action: { type: 'add_to_list', list_id: list },
    found: `list_id=${list}`,
    updated: 6,
  }),
  'a list is left': ({ list }) => ({ action: { type: 'remove_from_list', list_id: list }, found: '', updated: 4 }),
  'all unsubscribe': () => ({ action: { type: 'unsubscribe' }, found: 'state=unsubscribed', updated: 10 }),
}

for (const [what, given] of Object.entries(ACTIONS)) {
  test(`of everyone selected ${what}: as a trial says, with a row and an event each, and taken back as a whole`, async (t) => {
    const made = await withPeople(t)
    const before = await everyone(made)
    const { action, found, updated } = given(made)
    const selection = { criteria: { city: 'oslo' } }

    const trial = await bulk(made, { selection, action, dry_run: true })
    assert.equal(trial.phase, 'ready')
    assert.deepEqual(await everyone(made), before, 'a trial changes nothing')
    const planned = (await made.get(`/api/change_sets/${trial.id}/diff`)).body.data
    const applied = await made.post(`/api/change_sets/${trial.id}/apply`)
    assert.equal(applied.status, 200, JSON.stringify(applied.body))
    await made.runJobs()

    const done = (await made.get(`/api/change_sets/${trial.id}`)).body
    assert.equal(done.phase, 'finished')
    assert.deepEqual(done.counts, { selected: 10, updated, unchanged: 10 - updated, opted_out: 0, gone: 0 })
    assert.deepEqual({ ...done.counts, gone: undefined }, { ...(trial.counts as object), gone: undefined })
    assert.deepEqual((await made.get(`/api/change_sets/${trial.id}/diff`)).body.data, planned)
    if (found) assert.equal((await made.get(`/api/contacts?${found}`)).body.total >= updated, true)
    const events = await made.db.query<{ count: number }>(sql`
      select count(*) as count from events where change_set_id = ${trial.id} and contact_id is not null`)
    assert.equal(events[0]!.count, updated)

    const revert = await made.post(`/api/change_sets/${trial.id}/revert`)
    await made.runJobs()
    const { counts } = (await made.get(`/api/change_sets/${revert.body.change_set_id}`)).body
    assert.deepEqual(counts, { removed: 0, restored: updated, kept: 0, gone: 0 })
    assert.deepEqual(await everyone(made), before)
  })
}

test('everyone selected is removed, which can not be taken back', async (t) => {
  const made = await withPeople(t)

  const done = await bulk(made, { selection: { q: 'p1' }, action: { type: 'delete' } })

  assert.deepEqual(done.counts, { selected: 11, deleted: 11, gone: 0 })
  assert.equal((await made.get('/api/contacts')).body.total, PEOPLE - 11)
  assert.equal((await made.post(`/api/change_sets/${done.id}/revert`)).status, 409)
})

test('who has left a list stays out of it, who has gone is counted, and what a worker left undone another does', async (t) => {
  const made = await withPeople(t)
  await made.db.query(
    sql`insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${made.list}, 'p12@example.com')`,
  )
  const trial = await bulk(made, { selection: {}, action: { type: 'add_to_list', list_id: made.list }, dry_run: true })
  assert.deepEqual(trial.counts, { selected: 30, updated: 19, unchanged: 11, opted_out: 1 })
  await made.del('/api/contacts/p20@example.com')

  await made.post(`/api/change_sets/${trial.id}/apply`)
  await made.runJobs()

  const done = (await made.get(`/api/change_sets/${trial.id}`)).body
  assert.deepEqual(done.counts, { selected: 30, updated: 18, unchanged: 11, opted_out: 1, gone: 1 })
  assert.equal((await made.get(`/api/contact_lists/${made.list}`)).body.contacts_count, 28)
})

test('a trial can be cancelled, an act that has ended can not; a list that goes meanwhile ends the act with the reason', async (t) => {
  const made = await withPeople(t)
  const trial = await bulk(made, { selection: {}, action: { type: 'add_to_list', list_id: made.list }, dry_run: true })
  const second = await bulk(made, { selection: {}, action: { type: 'add_to_list', list_id: made.list }, dry_run: true })

  const cancelled = await made.post(`/api/change_sets/${trial.id}/cancel`)
  assert.deepEqual([cancelled.body.phase, cancelled.body.counts], ['cancelled', { selected: 30, not_applied: 30 }])
  assert.equal((await made.post(`/api/change_sets/${trial.id}/cancel`)).status, 409)
  assert.equal((await made.post(`/api/change_sets/${trial.id}/apply`)).status, 409)
  await made.del(`/api/contact_lists/${made.list}`)
  await made.post(`/api/change_sets/${second.id}/apply`)
  await made.runJobs()

  const failed = (await made.get(`/api/change_sets/${second.id}`)).body
  assert.equal(failed.phase, 'failed')
  assert.match(failed.options.problem, /not found/)
})

test('what is no action, no selection or no list is refused, and nothing is begun', async (t) => {
  const made = await withPeople(t)
  const refused: [object, RegExp][] = [
    [{ selection: {}, action: { type: 'explode' } }, /action/],
    [{ selection: {}, action: { type: 'update', fields: {} } }, /action\.fields/],
    [{ selection: {}, action: { type: 'add_tags', tags: ['a,b'] } }, /comma/],
    [{ selection: {}, action: { type: 'add_to_list', list_id: 99 } }, /not found: 99/],
    [{ selection: { criteria: { nothing: 1 } }, action: { type: 'unsubscribe' } }, /criteria\.nothing/],
    [{ action: { type: 'unsubscribe' } }, /selection/],
    [{ selection: { list_id: 99 }, action: { type: 'unsubscribe' } }, /not found/],
  ]

  for (const [body, message] of refused) {
    const answer = await made.post('/api/contacts/bulk', body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    assert.match(JSON.stringify(answer.body.errors), message)
  }
  assert.equal((await made.get('/api/change_sets')).body.total, 0)
})

test('an act that is wrong is told what is wrong with it, not that it is none of the other six', async (t) => {
  const { post } = await testApp(t)
  const said = async (action: unknown) =>
    (await post('/api/contacts/bulk', { selection: { tag: 'old' }, action })).body.errors

  const types = 'update, add_tags, remove_tags, add_to_list, remove_from_list, unsubscribe, delete'
  assert.deepEqual(await said({ type: 'add_tag', tags: ['vip'] }), {
    'action.type': [`is not included in the list: ${types}`],
  })
  assert.deepEqual(await said({ tags: ['vip'] }), { 'action.type': [`is not included in the list: ${types}`] })
  assert.deepEqual(await said({ type: 'add_tags', tags: 'vip' }), { 'action.tags': ['must be an array'] })
  assert.deepEqual(await said({ type: 'delete', tags: ['vip'] }), {
    'action.tags': ['is not a known key: there are type'],
  })
  assert.deepEqual(await said({ type: 'add_to_list', list: 3 }), {
    'action.list_id': ["can't be blank"],
    'action.list': ['is not a known key: there are type, list_id'],
  })
  assert.deepEqual(await said('add_tags'), { action: ['must be an object'] })
})

test('everyone is removed only by a trial that is applied: a selection may be empty by mistake', async (t) => {
  const made = await withPeople(t)
  const action = { type: 'delete' }

  for (const selection of [{}, { q: '' }, { criteria: {} }]) {
    const answer = await made.post('/api/contacts/bulk', { selection, action })
    assert.equal(answer.status, 422, JSON.stringify(selection))
    assert.match(answer.body.errors.selection[0], /is empty, which is everyone: .*dry_run/)
  }
  assert.equal((await made.get('/api/contacts')).body.total, PEOPLE)
  const tried = await bulk(made, { selection: {}, action, dry_run: true })
  await made.post(`/api/change_sets/${tried.id}/apply`)
  await made.runJobs()
  assert.equal((await made.get('/api/contacts')).body.total, 0)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, type TestApp } from '../../test/app.ts'
import { imported, took } from '../../test/imports.ts'
import { add, withReceiver } from '../../test/webhooks.ts'

const smart = async ({ post, db }: TestApp, criteria: object): Promise<number> => {
  const name = JSON.stringify(criteria)
  const { id } = (await post('/api/contact_lists', { name, criteria })).body
  await dispatched(db)
  return id
}

/** Of whom it was told that they entered or left, and as part of which act. */
const transitions = ({ db }: TestApp) =>
  db.query<{ name: string; types: string[]; change_set_id: number | null }>(sql`
    select split_part(c.email, '@', 1) as name, e.types, e.change_set_id
    from events as e join contacts as c on c.account_id = e.account_id and c.id = e.contact_id
    where e.types && '{list_entered,list_left}' order by e.id`)

const waiting = ({ db }: TestApp) =>
  db.query<{ kind: string; size: number; bulk: boolean; change_set_id: number | null }>(
    sql`select kind, size, bulk, change_set_id from outbox order by id`,
  )

test('who enters a smart list by an act on many is told as a part of it: to a webhook only if it asks for each', async (t) => {
  const made = await withReceiver(t)
  await smart(made, { tag: 'x' })
  await made.hook('/once')
  await made.hook('/each', { each: true })

  const { id } = await imported(made, 'email,tags\nann@example.com,x\nbob@example.com,x\neve@example.com,y\n')
  await made.sent()

  assert.deepEqual(
    (await transitions(made)).map(({ name, types, change_set_id }) => [name, types, change_set_id]).sort(),
    [
      ['ann', ['list_entered'], id],
      ['bob', ['list_entered'], id],
    ],
  )
  const told = (path: string) => made.receiver.received(path).map(({ json }) => json)
  assert.deepEqual(
    told('/once').map(({ type }) => type),
    ['change_set_finished'],
  )
  const many = told('/each').filter(({ type }) => type === 'events')
  const types = many.flatMap(({ data }) => data.map((event: { type: string }) => event.type))
  assert.deepEqual(types.sort(), ['created', 'created', 'created', 'list_entered', 'list_entered'])

  made.receiver.forget()
  await add(made, 'joe', { tags: ['x'] })
  await made.sent()
  assert.deepEqual(
    told('/once').map(({ type }) => type),
    ['created', 'list_entered'],
    'an act by itself is told as such, and so is what follows from it',
  )
})

test('new criteria that are announced are an act on many: one message with counts, and each person only if asked for', async (t) => {
  const made = await withReceiver(t)
  const list = await smart(made, { tag: 'x' })
  const above = await smart(made, { not: { list } })
  await add(made, 'ann', { tags: ['x'] })
  await add(made, 'bob', { tags: ['y'] })
  await add(made, 'eve', { tags: ['y'] })
  await made.sent()
  await made.hook('/once')
  await made.hook('/each', { each: true })

  await made.patch(`/api/contact_lists/${list}`, { criteria: { tag: 'y' }, announce: true })
  await made.sent()

  const told = (path: string) => made.receiver.received(path).map(({ json }) => json)
  const ends = [
    { kind: 'list_criteria', list_id: list, counts: { entered: 2, left: 1 } },
    { kind: 'list_criteria', list_id: above, counts: { entered: 1, left: 2 } },
  ]
  assert.deepEqual(
    told('/once').map(({ type, data }) => [type, data.data]),
    ends.map((end) => ['change_set_finished', end]),
  )
  const many = told('/each').filter(({ type }) => type === 'events')
  assert.deepEqual(
    many.map(({ data }) => data.length),
    [3, 3],
  )
  const sets = (await made.get('/api/change_sets?per_page=2')).body.data
  assert.deepEqual(
    sets.map(({ kind, phase, actor, counts }: Record<string, unknown>) => [kind, phase, actor, counts]),
    ends.toReversed().map(({ kind, counts }) => [kind, 'finished', 'token:1', counts]),
  )
  const positions = await made.db.query<{ change_set_id: number; type: string }>(sql`
    select e.change_set_id, e.type from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
    where f.account_id = ${made.accountId} and e.change_set_id is not null order by f.position`)
  const last = Map.groupBy(positions, (row) => row.change_set_id)
  for (const events of last.values())
    assert.equal(events.at(-1)!.type, 'change_set_finished', 'the end stands behind all')
})

test('an announcement that a later edit overtakes is cancelled, and one of a list that is not tracked is none', async (t) => {
  const made = await withReceiver(t)
  await add(made, 'ann', { tags: ['x'] })
  const list = await smart(made, { tag: 'x' })

  await made.patch(`/api/contact_lists/${list}`, { criteria: { tag: 'y' }, announce: true })
  await made.patch(`/api/contact_lists/${list}`, { criteria: { tag: 'z' }, announce: true })
  await dispatched(made.db)
  await made.patch(`/api/contact_lists/${list}`, { criteria: { tag: 'x' }, track: false, announce: true })
  await dispatched(made.db)

  const ends = await made.db.query<{ data: object; phase: string }>(sql`
    select e.data, s.phase from events as e join change_sets as s on s.account_id = e.account_id and s.id = e.change_set_id
    where e.type = 'change_set_finished' order by e.id`)
  assert.deepEqual(ends, [
    {
      data: { kind: 'list_criteria', list_id: list, cancelled: true, counts: { entered: 0, left: 0 } },
      phase: 'cancelled',
    },
    { data: { kind: 'list_criteria', list_id: list, counts: { entered: 0, left: 1 } }, phase: 'finished' },
  ])
})

test('the acts of an import and of its reversal are bulk, and who it brought into smart lists goes with it', async (t) => {
  const made = await withReceiver(t)
  const list = await smart(made, { all: [{ tag: 'x' }, { sendable: true }] })
  const lines = Array.from({ length: 1200 }, (_, nth) => `p${nth}@example.com,x\n`)

  const { id } = await took(made, `email,tags\n${lines.join('')}`)
  assert.deepEqual(await waiting(made), [
    { kind: 'acts', size: 1200, bulk: true, change_set_id: id },
    { kind: 'acts', size: 1, bulk: false, change_set_id: id },
  ])
  await dispatched(made.db)
  const entered = await transitions(made)
  assert.equal(entered.length, 1200)
  assert.deepEqual([...new Set(entered.map(({ change_set_id }) => change_set_id))], [id])

  const { body } = await made.post(`/api/contact_imports/${id}/revert`, {})
  await made.runJobs()
  assert.deepEqual((await made.get(`/api/change_sets/${body.change_set_id}`)).body.counts, {
    removed: 1200,
    restored: 0,
    kept: 0,
    gone: 0,
  })
  const { change_set_id: revertId } = body
  assert.deepEqual(await waiting(made), [
    { kind: 'acts', size: 1000, bulk: true, change_set_id: revertId },
    { kind: 'acts', size: 200, bulk: true, change_set_id: revertId },
    { kind: 'acts', size: 1, bulk: false, change_set_id: revertId },
  ])
  await dispatched(made.db)
  assert.equal((await made.get(`/api/contact_lists/${list}`)).body.contacts_count, 0)
  assert.deepEqual(await made.db.query(sql`select * from smart_memberships`), [])
})

test('a contact changed by hand while an import waits to be told is told first, with what follows', async (t) => {
  const made = await withReceiver(t)
  await smart(made, { tag: 'x' })
  const ann = await add(made, 'ann')
  await dispatched(made.db)
  const lines = Array.from({ length: 1200 }, (_, nth) => `p${nth}@example.com,x\n`)
  await took(made, `email,tags\n${lines.join('')}`)

  await made.patch(`/api/contacts/${ann}`, { tags: ['x'] })
  await dispatched(made.db)

  const feed = await made.db.query<{ type: string; is_hers: boolean }>(sql`
    select e.type, e.contact_id = ${ann} as is_hers from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
    where f.account_id = ${made.accountId} order by f.position`)
  const at = (type: string) => feed.findIndex((event) => event.type === type && event.is_hers)
  const firstOfImport = feed.findIndex((event) => event.type === 'created' && !event.is_hers)
  assert.ok(
    at('updated') < firstOfImport && at('updated') < at('list_entered'),
    JSON.stringify([at('updated'), firstOfImport]),
  )
})

test('criteria of a webhook may name smart lists; once such a list is gone they say so', async (t) => {
  const made = await withReceiver(t)
  await made.post('/api/contact_fields', { name: 'Plan', merge_tag: 'plan', type: 'text' })
  const list = await smart(made, { plan: 'Pro' })
  const { id } = await made.hook('/pro', { criteria: { all: [{ list }, { not: { tag: 'internal' } }] } })
  await add(made, 'ann', { fields: { plan: 'Pro' } })
  await add(made, 'bob', { fields: { plan: 'Free' } })
  const eve = await add(made, 'eve', { fields: { plan: 'Pro' } })
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${list}, 'eve@example.com')`)
  await made.sent()

  const told = () => made.receiver.received('/pro').map(({ json }) => json.data)
  assert.ok(
    told().every(({ contact_id }) => contact_id !== eve),
    'who has left the list is not in it',
  )
  assert.deepEqual(
    told().map(({ type }) => type),
    ['created', 'list_entered'],
  )

  const kept = await made.del(`/api/contact_lists/${list}`)
  assert.deepEqual(
    [kept.status, kept.body.errors],
    [422, { usage: [`This list is used in the criteria of webhook(s): ${id}. Change these first.`] }],
  )
  // As the release before this one, which did not look at webhooks, may still do.
  await made.db.query(sql`delete from lists where account_id = ${made.accountId} and id = ${list}`)
  await add(made, 'joe', { fields: { plan: 'Pro' } })
  await made.sent()
  const { enabled, disabled_reason } = (await made.get(`/api/webhooks/${id}`)).body
  assert.equal(enabled, false)
  assert.equal(disabled_reason, `its criteria are no longer right: criteria not found: ${list}`)
})

test('criteria that name a field that is newer than what the sender knows are no reason to stop', async (t) => {
  const made = await withReceiver(t)
  await made.hook('/first', { criteria: { first_name: 'Ann' } })
  await add(made, 'ann', { fields: { first_name: 'Ann' } })
  await made.sent() // from here on the sender knows the fields, for 5 s
  await made.post('/api/contact_fields', { name: 'Shoe size', merge_tag: 'shoe_size', type: 'number' })
  const { id } = await made.hook('/new', { criteria: { field: 'shoe_size', op: 'gt', value: 40 } })

  await add(made, 'bob', { fields: { shoe_size: 41 } })
  await made.sent()

  assert.equal((await made.get(`/api/webhooks/${id}`)).body.disabled_reason, null)
  assert.equal(made.receiver.received('/new').length, 1)
})

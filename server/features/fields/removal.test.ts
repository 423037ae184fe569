import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { runJobs } from '../../test/jobs.ts'

async function define({ post }: TestApp, field: object): Promise<{ id: number; url: string }> {
  const { status, body } = await post('/api/contact_fields', field)
  assert.equal(status, 201, JSON.stringify(body))
  return { id: body.id, url: `/api/contact_fields/${body.id}` }
}

const enter = async ({ post }: TestApp, name: string, fields: object): Promise<string> =>
  (await post('/api/contacts', { email: `${name}@example.com`, fields })).body.data.id

test('a removed field is gone at once; its values follow, counted, with a row and an event for each', async (t) => {
  const made = await testApp(t)
  const { del, get, db } = made
  const { id, url } = await define(made, { name: 'Company', type: 'text' })
  const ann = await enter(made, 'ann', { company: 'Acme', first_name: 'Ann' })
  const bob = await enter(made, 'bob', { company: 'Beta' })
  await enter(made, 'eve', { first_name: 'Eve' })

  const answer = await del(url)
  assert.deepEqual([answer.status, answer.body], [204, ''])
  assert.equal((await get(url)).status, 404)
  assert.equal((await del(url)).status, 404)
  assert.deepEqual((await get(`/api/contacts/${ann}`)).body.data.fields, { first_name: 'Ann' })
  const [waiting] = (await get('/api/change_sets')).body.data
  assert.deepEqual(
    [waiting.kind, waiting.phase, waiting.options],
    ['field_delete', 'running', { field_id: id, name: 'Company', key: 'company' }],
  )
  await runJobs(db)

  const set = (await get(`/api/change_sets/${waiting.id}`)).body
  assert.deepEqual([set.phase, set.counts], ['finished', { values_removed: 2 }])
  const left = await db.query(sql`select email, fields from contacts order by email`)
  assert.deepEqual(left, [
    { email: 'ann@example.com', fields: { first_name: 'Ann' } },
    { email: 'bob@example.com', fields: {} },
    { email: 'eve@example.com', fields: { first_name: 'Eve' } },
  ])
  const diff = (await get(`/api/change_sets/${set.id}/diff`)).body.data as Record<string, unknown>[]
  assert.deepEqual(
    diff.map((row) => [row.contact_id, row.action, row.before, row.after]),
    [
      [ann, 'updated', { fields: { company: 'Acme' } }, { fields: {} }],
      [bob, 'updated', { fields: { company: 'Beta' } }, { fields: {} }],
    ],
  )
  const [event] = (await get(`/api/contacts/${bob}/events`)).body.data
  assert.deepEqual(
    [event.type, event.data, event.change_set_id],
    ['updated', { fields: { company: { from: 'Beta' } } }, set.id],
  )
})

test('the sweep waits until no process can know the field any more', async (t) => {
  const made = await testApp(t)
  const { url } = await define(made, { name: 'Company', type: 'text' })
  await made.del(url)

  const [job] = await made.db.query<{ seconds: number }>(sql`
    select extract(epoch from start_after - created_on)::float8 as seconds from pgboss.job where name = 'fields.sweep-removed'`)
  assert.ok(job!.seconds >= 7 && job!.seconds < 8.5, `${job!.seconds} s`)
})

test('a field created again under the same name and merge tag starts empty, before the sweep and after it', async (t) => {
  const made = await testApp(t)
  const { del, get, patch, db } = made
  const { url } = await define(made, { name: 'Company', type: 'text' })
  const ann = await enter(made, 'ann', { company: 'Old' })
  const bob = await enter(made, 'bob', { company: 'Old' })
  await del(url)

  const again = await define(made, { name: 'Company', type: 'text' })
  assert.equal((await get(again.url)).body.values_count, 0)
  assert.deepEqual((await get(`/api/contacts/${ann}`)).body.data.fields, {})
  assert.equal((await get('/api/contacts?company=old')).body.total, 0)
  await patch(`/api/contacts/${ann}`, { fields: { company: 'New' } })
  await runJobs(db)

  assert.deepEqual((await get(`/api/contacts/${ann}`)).body.data.fields, { company: 'New' })
  assert.deepEqual((await get(`/api/contacts/${bob}`)).body.data.fields, {})
  assert.equal((await get(again.url)).body.values_count, 1)
  const stored = await db.query<{ fields: object }>(sql`select fields from contacts order by email`)
  assert.deepEqual(
    stored.map((row) => row.fields),
    [{ company_2: 'New' }, {}],
  )

  await del(again.url)
  const third = await define(made, { name: 'Company', type: 'text' })
  await enter(made, 'eve', { company: 'Third' })
  await runJobs(db)
  assert.equal((await get(third.url)).body.values_count, 1)
})

test('a field that smart lists speak of stays, and they are named', async (t) => {
  const made = await testApp(t)
  const { db, accountId, del, get } = made
  const used = await define(made, { name: 'Plan', type: 'text' })
  const other = await define(made, { name: 'Company', type: 'text' })
  const smart = (name: string, criteria: object) =>
    db.query(sql`
    insert into lists (account_id, name, criteria) values (${accountId}, ${name}, ${JSON.stringify(criteria)}::jsonb)`)
  await smart('Deep', { all: [{ any: [{ not: { field_id: used.id, op: 'eq', value: 'Pro' } }] }, { tag: 'x' }] })
  await smart('Flat', { field_id: used.id, op: 'is_set' })
  await smart('Elsewhere', { all: [{ field_id: used.id + 1000, op: 'eq', value: used.id }] })
  const stranger = await made.another()
  await db.query(sql`
    insert into lists (account_id, name, criteria)
    values (${stranger.accountId}, 'Not ours', ${JSON.stringify({ field_id: other.id })}::jsonb)`)

  const answer = await del(used.url)

  assert.deepEqual(
    [answer.status, answer.body],
    [422, { errors: { usage: ['This field is used in the conditions of segment(s): Deep, Flat.'] } }],
  )
  assert.equal((await get(used.url)).status, 200)
  assert.equal((await del(other.url)).status, 204)
  await db.query(sql`delete from lists where account_id = ${accountId}`)
  assert.equal((await del(used.url)).status, 204)
})

test('of two who remove a field at once one does, and the other finds nothing', async (t) => {
  const made = await testApp(t)
  const { url } = await define(made, { name: 'Company', type: 'text' })

  const answers = await Promise.all(Array.from({ length: 6 }, () => made.del(url)))

  assert.deepEqual(answers.map((answer) => answer.status).sort(), [204, 404, 404, 404, 404, 404])
  assert.equal((await made.get('/api/change_sets')).body.total, 1)
})

test('a contact removed while the values go is not told of', async (t) => {
  const made = await testApp(t)
  const { url } = await define(made, { name: 'Company', type: 'text' })
  const ann = await enter(made, 'ann', { company: 'Acme' })
  await enter(made, 'bob', { company: 'Beta' })
  await made.del(url)
  await made.del(`/api/contacts/${ann}`)

  await runJobs(made.db)

  const [set] = (await made.get('/api/change_sets')).body.data
  assert.deepEqual(set.counts, { values_removed: 1 })
})

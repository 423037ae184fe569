import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { dispatched, type TestApp, testApp } from './app.ts'
import { imported } from './imports.ts'
import { runJobs } from './jobs.ts'
import { pathOf } from './permission.ts'
import { receiver } from './receiver.ts'
import { sendAll } from './webhooks.ts'

const EMAIL = 'mara.lindqvist@example.com'
const OLD_EMAIL = 'mara.old@example.com'
/** Texts that say who it is: none of them may be found anywhere once she is removed. */
const TRACES = ['mara.lindqvist', 'mara.old', 'Lindqvist', 'crm-4711', 'Bergen harbour', 'very-personal']

/** Tables whose rows about a contact stay, and as what. */
const STAYS: Record<string, string[]> = { events: ['deleted'], change_rows: [] }

interface Column {
  table: string
  column: string
}

/** Every column of a kind in the tables that we have made, partitions aside. */
function columns(db: Database, types: string[], name?: string): Promise<Column[]> {
  return db.query<Column>(sql`
    select c.oid::regclass::text as table, a.attname as column
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid
    where n.nspname in ('public', 'pgboss') and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and format_type(a.atttypid, null) = any(${types})
      and (${name ?? null}::text is null or a.attname = ${name ?? null}::text)
    order by 1, 2`)
}

async function rowsAbout(db: Database, table: string, contactId: string): Promise<Record<string, unknown>[]> {
  return db.query(sql`select * from ${raw(table)} where contact_id = ${contactId}::uuid`)
}

/** Where a text stands, in any letter case: in texts, JSON and arrays of either, whatever the table. */
async function placesOf(db: Database, trace: string): Promise<string[]> {
  const searched = await columns(db, ['text', 'character varying', 'jsonb', 'json', 'text[]', 'jsonb[]', 'name'])
  const places: string[] = []
  for (const { table, column } of searched) {
    const found = await db.query(
      sql`select from ${raw(table)} where ${raw(`"${column}"`)}::text ilike ${`%${trace}%`} limit 1`,
    )
    // Rows of a file that wait to be applied are kept as long as the file itself, whoever is removed meanwhile.
    if (found.length > 0 && table !== 'import_rows') places.push(`${table}.${column}`)
  }
  return places
}

/** Someone who stands in every table there is for a contact: all of it through the API. */
async function withEverything(t: TestContext): Promise<TestApp & { id: string }> {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { post, patch, del, get, call } = made
  const url = (await receiver(t)).at('/echo', 'echo') // whose answers quote what they were sent
  assert.equal((await post('/api/webhooks', { url, each: true })).status, 201)
  const lists: number[] = []
  for (const name of ['News', 'Offers', 'Merged'])
    lists.push((await post('/api/contact_lists', { name })).body.id as number)
  const body = {
    email: OLD_EMAIL,
    external_id: 'crm-4711',
    fields: { first_name: 'Mara', last_name: 'Lindqvist', place: 'Bergen harbour', gone: 'very-personal', level: '7' },
    tags: ['very-personal'],
    list_ids: [lists[0]],
  }
  const created = await call('POST', '/api/contacts', body, { 'idempotency-key': 'k1' })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  const { id } = created.body.data
  const other = (await post('/api/contacts', { email: 'someone.else@example.com' })).body.data.id
  await patch(`/api/contacts/${id}`, { email: EMAIL, tags: ['very-personal', 'x'] })
  await patch(`/api/contacts/${id}`, { unsubscribed: true })
  assert.equal((await post(`/api/contacts/${id}/resubscribe`, { send_confirmation: true })).status, 200)
  await patch(`/api/contacts/${id}`, { unsubscribed: false })
  await post(`/api/contacts/${id}/events`, { name: 'signed', params: { where: 'Bergen harbour', who: EMAIL } })
  await post(`/api/contact_lists/${lists[1]}/contacts`, { contact_ids: [EMAIL, other, 'ext:crm-4711x'] })
  await post(`/api/contact_lists/${lists[2]}/merge`, { list_ids: [lists[1]] })
  await del(`/api/contact_lists/${lists[2]}/contacts/${id}`)
  await del(`/api/contact_lists/${lists[2]}/contacts`, { contact_ids: [other] })
  await patch('/api/contacts/batch', { contact_ids: [EMAIL, other], tags_added: ['y'], fields: { company: 'Acme' } })
  const file = `email,place,gone\n${EMAIL},Bergen harbour 2,very-personal 2\nnew@example.com,Oslo,\n`
  await imported(made, file, { update_existing: 'true', list_id: String(lists[0]) }, 'members.csv')
  await imported(made, file, { dry_run: 'true' }, 'members.csv')
  const bulk = await post('/api/contacts/bulk', { selection: { q: 'mara' }, action: { type: 'add_tags', tags: ['z'] } })
  assert.equal(bulk.status, 201, JSON.stringify(bulk.body))
  await made.runJobs()
  await post(`/api/change_sets/${bulk.body.id}/revert`)
  await made.runJobs()
  const fields = (await get('/api/contact_fields')).body as { id: number; merge_tag: string }[]
  const idOf = (tag: string) => fields.find((field) => field.merge_tag === tag)!.id
  assert.equal((await post(`/api/contact_fields/${idOf('level')}/convert`, { type: 'number' })).status, 200)
  assert.equal((await del(`/api/contact_fields/${idOf('gone')}`)).status, 204)
  await runJobs(made.db)
  assert.equal((await post('/api/contact_lists', { name: 'Smart', criteria: { tag: ['x', 'y'] } })).status, 200)
  const hook = (await post('/api/provider_hooks', { provider: 'generic' })).body.url as string
  const told = { email: EMAIL, at: new Date().toISOString(), reason: 'very-personal' }
  const events = [
    { ...told, id: 'b1', type: 'bounced', bounce: 'soft' },
    { ...told, id: `c1 ${EMAIL}`, type: 'complained' },
  ]
  assert.equal((await post(pathOf(hook), events)).body.recorded, 2)
  assert.equal((await post(`/api/contacts/${id}/resubscribe`, { send_confirmation: false })).status, 200)
  await dispatched(made.db)
  await sendAll(made.db)
  return { ...made, id }
}

/** Deliveries name several people each. */
function deliveriesAbout(db: Database, contactId: string): Promise<{ kind: string; answers: unknown[] }[]> {
  return db.query(sql`
    select kind, jsonb_path_query_array(attempts, '$[*].answer') as answers from deliveries
    where contact_ids @> array[${contactId}::uuid]`)
}

const REMOVALS: Record<string, (made: TestApp, id: string) => Promise<{ status: number }>> = {
  'by itself': ({ del }, id) => del(`/api/contacts/${id}`),
  'in a batch': ({ del }) => del('/api/contacts/batch', { contact_ids: [EMAIL, 'nobody@example.com'] }),
}

for (const [how, remove] of Object.entries(REMOVALS)) {
  test(`a contact removed ${how} is gone from every table, but for what is to stay`, async (t) => {
    const made = await withEverything(t)
    const { db, id } = made
    const tables = (await columns(db, ['uuid'], 'contact_id')).map((row) => row.table)
    assert.ok(tables.length >= 4, tables.join())
    for (const table of tables)
      assert.ok(
        (await rowsAbout(db, table, id)).length > 0,
        `nothing of the contact stands in ${table}: let withEverything put something there, and see to its removal`,
      )
    for (const trace of TRACES) assert.notDeepEqual(await placesOf(db, trace), [], `${trace} stands somewhere`)
    const before = await rowsAbout(db, 'change_rows', id)
    const quoting = (await deliveriesAbout(db, id)).filter(({ answers }) => JSON.stringify(answers).includes(id))
    assert.deepEqual([...new Set(quoting.map(({ kind }) => kind))].sort(), ['event', 'events'])
    assert.ok((await placesOf(db, 'mara.old')).includes('deliveries.attempts'))

    const answer = await remove(made, id)
    assert.ok([200, 204].includes(answer.status), JSON.stringify(answer))
    assert.deepEqual(await deliveriesAbout(db, id), [])
    await dispatched(db)
    await sendAll(db)
    const told = await deliveriesAbout(db, id)
    assert.ok(told.length > 0, 'that it was deleted is told')
    for (const { answers } of told) assert.deepEqual(answers, [null], 'and nothing is kept of what is answered to that')

    for (const table of tables) {
      const rows = await rowsAbout(db, table, id)
      if (!(table in STAYS)) assert.deepEqual(rows, [], table)
    }
    const events = await rowsAbout(db, 'events', id)
    assert.deepEqual(
      events.map((row) => [row.type, row.types, row.name, row.data]),
      [['deleted', ['deleted'], null, {}]],
    )
    const rows = await rowsAbout(db, 'change_rows', id)
    assert.equal(rows.length, before.length + (how === 'in a batch' ? 1 : 0))
    for (const { account_id, change_set_id, line, action, contact_id, ...rest } of rows) {
      assert.ok(action)
      assert.deepEqual(rest, { email: null, input: null, problem: null, before: null, after: null })
    }
    for (const trace of TRACES) assert.deepEqual(await placesOf(db, trace), [], trace)
  })
}

test('what the search for orphans would miss, it does not: a text in any column of any table is found', async (t) => {
  const { db } = await testApp(t)
  await db.query(sql`create table letters (account_id bigint, contact_id uuid, lines text[], seal jsonb)`)
  await db.query(
    sql`insert into letters values (1, new_id(), '{"Dear Mara Lindqvist"}', '{"to": [{"x": "VERY-personal"}]}')`,
  )

  assert.ok((await columns(db, ['uuid'], 'contact_id')).some((row) => row.table === 'letters'))
  assert.deepEqual(await placesOf(db, 'lindqvist'), ['letters.lines'])
  assert.deepEqual(await placesOf(db, 'very-personal'), ['letters.seal'])
})

test('who has left a list has left it also when they come back', async (t) => {
  const { db, accountId, post, del } = await testApp(t)
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  await post('/api/contacts', { email: EMAIL })
  await db.query(sql`insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${list}, ${EMAIL})`)

  await del(`/api/contacts/${EMAIL}`)
  const again = await post('/api/contacts', { email: EMAIL, list_ids: [list] })

  assert.deepEqual(again.body.data.list_ids, [])
})

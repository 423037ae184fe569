import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { dispatched, type TestApp, testApp } from './app.ts'
import { columns, EMAIL, TRACES, withEverything } from './everything.ts'
import { sendAll } from './webhooks.ts'

/** Tables whose rows about a contact stay, and as what. */
const STAYS: Record<string, string[]> = { events: ['deleted'], change_rows: [], unchanged_rows: [] } // the last are a part of change_rows

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

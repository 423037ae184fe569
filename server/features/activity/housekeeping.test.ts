import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { testApp } from '../../test/app.ts'
import { testDatabase } from '../../test/database.ts'
import { keepHouse } from './housekeeping.ts'

const partitions = async (db: Database): Promise<string[]> =>
  (
    await db.query<{ name: string }>(sql`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass order by 1`)
  ).map((row) => row.name)

/** The names of the partitions for a month and the three after it. */
function months(year: number, month: number): string[] {
  return [0, 1, 2, 3].map((ahead) => {
    const date = new Date(Date.UTC(year, month - 1 + ahead))
    return `events_${date.toISOString().slice(0, 7).replace('-', '_')}`
  })
}

/** Where an event whose id was made at that moment is put. */
async function partitionAt(db: Database, moment: string): Promise<string> {
  const [row] = await db.query<{ name: string }>(sql`
    insert into events (account_id, id, type, types, at) values (1, id_floor(${moment}), 'custom', '{custom}', ${moment})
    returning tableoid::regclass::text as name`)
  return row!.name
}

test('the partitions of this month and of three more are there from the start', async (t) => {
  const db = await testDatabase(t)
  const now = new Date()

  assert.deepEqual(
    await partitions(db),
    [...months(now.getUTCFullYear(), now.getUTCMonth() + 1), 'events_default'].sort(),
  )
  await keepHouse(db)
  assert.equal((await partitions(db)).length, 5, 'and looking again makes no more')
})

test('as time goes on the coming months are made, over the turn of a year too', async (t) => {
  const db = await testDatabase(t)

  for (const [now, expected] of [
    ['2031-10-31T23:59:59.999Z', months(2031, 10)],
    ['2031-11-01T00:00:00.000Z', months(2031, 11)],
    ['2032-01-31T12:00:00.000Z', months(2032, 1)],
  ] as const) {
    await keepHouse(db, new Date(now))
    const there = await partitions(db)
    for (const name of expected) assert.ok(there.includes(name), `${name} at ${now}`)
  }
  assert.equal(await partitionAt(db, '2031-10-01T00:00:00Z'), 'events_2031_10')
  assert.equal(await partitionAt(db, '2031-12-31T23:59:59.999Z'), 'events_2031_12')
  assert.equal(await partitionAt(db, '2032-01-01T00:00:00Z'), 'events_2032_01')
  assert.equal(await partitionAt(db, '2032-04-30T23:59:59Z'), 'events_2032_04')
  assert.equal(
    await partitionAt(db, '2035-01-01T00:00:00Z'),
    'events_default',
    'what no month claims is kept all the same',
  )
})

test('several processes keep house at once, and each finds it done', async (t) => {
  const db = await testDatabase(t)

  await Promise.all(Array.from({ length: 6 }, () => keepHouse(db, new Date('2040-05-05'))))

  assert.deepEqual(
    (await partitions(db)).filter((name) => name.includes('2040')),
    months(2040, 5),
  )
})

test('a month whose events stand in the default partition already does not keep the next ones from being made', async (t) => {
  const db = await testDatabase(t)
  await partitionAt(db, '2040-05-05T00:00:00Z')

  await assert.rejects(keepHouse(db, new Date('2040-05-06')), /default partition/)

  assert.deepEqual(
    (await partitions(db)).filter((name) => name.includes('2040')),
    months(2040, 5).slice(1),
  )
})

test('what goes on in the API never lands in the default partition', async (t) => {
  const { db, post, patch, del } = await testApp(t)
  await post('/api/contacts', { email: 'a@example.com' })
  await patch('/api/contacts/a@example.com', { fields: { company: 'Acme' }, unsubscribed: true })
  await post('/api/contacts/a@example.com/events', { name: 'email_opened' })
  await del('/api/contacts/a@example.com')

  const [stray] = await db.query<{ count: number }>(sql`select count(*) as count from events_default`)
  assert.equal(stray!.count, 0)
})

test('the answers to repeated requests are forgotten after a day', async (t) => {
  const { db, call } = await testApp(t)
  const create = (name: string) =>
    call('POST', '/api/contacts', { email: `${name}@example.com` }, { 'idempotency-key': name })
  await create('old')
  await create('young')
  const ages = { old: '24 hours 1 minute', young: '23 hours 59 minutes' }
  for (const [key, age] of Object.entries(ages))
    await db.query(sql`update idempotency_keys set created_at = now() - ${age}::interval where key = ${key}`)

  await keepHouse(db)

  assert.deepEqual(await db.query(sql`select key from idempotency_keys`), [{ key: 'young' }])
  assert.equal((await create('young')).headers['idempotent-replayed'], 'true')
  assert.equal((await create('old')).status, 422, 'a request of its own again')
})

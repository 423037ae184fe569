import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { testApp } from '../../test/app.ts'
import { dispatch, dispatchAll } from './dispatcher.ts'
import { record } from './record.ts'

interface Placed {
  position: number
  event_id: string
  contact_id: string | null
  type: string
}

function feedOf(db: Database, accountId: number): Promise<Placed[]> {
  return db.query<Placed>(sql`
    select f.position, f.event_id, e.contact_id, e.type from feed as f left join events as e on e.account_id = f.account_id and e.id = f.event_id
    where f.account_id = ${accountId} order by f.position`)
}

test('every event gets one place in the feed, without gaps, whatever commits when and whoever dispatches', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const contacts = await Promise.all(
    ['a', 'b', 'c'].map(
      async (name) => (await made.post('/api/contacts', { email: `${name}@example.com` })).body.data.id as string,
    ),
  )
  let rolledBack = 0

  const writer = async (nth: number) => {
    for (let round = 0; round < 8; round++) {
      const contactId = contacts[(nth + round) % contacts.length]!
      await db
        .transaction(async (trx) => {
          await trx.query(sql`select id from contacts where account_id = ${accountId} and id = ${contactId} for update`)
          record(trx, accountId, [{ contactId, types: ['custom'], name: `${nth}-${round}`, data: {} }])
          await trx.query(sql`select pg_sleep(${Math.random() * 0.01})`)
          if (round % 5 === 4) throw new Error('undone')
        })
        .catch(() => rolledBack++)
    }
  }
  let writing = true
  const dispatcher = async () => {
    while (writing) await dispatchAll(db)
  }
  const dispatching = [dispatcher(), dispatcher()]
  await Promise.all(Array.from({ length: 16 }, (_, nth) => writer(nth)))
  writing = false
  await Promise.all(dispatching)
  await dispatchAll(db)

  const feed = await feedOf(db, accountId)
  assert.equal(feed.length, 3 + 16 * 8 - rolledBack)
  assert.deepEqual(
    feed.map((row) => row.position),
    feed.map((_, at) => at + 1),
    'no gaps',
  )
  assert.equal(new Set(feed.map((row) => row.event_id)).size, feed.length, 'none twice')
  const [waiting] = await db.query<{ count: number }>(sql`select count(*) as count from outbox`)
  assert.equal(waiting!.count, 0)
  for (const id of contacts) {
    const timeline = await db.query<{ id: string }>(
      sql`select id from events where account_id = ${accountId} and contact_id = ${id} order by id`,
    )
    assert.deepEqual(
      feed.filter((row) => row.contact_id === id).map((row) => row.event_id),
      timeline.map((row) => row.id),
      "a contact's events in the order they happened",
    )
  }
})

test('an account whose feed is being written is passed over, not waited for', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'a@example.com' })

  await made.db.transaction(async (trx) => {
    await trx.query(sql`select position from feed_heads where account_id = ${made.accountId} for update`)
    assert.equal(await dispatch(made.db, made.accountId), 0)
  })

  assert.equal(await dispatch(made.db, made.accountId), 1)
})

test('the events of a removed contact keep their places', async (t) => {
  const made = await testApp(t)
  const { id } = (await made.post('/api/contacts', { email: 'a@example.com' })).body.data
  await made.post('/api/contacts', { email: 'b@example.com' })
  await dispatchAll(made.db)

  await made.del(`/api/contacts/${id}`)
  await dispatchAll(made.db)

  const feed = await feedOf(made.db, made.accountId)
  assert.deepEqual(
    feed.map((row) => row.type),
    [null, 'created', 'deleted'],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testDatabase } from '../test/database.ts'

test('transactions that wait for a statement outside of them leave it a connection', {
  timeout: 120_000,
}, async (t) => {
  const db = await testDatabase(t, 2)
  const sums = await Promise.all(
    [1, 2, 3, 4].map((given) =>
      db.transaction(async (trx) => {
        const [inside] = await trx.query<{ n: number }>(sql`select ${given}::int as n`)
        const [outside] = await db.query<{ n: number }>(sql`select ${inside!.n}::int * 2 as n`)
        return outside!.n
      }),
    ),
  )
  assert.deepEqual(sums, [2, 4, 6, 8])
})

test('a connection that breaks while nothing is asked of it ends no process', async (t) => {
  const db = await testDatabase(t)
  const client = await db.pool.connect()
  const { rows } = await client.query('select pg_backend_pid() as pid')
  const ended = new Promise((resolve) => client.once('end', resolve)) // `once` of node:events would listen for its error

  await db.query(sql`select pg_terminate_backend(${rows[0].pid})`)
  await ended
  client.release(true)

  assert.deepEqual(await db.query(sql`select 1 as one`), [{ one: 1 }])
})

test('beside a transaction another one reads what it has seen, at its moment, unless it would have to wait for a connection', async (t) => {
  const db = await testDatabase(t, 3)
  const count = sql`select count(*)::int as count from accounts`
  const [before] = await db.query<{ count: number }>(count)
  await db.transaction(async (trx) => {
    const [began] = await trx.query<{ now: string }>(sql`select now()::text as now`)
    await db.query(sql`insert into accounts (name) values ('Committed meanwhile')`)
    trx.send(sql`insert into accounts (name) values ('Not committed')`)
    const writing = await trx.beside((beside) => beside.query(sql`insert into accounts (name) values ('Beside')`))
    await assert.rejects(writing!.done, /read-only/)
    const again = await trx.beside((beside) => beside.query<{ count: number }>(count))
    assert.deepEqual(await again!.done, [before])
    const held = await trx.beside(async (beside, now) => {
      assert.equal(await trx.beside(async () => {}), undefined, 'no other is free')
      return beside.query<{ now: string }>(sql`select ${now}::text as now`)
    })
    assert.deepEqual(await held!.done, [began])
  }, 'repeatable read')
  const [after] = await db.query<{ count: number }>(count)
  assert.equal(after!.count, before!.count + 2)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testDatabase } from '../test/database.ts'

test('transactions that wait for a statement outside of them leave it a connection', { timeout: 10_000 }, async (t) => {
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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { testDatabase } from '../../test/database.ts'
import { createAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import { compile } from './compile.ts'
import { defineFields } from './generated.ts'
import { parseCriteria } from './parse.ts'

async function withFields(db: Database) {
  const { id: accountId } = await createAccount(db, { name: 'Criteria' })
  await db.query(defineFields(accountId))
  const set = await loadFields(db, accountId)
  return { accountId, vocabulary: { fieldNamed: (tag: string) => set.tagged(tag), fieldNames: () => set.mergeTags } }
}

test('days of a moment begin and end where the account is', async (t) => {
  const db = await testDatabase(t)
  const { accountId, vocabulary } = await withFields(db)
  // 2026-03-29 has 23 hours in Berlin: from 23:00 UTC of the day before to 22:00 UTC.
  const at = ['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z']
  await db.query(sql`
    insert into contacts (account_id, email, state, origin, created_at)
    select ${accountId}, n || '@example.com', 'none', 'test', at from unnest(${at}::timestamptz[]) with ordinality as t (at, n)`)

  const on = async (timeZone: string, op: string, value: string) => {
    const condition = compile(parseCriteria({ field: 'created_at', op, value }, vocabulary), { timeZone })
    const rows = await db.query<{ email: string }>(
      sql`select email from contacts as c where c.account_id = ${accountId} and ${condition} order by email`,
    )
    return rows.map((row) => Number.parseInt(row.email, 10))
  }

  assert.deepEqual(await on('Europe/Berlin', 'on', '2026-03-29'), [2, 3])
  assert.deepEqual(await on('Europe/Berlin', 'before', '2026-03-29'), [1])
  assert.deepEqual(await on('Europe/Berlin', 'after', '2026-03-29'), [4])
  assert.deepEqual(await on('UTC', 'on', '2026-03-29'), [3, 4])
})

test('what is wrong with criteria is told with its place, all at once', async (t) => {
  const db = await testDatabase(t)
  const { vocabulary } = await withFields(db)
  const faultsOf = (given: unknown) => {
    try {
      parseCriteria(given, vocabulary)
    } catch (error) {
      if (error instanceof AppError) return error.messages!
      throw error
    }
    return {}
  }
  const nested = (depth: number): unknown => (depth === 0 ? { city: 'x' } : { not: nested(depth - 1) })

  const faults = faultsOf({
    all: [
      { field: 'plan', op: 'gt', value: 1 },
      { any: [{ field: 'nope', value: 1 }, { age: 'old' }] },
      { field: 'plan', value: 'Gold' },
      { tag: 7 },
      { list: 'x' },
    ],
  })
  assert.deepEqual(Object.keys(faults).sort(), [
    'criteria.all.0.op',
    'criteria.all.1.any.0.field',
    'criteria.all.1.any.1.age',
    'criteria.all.2.value',
    'criteria.all.3.tag',
    'criteria.all.4.list',
  ])
  assert.match(faults['criteria.all.2.value']![0]!, /Free, Pro/)
  assert.match(faults['criteria.all.1.any.0.field']![0]!, /email, .*city/)
  assert.deepEqual(faultsOf(nested(9)), {})
  assert.match(Object.values(faultsOf(nested(10)))[0]![0]!, /too deep/)
  assert.match(
    faultsOf({ any: Array.from({ length: 101 }, () => ({ city: 'x' })) }).criteria![0]!,
    /too many conditions/,
  )
  assert.match(
    faultsOf({ field: 'city', op: 'in', value: Array.from({ length: 1001 }, String) })['criteria.value']![0]!,
    /too many values/,
  )
  assert.match(faultsOf({ field: 'age', op: 'between', value: [1] })['criteria.value']![0]!, /two values/)
  for (const bad of [null, 'x', [], 7]) assert.deepEqual(faultsOf(bad), { criteria: ['must be an object'] })
})

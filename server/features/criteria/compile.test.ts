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

  const event = (more: object) => Object.keys(faultsOf({ event: 'bought', ...more }))
  assert.deepEqual(event({}), [])
  assert.deepEqual(
    event({ within: '12h', count: { gte: 1, lt: 5 }, params: { plan: 'Pro', amount: [1, 2] }, machine: true }),
    [],
  )
  assert.deepEqual(event({ within: '30y' }), ['criteria.within'])
  assert.deepEqual(event({ within: '0d' }), ['criteria.within'])
  assert.deepEqual(event({ within: '9000h' }), ['criteria.within'])
  assert.deepEqual(event({ count: 2 }), ['criteria.count'])
  assert.deepEqual(event({ count: {} }), ['criteria.count'])
  assert.deepEqual(event({ count: { gte: -1, most: 2 } }), ['criteria.count.gte', 'criteria.count.most'])
  assert.deepEqual(event({ times: 2, machine: 'yes' }), ['criteria.times', 'criteria.machine'])
  assert.deepEqual(event({ params: 'x' }), ['criteria.params'])
  assert.deepEqual(event({ params: [{ param: 'plan', op: 'gt', value: 'Pro' }] }), ['criteria.params.0.op'])
  assert.deepEqual(event({ params: [{ param: 'a', value: 1, to: 2 }, 7] }), [
    'criteria.params.0.to',
    'criteria.params.1',
  ])
  assert.deepEqual(event({ params: { mixed: ['a', 1] } }), ['criteria.params.mixed'])
  assert.match(faultsOf({ event: 'list_entered' })['criteria.event']![0]!, /write {"list": …}/)
  assert.deepEqual(Object.keys(faultsOf({ event: [] })), ['criteria.event'])
  assert.deepEqual(Object.keys(faultsOf({ event: { $ne: null } })), ['criteria.event'])
  assert.match(faultsOf({ field: 'born', op: 'anniversary_within', value: 366 })['criteria.value']![0]!, /0 to 365/)
  assert.match(faultsOf({ field: 'born', op: 'before', value: '2026-02-30' })['criteria.value']![0]!, /date/)
  assert.match(
    faultsOf({ event: 'bought', params: { amount: Array.from({ length: 1001 }, (_, n) => n) } })[
      'criteria.params.amount'
    ]![0]!,
    /too many values/,
  )
})

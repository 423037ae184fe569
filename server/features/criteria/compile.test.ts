import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { testDatabase } from '../../test/database.ts'
import { createAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import { STATES } from '../subscriptions/states.ts'
import { compile } from './compile.ts'
import { parseCriteria } from './parse.ts'
import { accepts, type Person } from './reference.ts'

const texts = fc.constantFrom('Oslo', 'OSLO', 'O%s_l', "o'brien; --", 'ÅRHUS', 'årh', '\\', '50%', '100', 'true')
const numbers = fc.constantFrom(-1, -1e-7, 0, 0.1, 0.30000000000000004, 1, 41, 41.5, 1e15, 1e21)
const days = fc.constantFrom('1999-12-31', '2024-02-29', '2026-01-01', '2026-01-02')
const options = fc.constantFrom('Free', 'Pro')
const tags = fc.constantFrom('customer', 'lead', "it's")

const fields = fc.record(
  // Other kinds under a number's key are those that a conversion has not come to yet.
  { city: texts, age: fc.oneof(numbers, fc.constantFrom('40', true)), born: days, plan: options, vip: fc.boolean() },
  { requiredKeys: [] },
)
const person: fc.Arbitrary<Person> = fc.record({
  email: fc
    .tuple(fc.constantFrom('ann', 'bob', 'o_slo', 'a+b'), fc.uuid(), fc.constantFrom('example.com', 'oslo.no'))
    .map(([name, id, domain]) => `${name}-${id}@${domain}`),
  external_id: fc.option(fc.uuid()),
  state: fc.constantFrom(...STATES),
  fields,
  tags: fc.uniqueArray(tags, { maxLength: 2 }),
  lists: fc.subarray([1, 2]),
  created_at: fc
    .constantFrom('2025-12-31T23:59:59.999Z', '2026-01-01T00:00:00.000Z', '2026-01-01T23:59:59.999Z')
    .map((at) => new Date(at)),
})

const test1 = (field: fc.Arbitrary<string>, ops: string[], value: fc.Arbitrary<unknown>) =>
  fc.record({ field, op: fc.constantFrom(...ops), value })
const pair = <T>(value: fc.Arbitrary<T>) => fc.tuple(value, value)
const many = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 3 })
const name = (...names: string[]) => fc.constantFrom(...names)
const text = name('city', 'email', 'email_domain', 'external_id')

const leaf = fc.oneof(
  test1(
    text,
    ['eq', 'ne', 'contains', 'not_contains', 'starts_with', 'ends_with'],
    fc.oneof(texts, fc.constantFrom('oslo.no', 'a', '_', 'N')),
  ),
  test1(text, ['in', 'not_in'], many(texts)),
  test1(name('age'), ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'], numbers),
  test1(name('age'), ['in', 'not_in'], many(numbers)),
  test1(name('age'), ['between'], pair(numbers)),
  test1(name('born', 'created_at'), ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'before', 'after', 'on'], days),
  test1(name('born', 'created_at'), ['between'], pair(days)),
  test1(
    name('plan'),
    ['eq', 'ne'],
    options.map((option) => option.toUpperCase()),
  ),
  test1(name('plan'), ['in', 'not_in'], many(options)),
  test1(name('vip', 'subscribed'), ['eq', 'ne'], fc.boolean()),
  test1(name('state'), ['eq', 'ne'], fc.constantFrom(...STATES)),
  test1(name('status'), ['eq', 'ne'], fc.constantFrom('subscribed', 'unsubscribed')),
  fc.record({
    field: name('city', 'age', 'born', 'plan', 'vip', 'external_id', 'email'),
    op: fc.constantFrom('is_set', 'is_not_set'),
  }),
  fc.record({ tag: fc.oneof(tags, fc.array(tags, { minLength: 1, maxLength: 2 })) }),
  fc.record({ list: fc.oneof(fc.constantFrom(1, 2), fc.constant([1, 2])) }),
  fc.record(
    {
      city: fc.oneof(texts, fc.array(texts, { maxLength: 2 }), fc.constant(null)),
      plan: options,
      subscribed: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
)

const { criteria } = fc.letrec<{ criteria: object }>((tie) => ({
  criteria: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ not: tie('criteria') }),
    fc.record({ all: fc.array(tie('criteria'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('criteria'), { maxLength: 3 }) }),
  ),
}))

async function withFields(db: Database) {
  const { id: accountId } = await createAccount(db, { name: 'Criteria' })
  await db.query(sql`
    insert into fields (account_id, name, merge_tag, key, type, options) values
      (${accountId}, 'City', 'city', 'city', 'text', null), (${accountId}, 'Age', 'age', 'k_age', 'number', null),
      (${accountId}, 'Born', 'born', 'k_born', 'date', null), (${accountId}, 'Plan', 'plan', 'plan', 'select', '{Free,Pro}'),
      (${accountId}, 'VIP', 'vip', 'vip', 'boolean', null)`)
  const set = await loadFields(db, accountId)
  return { accountId, vocabulary: { fieldNamed: (tag: string) => set.tagged(tag), fieldNames: () => set.mergeTags } }
}

const KEYS: Record<string, string> = { age: 'k_age', born: 'k_born' }

test('compiled criteria select exactly the contacts that the reference accepts, and `not` is a true complement', async (t) => {
  const db = await testDatabase(t)
  const { accountId, vocabulary } = await withFields(db)

  const property = fc.asyncProperty(
    fc.array(person, { maxLength: 12 }),
    fc.array(criteria, { minLength: 1, maxLength: 6 }),
    async (people, all) => {
      await db.query(sql`delete from contacts where account_id = ${accountId}`)
      await db.query(sql`delete from list_members where account_id = ${accountId}`)
      const rows = people.map(({ fields, ...rest }) => ({
        ...rest,
        fields: Object.fromEntries(Object.entries(fields).map(([tag, value]) => [KEYS[tag] ?? tag, value])),
      }))
      await db.query(sql`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as given (email text, external_id text, state text, fields jsonb, tags text[], lists bigint[], created_at timestamptz)
      ), entered as (
        insert into contacts (account_id, email, external_id, state, fields, tags, origin, created_at)
        select ${accountId}, email, external_id, state, fields, tags, 'test', created_at from given returning id, email
      )
      insert into list_members (account_id, list_id, contact_id)
      select ${accountId}, list_id, id from entered join given using (email), unnest(lists) as list_id`)
      for (const given of all) {
        const condition = compile(parseCriteria(given, vocabulary), { timeZone: 'UTC' })
        const found = await db.query<{ email: string; nothing: boolean }>(sql`
        select email, (${condition}) is null as nothing from contacts as c where c.account_id = ${accountId} and ${condition} order by email`)
        const expected = people
          .filter((one) => accepts(given, one))
          .map((one) => one.email)
          .sort()
        assert.deepEqual(
          found.map((row) => row.email),
          expected,
          JSON.stringify(given),
        )
        const [never] = await db.query<{ nulls: number }>(sql`
        select count(*) filter (where (${condition}) is null) as nulls from contacts as c where c.account_id = ${accountId}`)
        assert.equal(never!.nulls, 0, `never null: ${JSON.stringify(given)}`)
      }
    },
  )
  await fc.assert(property, {
    numRuns: Number(process.env.CRITERIA_RUNS ?? 150),
    seed: process.env.CRITERIA_RUNS ? undefined : 20_261,
  } as fc.Parameters<unknown>)
})

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

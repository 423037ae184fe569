import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { testDatabase } from '../../test/database.ts'
import { createAccount } from '../accounts/accounts.ts'
import { compile } from './compile.ts'
import { Together } from './forms.ts'
import { happeningId, happeningsIn } from './happened.ts'
import { isPlain, lookAtClock, toJudge } from './judged.ts'
import { parseCriteria } from './parse.ts'
import type { EventCondition } from './parse-event.ts'

/** `CRITERIA_RUNS=500` looks for long, at other cases each time. */
const RUNS = process.env.CRITERIA_RUNS

const MINUTE = 60_000
const NOW = Date.now() - 30 * MINUTE // of an event no sooner than it is recorded
const NO_FIELDS = { fieldNamed: () => undefined, fieldNames: () => [] }

const kind = fc.constantFrom('email_opened', 'email_clicked', 'email_delivered', 'bought', 'a "b", \\c')
const happening = fc.record({
  person: fc.nat(3),
  kind,
  machine: fc.boolean(),
  // Before the look that came first; mostly it leaves one of the windows.
  minutesAgo: fc
    .tuple(fc.constantFrom(60, 120, 300), fc.integer({ min: 1, max: 70 }))
    .map(([edge, past]) => edge + past),
})
const asked = fc.record({
  event: fc.uniqueArray(kind, { minLength: 1, maxLength: 3 }),
  within: fc.constantFrom('1h', '2h', '5h'),
  machine: fc.boolean(),
  count: fc.constantFrom(
    { gte: 1 },
    { gt: 1 },
    { gte: 1, lt: 3 },
    { eq: 0 },
    { lte: 1 },
    { eq: 2 },
    { gte: 0 },
    { lt: 0 },
  ),
})
const scene = fc.record({
  events: fc.array(happening, { maxLength: 30, size: 'max' }),
  conditions: fc
    .array(asked, { minLength: 1, maxLength: 6 })
    .map((all) => all.map((one) => happeningsIn(parseCriteria(JSON.parse(JSON.stringify(one)), NO_FIELDS))[0]!)),
  minutes: fc.constantFrom(2, 20, 60),
})
type Scene = typeof scene extends fc.Arbitrary<infer Value> ? Value : never

const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`

/** What is remembered of each contact's events at that moment, by the criteria as they are compiled for many. */
function rememberedAt(accountId: number, conditions: readonly EventCondition[], now: Sql): Sql {
  const form = new Together()
  for (const condition of conditions) compile(condition, { timeZone: 'UTC', now }, form)
  return sql`
    select c.id as contact_id, ${form.happenings().happened} as happened
    from contacts as c ${form.joins()} where c.account_id = ${accountId}`
}

async function enter(db: Database, accountId: number, { events, conditions }: Scene, looked: number): Promise<void> {
  await db.query(sql`
    insert into contacts (account_id, email, state, origin) select ${accountId}, 'p' || n || '@example.com', 'none', 'api' from generate_series(0, 3) as n`)
  const rows = events.map(({ person, kind, machine, minutesAgo }) => ({
    email: `p${person}@example.com`,
    type: kind.startsWith('email_') ? kind : 'custom',
    name: kind.startsWith('email_') ? null : kind,
    at: new Date(NOW - minutesAgo * MINUTE).toISOString(),
    data: machine ? { machine } : {},
  }))
  await db.query(sql`
    insert into events (account_id, contact_id, type, types, name, at, data)
    select c.account_id, c.id, e.type, array[e.type], e.name, e.at, e.data
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as e (email text, type text, name text, at timestamptz, data jsonb)
    join contacts as c on c.account_id = ${accountId} and c.email = e.email`)
  await db.query(sql`insert into smart_looks (account_id, looked_at) values (${accountId}, ${at(looked)})`)
  await db.query(sql`
    insert into smart_memberships (account_id, contact_id, list_ids, happened)
    select ${accountId}::bigint, contact_id, '{}', happened from (${rememberedAt(accountId, conditions, at(looked))}) as one
    where happened <> '{}'`)
}

const differences = (some: readonly number[], others: readonly number[]) => [
  ...some.filter((id) => !others.includes(id)),
  ...others.filter((id) => !some.includes(id)),
]

const look = (db: Database, accountId: number, conditions: readonly EventCondition[]) =>
  lookAtClock(db, accountId, toJudge(conditions, 5), { timeZone: 'UTC', now: at(NOW) })

test('a look at the clock judges conditions on events as the criteria do', async (t) => {
  const db = await testDatabase(t)
  let turned = 0
  const property = fc.asyncProperty(scene, async (given) => {
    const { conditions, minutes } = given
    assert.ok(conditions.every(isPlain))
    const { id } = await createAccount(db, { name: 'Clock' })
    await enter(db, id, given, NOW - minutes * MINUTE)
    const kept = sql`select contact_id, happened from smart_memberships where account_id = ${id} order by contact_id`
    type Row = { contact_id: string; happened: number[] }
    const before = new Map((await db.query<Row>(kept)).map((row) => [row.contact_id, row.happened]))

    const seen = await look(db, id, conditions)

    const expected = await db.query<Row>(sql`
      select * from (${rememberedAt(id, conditions, at(NOW))}) as one order by contact_id`)
    assert.deepEqual(
      await db.query<Row>(kept),
      expected.filter((row) => row.happened.length > 0),
    )
    const differing = expected.map(({ contact_id, happened }) => ({
      contact_id,
      ids: differences(happened, before.get(contact_id) ?? []),
    }))
    const some = differing.filter(({ ids }) => ids.length > 0)
    assert.deepEqual(
      (seen!.contacts ?? '{}').slice(1, -1).split(',').filter(Boolean).sort(),
      some.map((row) => row.contact_id),
    )
    assert.deepEqual(new Set(seen!.turned), new Set(some.flatMap(({ ids }) => ids)))
    assert.ok(seen!.is_judged)
    turned += some.length
  })
  await fc.assert(property, RUNS ? { numRuns: Number(RUNS) } : { numRuns: 60, seed: 5 })
  assert.ok(RUNS || turned > 20, `only ${turned} contacts had a condition that turned`)
})

test('where very much has left its window nothing is judged, and what is remembered stays', async (t) => {
  const db = await testDatabase(t)
  const { id } = await createAccount(db, { name: 'Clock' })
  const [condition] = happeningsIn(parseCriteria({ event: 'email_opened', within: '1h' }, NO_FIELDS))
  const events = Array.from({ length: 1001 }, (): Scene['events'][number] => ({
    person: 0,
    kind: 'email_opened',
    machine: false,
    minutesAgo: 65,
  }))
  await enter(db, id, { events, conditions: [condition!], minutes: 20 }, NOW - 20 * MINUTE)

  const seen = await look(db, id, [condition!])

  assert.deepEqual([seen!.is_judged, seen!.contacts], [false, null])
  const [row] = await db.query<{ happened: number[] }>(
    sql`select happened from smart_memberships where account_id = ${id}`,
  )
  assert.deepEqual(row!.happened, [happeningId(condition!)])
})

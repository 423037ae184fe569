import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { testDatabase } from '../../test/database.ts'
import { summedUp } from '../../test/summed-up.ts'
import { createAccount } from '../accounts/accounts.ts'
import { forgetAllBefore, forgetBefore, sumUp, sumUpAll, sumUpAnew } from './before.ts'
import { compile } from './compile.ts'
import { FOR_FEW, forSet } from './forms.ts'
import { idMadeAt } from './generated.ts'
import { parseCriteria } from './parse.ts'

const TYPES = ['email_sent', 'email_delivered', 'email_opened', 'email_clicked', 'custom', 'updated'] as const
const DAY_MS = 86_400_000
const NOW = new Date('2026-11-30T10:00:00.000Z')
const PEOPLE = 4

const CRITERIA = [
  { all: [{ event: 'email_delivered' }, { not: { event: 'email_clicked' } }] },
  { event: ['email_opened', 'email_clicked'] },
  { event: ['email_opened', 'custom'] },
  { event: ['email_sent', 'custom'] },
  { event: 'email_clicked', count: { eq: 0 } },
  { event: 'email_opened', machine: true },
  { event: 'email_sent', count: { gte: 2 } },
  { not: { event: 'email_bounced' } },
]

const who = fc.nat(PEOPLE - 1)
const daysAgo = fc.integer({ min: 0, max: 70 })
const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('happens' as const),
      who,
      type: fc.constantFrom(...TYPES),
      daysAgo,
      machine: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('summed up' as const), daysAgo }) },
  fc.record({ is: fc.constant('by a machine after all' as const), who }),
  fc.record({ is: fc.constant('too old' as const), daysAgo }),
  fc.record({ is: fc.constant('removed' as const), who }),
  fc.record({ is: fc.constant('forgotten' as const) }),
)
type Act = typeof act extends fc.Arbitrary<infer One> ? One : never

const vocabulary = { fieldNamed: () => undefined, fieldNames: () => [] }
const before = (days: number) => new Date(NOW.getTime() - days * DAY_MS)

async function begin(db: Database): Promise<{ accountId: number; ids: string[] }> {
  const { id: accountId } = await createAccount(db, { name: 'Before' })
  await db.query(sql`
    insert into contacts (account_id, email, state, origin) select ${accountId}, n || '@example.com', 'subscribed', 'test' from generate_series(1, ${PEOPLE}::int) as n`)
  const rows = await db.query<{ id: string }>(
    sql`select id from contacts where account_id = ${accountId} order by email`,
  )
  return { accountId, ids: rows.map(({ id }) => id) }
}

/** What happens as the service does it: whoever changes events that may be summed up says so in the same transaction. */
function perform(
  db: Database,
  accountId: number,
  ids: readonly string[],
  one: Act,
  until: { days: number },
): Promise<unknown> {
  const ours = sql`account_id = ${accountId}`
  switch (one.is) {
    case 'happens': {
      // Nothing is recorded before what is summed up already.
      const at = before(Math.min(one.daysAgo, until.days))
      return db.query(sql`
        insert into events (account_id, id, contact_id, type, types, at, data)
        values (${accountId}, ${idMadeAt(sql`${at}::timestamptz`)}, ${ids[one.who]}, ${one.type}, ${[one.type]}, ${at}, ${one.machine ? '{"machine": true}' : '{}'}::jsonb)`)
    }
    case 'summed up':
      until.days = Math.min(until.days, one.daysAgo)
      return summedUp(db, accountId, before(one.daysAgo))
    case 'by a machine after all':
      return db.transaction(async (trx) => {
        await trx.query(
          sql`update events set data = '{"machine": true}' where ${ours} and contact_id = ${ids[one.who]} and type = 'email_clicked'`,
        )
        sumUpAnew(trx, accountId, [ids[one.who]!])
      })
    case 'too old':
      return db.transaction(async (trx) => {
        const gone = await trx.query<{ id: string }>(sql`
          delete from events where ${ours} and id < id_floor(${before(one.daysAgo)}::timestamptz) returning contact_id as id`)
        sumUpAnew(trx, accountId, [...new Set(gone.map(({ id }) => id))])
      })
    case 'removed':
      return db.transaction(async (trx) => {
        trx.send(sql`delete from events where ${ours} and contact_id = ${ids[one.who]}`)
        forgetBefore(trx, accountId, [ids[one.who]!])
      })
    case 'forgotten':
      until.days = Number.POSITIVE_INFINITY
      return db.transaction(async (trx) => forgetAllBefore(trx, accountId))
  }
}

test('whoever meets “ever” and “never” is found alike in every event and in what is summed up, whatever becomes of the events', async (t) => {
  const db = await testDatabase(t)
  await db.query(sql`select make_event_partitions('2026-09-01', 2)`)
  const conditions = CRITERIA.map((criteria) => parseCriteria(criteria, vocabulary))
  let summed = 0

  const property = fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 20 }), async (acts) => {
    const { accountId, ids } = await begin(db)
    const until = { days: Number.POSITIVE_INFINITY }
    for (const one of acts) await perform(db, accountId, ids, one, until)
    const found = await Promise.all(
      [forSet(accountId), FOR_FEW].map((form) =>
        Promise.all(
          conditions.map((condition) =>
            db.query<{ email: string }>(sql`
              select c.email from contacts as c
              where c.account_id = ${accountId} and ${compile(condition, { timeZone: 'UTC' }, form)} order by c.email`),
          ),
        ),
      ),
    )
    assert.deepEqual(found[0], found[1])
    const [kept] = await db.query<{ rows: number }>(
      sql`select count(*) as rows from happened_before where account_id = ${accountId}`,
    )
    summed += kept!.rows
  })
  await fc.assert(
    property,
    process.env.CRITERIA_RUNS ? { numRuns: Number(process.env.CRITERIA_RUNS) } : { numRuns: 60, seed: 77 },
  )
  assert.ok(summed > 20, `only ${summed} contacts were summed up`)
})

test('a day is summed up once, when no transaction is open that may have recorded some of it', async (t) => {
  const db = await testDatabase(t)
  const { accountId, ids } = await begin(db)
  const yesterday = new Date(Date.now() - DAY_MS)
  await db.query(sql`select make_event_partitions(${yesterday}::date, 0)`)
  const clicked = (contactId: string | undefined) => sql`
    insert into events (account_id, id, contact_id, type, types)
    values (${accountId}, ${idMadeAt(sql`${yesterday}::timestamptz`)}, ${contactId}, 'email_clicked', '{email_clicked}')`
  const rows = () =>
    db.query<{ id: string; clicked: boolean; opened: boolean }>(
      sql`select contact_id as id, email_clicked as clicked, email_opened as opened from happened_before where account_id = ${accountId} order by contact_id`,
    )
  await db.query(clicked(ids[0]))
  await db.transaction(async (late) => {
    await late.query(clicked(ids[1]))
    assert.equal(await sumUp(db, accountId, new Date(Date.now() + 1000)), false)
    assert.deepEqual(await rows(), [])
  })
  await summedUp(db, accountId)
  assert.deepEqual(new Set((await rows()).map(({ id }) => id)), new Set([ids[0], ids[1]]))
  await sumUpAll(db) // as far as that already
  assert.deepEqual(await rows(), [
    { id: ids[0], clicked: true, opened: false },
    { id: ids[1], clicked: true, opened: false },
  ])
})

test('who is removed while a sum is made does not stay in it', async (t) => {
  const db = await testDatabase(t)
  const { accountId, ids } = await begin(db)
  const yesterday = new Date(Date.now() - DAY_MS)
  await db.query(sql`select make_event_partitions(${yesterday}::date, 0)`)
  await db.query(sql`
    insert into events (account_id, id, contact_id, type, types)
    values (${accountId}, ${idMadeAt(sql`${yesterday}::timestamptz`)}, ${ids[0]}, 'email_clicked', '{email_clicked}')`)
  let removal: Promise<void> | undefined
  await db.transaction(async (summing) => {
    // As one who sums up: alone with the account, with a sum that has been written and is not committed.
    await summing.query(sql`select pg_advisory_xact_lock(hashtextextended('happened_before', ${accountId}::bigint))`)
    removal = db.transaction(async (trx) => {
      await trx.query(sql`delete from events where account_id = ${accountId} and contact_id = ${ids[0]}`)
      forgetBefore(trx, accountId, [ids[0]!])
    })
    for (;;) {
      const [waiting] = await db.query<{ count: number }>(sql`
        select count(*) as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'`)
      if (waiting!.count > 0) break
      await delay(5)
    }
    await summing.query(sql`
      insert into happened_before (account_id, contact_id, email_sent, email_delivered, email_opened, email_clicked, email_bounced, email_complained, custom)
      values (${accountId}, ${ids[0]}, false, false, false, true, false, false, false)`)
  })
  await removal
  assert.deepEqual(await db.query(sql`select from happened_before where account_id = ${accountId}`), [])
})

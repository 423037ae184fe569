import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { createAccount } from '../features/accounts/accounts.ts'
import { type TestApp, testApp } from '../test/app.ts'
import { run, sent } from '../test/imports.ts'
import { runJobs } from '../test/jobs.ts'
import { learnSize } from './learn-size.ts'

const LIMIT = { timeout: 280_000 }

/** A database of another account with 30,000 people, of which statistics say that they are all there are. */
async function ofOneAccount(made: TestApp): Promise<void> {
  const { db } = made
  const other = await createAccount(db, { name: 'Other' })
  await db.query(sql`alter table contacts set (autovacuum_enabled = false)`)
  await people(made, other.id, 30_000)
  await db.query({ text: 'analyze contacts', values: [] })
}

async function people({ db }: TestApp, accountId: number, count: number, prefix = 'p'): Promise<void> {
  await db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}, ${prefix} || n || '@example.com', 'subscribed', 'api' from generate_series(1, ${count}::int) as n`)
}

async function analyses({ db }: TestApp): Promise<number> {
  await db.query(sql`select pg_stat_clear_snapshot()`)
  const [row] = await db.query<{ count: number }>(
    sql`select analyze_count as count from pg_stat_user_tables where relname = 'contacts'`,
  )
  return row!.count
}

async function takenFor({ db }: TestApp, accountId: number): Promise<number> {
  const [plan] = await db.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    sql`explain (format json) select from contacts where account_id = ${accountId}`,
  )
  return plan!['QUERY PLAN'][0].Plan['Plan Rows']
}

test(
  'an account that has grown large since PostgreSQL last looked is taken for what it is, and a small one looked at by nobody',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { db, accountId } = made
    await ofOneAccount(made)
    await people(made, accountId, 1_500)
    await learnSize(db, accountId)
    assert.ok((await takenFor(made, accountId)) < 100, 'which is no harm as yet')

    await people(made, accountId, 3000, 'q')
    await learnSize(db, accountId)
    const rows = await takenFor(made, accountId)
    assert.ok(rows > 2_000 && rows < 10_000, String(rows))
    const before = await analyses(made)
    await learnSize(db, accountId)
    assert.equal(await analyses(made), before, 'once it knows')
  },
)

test('who holds the table is waited for three seconds, and then it is left as it is', LIMIT, async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  await ofOneAccount(made)
  await people(made, accountId, 12_000)
  await db.transaction(async (trx) => {
    await trx.query(sql`lock table contacts in share update exclusive mode`)
    await learnSize(db, accountId)
  })
  assert.ok((await takenFor(made, accountId)) < 100)
})

test('an import that enters many, and an act on many who were there, see to it', LIMIT, async (t) => {
  const made = await testApp(t)
  const { accountId } = made
  await ofOneAccount(made)
  const file = `email\n${Array.from({ length: 3000 }, (_, n) => `n${n}@example.com`).join('\n')}\n`
  await run(made, (await sent(made, file)).id, { chunkRows: 1000 })
  const entered = await takenFor(made, accountId)
  assert.ok(entered > 1000, String(entered))

  const other = await testApp(t)
  await ofOneAccount(other)
  await people(other, other.accountId, 3000)
  assert.ok((await takenFor(other, other.accountId)) < 100)
  await other.post('/api/contacts/bulk', { selection: {}, action: { type: 'unsubscribe' } })
  await runJobs(other.db)
  const acted = await takenFor(other, other.accountId)
  assert.ok(acted > 1000, String(acted))
})

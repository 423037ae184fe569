import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { dispatched, type Tenant, type TestApp } from './app.ts'
import { countsOf, filesIn, rowsLeft } from './imports.ts'

export const ROWS = 60
/** That many people, and one row that is refused. */
export const FILE = `email,first_name\n${Array.from({ length: ROWS }, (_, n) => `p${String(n).padStart(2, '0')}@example.com,N${n}`).join('\n')}\nbad,x\n`

/** That an import of FILE has ended as if nothing had come between, and left no file and no row behind. */
export async function assertDone(made: TestApp, id: number): Promise<void> {
  const done = (await made.get(`/api/contact_imports/${id}`)).body
  assert.equal(done.phase, 'finished', JSON.stringify(done))
  assert.deepEqual(countsOf(done), { rows_read: ROWS + 1, created: ROWS, rejected: 1 })
  await assertWhole(made, [id])
  assert.deepEqual([filesIn(made), await rowsLeft(made)], [[], 0])
}

/**
 * What must hold after imports, whatever happened on the way: counts add up to the rows read and to the rows kept, each line
 * is kept once, each contact was created once, and every event stands in the feed once.
 */
export async function assertWhole(
  { db, call, accountId }: Tenant & Pick<TestApp, 'db'>,
  importIds: readonly number[],
): Promise<void> {
  for (const id of importIds) {
    const counts = countsOf((await call('GET', `/api/contact_imports/${id}`)).body)
    const kept = await db.query<{ action: string; count: number }>(sql`
      select action, count(*) as count from change_rows where account_id = ${accountId} and change_set_id = ${id} group by action`)
    for (const { action, count } of kept) assert.equal(counts[action], count, `${action} of import ${id}`)
    assert.equal(
      kept.reduce((sum, { count }) => sum + count, 0),
      counts.rows_read ?? 0,
      `rows of import ${id}`,
    )
  }
  const wrong = await db.query(sql`
    select c.email, count(e.id) as created
    from contacts as c left join events as e on e.account_id = c.account_id and e.contact_id = c.id and 'created' = any(e.types)
    where c.account_id = ${accountId} and c.origin <> 'test' group by c.id, c.email having count(e.id) <> 1`)
  assert.deepEqual(wrong, [], 'each was created once')
  await dispatched(db)
  const [feed] = await db.query<{ events: number; positions: number; told: number; outbox: number }>(sql`
    select (select count(*) from events where account_id = ${accountId}) as events,
      (select count(*) from feed where account_id = ${accountId} and exists (
        select from events as e where e.account_id = ${accountId} and e.id = feed.event_id)) as positions,
      (select count(distinct event_id) from feed where account_id = ${accountId} and exists (
        select from events as e where e.account_id = ${accountId} and e.id = feed.event_id)) as told,
      (select count(*) from outbox where account_id = ${accountId}) as outbox`)
  assert.deepEqual(feed, { events: feed!.events, positions: feed!.events, told: feed!.events, outbox: 0 })
}

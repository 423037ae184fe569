import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { Database } from '../../db/database.ts'
import { type TestApp, testApp } from '../../test/app.ts'
import { assertDone, FILE, ROWS } from '../../test/import-whole.ts'
import { rowsLeft, run, runParts, sent } from '../../test/imports.ts'
import { waitsForLocks, whileHeld } from '../../test/locks.ts'
import { until } from '../../test/until.ts'
import { runImport } from './run.ts'

/** A test has two processes of their own, which begin slowly where the machine is busy. */
const LIMIT = { timeout: 300_000 }

/** Words of the statements that wait for those rows: the other lane waits as well now and then, for a moment, to write its counts. */
const READING = 'copy import_rows'
const MERGING = 'people as ('

/** Nobody can stage the row in the middle. */
const STAGING = ({ accountId }: TestApp, id: number) =>
  sql`insert into import_rows (account_id, import_id, key, line, fields) values (${accountId}, ${id}, 'p30@example.com', 32, '{}')`
/** Nobody can enter or change the person of a row in the middle. */
const IN_THE_MIDDLE = ({ accountId }: TestApp) =>
  sql`insert into contacts (account_id, email, state, origin) values (${accountId}, 'p30@example.com', 'none', 'test')`

function child({ db, filesAt, accountId }: TestApp, id: number) {
  const args = [db.url, filesAt.home, String(accountId), String(id), '10']
  const path = join(import.meta.dirname, '../../test/import-child.ts')
  return spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
}

async function killed(made: TestApp, id: number, at: string): Promise<void> {
  const process = child(made, id)
  const ended = once(process, 'exit')
  await Promise.race([waitsForLocks(made.db, 1, at), ended])
  assert.equal(process.exitCode, null, 'it ended by itself')
  process.kill('SIGKILL')
  await ended
}

test(
  'a process killed while it reads, and another while it merges, leave an import that ends as if nothing had happened',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { id } = await sent(made, FILE)

    await whileHeld(made.db, STAGING(made, id), () => killed(made, id, READING))
    assert.equal((await made.get(`/api/contact_imports/${id}`)).body.phase, 'reading')
    await whileHeld(made.db, IN_THE_MIDDLE(made), () => killed(made, id, MERGING))
    const cut = (await made.get(`/api/contact_imports/${id}`)).body
    assert.equal(cut.phase, 'merging')
    assert.ok(cut.created_contacts_count > 0 && cut.created_contacts_count < ROWS, 'whole chunks were merged before')
    await run(made, id)

    await assertDone(made, id)
  },
)

test(
  'connections lost while it reads and while it merges are an error for the queue, and the next try goes on',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { id } = await sent(made, FILE)
    const lose = async (at: string) => {
      const running = run(made, id, { chunkRows: 10 })
      await waitsForLocks(made.db, 1, at)
      await made.db.query(sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and strpos(query, ${at}) > 0`)
      await assert.rejects(running)
    }

    await whileHeld(made.db, STAGING(made, id), () => lose(READING))
    await whileHeld(made.db, IN_THE_MIDDLE(made), () => lose(MERGING))
    await run(made, id)

    await assertDone(made, id)
  },
)

test(
  'a file store that is out of reach says so and is tried again, and is not taken for a bad file',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { id } = await sent(made, FILE)
    const filesAt = { ...made.filesAt, url: 's3://key:secret@127.0.0.1:1/bucket?tls=false' }

    await assert.rejects(run(made, id, { thread: { databaseUrl: made.db.url, filesAt } }), {
      name: 'AppError',
      code: 'unavailable',
    })
    const waiting = (await made.get(`/api/contact_imports/${id}`)).body
    assert.deepEqual([waiting.phase, /does not answer/.test(waiting.problem)], ['reading', true], waiting.problem)
    await run(made, id)

    await assertDone(made, id)
  },
)

test('a worker that was taken for dead while it read, and comes back, changes nothing more', LIMIT, async (t) => {
  const made = await testApp(t)
  const { id } = await sent(made, FILE)
  const runs: Promise<unknown>[] = []

  await whileHeld(made.db, STAGING(made, id), async () => {
    runs.push(run(made, id))
    await waitsForLocks(made.db, 1, READING)
    runs.push(run(made, id, { chunkRows: 10 }))
    await waitsForLocks(made.db, 2, READING)
  })
  const ended = await Promise.allSettled(runs)

  if (ended.some(({ status }) => status === 'rejected')) await run(made, id)
  await assertDone(made, id)
})

test('a worker that was taken for dead while it merged, and comes back, merges nothing more', LIMIT, async (t) => {
  const made = await testApp(t)
  const { id } = await sent(made, FILE)
  const other = new Database({ url: made.db.url, max: 8 })
  t.after(() => other.close())
  const runs: Promise<unknown>[] = []

  await whileHeld(made.db, IN_THE_MIDDLE(made), async () => {
    runs.push(run(made, id, { chunkRows: 10 }))
    await waitsForLocks(made.db, 1, MERGING)
    runs.push(run(made, id, { db: other, chunkRows: 7 }))
    await waitsForLocks(made.db, 2, MERGING)
  })
  const ended = await Promise.allSettled(runs)

  assert.deepEqual(
    ended.map(({ status }) => status),
    ['fulfilled', 'fulfilled'],
  )
  await assertDone(made, id)
})

test(
  'cancelled while it reads, nothing of it is left behind; while it merges, the counts say what was applied',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const [reading, merging] = [(await sent(made, FILE)).id, (await sent(made, FILE)).id]
    const cancel = (id: number) => made.post(`/api/contact_imports/${id}/cancel`)

    let running: Promise<unknown> | undefined
    await whileHeld(made.db, STAGING(made, reading), async () => {
      running = runImport(runParts(made), made.accountId, reading, new AbortController().signal)
      await waitsForLocks(made.db, 1, READING)
      assert.equal(
        (await made.db.query(sql`update change_sets set phase = 'cancelled' where id = ${reading} returning id`))
          .length,
        1,
      )
    })
    assert.equal(await running, true, 'it does not fail for the queue')
    assert.equal(await rowsLeft(made), 0)

    await whileHeld(made.db, IN_THE_MIDDLE(made), async () => {
      running = run(made, merging, { chunkRows: 10 })
      await waitsForLocks(made.db, 1, MERGING)
      // What it has merged of this chunk is still uncommitted when the import is cancelled.
      running = Promise.all([running, cancel(merging)])
      await until(async () => (await made.get(`/api/contact_imports/${merging}`)).body.phase === 'cancelled')
    })
    await running
    const ended = (await made.get(`/api/contact_imports/${merging}`)).body
    const { created_contacts_count: created, rejected_rows_count: rejected, not_applied_rows_count: left } = ended
    assert.deepEqual([ended.phase, ended.status], ['cancelled', 'failed'])
    assert.ok(created < ROWS && left > 0)
    assert.equal(created + rejected + left, ROWS + 1)
    assert.equal((await made.get('/api/contacts')).body.total, created)
    assert.equal(await rowsLeft(made), 0)
    assert.equal((await cancel(merging)).status, 409)
  },
)

test('an import whose worker ends again and again fails in the end, and can be applied', LIMIT, async (t) => {
  const made = await testApp(t)
  const { id } = await sent(made, FILE)
  await made.db.query(sql`update imports set attempts = 10`)

  const failed = await run(made, id)
  const again = await made.post(`/api/contact_imports/${id}/apply`)

  assert.match(failed.problem, /the worker ended again and again/)
  assert.deepEqual([failed.phase, failed.file.kept, again.status], ['failed', true, 200])
  await run(made, id)
  await assertDone(made, id)
})

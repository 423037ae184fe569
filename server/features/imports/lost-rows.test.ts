import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { Database } from '../../db/database.ts'
import { type Embedded, startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { Queue } from '../../jobs/queue.ts'
import { type TestApp, testApp } from '../../test/app.ts'
import { atEnd } from '../../test/database.ts'
import { assertDone, FILE, ROWS } from '../../test/import-whole.ts'
import { countsOf, rowsLeft, run, sent } from '../../test/imports.ts'
import { waitsForLocks, whileHeld } from '../../test/locks.ts'
import { until } from '../../test/until.ts'
import { ALL_JOB_NAMES } from '../../worker.ts'

const LIMIT = { timeout: 300_000 }

/** The API over a server of its own, which `crash` ends as a loss of power does, and starts again. */
async function onOwnServer(t: TestContext): Promise<TestApp & { crash: () => Promise<void> }> {
  const home = mkdtempSync(join(tmpdir(), 'rollcall-crash-'))
  atEnd(t, () => rmSync(home, { recursive: true, force: true }))
  const options = { dataDir: join(home, 'pg'), settings: { fsync: 'off', shared_buffers: '32MB' } }
  let server: Embedded = await startEmbedded(options)
  const { socketDir } = server
  atEnd(t, () => rmSync(socketDir, { recursive: true, force: true }))
  atEnd(t, () => server.stop())
  await migrate(server.url)
  const db = new Database({ url: server.url, max: 8 })
  atEnd(t, () => db.close())
  const queue = new Queue(db, { role: 'worker', onError: () => {} })
  await queue.prepare(ALL_JOB_NAMES)
  await queue.stop(0) // a later one has timers of its own
  const made = await testApp(t, {}, undefined, undefined, { db })
  return {
    ...made,
    async crash() {
      server.kill()
      await server.ended
      server = await startEmbedded({ ...options, socketDir })
      // Connections of before are found dead one by one.
      const all = () => Promise.all(Array.from({ length: 8 }, () => db.query(sql`select`)))
      await until(() => all().then(...SETTLED), 60_000)
    },
  }
}

const SETTLED = [() => true, () => false] as const

test(
  'rows that wait are lost when the server crashes in the middle of merging, and are read from the file again',
  LIMIT,
  async (t) => {
    const made = await onOwnServer(t)
    const { id } = await sent(made, FILE)

    // As when others wait: the rest is left for its next turn.
    await run(made, id, { chunkRows: 10, isOver: async () => true })
    assert.ok((await rowsLeft(made)) > 0)
    await made.crash()
    const cut = (await made.get(`/api/contact_imports/${id}`)).body
    assert.equal(cut.phase, 'merging')
    assert.ok(cut.created_contacts_count > 0 && cut.created_contacts_count < ROWS, 'whole chunks were merged before')
    assert.equal(await rowsLeft(made), 0, 'what waited is gone')
    await run(made, id, { chunkRows: 10 })

    await assertDone(made, id)
  },
)

test(
  'a trial that a crash cuts off reads its file again; what it has said outlives the next one, and it is applied as if there had been none',
  LIMIT,
  async (t) => {
    const made = await onOwnServer(t)
    const { db, accountId } = made
    const { id } = await sent(made, FILE, { dry_run: 'true' })

    // All has been read, and what becomes of the row in the middle can't be said yet.
    await whileHeld(
      db,
      sql`insert into change_rows (account_id, change_set_id, line) values (${accountId}, ${id}, 32)`,
      async () => {
        const cut = assert.rejects(run(made, id))
        await waitsForLocks(db, 1)
        await made.crash()
        await cut
      },
    )
    assert.equal((await made.get(`/api/contact_imports/${id}`)).body.phase, 'validating')
    assert.equal(await rowsLeft(made), 0, 'what waited is gone')
    const tried = await run(made, id)
    assert.deepEqual([tried.phase, countsOf(tried)], ['ready', { rows_read: ROWS + 1, created: ROWS, rejected: 1 }])
    assert.equal(await rowsLeft(made), ROWS)

    await made.crash()
    assert.equal(await rowsLeft(made), 0)
    assert.deepEqual(countsOf((await made.get(`/api/contact_imports/${id}`)).body), countsOf(tried))
    assert.equal((await made.post(`/api/contact_imports/${id}/apply`)).status, 200)
    await run(made, id)

    await assertDone(made, id)
  },
)

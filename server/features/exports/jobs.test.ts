import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { diskStore } from '../../files/disk.ts'
import { openFiles } from '../../files/open.ts'
import type { FileStore } from '../../files/store.ts'
import { type TestApp, temporaryHome, testApp } from '../../test/app.ts'
import { atEnd } from '../../test/database.ts'
import { fill, smallDisk } from '../../test/disk.ts'
import { noLinks } from '../../test/exported.ts'
import { takeJobs } from '../../test/jobs.ts'
import { s3Server } from '../../test/s3.ts'
import { until } from '../../test/until.ts'
import { writeExportJob } from './jobs.ts'
import type { ExportRequest } from './request.ts'
import { requireRoom, writeContacts } from './write.ts'

/** So many contacts, each with a text of so many characters. */
async function withContacts(t: TestContext, count: number, characters = 0, settings = {}) {
  const made = await testApp(t, settings)
  await made.post('/api/contact_fields', { name: 'Note', merge_tag: 'note', type: 'text' })
  await made.db.query(sql`
    insert into contacts (account_id, email, state, origin, fields)
    select ${made.accountId}, 'p' || n || '@example.com', 'none', 'api', jsonb_build_object('note', repeat('x', ${characters}::int))
    from generate_series(1, ${count}::int) as n`)
  return made
}

/** Begins an export whose job the test runs itself. */
async function begun(made: TestApp, body: ExportRequest, files: FileStore = made.files, mostMinutes = 60) {
  const { id } = (await made.post('/api/contact_exports', body)).body as { id: number }
  const [payload] = await takeJobs<{ accountId: number; exportId: number }>(made.db, 'exports.write')
  const job = writeExportJob({ db: made.db, files, mostMinutes, keptHours: 1, links: noLinks })
  const stop = new AbortController()
  return {
    id,
    stop,
    run: () => job.run(payload!, stop.signal),
    row: async () => (await made.get(`/api/contact_exports/${id}`)).body,
  }
}

/** Connections that hold a snapshot of this database. */
async function snapshots({ db }: TestApp): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_xmin is not null`)
  return row!.count
}

test('an export is of one moment, whatever changes while it is written', async (t) => {
  const made = await withContacts(t, 3000, 5000)
  const { db, accountId } = made
  const request: ExportRequest = { format: 'csv', fields: ['email', 'tags'] }
  const signal = AbortSignal.timeout(60_000)

  const { taken, contacts } = await writeContacts<string>(
    db,
    { accountId, request, mostMs: 60_000, signal, links: noLinks },
    async (bytes) => {
      await db.query(sql`update contacts set tags = '{late}' where account_id = ${accountId}`)
      await db.query(sql`delete from contacts where account_id = ${accountId} and email like '%9@example.com'`)
      return (await buffer(bytes)).toString()
    },
  )

  assert.equal(contacts, 3000)
  const lines = taken.trim().split('\n').slice(1)
  assert.deepEqual(lines.toSorted(), Array.from({ length: 3000 }, (_, at) => `p${at + 1}@example.com,""`).toSorted())
})

test('an export that a stop cuts off is written by the next try, and no half file is left', async (t) => {
  const made = await withContacts(t, 2000, 20_000)
  const server = await s3Server(t)
  const stalled = await openFiles({ url: server.url, home: '/nowhere' })
  server.isStalled = true
  const first = await begun(made, { format: 'csv' }, stalled)
  const running = assert.rejects(first.run())
  await until(async () => (await snapshots(made)) === 1)
  assert.equal((await first.row()).status, 'started')

  first.stop.abort(new Error('the worker stops'))
  await running

  await until(async () => (await snapshots(made)) === 0)
  assert.equal((await first.row()).phase, 'running')
  await writeExportJob({ db: made.db, files: made.files, mostMinutes: 60, keptHours: 1, links: noLinks }).run(
    { accountId: made.accountId, exportId: first.id },
    AbortSignal.timeout(60_000),
  )
  const finished = await first.row()
  assert.deepEqual([finished.phase, finished.progress], ['finished', { written: 2000, total: 2000 }])
})

test('an export that takes too long, as a store that takes nothing more makes it, fails with the reason', async (t) => {
  const made = await withContacts(t, 2000, 20_000)
  const server = await s3Server(t)
  const files = await openFiles({ url: server.url, home: '/nowhere' })
  server.isStalled = true
  const { run, row } = await begun(made, { format: 'csv' }, files, 2 / 60)

  const startedMs = performance.now()
  await run()

  assert.ok(performance.now() - startedMs < 60_000)
  const failed = await row()
  assert.deepEqual([failed.status, failed.phase, failed.url], ['finished', 'failed', null])
  assert.match(failed.error, /^It took longer than .* minutes: ask for fewer contacts, or raise EXPORT_MAX_MINUTES$/)
  await until(async () => (await snapshots(made)) === 0)
})

test('PostgreSQL itself ends a snapshot that is too old, should the process hang', async (t) => {
  const made = await withContacts(t, 2000, 20_000)
  const { db, accountId } = made
  const request = { format: 'csv' } as const
  const signal = new AbortController().signal // which is never given

  const written = writeContacts(db, { accountId, request, mostMs: 1000, signal, links: noLinks }, async (bytes) => {
    await sleep(2500)
    return buffer(bytes)
  })

  await assert.rejects(written)
  await until(async () => (await snapshots(made)) === 0)
})

test('an export that is removed while it is written ends soon, and its file with it', async (t) => {
  const made = await withContacts(t, 2000, 20_000)
  const server = await s3Server(t)
  const files = await openFiles({ url: server.url, home: '/nowhere' })
  server.isStalled = true
  const { run, id } = await begun(made, { format: 'csv' }, files)
  const running = run()
  await until(async () => (await snapshots(made)) === 1)

  assert.equal((await made.del(`/api/contact_exports/${id}`)).status, 204)
  await until(async () => (await snapshots(made)) === 0)
  server.isStalled = false
  await running

  assert.deepEqual([...server.files.keys()], [])
  assert.equal((await made.get(`/api/contact_exports/${id}`)).status, 404)
})

test('an export that was removed before it was begun is never written', async (t) => {
  const made = await withContacts(t, 1)
  const { run, id } = await begun(made, { format: 'csv' })
  await made.del(`/api/contact_exports/${id}`)
  await run()
  assert.deepEqual(await made.db.query(sql`select id from exports`), [])
})

test('two workers with the same export make one file of it', async (t) => {
  const made = await withContacts(t, 500, 20_000)
  const home = temporaryHome(t)
  const { run, row, id } = await begun(made, { format: 'csv' }, diskStore(home))

  await Promise.all([run(), run(), run()])
  await run()

  assert.equal((await row()).phase, 'finished')
  const [kept] = await made.db.query<{ file: string }>(sql`select file from exports where id = ${id}`)
  assert.deepEqual(readdirSync(join(home, 'files', String(made.accountId), 'exports')), [kept!.file])
})

test('a full disk fails the export with the reason, and leaves nothing behind', async (t) => {
  const home = smallDisk(t, 16)
  if (home === undefined) return
  fill(home)
  const made = await withContacts(t, 500, 20_000)
  const { run, row } = await begun(made, { format: 'csv' }, diskStore(home))

  await run()

  const failed = await row()
  assert.deepEqual(
    [failed.phase, failed.error],
    ['failed', 'The disk that files are kept on is full: free some space, then try again'],
  )
  await until(async () => (await snapshots(made)) === 0)
})

test('a worker that is killed while it writes leaves an export that another one writes', async (t) => {
  const made = await withContacts(t, 2000, 20_000)
  const server = await s3Server(t)
  server.isStalled = true
  const { id, row } = await begun(made, { format: 'csv' })
  const folder = join(import.meta.dirname, '../..')
  const program = `
    import { Database } from '${folder}/db/database.ts'
    import { openFiles } from '${folder}/files/open.ts'
    import { writeExportJob } from '${folder}/features/exports/jobs.ts'
    const db = new Database({ url: process.env.URL })
    const files = await openFiles({ url: process.env.FILES, home: '/nowhere' })
    const job = writeExportJob({ db, files, mostMinutes: 60, keptHours: 1, links: { base: () => '', keyring: [] } })
    await job.run({ accountId: ${made.accountId}, exportId: ${id} }, new AbortController().signal)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    env: { ...process.env, URL: made.db.url, FILES: server.url },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  atEnd(t, () => child.kill('SIGKILL'))
  await until(async () => (await row()).progress.total === 2000)
  const [before] = await made.db.query<{ file: string }>(sql`select file from exports where id = ${id}`)

  child.kill('SIGKILL')
  await once(child, 'exit')

  await until(async () => (await snapshots(made)) === 0)
  server.isStalled = false
  const files = await openFiles({ url: server.url, home: '/nowhere' })
  server.files.set(`${made.accountId}/exports/${before!.file}`, Buffer.from('what a kill after the last part leaves'))
  await writeExportJob({ db: made.db, files, mostMinutes: 60, keptHours: 1, links: noLinks }).run(
    { accountId: made.accountId, exportId: id },
    AbortSignal.timeout(60_000),
  )
  const [after] = await made.db.query<{ file: string; bytes: number }>(
    sql`select file, bytes from exports where id = ${id}`,
  )
  assert.deepEqual([...server.files.keys()], [`${made.accountId}/exports/${after!.file}`])
  assert.equal(server.files.values().next().value?.length, after!.bytes)
  assert.equal((await row()).phase, 'finished')
})

test('how far an export has come can be seen while it is written', async (t) => {
  const made = await withContacts(t, 4000, 20_000)
  const server = await s3Server(t)
  const files = await openFiles({ url: server.url, home: '/nowhere' })
  server.isStalled = true
  const { run, row, stop } = await begun(made, { format: 'csv', sendable: false }, files)
  const running = assert.rejects(run())

  await until(async () => (await row()).progress.written > 0)

  const { progress, status } = await row()
  assert.deepEqual([progress.total, status], [4000, 'started'])
  assert.ok(progress.written < 4000, `${progress.written}`)
  stop.abort()
  await running
})

test('a workbook has no room for more rows than a sheet has', () => {
  requireRoom('xlsx', 1_048_575)
  requireRoom('csv', 10_000_000)
  assert.throws(() => requireRoom('xlsx', 1_048_576), {
    code: 'conflict',
    message: 'there are 1048576 contacts, and XLSX holds at most 1,048,576 rows with its header: choose csv',
  })
})

import assert from 'node:assert/strict'
import { rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, type TestApp, testApp } from './app.ts'
import { smallDisk } from './disk.ts'
import { countsOf, filesIn, form, run, sent, upload } from './imports.ts'

const LIMIT = { timeout: 280_000 }
const MEBIBYTE = 2 ** 20
const FULL = 'The disk that files are kept on is full: free some space, then try again'
const ballastOf = (disk: string) => join(disk, 'ballast')

/** The API with its files on a disk of 4 MiB; undefined, with the test skipped, where none can be made. */
async function onSmallDisk(t: TestContext): Promise<(TestApp & { disk: string }) | undefined> {
  const made = await testApp(t)
  const disk = smallDisk(t, 4)
  if (disk === undefined) return undefined
  symlinkSync(disk, join(made.filesAt.home, 'files'))
  return { ...made, disk }
}

/** Fills the disk up to so many bytes. */
function leave(disk: string, bytes: number): void {
  rmSync(ballastOf(disk), { force: true })
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(ballastOf(disk), Buffer.alloc(bavail * bsize - bytes))
}

/** Without what makes the disk full: all below a folder's name, also what is not whole. */
const stored = (made: TestApp) => filesIn(made).filter((name) => name !== 'ballast')

const fileOf = (rows: number) =>
  `email,first_name\n${Array.from({ length: rows }, (_, n) => `p${n}@example.com,${'x'.repeat(200)}`).join('\n')}\nbad,x\n`

const partsOf = (file: string) => {
  const { body, headers } = form(file)
  return [body, headers] as const
}

test(
  'an upload for which there is no room says what to do, leaves nothing, and works once there is',
  LIMIT,
  async (t) => {
    const made = await onSmallDisk(t)
    if (!made) return
    const contacts = Array.from({ length: 2000 }, (_, n) => ({
      email: `q${n}@example.com`,
      fields: { first_name: 'x'.repeat(200) },
    }))
    leave(made.disk, 256 * 1024)

    const file = await upload(made, fileOf(5000)) // 1 MiB
    const json = await made.post('/api/contacts/imports', { contacts })
    const preview = await made.call('POST', '/api/contact_imports/preview', ...partsOf(fileOf(5000)))

    for (const { status, body } of [file, json, preview]) assert.deepEqual([status, body], [503, { errors: FULL }])
    assert.deepEqual(stored(made), [])
    assert.equal((await made.get('/api/contact_imports')).body.data?.length ?? 0, 0)
    rmSync(ballastOf(made.disk))
    const done = await run(made, (await sent(made, fileOf(5000))).id)
    assert.deepEqual([done.phase, countsOf(done)], ['finished', { rows_read: 5001, created: 5000, rejected: 1 }])
  },
)

test(
  'a disk that fills up after the upload keeps no import from ending, a dry run from being applied',
  LIMIT,
  async (t) => {
    const made = await onSmallDisk(t)
    if (!made) return
    const [at, dry] = [await sent(made, fileOf(300)), await sent(made, fileOf(300), { dry_run: 'true' })]
    leave(made.disk, 0)

    const tried = await run(made, dry.id)
    assert.deepEqual([tried.phase, tried.file.kept], ['ready', true])
    const done = await run(made, at.id)
    assert.deepEqual([done.phase, countsOf(done)], ['finished', { rows_read: 301, created: 300, rejected: 1 }])
    assert.equal((await made.post(`/api/contact_imports/${dry.id}/apply`)).status, 200)
    const applied = await run(made, dry.id)

    assert.deepEqual([applied.phase, countsOf(applied)], ['finished', { rows_read: 301, unchanged: 300, rejected: 1 }])
    assert.deepEqual(stored(made), [], 'the files are removed also from a full disk')
  },
)

test(
  'an export for which there is no room fails and says what to do, leaves nothing, and can be asked for again',
  LIMIT,
  async (t) => {
    const made = await onSmallDisk(t)
    if (!made) return
    await made.db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${made.accountId}, 'p' || n || '@example.com', 'none', 'test' from generate_series(1, 20000) as n`)

    for (const [format, room] of [
      ['csv', MEBIBYTE],
      ['xlsx', 64 * 1024],
      ['ndjson', 0],
    ] as const) {
      leave(made.disk, room)
      const asked = await made.post('/api/contact_exports', { format })
      await made.runJobs()
      const failed: Answer['body'] = (await made.get(`/api/contact_exports/${asked.body.id}`)).body
      assert.deepEqual([failed.phase, failed.url, failed.error], ['failed', null, FULL], format)
      assert.deepEqual(stored(made), [], format)
    }

    rmSync(ballastOf(made.disk))
    const { id } = (await made.post('/api/contact_exports', { format: 'csv.gz' })).body
    await made.runJobs()
    assert.equal((await made.get(`/api/contact_exports/${id}`)).body.phase, 'finished')
    assert.equal(stored(made).length, 1)
  },
)

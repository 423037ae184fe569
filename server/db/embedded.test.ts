import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { onClient } from '../test/own-server.ts'
import { startEmbedded } from './embedded.ts'
import { loadKeyring } from './home.ts'

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-embedded-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function read(url: string, statement: string): Promise<unknown[]> {
  return onClient(url, async (client) => (await client.query({ text: statement, rowMode: 'array' })).rows[0]!)
}

test('a server is made, is reached by a private socket alone, knows all letters, and is found again', async (t) => {
  // So long that a socket inside it could not be connected to, and below a directory that only root or we can enter.
  const closed = temporaryDirectory(t)
  const dataDir = join(closed, 'x'.repeat(100), 'pg18')

  const first = await startEmbedded({ dataDir, settings: { fsync: 'off' } })
  t.after(() => first.kill())
  assert.deepEqual(await read(first.url, `select current_user, current_database(), lower('É'), 'a' < 'B'`), [
    'rollcall',
    'rollcall',
    'é',
    false,
  ])
  assert.deepEqual(
    await read(first.url, `select current_setting('listen_addresses'), current_setting('data_checksums')`),
    ['', 'on'],
  )
  assert.equal(statSync(first.socketDir).mode & 0o777, 0o700)
  assert.ok(Buffer.byteLength(join(first.socketDir, '.s.PGSQL.5432')) <= 100)
  await onClient(first.url, (client) =>
    client.query('create extension pg_trgm; create table kept (n int); insert into kept values (7)'),
  )
  assert.deepEqual(await read(first.url, `select cardinality(show_trgm('Жук'))`), [4])
  await first.stop()
  assert.ok(!existsSync(first.socketDir))

  chmodSync(dataDir, 0o755) // as a copy of it may have it
  const second = await startEmbedded({ dataDir })
  t.after(() => second.kill())
  assert.deepEqual(await read(second.url, 'select n from kept'), [7])
  await second.stop()
  assert.ok(lstatSync(join(dataDir, 'PG_VERSION')).isFile(), 'the data are where they were asked for')
  assert.match(await second.ended, /database system is shut down/)
})

test('data of another version, or of something else, are left as they are', async (t) => {
  const home = temporaryDirectory(t)
  mkdirSync(join(home, 'pg18'))
  writeFileSync(join(home, 'pg18/PG_VERSION'), '17\n')
  await assert.rejects(startEmbedded({ dataDir: join(home, 'pg18') }), {
    name: 'Refusal',
    message: /data of PostgreSQL 17/,
  })

  writeFileSync(join(home, 'pg18/PG_VERSION'), '18\n')
  mkdirSync(join(home, 'pg19'))
  await assert.rejects(startEmbedded({ dataDir: join(home, 'pg18') }), {
    name: 'Refusal',
    message: /newer Rollcall, with PostgreSQL 19/,
  })

  rmSync(join(home, 'pg19'), { recursive: true })
  rmSync(join(home, 'pg18/PG_VERSION'))
  writeFileSync(join(home, 'pg18/letters.txt'), 'mine')
  await assert.rejects(startEmbedded({ dataDir: join(home, 'pg18') }), { name: 'Refusal', message: /not empty/ })
  assert.deepEqual(readdirSync(home, { recursive: true }).sort(), ['pg18', 'pg18/letters.txt'])
})

test('the secret is made once, for the owner alone, and a damaged one is not replaced', (t) => {
  const home = temporaryDirectory(t)

  const made = loadKeyring(home)

  assert.deepEqual(loadKeyring(home), made)
  assert.equal(statSync(join(home, 'secret')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(home), ['secret'])
  writeFileSync(join(home, 'secret'), '')
  assert.throws(() => loadKeyring(home), { name: 'Refusal', message: /secret is damaged.*backup/ })
})

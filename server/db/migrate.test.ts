import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Refusal } from '../lib/refusal.ts'
import { onClient, ownServer } from '../test/own-server.ts'
import { migrate, requireMigrated, withStartLock } from './migrate.ts'

const server = await ownServer()
let databases = 0

async function emptyDatabase(): Promise<string> {
  const name = `migrations_${++databases}`
  await server.asRoot(`create database ${name} owner rollcall`)
  return server.urlOf(name)
}

function directoryOf(t: TestContext, files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-migrations-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

async function valuesOf(url: string, statement: string): Promise<unknown[]> {
  return onClient(url, async (client) => (await client.query({ text: statement, rowMode: 'array' })).rows.flat())
}

const applied = (url: string) => valuesOf(url, 'select name from migrations order by applied_at')

test('files are applied in the order of their numbers, each once', async (t) => {
  const url = await emptyDatabase()
  const directory = directoryOf(t, {
    '0002_more.sql': 'insert into a values (2)',
    '0001_first.sql': 'create table a (n int); insert into a values (1)',
    'notes.txt': 'no migration',
  })

  await migrate(url, { directory })
  await migrate(url, { directory })

  assert.deepEqual(await applied(url), ['0001_first.sql', '0002_more.sql'])
  assert.deepEqual(await valuesOf(url, 'select n from a order by n'), [1, 2])
})

test('outside a transaction each statement ends its line, but for those within a function', async (t) => {
  const url = await emptyDatabase()
  const directory = directoryOf(t, {
    '0001_function.sql':
      '-- no transaction\ncreate function one() returns int language plpgsql as $$\nbegin\n  return 1;\nend\n$$;\n' +
      'create table a as select one() as n;\ndo $$ begin insert into a values (2); end $$;\ninsert into a values (3)',
  })

  await migrate(url, { directory })

  assert.deepEqual(await valuesOf(url, 'select n from a order by n'), [1, 2, 3])
})

test('a file that fails leaves nothing behind, those before it stay, and it is tried again', async (t) => {
  const url = await emptyDatabase()
  const files = { '0001_a.sql': 'create table a (n int)', '0002_b.sql': 'create table b (n int); select 1/0' }
  const directory = directoryOf(t, files)

  await assert.rejects(migrate(url, { directory }), /0002_b\.sql failed: division by zero/)

  assert.deepEqual(await applied(url), ['0001_a.sql'])
  assert.deepEqual(await valuesOf(url, `select to_regclass('b')`), [null])
  writeFileSync(join(directory, '0002_b.sql'), 'create table b (n int)')
  await migrate(url, { directory })
  assert.deepEqual(await applied(url), ['0001_a.sql', '0002_b.sql'])
})

test('a landed file that was edited is refused, whatever its line ends', async (t) => {
  const url = await emptyDatabase()
  const directory = directoryOf(t, { '0001_a.sql': 'create table a (n int);\n-- and so on\n' })
  await migrate(url, { directory })

  writeFileSync(join(directory, '0001_a.sql'), 'create table a (n int);\r\n-- and so on\r\n')
  await migrate(url, { directory })

  writeFileSync(join(directory, '0001_a.sql'), 'create table a (n bigint);\n')
  writeFileSync(join(directory, '0002_b.sql'), 'create table b (n int)')
  await assert.rejects(migrate(url, { directory }), {
    name: 'Refusal',
    message: /^0001_a\.sql is not what was applied/,
  })
  assert.deepEqual(await applied(url), ['0001_a.sql'])
})

test('a database that a newer release has migrated is refused, and nothing is changed', async (t) => {
  const url = await emptyDatabase()
  await migrate(url, { directory: directoryOf(t, { '0001_a.sql': 'select 1', '0003_c.sql': 'select 3' }) })

  const older = migrate(url, {
    directory: directoryOf(t, { '0001_a.sql': 'select 1', '0002_b.sql': 'create table b (n int)' }),
  })

  await assert.rejects(older, {
    name: 'Refusal',
    message: /newer Rollcall \(it has 0003_c\.sql, this one ends with 0002_b\.sql\)/,
  })
  assert.deepEqual(await valuesOf(url, `select to_regclass('b')`), [null])
})

test('processes that start at once wait for each other, also while one builds an index concurrently', async (t) => {
  const url = await emptyDatabase()
  const directory = directoryOf(t, {
    '0001_a.sql': 'create table a as select generate_series(1, 200000) as n',
    '0002_index.sql':
      '-- no transaction\ncreate index concurrently a_n on a (n);\ncreate index concurrently a_m on a ((-n));\n',
    '0003_slow.sql': 'select pg_sleep(0.5)',
  })
  const told: string[] = []

  await Promise.all(
    Array.from({ length: 4 }, () => migrate(url, { directory, log: { info: (line) => told.push(line) } })),
  )

  assert.deepEqual(await applied(url), ['0001_a.sql', '0002_index.sql', '0003_slow.sql'])
  assert.deepEqual(await valuesOf(url, `select indisvalid from pg_index where indrelid = 'a'::regclass`), [true, true])
  assert.equal(told.filter((line) => line.startsWith('migrated: ')).length, 1)
})

test('the wait for another process can be broken off', async () => {
  const url = await emptyDatabase()
  const abort = new AbortController()

  await withStartLock(url, {}, async () => {
    const waiting = withStartLock(url, { signal: abort.signal }, async () => assert.fail('two at once'))
    setTimeout(() => abort.abort(), 50)
    await assert.rejects(waiting, { name: 'AbortError' })
  })
})

test('what is missing is told from what is there', async (t) => {
  const url = await emptyDatabase()
  const directory = directoryOf(t, { '0001_a.sql': 'select 1' })

  await assert.rejects(
    onClient(url, (client) => requireMigrated(client, directory)),
    Refusal,
  )
  await migrate(url, { directory })
  await onClient(url, (client) => requireMigrated(client, directory))
})

test('a time limit that the role has for its statements does not end a migration', async (t) => {
  const url = await emptyDatabase()
  await server.asRoot(`alter role rollcall in database migrations_${databases} set statement_timeout = '50ms'`)

  await migrate(url, { directory: directoryOf(t, { '0001_slow.sql': 'select pg_sleep(0.2)' }) })

  assert.deepEqual(await applied(url), ['0001_slow.sql'])
})

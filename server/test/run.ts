/**
 * `npm test [-- FILE…]`: one PostgreSQL server for the whole run (the embedded one, or TEST_DATABASE_URL), a migrated
 * template in it, and Node's test runner over every test of the workspaces.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import pg from 'pg'
import { Database } from '../db/database.ts'
import { startEmbedded } from '../db/embedded.ts'
import { migrate } from '../db/migrate.ts'
import { Queue } from '../jobs/queue.ts'
import { ALL_JOB_NAMES } from '../worker.ts'
import { databaseUrl, onServer, TEMPLATE } from './database.ts'

const ROOT = join(import.meta.dirname, '../..')
const PATTERN = '{server,cli,mcp,sdk,admin,bench}/**/*.test.ts'

/** Bytes that the databases of a whole run take, and then some. */
const MEMORY_WANTED = 4 * 2 ** 30

/** A crash of this machine's own test data harms nobody: durability is turned off, which halves the time of the suite. */
const FAST = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '256MB',
}

async function main(): Promise<number> {
  const given = process.env.TEST_DATABASE_URL
  const home = mkdtempSync(join(roomiest(), 'rollcall-test-'))
  const server = given
    ? { url: given, stop: async () => {}, kill: () => {} }
    : await startEmbedded({ dataDir: join(home, 'pg'), settings: FAST })
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stop.abort()
      server.kill()
      rmSync(home, { recursive: true, force: true })
      process.exit(130)
    })
  }
  try {
    await makeTemplate(server.url)
    const files =
      process.argv.length > 2
        ? globSync(process.argv.slice(2), { cwd: ROOT })
        : globSync(PATTERN, { cwd: ROOT, exclude: ['**/node_modules/**'] })
    // Once, before files that run side by side ask for it; nothing is done while it is up to date.
    if (files.some((file) => file.includes('admin/')))
      for (const script of ['admin/build.ts', 'admin/test/chromium.ts'])
        spawnSync(process.execPath, [script], { cwd: ROOT, stdio: 'inherit' })
    if (files.length === 0) throw new Error('there is no such test')
    const env = { ...process.env, TEST_DATABASE_URL: server.url, NODE_COMPILE_CACHE: join(home, 'compiled') }
    return await runTests(files.sort(), env, stop.signal)
  } finally {
    await dropLeftovers(server.url)
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

/** In memory where the machine has room there: copying the template for each test is mostly making files. */
function roomiest(): string {
  if (!existsSync('/dev/shm')) return tmpdir()
  const { bavail, bsize } = statfsSync('/dev/shm')
  return bavail * bsize > MEMORY_WANTED ? '/dev/shm' : tmpdir()
}

/** A database with the schema and the queue, from which each test's own is copied. */
async function makeTemplate(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`drop database if exists ${TEMPLATE}`)
    await client.query(`create database ${TEMPLATE} template template0 encoding 'UTF8'`)
  })
  const templateUrl = databaseUrl(url, TEMPLATE)
  await migrate(templateUrl)
  const db = new Database({ url: templateUrl, max: 2 })
  const queue = new Queue(db, { role: 'worker', onError: console.error })
  await queue.prepare(ALL_JOB_NAMES)
  await queue.stop(0)
  await db.close()
}

/**
 * What takes longest, first: else it would run alone at the end. A name that is not here runs after these; one that is
 * here and no more, nobody misses.
 */
const LONG = [
  'server/test/last-word.test.ts',
  'sdk/test/runtimes.test.ts',
  'server/test/lifecycle.test.ts',
  'server/test/processes.test.ts',
  'server/test/word-journal.test.ts',
  'server/test/anything.test.ts',
  'server/backup/backup.test.ts',
  'server/features/imports/sums.test.ts',
]

/** Told of at the end, of a run of more than these. */
const SLOWEST_TOLD = 15

/** A test that waits for ever is ended, and its file; nothing takes a tenth of it. */
const LONGEST_MS = 900_000

/**
 * Runs the files, and tells at the end how long the slowest took.
 *
 * @param env Of their processes. What one has compiled it keeps for the others, which halves the time they take to start.
 */
async function runTests(files: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const place = (file: string) => (LONG.indexOf(file) + LONG.length + 1) % (LONG.length + 1)
  const inOrder = files.toSorted((a, b) => place(a) - place(b)).map((file) => join(ROOT, file))
  // On two cores four files take 574 s where three took 608: each waits now and then, for a lock or a page.
  const tests = run({ files: inOrder, concurrency: 4, timeout: LONGEST_MS, cwd: ROOT, env, signal })
  const seconds = new Map<string, number>()
  let isGood = false
  tests.on('test:summary', ({ file, duration_ms, success }) => {
    if (file === undefined) isGood = success
    else seconds.set(relative(ROOT, file), duration_ms / 1000)
  })
  await pipeline(tests, new spec(), process.stdout, { end: false })
  if (seconds.size > SLOWEST_TOLD)
    for (const [file, took] of [...seconds].sort((a, b) => b[1] - a[1]).slice(0, SLOWEST_TOLD))
      console.log(`${took.toFixed(1).padStart(6)} s  ${file}`)
  return isGood ? 0 : 1
}

async function dropLeftovers(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query(
      `select datname from pg_database where datname like 'rollcall_test_%' or datname = $1`,
      [TEMPLATE],
    )
    for (const { datname } of rows) await onServer(`drop database ${pg.escapeIdentifier(datname)} with (force)`, url)
  })
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

process.exitCode = await main()

/**
 * `npm test [-- FILE…]`: one PostgreSQL server for the whole run (the embedded one, or TEST_DATABASE_URL), a migrated
 * template in it, and Node's test runner over every test of the workspaces.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Database } from '../db/database.ts'
import { startEmbedded } from '../db/embedded.ts'
import { migrate } from '../db/migrate.ts'
import { Queue } from '../jobs/queue.ts'
import { ALL_JOB_NAMES } from '../worker.ts'
import { databaseUrl, TEMPLATE } from './database.ts'

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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      server.kill()
      rmSync(home, { recursive: true, force: true })
      process.exit(130)
    })
  }
  try {
    await makeTemplate(server.url)
    const files =
      process.argv.length > 2
        ? process.argv.slice(2)
        : globSync(PATTERN, { cwd: ROOT, exclude: ['**/node_modules/**'] })
    // Once, before files that run side by side ask for it; nothing is done while it is up to date.
    if (files.some((file) => file.includes('admin/')))
      for (const script of ['admin/build.ts', 'admin/test/chromium.ts'])
        spawnSync(process.execPath, [script], { cwd: ROOT, stdio: 'inherit' })
    return await runTests(files.sort(), server.url, join(home, 'compiled'))
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

/** @param compiledDir Where the processes of the run keep what they have compiled for each other, which halves the time they take to start. */
function runTests(files: string[], url: string, compiledDir: string): Promise<number> {
  // On two cores three files take 521 s where two took 592: each waits now and then, for a lock or a page.
  const args = ['--test', '--test-concurrency=3', '--test-timeout=300000', ...files]
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, TEST_DATABASE_URL: url, NODE_COMPILE_CACHE: compiledDir },
  })
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))
}

async function dropLeftovers(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query(
      `select datname from pg_database where datname like 'rollcall_test_%' or datname = $1`,
      [TEMPLATE],
    )
    for (const { datname } of rows) await client.query(`drop database ${pg.escapeIdentifier(datname)} with (force)`)
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

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Refusal } from '../lib/refusal.ts'

const DIRECTORY = join(import.meta.dirname, '../migrations')

/** Any number will do that no other program on the same database chose. */
const LOCK_KEY = 7_655_255_123
const LOCK_POLL_MS = 200

/**
 * Such a file runs outside a transaction, as `create index concurrently` must. Each statement ends its line with `;`, and
 * what stands between two `$$` belongs to one statement.
 */
const NO_TRANSACTION = /^-- no transaction\s*$/m

export interface MigrateOptions {
  log?: { info(message: string): void }
  /** Where the SQL files are; by default the ones that this Rollcall brings. */
  directory?: string
  /** Ends the wait for another process that migrates. */
  signal?: AbortSignal
}

interface Migration {
  name: string
  text: string
  checksum: string
}

/**
 * Brings the schema up to date over a connection that no pooler shares: each new file of `server/migrations` in order,
 * in one transaction with its row in `migrations`. Several processes may start it at once: one works, the others wait.
 * Throws a Refusal, having changed nothing, when the database was migrated by a newer Rollcall or a landed file differs.
 */
export async function migrate(directUrl: string, options: MigrateOptions = {}): Promise<void> {
  await withStartLock(directUrl, options, (client) => applyMigrations(client, options))
}

/**
 * Runs `work` while no other process does the like on this database. The wait polls: a statement that waited inside the
 * lock would hold a snapshot, which `create index concurrently` in the other process waits for in its turn.
 */
export async function withStartLock<T>(
  directUrl: string,
  options: MigrateOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: directUrl })
  client.on('error', () => {}) // reported by the statement that fails
  await client.connect()
  try {
    // The role may have limits meant for requests.
    await client.query('set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0')
    for (let tries = 0; !(await tryLock(client)); tries++) {
      if (tries === 1) options.log?.info('waiting for another process that prepares this database')
      await sleep(LOCK_POLL_MS, undefined, options.signal ? { signal: options.signal } : {})
    }
    return await work(client)
  } finally {
    await client.end().catch(() => {}) // which gives the lock back
  }
}

/** Applies what is missing; only under `withStartLock`. */
export async function applyMigrations(
  client: pg.Client,
  { log, directory = DIRECTORY }: MigrateOptions = {},
): Promise<void> {
  const known = readMigrations(directory)
  for (const migration of await missingMigrations(client, known)) {
    const startedMs = performance.now()
    await apply(client, migration)
    log?.info(`migrated: ${migration.name} (${Math.round(performance.now() - startedMs)} ms)`)
  }
}

/** Throws a Refusal unless this Rollcall's migrations, and no others, have been applied. */
export async function requireMigrated(client: pg.Client, directory = DIRECTORY): Promise<void> {
  const missing = await missingMigrations(client, readMigrations(directory))
  if (missing.length > 0)
    throw new Refusal('the database is not up to date: run `rollcall migrate`, or start Rollcall, first')
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [LOCK_KEY])
  return rows[0]!.locked
}

function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).filter((name) => /^\d{4}_.+\.sql$/.test(name))
  return names.sort().map((name) => {
    const text = readFileSync(join(directory, name), 'utf8').replaceAll('\r\n', '\n') // as git may check it out on Windows
    return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
  })
}

async function missingMigrations(client: pg.Client, known: readonly Migration[]): Promise<Migration[]> {
  const applied = await appliedMigrations(client)
  const unknown = [...applied.keys()].filter((name) => !known.some((migration) => migration.name === name))
  if (unknown.length > 0) {
    throw new Refusal(
      `the database was made by a newer Rollcall (it has ${unknown.sort().at(-1)}, this one ends with ${known.at(-1)?.name}): ` +
        'start the newer one. Nothing was changed',
    )
  }
  const edited = known.find(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum)
  if (edited) {
    throw new Refusal(
      `${edited.name} is not what was applied to this database: restore the file, and make changes in a new one. Nothing was changed`,
    )
  }
  return known.filter(({ name }) => !applied.has(name))
}

/** The checksums of what has been applied, by name; empty where no migration has ever run. */
async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows: tables } = await client.query<{ there: boolean }>(
    `select to_regclass('migrations') is not null as there`,
  )
  if (!tables[0]!.there) return new Map()
  const { rows } = await client.query<{ name: string; checksum: string }>('select name, checksum from migrations')
  return new Map(rows.map(({ name, checksum }) => [name, checksum]))
}

function statementsOf(text: string): string[] {
  const statements: string[] = []
  let open = ''
  for (const part of text.split(/(?<=;)[ \t]*$/m)) {
    open += part
    if (open.split('$$').length % 2 === 0) continue
    statements.push(open)
    open = ''
  }
  return [...statements, open].filter((statement) => statement.trim() !== '')
}

async function apply(client: pg.Client, { name, text, checksum }: Migration): Promise<void> {
  const noteIt = () => client.query('insert into migrations (name, checksum) values ($1, $2)', [name, checksum])
  try {
    await client.query(`
      create table if not exists migrations (
        name text primary key,
        checksum text not null,
        applied_at timestamptz not null default clock_timestamp()
      )`)
    if (NO_TRANSACTION.test(text.split('\n', 1)[0]!)) {
      for (const statement of statementsOf(text)) await client.query(statement)
      await noteIt()
      return
    }
    await client.query('begin')
    await client.query(text)
    await noteIt()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw new Refusal(`migration ${name} failed: ${(error as Error).message}`, { cause: error })
  }
}

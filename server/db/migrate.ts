import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Refusal } from '../lib/refusal.ts'

const DIRECTORY = join(import.meta.dirname, '../migrations')

/** Any number will do that no other program on the same database chose. */
const LOCK_KEY = 7_655_255_123
/** Held, together with others, by whoever needs the schema to stay as it is: a backup. */
const SCHEMA_KEY = 7_655_255_124
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

interface Migration extends Applied {
  text: string
}

/** One that a database has had: the file's name and the SHA-256 of its text. */
export interface Applied {
  name: string
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
    await poll(
      () => tryLock(client, LOCK_KEY),
      options.log,
      'waiting for another process that prepares this database',
      options.signal,
    )
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
  const applied = await appliedMigrations(client)
  const missing = missingFrom(applied, readMigrations(directory))
  if (missing.length === 0) return
  const isNew = applied.size === 0
  await whileOwned(client, log, async () => {
    const beganMs = performance.now()
    for (const migration of missing) {
      const startedMs = performance.now()
      await apply(client, migration)
      if (!isNew) log?.info(`migrated: ${migration.name} (${msSince(startedMs)} ms)`)
    }
    // Each by its name is for whom one of them keeps waiting.
    if (isNew) log?.info(`migrated: a new database, up to ${missing.at(-1)!.name} (${msSince(beganMs)} ms)`)
  })
}

/**
 * Does `work` while nobody migrates. A start that has nothing to migrate, and all that runs, goes on; one that has waits,
 * and holds up nobody meanwhile: a migration that waited for our locks on the tables would.
 */
export async function withSchemaHeld<T>(
  client: pg.Client,
  log: MigrateOptions['log'],
  work: () => Promise<T>,
): Promise<T> {
  await poll(() => tryLock(client, SCHEMA_KEY, 'shared'), log, 'waiting for a process that migrates this database')
  try {
    return await work()
  } finally {
    await client.query('select pg_advisory_unlock_shared($1)', [SCHEMA_KEY]).catch(() => {}) // it may be gone, and so the lock
  }
}

function msSince(startedMs: number): number {
  return Math.round(performance.now() - startedMs)
}

async function whileOwned(client: pg.Client, log: MigrateOptions['log'], work: () => Promise<void>): Promise<void> {
  await poll(() => tryLock(client, SCHEMA_KEY), log, 'waiting for a backup to end, as there is something to migrate')
  try {
    await work()
  } finally {
    await client.query('select pg_advisory_unlock($1)', [SCHEMA_KEY]).catch(() => {})
  }
}

/** Throws a Refusal unless this Rollcall brings all of these migrations, as they were. */
export function requireKnown(applied: readonly Applied[], directory = DIRECTORY): void {
  missingFrom(asMap(applied), readMigrations(directory), ARCHIVE)
}

/**
 * Makes the schema as these migrations made it, in the caller's transaction: in tables that nobody uses and that hold
 * nothing, so what other migrations do outside of one can be done there too, and indexes need not be built concurrently.
 */
export async function recreateSchema(
  client: pg.ClientBase,
  applied: readonly Applied[],
  directory = DIRECTORY,
): Promise<void> {
  const names = new Set(applied.map(({ name }) => name))
  await client.query(MAKE_TABLE)
  for (const migration of readMigrations(directory).filter(({ name }) => names.has(name))) {
    const text = migration.text.replace(
      /\b(create(?: unique)? index|drop index|refresh materialized view) concurrently\b/gi,
      '$1',
    )
    try {
      await client.query(text)
      await note(client, migration)
    } catch (error) {
      throw new Refusal(`migration ${migration.name} failed: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** The tables that migrations make, partitions aside; what else is in the schema is somebody else's. */
export function ownTables(directory = DIRECTORY): Set<string> {
  const made = readMigrations(directory).flatMap(({ text }) =>
    [...text.matchAll(/^create table (?:if not exists )?(\w+)/gm)].map(([, name]) => name!),
  )
  return new Set(made)
}

/** Throws a Refusal unless this Rollcall's migrations, and no others, have been applied. */
export async function requireMigrated(client: pg.Client, directory = DIRECTORY): Promise<void> {
  const missing = missingFrom(await appliedMigrations(client), readMigrations(directory))
  if (missing.length > 0)
    throw new Refusal('the database is not up to date: run `rollcall migrate`, or start Rollcall, first')
}

async function tryLock(client: pg.Client, key: number, mode: 'alone' | 'shared' = 'alone'): Promise<boolean> {
  const act = mode === 'alone' ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared'
  const { rows } = await client.query<{ locked: boolean }>(`select ${act}($1) as locked`, [key])
  return rows[0]!.locked
}

async function poll(
  holds: () => Promise<boolean>,
  log: MigrateOptions['log'],
  words: string,
  signal?: AbortSignal,
): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries === 1) log?.info(words)
    await sleep(LOCK_POLL_MS, undefined, signal ? { signal } : {})
  }
}

function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).filter((name) => /^\d{4}_.+\.sql$/.test(name))
  return names.sort().map((name) => {
    const text = readFileSync(join(directory, name), 'utf8').replaceAll('\r\n', '\n') // as git may check it out on Windows
    return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
  })
}

const DATABASE = { name: 'the database', verb: 'start' }
const ARCHIVE = { name: 'the archive', verb: 'restore it with' }

function missingFrom(
  applied: ReadonlyMap<string, string>,
  known: readonly Migration[],
  { name, verb } = DATABASE,
): Migration[] {
  const unknown = [...applied.keys()].filter((name) => !known.some((migration) => migration.name === name))
  if (unknown.length > 0) {
    throw new Refusal(
      `${name} was made by a newer Rollcall (it has ${unknown.sort().at(-1)}, this one ends with ${known.at(-1)?.name}): ` +
        `${verb} the newer one. Nothing was changed`,
    )
  }
  const edited = known.find(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum)
  if (edited) {
    throw new Refusal(
      `${edited.name} is not what was applied to ${name}: restore the file, and make changes in a new one. Nothing was changed`,
    )
  }
  return known.filter(({ name }) => !applied.has(name))
}

/** The checksums of what has been applied, by name; empty where no migration has ever run. */
export async function appliedMigrations(client: pg.ClientBase): Promise<Map<string, string>> {
  const { rows: tables } = await client.query<{ there: boolean }>(
    `select to_regclass('migrations') is not null as there`,
  )
  if (!tables[0]!.there) return new Map()
  return asMap((await client.query<Applied>('select name, checksum from migrations order by name')).rows)
}

const asMap = (applied: readonly Applied[]) => new Map(applied.map(({ name, checksum }) => [name, checksum]))

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

const MAKE_TABLE = `
  create table if not exists migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
  )`

async function note(client: pg.ClientBase, { name, checksum }: Applied): Promise<void> {
  await client.query('insert into migrations (name, checksum) values ($1, $2)', [name, checksum])
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const { name, text } = migration
  try {
    await client.query(MAKE_TABLE)
    if (NO_TRANSACTION.test(text.split('\n', 1)[0]!)) {
      for (const statement of statementsOf(text)) await client.query(statement)
      await note(client, migration)
      return
    }
    await client.query('begin')
    await client.query(text)
    await note(client, migration)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw new Refusal(`migration ${name} failed: ${(error as Error).message}`, { cause: error })
  }
}

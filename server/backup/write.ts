import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { appliedMigrations, requireMigrated, withSchemaHeld } from '../db/migrate.ts'
import { fileKey } from '../features/exports/exports.ts'
import { journalFolder } from '../features/privacy/journal-entry.ts'
import type { FileStore } from '../files/store.ts'
import { AppError } from '../lib/app-error.ts'
import type { Keyring } from '../lib/secret.ts'
import { archiveOf, type Manifest, type PartSource } from './format.ts'
import { quoted, sequencesOf, type Table, tablesOf } from './tables.ts'

const VERSION: string = createRequire(import.meta.url)('../package.json').version

export interface BackupParts {
  /** Without a pooler in between. */
  directUrl: string
  files: FileStore
  keyring: Keyring
  /** Uploads and exports too; the journal of erasures is always part of it. */
  withFiles: boolean
  log?: { info(message: string): void }
}

/** What an archive holds, in numbers. */
export interface Held {
  tables: number
  rows: number
  jobs: number
  files: number
}

export const nothingHeld = (): Held => ({ tables: 0, rows: 0, jobs: 0, files: 0 })

/**
 * Hands the bytes of an archive to `take`: all tables as they were at one moment, read by COPY in one transaction, while
 * everyone else goes on. Until it has ended PostgreSQL keeps what others delete, and migrations wait. Throws a Refusal when
 * the schema is not the one of this Rollcall.
 */
export async function writeArchive(parts: BackupParts, take: (bytes: Readable) => Promise<unknown>): Promise<Held> {
  const client = new pg.Client({ connectionString: parts.directUrl })
  client.on('error', () => {}) // reported by the statement that fails
  await client.connect()
  try {
    // The role may have limits meant for requests. What COPY writes must not depend on the role's taste either.
    await client.query(`
      set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0;
      set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1;
      set client_encoding = 'UTF8'`)
    return await withSchemaHeld(client, parts.log, async () => {
      await requireMigrated(client)
      const tables = await beginSnapshot(client)
      const held = nothingHeld()
      await take(
        Readable.from(archiveOf(await manifestOf(client, parts.keyring), partsOf(client, tables, parts, held))),
      )
      await client.query('commit')
      return held
    })
  } finally {
    await client.end().catch(() => {})
  }
}

/**
 * Begins the transaction; its first query fixes the moment. The tables are locked before, so that none goes away; a month
 * that is made meanwhile makes it begin again, as the moment may be one at which that has events.
 */
async function beginSnapshot(client: pg.Client): Promise<Table[]> {
  for (;;) {
    const known = await tablesOf(client)
    await client.query('begin transaction isolation level repeatable read read only')
    await client.query(`lock table ${quoted(known.map(({ name }) => name))} in access share mode`)
    const tables = await tablesOf(client)
    if (tables.length === known.length) return tables
    await client.query('rollback')
  }
}

async function manifestOf(client: pg.Client, keyring: Keyring): Promise<Manifest> {
  const { rows } = await client.query<{ at: Date; postgres: string }>(
    `select now() as at, current_setting('server_version') as postgres`,
  )
  const migrations = [...(await appliedMigrations(client))].map(([name, checksum]) => ({ name, checksum }))
  return {
    at: rows[0]!.at.toISOString(),
    version: VERSION,
    postgres: rows[0]!.postgres,
    migrations,
    // Read after the moment of the snapshot: no row in it has a number that was given out later.
    sequences: await sequencesOf(client),
    secret: keyring.map(({ secret }) => secret).join(','),
  }
}

async function* partsOf(
  client: pg.Client,
  tables: readonly Table[],
  { files, withFiles }: BackupParts,
  held: Held,
): AsyncGenerator<PartSource> {
  for (const { name, columns } of tables) {
    const data = client.query(copyTo(`copy ${quoted([name])} (${quoted(columns)}) to stdout`))
    yield { head: { table: name, columns }, data, rows: () => data.rowCount }
    held.tables++
    held.rows += data.rowCount
  }
  const jobs = client.query(copyTo(`copy (${await waitingJobs(client)}) to stdout`))
  yield { head: { jobs: true }, data: jobs, rows: () => jobs.rowCount }
  held.jobs = jobs.rowCount
  for (const key of await keysOf(client, files, withFiles)) {
    const data = await contentOf(files, key)
    if (!data) continue
    yield { head: { file: key }, data }
    held.files++
  }
}

/** Those that were being run are run again by whoever restores. What has ended is of no use to anyone. */
async function waitingJobs(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ there: boolean }>(`select to_regclass('pgboss.job') is not null as there`)
  return rows[0]!.there
    ? `select coalesce((data ->> 'accountId')::bigint, 0), name, data, priority, start_after from pgboss.job
       where state in ('created', 'retry', 'active') order by created_on, id`
    : 'select where false'
}

async function keysOf(client: pg.Client, files: FileStore, withFiles: boolean): Promise<string[]> {
  const accounts = (await client.query<{ id: string }>('select id from accounts order by id')).rows
  const keys: string[] = []
  for (const { id } of accounts) keys.push(...(await files.list(journalFolder(Number(id)))))
  if (!withFiles) return keys
  const uploads = (
    await client.query<{ key: string }>('select file_key as key from imports where file_key is not null order by 1')
  ).rows
  const exports = (
    await client.query<{ account_id: string; file: string }>(
      `select account_id, file from exports where file is not null and phase = 'finished' order by 1, 2`,
    )
  ).rows
  return [...keys, ...uploads.map(({ key }) => key), ...exports.map((row) => fileKey(Number(row.account_id), row.file))]
}

/** undefined where it has been removed since. */
async function contentOf(files: FileStore, key: string): Promise<Readable | undefined> {
  try {
    return await files.read(key)
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return undefined
    throw error
  }
}

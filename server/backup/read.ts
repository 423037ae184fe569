import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { type Applied, appliedMigrations, recreateSchema, requireKnown, withStartLock } from '../db/migrate.ts'
import { beginEpoch } from '../features/activity/feed.ts'
import type { FileStore } from '../files/store.ts'
import { Refusal } from '../lib/refusal.ts'
import { type Keyring, parseKeyring } from '../lib/secret.ts'
import { ArchiveReader, type Manifest } from './format.ts'
import { quoted, type Table, tablesOf } from './tables.ts'
import { type Held, nothingHeld } from './write.ts'

export interface RestoreParts {
  /** Without a pooler in between. */
  directUrl: string
  files: FileStore
  /** Puts the archive's keys where the service finds them; answers how to undo that. Throws a Refusal where it can't. */
  keepKeys: (keyring: Keyring) => () => void
  log?: { info(message: string): void }
  signal?: AbortSignal
}

/** What was found in an archive. */
export interface Found extends Held {
  at: Date
  /** Of Rollcall, and of the PostgreSQL that it came from. */
  version: string
  postgres: string
  /** Which keys it brings, and tells nothing of them. */
  keyIds: string[]
}

/** Reads a whole archive and throws a Refusal when anything in it is not as it was written. */
export async function checkArchive(source: AsyncIterable<Buffer>, name: string): Promise<Found> {
  const reader = await openArchive(source, name)
  const held = nothingHeld()
  for (let part = await reader.next(); part; part = await reader.next()) {
    await reader.skip()
    if ('table' in part) held.rows += reader.rows
    if ('table' in part) held.tables++
    else if ('jobs' in part) held.jobs = reader.rows
    else held.files++
  }
  return { ...held, ...toldBy(reader.manifest) }
}

/**
 * Reads an archive into an empty database, in one transaction: its schema as it was, every row, the numbers given out; and
 * begins a new epoch of each feed, as readers have read what then has not happened. Throws a Refusal, with nothing changed,
 * for a database that is not empty and for an archive that is damaged or of a newer Rollcall. What is left to do is what
 * every start does: newer migrations, jobs, the journal of erasures.
 */
export async function readArchive(reader: ArchiveReader, parts: RestoreParts): Promise<Found> {
  const { manifest } = reader
  return withStartLock(parts.directUrl, parts, async (client) => {
    await requireEmpty(client, manifest.migrations)
    const undo: (() => Promise<unknown>)[] = []
    try {
      await client.query('begin')
      if ((await appliedMigrations(client)).size === 0) await recreateSchema(client, manifest.migrations)
      const held = await load(client, reader, parts, undo)
      await setSequences(client, manifest.sequences)
      await beginEpochs(client)
      const undoKeys = parts.keepKeys(keyringOf(manifest))
      undo.push(async () => undoKeys())
      await client.query('commit')
      await client.query('analyze') // without figures the first requests would be planned as for empty tables
      return { ...held, ...toldBy(manifest) }
    } catch (error) {
      await client.query('rollback').catch(() => {})
      for (const act of undo.reverse()) await act().catch(() => {})
      throw error
    }
  })
}

/** Begins to read an archive. Throws a Refusal for one that this Rollcall can't restore, by what its beginning says. */
export async function openArchive(source: AsyncIterable<Buffer>, name: string): Promise<ArchiveReader> {
  const reader = await ArchiveReader.open(source, name)
  requireKnown(reader.manifest.migrations)
  keyringOf(reader.manifest)
  return reader
}

/** The keys that an archive brings. */
export const keyringOf = ({ secret }: Manifest) => parseKeyring(secret)

function toldBy(manifest: Manifest): Omit<Found, keyof Held> {
  const { at, version, postgres } = manifest
  return { at: new Date(at), version, postgres, keyIds: keyringOf(manifest).map(({ id }) => id) }
}

/** Nothing of Rollcall may be there, or its tables as the archive has them, with nothing in them. */
async function requireEmpty(client: pg.Client, migrations: readonly Applied[]): Promise<void> {
  const applied = await appliedMigrations(client)
  if (applied.size === 0) return
  const tables = await tablesOf(client)
  const { rows } = await client.query<{ name: string }>(
    tables
      .map(({ name }, at) => `(select ${at} as at, ${pg.escapeLiteral(name)} as name from ${quoted([name])} limit 1)`)
      .join(' union all ') + ' order by at limit 1',
  )
  if (rows[0])
    throw new Refusal(
      `the database is not empty (there are ${rows[0].name}): restore into a new one, or with another ROLLCALL_HOME. Nothing was changed`,
    )
  const isSame = applied.size === migrations.length && migrations.every(({ name }) => applied.has(name))
  if (!isSame)
    throw new Refusal(
      'the database has tables of another version than the archive, though nothing is in them: restore into a new one, ' +
        'whose tables are then made as the archive has them and brought up to date. Nothing was changed',
    )
}

async function load(
  client: pg.Client,
  reader: ArchiveReader,
  { files, signal }: RestoreParts,
  undo: (() => Promise<unknown>)[],
): Promise<Held> {
  const held = nothingHeld()
  let tables = byName(await tablesOf(client))
  for (let part = await reader.next(); part; part = await reader.next()) {
    signal?.throwIfAborted()
    if ('file' in part) {
      if (await putFile(files, part.file, reader, undo)) held.files++
      continue
    }
    const { table, columns } = 'jobs' in part ? JOBS : part
    if (!tables.has(table) && (await makeMonth(client, table))) tables = byName(await tablesOf(client))
    const known = tables.get(table)
    if (!known || columns.some((column) => !known.columns.includes(column)))
      throw new Refusal(`the archive has ${table} with columns that its version does not have. Nothing was restored`)
    const into = client.query(copyFrom(`copy ${quoted([table])} (${quoted(columns)}) from stdin`))
    await pipeline(Readable.from(reader.data()), into).catch((error) => {
      throw misfit(error, table)
    })
    reader.requireRows(into.rowCount)
    if ('jobs' in part) held.jobs = into.rowCount
    else {
      held.tables++
      held.rows += into.rowCount
    }
  }
  return held
}

/** What PostgreSQL says of data that it can't take: without its words, which quote them. */
function misfit(error: unknown, table: string): unknown {
  const { code = '' } = error as { code?: string }
  if (!/^(22|23)/.test(code)) return error
  return new Refusal(
    `the archive's rows of ${table} do not fit its table (PostgreSQL says ${code}). Nothing was restored`,
    { cause: error },
  )
}

/** Where jobs wait for the start that puts them into the queue. */
const JOBS = { table: 'restored_jobs', columns: ['account_id', 'name', 'payload', 'priority', 'start_after'] }

const byName = (tables: readonly Table[]) => new Map(tables.map((table) => [table.name, table]))

/** The partition of a month of events, if that is what the name says. */
async function makeMonth(client: pg.Client, table: string): Promise<boolean> {
  const [, year, month] = /^events_(\d{4})_(0[1-9]|1[0-2])$/.exec(table) ?? []
  if (!year) return false
  await client.query('select make_event_partitions($1::date, 0)', [`${year}-${month}-01`])
  return true
}

/** A file that is there already is left alone: no two have ever had the same name. */
async function putFile(
  files: FileStore,
  key: string,
  reader: ArchiveReader,
  undo: (() => Promise<unknown>)[],
): Promise<boolean> {
  if ((await files.size(key)) !== null) {
    await reader.skip()
    return false
  }
  undo.push(() => files.remove(key))
  await files.write(key, Readable.from(reader.data()))
  return true
}

async function setSequences(client: pg.Client, sequences: Manifest['sequences']): Promise<void> {
  await client.query(
    `select setval(quote_ident(name)::regclass, value) from unnest($1::text[], $2::bigint[]) as given (name, value)`,
    [sequences.map(({ name }) => name), sequences.map(({ value }) => value)],
  )
}

async function beginEpochs(client: pg.Client): Promise<void> {
  const db = {
    query: async <Row>({ text, values }: { text: string; values: unknown[] }) =>
      (await client.query(text, values)).rows as Row[],
  }
  const { rows } = await client.query<{ account_id: string }>('select account_id from feed_heads order by 1')
  // Sent without waiting for one another: they go one after another all the same.
  await Promise.all(rows.map(({ account_id }) => beginEpoch(db, Number(account_id))))
}

import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { pino } from 'pino'
import { openArchive, type RestoreParts, readArchive } from '../backup/read.ts'
import { type BackupParts, writeArchive } from '../backup/write.ts'
import { Database } from '../db/database.ts'
import { ownTables } from '../db/migrate.ts'
import { diskStore } from '../files/disk.ts'
import { prepareAll } from '../prepare.ts'
import { type TestApp, temporaryHome } from './app.ts'
import { atEnd, emptyDatabaseUrl } from './database.ts'
import { keyring } from './jobs.ts'
import { onClient } from './own-server.ts'

type Source = Pick<TestApp, 'db' | 'files'>

/** An archive of all that a test has made. */
export async function archived({ db, files }: Source, parts: Partial<BackupParts> = {}): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0)
  await writeArchive({ directUrl: db.url, files, keyring, withFiles: false, ...parts }, async (stream) => {
    bytes = await buffer(stream)
  })
  return bytes
}

/** In chunks, as they come from a disk. */
export async function* chunksOf(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Reads an archive into a database, as `rollcall restore` does before it does what every start does. */
export async function readInto(
  url: string,
  archive: Buffer,
  { files }: Pick<Source, 'files'>,
  parts: Partial<RestoreParts> = {},
) {
  const reader = await openArchive(chunksOf(archive), 'the archive')
  return readArchive(reader, { directUrl: url, files, keepKeys: () => () => {}, ...parts })
}

/** A new database with what an archive holds; prepared as a start would, if asked for. */
export async function restored(
  t: TestContext,
  archive: Buffer,
  made: Pick<TestApp, 'files' | 'config'>,
  { prepared = false, url }: { prepared?: boolean; url?: string } = {},
): Promise<Database> {
  const into = url ?? (await emptyDatabaseUrl(t))
  await readInto(into, archive, made)
  const { config, files } = made
  const log = pino({ level: 'silent' })
  if (prepared)
    await prepareAll({ url: into, directUrl: into, log, config, keyring, wantsToken: false, wantsUser: false, files })
  const db = new Database({ url: into, max: 8 })
  atEnd(t, () => db.close())
  return db
}

/** A file store with nothing in it. */
export function temporaryStore(t: TestContext): Pick<TestApp, 'files' | 'filesAt'> {
  const home = temporaryHome(t)
  return { files: diskStore(home), filesAt: { url: undefined, home } }
}

/** By table how many rows there are, and a checksum over all of their columns; of a feed's head without its epoch, and without jobs. */
export function contentsOf(url: string): Promise<Record<string, string>> {
  return onClient(url, async (client) => {
    const contents: Record<string, string> = {}
    for (const table of [...ownTables()].filter((name) => name !== 'restored_jobs').sort()) {
      const row = table === 'feed_heads' ? `(t.account_id, t.position)::text` : 't::text'
      const { rows } = await client.query<{ row: string }>(
        `select ${row} as row from ${pg.escapeIdentifier(table)} as t order by ${row} collate "C"`,
      )
      const sum = createHash('sha256')
      for (const { row } of rows) sum.update(`${row}\n`)
      contents[table] = `${rows.length} ${sum.digest('hex').slice(0, 16)}`
    }
    return contents
  })
}

/** What a schema has in it, whoever made it. */
export function relationsOf(url: string): Promise<number> {
  return onClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      `select count(*) from pg_class where relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)`,
    )
    return Number(rows[0]!.count)
  })
}

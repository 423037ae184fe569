import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import pg from 'pg'
import { type Embedded, socketUrl, startEmbedded } from '../db/embedded.ts'

/** A server for one test file about servers themselves, with a superuser to prepare it as no other test may. */
export interface OwnServer extends Embedded {
  /** Of another database or role on it; any that is there may connect, without a password. */
  urlOf(database: string, role?: string): string
  /** Runs one statement as superuser, in `postgres` unless another database is named. */
  asRoot(statement: string, database?: string): Promise<void>
}

/** Starts it, and stops it after the file's last test. */
export async function ownServer(): Promise<OwnServer> {
  const home = mkdtempSync(join(tmpdir(), 'rollcall-server-'))
  const settings = { fsync: 'off', shared_buffers: '32MB' }
  const server = await startEmbedded({ dataDir: join(home, 'pg'), settings })
  after(async () => {
    await server.stop()
    rmSync(home, { recursive: true })
  })
  const urlOf = (database: string, role?: string) => socketUrl(server.socketDir, role, database)
  return {
    ...server,
    urlOf,
    async asRoot(statement, database = 'postgres') {
      await onClient(urlOf(database, 'postgres'), (client) => client.query(statement))
    },
  }
}

/** Connects for as long as `work` takes. */
export async function onClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

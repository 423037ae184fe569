import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Refusal } from '../lib/refusal.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { nameFor, PG_MAJOR, prepareDataDir, refuseOtherVersions } from './data-dir.ts'
import { diskReason } from './disk.ts'
import { fittedSettings, thisMachine } from './fit.ts'
import { PG_ENV, type PgUser, pgUser } from './pg-user.ts'

/** What is said about the server as it goes, its own lines among it. */
export interface ServerLog {
  debug(message: string): void
  warn(message: string): void
}

export interface EmbeddedOptions {
  /** Made with initdb when it is not there. */
  dataDir: string
  /** Where the socket goes: a directory that only those may enter who may use the data. By default a new one. */
  socketDir?: string
  /** Settings of PostgreSQL, beside and over the ones that fit the machine. */
  settings?: Record<string, string>
  log?: ServerLog
}

export interface Embedded {
  /** For a pool, as role `rollcall`, which owns the database `rollcall` and may make others. */
  url: string
  socketDir: string
  /** Of the postmaster. */
  pid: number
  /** Settles when the server has ended, whoever ended it, with its last words. */
  ended: Promise<string>
  /** Ends sessions and stops; after `timeoutMs` without a checkpoint, so that the next start has to recover. */
  stop(timeoutMs?: number): Promise<void>
  /** Stops at once, without waiting: for when this process can't wait either. */
  kill(): void
}

/** Only in the name of the socket file, as there is no TCP. */
export const PORT = 5432
const LONGEST_SOCKET_PATH = 100
const READY_POLL_MS = 20

/**
 * Starts PostgreSQL on a data directory, on a unix socket and without TCP. The caller must know that no other server
 * runs on it. Throws a Refusal that says what to do about a full disk, a missing right or a directory of another version.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { dataDir, log } = options
  refuseOtherVersions(dataDir)
  const user = pgUser(dataDir)
  const binaries = findBinaries(user)
  prepareDataDir(dataDir, binaries, user)
  const socketDir = options.socketDir ?? makeSocketDir(user)
  const removeSocketDir = () => options.socketDir ?? rmSync(socketDir, { recursive: true, force: true })
  try {
    const server = await launch({ dataDir, socketDir, user, binaries, log, settings: options.settings ?? {} })
    return { ...server, stop: (timeoutMs) => server.stop(timeoutMs).finally(removeSocketDir) }
  } catch (error) {
    removeSocketDir()
    throw error
  }
}

/** How a pool reaches the server behind a socket. The host before the path is there for URL parsers and never used. */
export function socketUrl(socketDir: string, role = 'rollcall', database = 'rollcall'): string {
  return `postgres://${role}@localhost:${PORT}/${database}?host=${encodeURIComponent(socketDir)}&sslmode=disable`
}

/** Stands in the command line of a server, and so tells by whose data directory it is. */
export function clusterName(dataDir: string): string {
  return `rollcall-${createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 8)}`
}

/** A new directory that nobody but the server's user and root can enter: with no passwords, this is what guards the data. */
function makeSocketDir(user: PgUser): string {
  const fits = (directory: string) => Buffer.byteLength(join(directory, `.s.PGSQL.${PORT}.lock`)) <= LONGEST_SOCKET_PATH
  const base = fits(join(tmpdir(), 'rollcall-123456')) ? tmpdir() : '/tmp'
  const directory = mkdtempSync(join(base, 'rollcall-')) // made with mode 0700
  if (user.ids) chownSync(directory, user.ids.uid, user.ids.gid)
  nameFor(user, directory)
  return directory
}

interface Launch {
  dataDir: string
  socketDir: string
  user: PgUser
  binaries: Binaries
  settings: Record<string, string>
  log: ServerLog | undefined
}

async function launch({ dataDir, socketDir, user, binaries, settings, log }: Launch): Promise<Embedded> {
  const all = {
    cluster_name: clusterName(dataDir),
    listen_addresses: '',
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A failed statement is its sender's affair, and its text may hold what is nobody's business.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...fittedSettings(thisMachine()),
    ...settings,
  }
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // In a session of its own: Ctrl-C in a terminal must reach Rollcall alone, which lets requests end first.
  const child = spawn(binaries.postgres, ['-D', nameFor(user, dataDir), '-p', String(PORT), ...args], {
    ...user.ids,
    cwd: dataDir,
    env: PG_ENV,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const server = watch(child, log)
  const gone = new AbortController()
  server.ended.then(() => gone.abort())
  try {
    await Promise.race([answering(socketDir, gone.signal, log), server.failed(dataDir)])
    server.noteUp()
  } catch (error) {
    server.kill()
    await server.ended
    throw isDiskFull(error) ? new Refusal(diskReason('ENOSPC', dataDir)!) : error
  }
  return {
    url: socketUrl(socketDir),
    socketDir,
    pid: child.pid!,
    ended: server.ended,
    kill: server.kill,
    async stop(timeoutMs = 15_000) {
      child.kill('SIGINT')
      if ((await Promise.race([server.ended, sleep(timeoutMs, TIMED_OUT, { ref: false })])) === TIMED_OUT) server.kill()
      await server.ended
    },
  }
}

const TIMED_OUT = Symbol('timed out')

function watch(child: ChildProcess, log: ServerLog | undefined) {
  const lastLines: string[] = []
  let isUp = false
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', () => resolve(lastLines.join('\n')))
  })
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lastLines.push(line)
    if (lastLines.length > 20) lastLines.shift()
    // A FATAL of another process ended one session only, which hears of it by itself; at the start it is thrown.
    const isGrave = line.includes(' PANIC: ') || line.includes(`[${child.pid}] FATAL: `)
    if (isGrave && isUp) log?.warn(`postgres: ${line}`)
    else log?.debug(`postgres: ${line}`)
  })
  return {
    ended,
    kill: () => void child.kill('SIGQUIT'),
    noteUp() {
      isUp = true
    },
    async failed(dataDir: string): Promise<never> {
      const words = await ended
      const telling = words.split('\n').find((line) => /FATAL|PANIC|could not/.test(line)) ?? words
      throw new Refusal(
        diskReason(words, dataDir) ??
          `PostgreSQL ${PG_MAJOR} did not start: ${telling.replace(/^.*?(FATAL|PANIC): +/, '')}`,
      )
    },
  }
}

/** Waits until the server answers, however long it recovers; makes the role and the database where they are missing. */
async function answering(socketDir: string, gone: AbortSignal, log: ServerLog | undefined): Promise<void> {
  for (let waitedMs = 0; !gone.aborted; waitedMs += READY_POLL_MS) {
    const failure = await tryQuery(socketUrl(socketDir), 'select 1')
    if (failure === undefined) return
    if (failure === '28000' || failure === '3D000') await makeDatabase(socketDir)
    if (waitedMs > 0 && waitedMs % 5000 === 0) log?.warn('PostgreSQL is still recovering from its last stop')
    await sleep(READY_POLL_MS)
  }
  await new Promise(() => {}) // the server's own last words tell why
}

/** What `makeDatabase` throws when there is no room for another database. */
const isDiskFull = (error: unknown) => error instanceof Error && error.cause === '53100'

async function makeDatabase(socketDir: string): Promise<void> {
  const asRoot = socketUrl(socketDir, 'postgres', 'postgres')
  // Either may be there already, if an earlier first start was cut off in between.
  for (const statement of ['create role rollcall login createdb', 'create database rollcall owner rollcall']) {
    const failure = await tryQuery(asRoot, statement)
    if (failure !== undefined && failure !== '42710' && failure !== '42P04') {
      throw new Error(`PostgreSQL refused "${statement}" (${failure})`, { cause: failure })
    }
  }
}

/** The code of the failure, of PostgreSQL or the socket; undefined when there was none. */
async function tryQuery(url: string, statement: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // reported by the call that fails
  try {
    await client.connect()
    await client.query(statement)
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end().catch(() => {})
  }
}

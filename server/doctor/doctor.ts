import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import type { Config } from '../config.ts'
import { checkDatabase } from '../db/check.ts'
import { socketUrl } from '../db/embedded.ts'
import { requireMigrated } from '../db/migrate.ts'
import { readOwner } from '../db/owner.ts'
import { outboundTo, reasonOf } from '../features/mail/outbound.ts'
import { openFiles } from '../files/open.ts'
import { AppError } from '../lib/app-error.ts'
import { Refusal } from '../lib/refusal.ts'

/** What was found of one thing: `warn` works, but not as it should. */
export interface Finding {
  what: string
  state: 'ok' | 'warn' | 'fail'
  found: string
  /** What to do; undefined where nothing is. */
  cure?: string
}

const MB = 2 ** 20
const GB = 2 ** 30
/** PostgreSQL stops with a full disk, and its own log of changes may grow to 4 GB while a large import runs. */
const LITTLE_ROOM = 5 * GB
const NO_ROOM = 500 * MB
/** Signed messages are refused when they are five minutes off; tokens and windows of time suffer sooner. */
const CLOCK_OFF_MS = 5_000
const CLOCK_WRONG_MS = 60_000
/** An outbox row waits 200 ms for a worker that is there. */
const WAITS_TOO_LONG_S = 60

/** Looks at all that a start needs, changes nothing, and says what to do. Findings come as they are made. */
export async function* examine(config: Config, home: string): AsyncGenerator<Finding> {
  yield { what: 'configuration', state: 'ok', found: 'every setting is as it should be' }
  yield examineHome(home, config)
  yield examineDisk(home)
  yield await examineFiles(config, home)
  const reached = await reachDatabase(config, home)
  yield reached.finding
  if (reached.url !== undefined) yield* examineInside(reached.url)
  yield await examineMail(config)
  yield await examineApi(config)
}

function examineHome(home: string, config: Config): Finding {
  const what = 'directory'
  if (!existsSync(home)) {
    return config.ROLLCALL_SECRET === undefined || config.DATABASE_URL === undefined
      ? { what, state: 'ok', found: `${home} is not there yet: the first start makes it` }
      : { what, state: 'ok', found: `${home} is not there, and not needed but for files` }
  }
  try {
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return {
      what,
      state: 'fail',
      found: `this user may not use ${home}`,
      cure: 'run as the user that owns it, or set ROLLCALL_HOME',
    }
  }
  const secret = join(home, 'secret')
  if (config.ROLLCALL_SECRET === undefined && existsSync(secret) && (statSync(secret).mode & 0o077) !== 0)
    return { what, state: 'warn', found: `others can read ${secret}`, cure: `run chmod 600 ${secret}` }
  return { what, state: 'ok', found: home }
}

function examineDisk(home: string): Finding {
  let path = home
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const found = `${(free / GB).toFixed(1)} GB free where ${home} is`
  if (free < NO_ROOM)
    return { what: 'disk', state: 'fail', found, cure: 'free some space: PostgreSQL stops when there is none' }
  if (free < LITTLE_ROOM) return { what: 'disk', state: 'warn', found, cure: 'free some space before a large import' }
  return { what: 'disk', state: 'ok', found }
}

async function examineFiles(config: Config, home: string): Promise<Finding> {
  const what = 'files'
  if (config.STORAGE_URL === undefined)
    return { what, state: 'ok', found: `uploads and exports are kept in ${join(home, 'files')}` }
  try {
    await (await openFiles({ url: config.STORAGE_URL, home })).size('0/uploads/doctor')
    return { what, state: 'ok', found: 'the bucket of STORAGE_URL answers' }
  } catch (error) {
    return {
      what,
      state: 'fail',
      found: plain(error),
      cure: 'see that STORAGE_URL names the bucket, and its key may read and write',
    }
  }
}

/** Connects, but starts nothing: the embedded server is looked at where it runs. */
async function reachDatabase(config: Config, home: string): Promise<{ finding: Finding; url?: string }> {
  const what = 'database'
  const { DATABASE_URL: given, DATABASE_DIRECT_URL: direct = given } = config
  if (given !== undefined) {
    try {
      await checkDatabase(given, direct!)
      return {
        finding: { what, state: 'ok', found: 'the PostgreSQL of DATABASE_URL answers, and is fit' },
        url: direct!,
      }
    } catch (error) {
      return {
        finding: {
          what,
          state: 'fail',
          found: plain(error),
          cure: 'mend that, or leave DATABASE_URL out for the embedded PostgreSQL',
        },
      }
    }
  }
  const owner = readOwner(home)
  if (owner?.state === 'running' && owner.socketDir !== undefined)
    return {
      finding: {
        what,
        state: 'ok',
        found: `the embedded PostgreSQL runs, of process ${owner.pid} (rollcall ${owner.command})`,
      },
      url: socketUrl(owner.socketDir),
    }
  return { finding: { what, state: 'ok', found: 'the embedded PostgreSQL does not run: rollcall start starts it' } }
}

/** The schema, the clock and the worker, by what the database knows of them. */
async function* examineInside(url: string): AsyncGenerator<Finding> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {}) // told by the statement that fails
  try {
    await client.connect()
    try {
      await requireMigrated(client)
      yield { what: 'schema', state: 'ok', found: 'up to date' }
    } catch (error) {
      const found = error instanceof Refusal ? error.message : 'there is none yet'
      yield { what: 'schema', state: 'warn', found, cure: 'run rollcall migrate, or start Rollcall' }
      return
    }
    yield await examineClock(client)
    yield await examineWorker(client)
  } catch (error) {
    yield { what: 'database', state: 'fail', found: plain(error), cure: 'see the log of PostgreSQL' }
  } finally {
    await client.end().catch(() => {})
  }
}

async function examineClock(client: pg.Client): Promise<Finding> {
  const what = 'clock'
  const before = Date.now()
  const { rows } = await client.query<{ now: Date; last: Date | null }>(
    'select clock_timestamp() as now, (select greatest(max(last_used_at), max(created_at)) from api_tokens) as last',
  )
  const { now, last } = rows[0]!
  // Half of the way is the best guess of when the other clock was read.
  const off = Math.abs(now.getTime() - (before + Date.now()) / 2)
  const setIt = 'set the clocks of both machines by NTP'
  if (off > CLOCK_WRONG_MS)
    return { what, state: 'fail', found: `${Math.round(off / 1000)} s off the database's`, cure: setIt }
  if (last && last.getTime() - Date.now() > CLOCK_WRONG_MS)
    return {
      what,
      state: 'fail',
      found: `behind what was done at ${last.toISOString()}: it was set back`,
      cure: 'set it by NTP',
    }
  if (off > CLOCK_OFF_MS)
    return { what, state: 'warn', found: `${Math.round(off / 1000)} s off the database's`, cure: setIt }
  return { what, state: 'ok', found: `${new Date().toISOString().slice(0, 19)}Z, the same as the database's` }
}

async function examineWorker(client: pg.Client): Promise<Finding> {
  const what = 'worker'
  const { rows } = await client.query<{ age: number | null }>(
    'select extract(epoch from clock_timestamp() - min(at))::float8 as age from outbox',
  )
  const age = rows[0]!.age ?? 0
  if (age > WAITS_TOO_LONG_S)
    return {
      what,
      state: 'warn',
      found: `what was done ${Math.round(age)} s ago still waits to be told`,
      cure: 'see that a rollcall start runs with --role worker or without a role, and read its log',
    }
  return { what, state: 'ok', found: 'nothing waits' }
}

async function examineMail({ SMTP_URL: url, MAIL_FROM: from, SMTP_TIMEOUT_S, PUBLIC_URL }: Config): Promise<Finding> {
  const what = 'mail'
  if (!url || !from) return { what, state: 'ok', found: 'there is no SMTP_URL: mails are kept, to be read by the API' }
  try {
    await outboundTo({ url, from, timeoutMs: Math.min(10, SMTP_TIMEOUT_S) * 1000 }).verify()
  } catch (error) {
    return {
      what,
      state: 'fail',
      found: reasonOf(error).reason,
      cure: 'see that SMTP_URL has the right host, port, user and password',
    }
  }
  if (PUBLIC_URL === undefined)
    return {
      what,
      state: 'warn',
      found: 'the mail server answers, but links in mails lead nowhere',
      cure: 'set PUBLIC_URL',
    }
  return { what, state: 'ok', found: 'the mail server answers' }
}

async function examineApi({ HOST, PORT }: Config): Promise<Finding> {
  const what = 'API'
  const host = HOST === '0.0.0.0' || HOST === '::' ? 'localhost' : HOST.includes(':') ? `[${HOST}]` : HOST
  const address = `http://${host}:${PORT}`
  if (PORT === 0) return { what, state: 'ok', found: 'PORT is 0: it listens where there is room' }
  try {
    const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(5000), redirect: 'manual' })
    const body = (await response.json()) as { status?: string }
    if (body.status === 'ready') return { what, state: 'ok', found: `${address} answers` }
    if (body.status === 'not ready')
      return { what, state: 'fail', found: `${address} is not ready`, cure: 'read its log' }
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } }
    if (cause?.code === 'ECONNREFUSED')
      return { what, state: 'ok', found: `nothing listens at ${address}: it is free for rollcall start` }
  }
  return {
    what,
    state: 'fail',
    found: `something else than Rollcall listens at ${address}`,
    cure: 'stop that, or set another PORT',
  }
}

function plain(error: unknown): string {
  if (error instanceof AppError || error instanceof Refusal) return error.message
  return error instanceof Error ? error.message || error.name : String(error)
}

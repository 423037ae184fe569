import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import sql from 'sql-template-tag'
import type { Config } from './config.ts'
import { checkDatabase } from './db/check.ts'
import { Database } from './db/database.ts'
import type { Embedded } from './db/embedded.ts'
import { startLocal } from './db/local.ts'
import { demoParts, fillDemo } from './demo/demo.ts'
import { requireNoMarks } from './features/subscriptions/keys.ts'
import { requireNoSigningSecrets } from './features/webhooks/keys.ts'
import { openFiles } from './files/open.ts'
import { Queue } from './jobs/queue.ts'
import type { Keyring } from './lib/secret.ts'
import { type FirstWords, prepareAll } from './prepare.ts'
import { inTime, type Run } from './run.ts'
import { startWorker } from './worker.ts'

export type Role = 'api' | 'worker' | 'all'

export interface ServiceParts {
  role: Role
  /** Whether account 1 is to have the demonstration's people. */
  demo: boolean
  config: Config
  /** Rollcall's directory, absolute. */
  home: string
  log: Logger
  run: Run
  /** Whether there are keys already; else `readKeyring` makes them, which must not hide that some were lost. */
  hasSecret: () => boolean
  /** The keys: asked for once the home is ours. */
  readKeyring: () => Keyring
  /** Throws a Refusal when the API could not listen. */
  probePort: () => Promise<void>
  /** Opens the API's port; answers its address. */
  listen: (app: FastifyInstance) => Promise<string>
  /** Told of the embedded server as soon as there is one. */
  onEmbedded: (embedded: Embedded) => void
}

export interface Service extends FirstWords {
  /** Where the API answers; undefined for a worker alone. */
  address: string | undefined
}

/** Of the time for a stop, what is kept back for the database, which writes what it holds in memory to disk. */
const DATABASE_SHARE = 0.35

/** How long `/readyz` waits for the database's answer. */
const READY_WITHIN_MS = 2000

const SWEEP_MS = 20

/** Starts part after part; each is noted in `run` at once, so that a failure or a stop in between ends what was begun. */
export async function bringUp(parts: ServiceParts): Promise<Service> {
  const { role, config, log, run } = parts
  const { url, directUrl } = await openServer(parts)

  const onError = (error: Error) => {
    if (!run.signal.aborted) log.warn({ err: error }, 'lost a connection to the database')
  }
  const db = new Database({ url, max: config.DATABASE_POOL_SIZE, onError })
  run.onStop((deadline) => inTime(db.close(), beforeDatabase(deadline) + 500))
  if (!parts.hasSecret()) await Promise.all([requireNoMarks(db), requireNoSigningSecrets(db)])
  const keyring = parts.readKeyring()
  run.signal.throwIfAborted()
  const filesAt = { url: config.STORAGE_URL, home: parts.home }
  const files = await openFiles(filesAt)
  if (role !== 'all' && config.STORAGE_URL === undefined) log.info(sharedFiles(role, parts.home))
  const queue = new Queue(db, {
    role: role === 'api' ? 'api' : 'worker',
    onError: (error) => log.error({ err: error }, 'queue failed'),
  })
  const drains: ((deadline: number) => Promise<unknown>)[] = []
  run.onStop((deadline) => Promise.all(drains.map((drain) => drain(beforeDatabase(deadline)))))

  let isPrepared = false
  let address: string | undefined
  if (role !== 'worker') {
    const isReady = async () => isPrepared && !run.signal.aborted && (await answers(db))
    // A worker alone does without what serves HTTP, a fifth of its memory.
    const { buildApp } = await import('./app.ts')
    const app = await buildApp({
      db,
      queue,
      config,
      files,
      filesAt,
      keyring,
      logger: log,
      isReady,
      isPrepared: () => isPrepared,
    })
    drains.push((deadline) => closeApp(app, deadline, log))
    address = await parts.listen(app)
  }
  const wantsToken = config.ROLLCALL_API_TOKEN === undefined
  const wantsUser = role !== 'worker' // who has no address to print
  const told = await prepareAll({
    url,
    directUrl,
    log,
    config,
    keyring,
    wantsToken,
    wantsUser,
    files,
    signal: run.signal,
  })
  if (role !== 'api') {
    files.sweep().catch((error: unknown) => log.warn({ err: error }, 'leftovers in the file store were not removed'))
    const worker = await startWorker({ db, queue, files, filesAt, keyring, config, logger: log })
    drains.push((deadline) => inTime(worker.stop(Math.max(0, deadline - Date.now())), deadline))
  } else {
    drains.push((deadline) => inTime(queue.stop(0), deadline))
  }
  run.signal.throwIfAborted()
  if (parts.demo) await fillDemo(demoParts({ db, files, filesAt, keyring, config }), 1)
  isPrepared = true
  return { address, ...told }
}

/** The given database, checked, or the embedded one, started. */
async function openServer({ config, home, log, run, role, probePort, onEmbedded }: ServiceParts) {
  const probe = role === 'worker' ? async () => {} : probePort
  const url = config.DATABASE_URL
  if (url !== undefined) {
    await probe()
    const directUrl = config.DATABASE_DIRECT_URL ?? url
    await checkDatabase(url, directUrl)
    return { url, directUrl }
  }
  const local = await startLocal({ home, command: 'start', log: serverLog(log), signal: run.signal, onClaimed: probe })
  onEmbedded(local.embedded)
  let isOurs = false
  run.onStop((deadline) => {
    isOurs = true
    return local.stop(Math.max(500, deadline - Date.now()))
  })
  local.embedded.ended.then((words) => {
    if (isOurs || run.signal.aborted) return
    log.fatal(`the embedded PostgreSQL has ended by itself: ${words}`)
    run.requestStop(new Error('the embedded PostgreSQL has ended'))
  })
  return { url: local.url, directUrl: local.url }
}

/** Uploads come in by the API and are read by the worker, exports go the other way. */
function sharedFiles(role: Role, home: string): string {
  const other = role === 'api' ? 'worker' : 'API'
  return `files are kept in ${home}/files: the ${other} must share this directory, or both keep them in a bucket (STORAGE_URL)`
}

/** PostgreSQL's own lines are for those who look closely; ours are plain text. */
export function serverLog(log: Logger) {
  return { debug: (message: string) => log.debug(message), warn: (message: string) => log.warn(message) }
}

/** Accepts nothing more and waits for what runs; cuts that off at the deadline. */
async function closeApp(app: FastifyInstance, deadline: number, log: Logger): Promise<void> {
  const closed = app.close()
  // A connection that was in use when we began stays open after its answer, for a next request that we won't take.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
  try {
    if (await inTime(closed, deadline)) return
    log.warn('requests that had not ended in time were cut off')
    app.server.closeAllConnections()
    await closed
  } finally {
    clearInterval(sweep)
  }
}

function beforeDatabase(deadline: number): number {
  return deadline - Math.max(0, deadline - Date.now()) * DATABASE_SHARE
}

async function answers(db: Database): Promise<boolean> {
  const asked = db.query(sql`select 1`).then(
    () => true,
    () => false,
  )
  return (await inTime(asked, Date.now() + READY_WITHIN_MS)) && asked
}

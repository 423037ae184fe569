/** Start and stop. The only file that reads the environment, opens a socket or hears a signal. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { fromArchive, nameOfArchive, toArchive } from './backup/place.ts'
import { checkArchive, type Found, keyringOf, openArchive, readArchive } from './backup/read.ts'
import { type Held, writeArchive } from './backup/write.ts'
import { type Config, readConfig, Settings } from './config.ts'
import { checkDatabase } from './db/check.ts'
import { hasData } from './db/data-dir.ts'
import { Database } from './db/database.ts'
import { diskFailure } from './db/disk.ts'
import type { Embedded } from './db/embedded.ts'
import { addKeys, hasSecret, loadKeyring, prepareHome } from './db/home.ts'
import { reachLocal } from './db/local.ts'
import { requireMigrated, withStartLock } from './db/migrate.ts'
import { type Demo, demoParts, fillDemo } from './demo/demo.ts'
import { examine as examineAll, type Finding } from './doctor/doctor.ts'
import { findAccount } from './features/accounts/accounts.ts'
import { requireKeysInUse } from './features/subscriptions/keys.ts'
import { openFiles } from './files/open.ts'
import { greeting } from './greeting.ts'
import { AppError } from './lib/app-error.ts'
import { Refusal } from './lib/refusal.ts'
import { type Keyring, parseKeyring } from './lib/secret.ts'
import { listenFailure } from './listen-failure.ts'
import { openLog } from './log.ts'
import { prepareAll, prepareSchema } from './prepare.ts'
import { Run } from './run.ts'
import { bringUp, type Role, serverLog } from './service.ts'

const ROOT = join(import.meta.dirname, '..')

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** A terminal sends Ctrl-C to npm and to us, and npm passes it on: what comes so soon is no second request. */
const SAME_SIGNAL_MS = 1000

/**
 * Runs the service until SIGTERM or SIGINT, then ends what runs and stops it. Answers the exit code. Throws a Refusal
 * when it can't start.
 */
export async function start({ role = 'all', demo = false }: { role?: Role; demo?: boolean } = {}): Promise<number> {
  const config = readSettings()
  const { log, flush } = openLog(config.LOG_LEVEL)
  const run = new Run()
  let embedded: Embedded | undefined
  const signals = hearSignals(run, config, log, () => embedded?.kill())
  try {
    const service = await bringUp({
      role,
      demo,
      config,
      home: homeOf(config),
      log,
      run,
      hasSecret: () => config.ROLLCALL_SECRET !== undefined || hasSecret(homeOf(config)),
      readKeyring: () => readKeyring(config),
      probePort: () => probePort(config),
      listen: (app) => listen(app, config),
      onEmbedded: (started) => {
        embedded = started
      },
    })
    const address = service.address && (config.PUBLIC_URL?.replace(/\/$/, '') ?? service.address)
    process.stdout.write(greeting(address, service))
    await run.stopRequested()
  } catch (error) {
    if (!run.signal.aborted) throw error
  } finally {
    await run.tearDown(signals.deadline(), (error) => log.error({ err: error }, 'a part did not stop as it should'))
    signals.forget()
    flush()
  }
  return run.signal.reason instanceof Asked ? 0 : 1
}

/** Brings the schema up to date and ends. */
export async function runMigrations(): Promise<void> {
  await withServer('migrate', async ({ url, directUrl, log, isGiven }) => {
    if (isGiven) await checkDatabase(url, directUrl)
    await prepareSchema({ url, directUrl, log })
  })
}

/** Does something with the database and ends: on the running server, or on an embedded one started for that long. */
export async function withDatabase<T>(command: string, work: (db: Database) => Promise<T>): Promise<T> {
  return withServer(command, async ({ url, directUrl, log, config, isOurs }) => {
    if (isOurs)
      await prepareAll({
        url,
        directUrl,
        log,
        config,
        keyring: readKeyring(config),
        wantsToken: false,
        wantsUser: false,
      })
    else await withStartLock(directUrl, { log }, (client) => requireMigrated(client))
    const db = new Database({ url, max: 2 })
    try {
      return await work(db)
    } finally {
      await db.close()
    }
  })
}

/** Fills an account with the demonstration's people, lists and activity: see `fillDemo`. */
export async function makeDemo(accountId: number): Promise<Demo> {
  const config = readSettings()
  const home = homeOf(config)
  const filesAt = { url: config.STORAGE_URL, home }
  return withDatabase('demo', async (db) => {
    await findAccount(db, accountId).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'not_found'
        ? new Refusal(`there is no account ${accountId}`)
        : error
    })
    const [keyring, files] = [readKeyring(config), await openFiles(filesAt)]
    return fillDemo(demoParts({ db, files, filesAt, keyring, config }), accountId)
  })
}

/** Looks at all that a start needs; starts and changes nothing. Bad settings are a finding, and then the only one. */
export async function* examine(): AsyncGenerator<Finding> {
  let config: Config
  try {
    config = readSettings()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    yield {
      what: 'configuration',
      state: 'fail',
      found: error.message,
      cure: 'mend that in the environment or in .env',
    }
    return
  }
  yield* examineAll(config, homeOf(config))
}

/** Writes an archive of all that this Rollcall holds: to a file that is not there yet, or to stdout for `-`. */
export async function backUp(path: string, { withFiles }: { withFiles: boolean }): Promise<Held> {
  const config = readSettings()
  const home = homeOf(config)
  if (config.DATABASE_URL === undefined && !hasData(home))
    throw new Refusal(
      `there is nothing to back up in ${home}: set ROLLCALL_HOME or DATABASE_URL to what is to be backed up`,
    )
  if (config.ROLLCALL_SECRET === undefined && !hasSecret(home))
    throw new Refusal(
      `the keys that belong to the data are neither in ROLLCALL_SECRET nor in ${home}/secret: put them back first`,
    )
  return toArchive(path, (take) =>
    withServer('backup', async ({ url, directUrl, log }) => {
      const keyring = readKeyring(config)
      const db = new Database({ url, max: 1 })
      await withStartLock(directUrl, { log }, (client) => requireMigrated(client))
        .then(() => requireKeysInUse(db, keyring))
        .finally(() => db.close())
      const files = await openFiles({ url: config.STORAGE_URL, home })
      return writeArchive({ directUrl, files, keyring, withFiles, log }, take)
    }),
  )
}

/** Reads an archive, from stdin for `-`, and throws a Refusal when it is not as it was written. */
export async function checkBackup(path: string): Promise<Found> {
  return checkArchive(fromArchive(path), nameOfArchive(path))
}

/**
 * Reads an archive into an empty database, and does what every start does. A file is checked as a whole before anything is
 * begun; from stdin, which can be read once only, a fault shows later and undoes all.
 */
export async function restore(path: string): Promise<Found> {
  const config = readSettings()
  const home = homeOf(config)
  if (path !== '-') await checkBackup(path)
  const reader = await openArchive(fromArchive(path), nameOfArchive(path))
  requireKeys(config, keyringOf(reader.manifest))
  const keepKeys = (keyring: Keyring) => (config.ROLLCALL_SECRET === undefined ? addKeys(home, keyring) : () => {})
  return withServer('restore', async ({ url, directUrl, log, isGiven }) => {
    if (isGiven) await checkDatabase(url, directUrl)
    const files = await openFiles({ url: config.STORAGE_URL, home })
    const found = await readArchive(reader, { directUrl, files, log, keepKeys })
    await prepareAll({
      url,
      directUrl,
      log,
      config,
      keyring: readKeyring(config),
      wantsToken: false,
      wantsUser: false,
      files,
    })
    return found
  })
}

function requireKeys({ ROLLCALL_SECRET: given }: Config, keyring: Keyring): void {
  if (given === undefined) return
  const known = new Set(parseKeyring(given).map(({ id }) => id))
  const missing = keyring.map(({ id }) => id).filter((id) => !known.has(id))
  if (missing.length > 0)
    throw new Refusal(
      `ROLLCALL_SECRET lacks ${missing.join(', ')}, a key of the archive: add it, or leave ROLLCALL_SECRET out and the keys are ` +
        'put into ROLLCALL_HOME/secret. Nothing was restored',
    )
}

interface Server {
  url: string
  /** Without a pooler in between. */
  directUrl: string
  config: Config
  log: Logger
  /** DATABASE_URL names it. */
  isGiven: boolean
  /** It was started for this command, and ends with it. */
  isOurs: boolean
}

async function withServer<T>(command: string, work: (server: Server) => Promise<T>): Promise<T> {
  const config = readSettings()
  const { log, flush } = openLog(config.LOG_LEVEL === 'silent' ? 'silent' : 'warn')
  const given = config.DATABASE_URL
  if (given !== undefined) {
    const directUrl = config.DATABASE_DIRECT_URL ?? given
    return work({ url: given, directUrl, config, log, isGiven: true, isOurs: false }).finally(flush)
  }
  const local = await reachLocal({ home: homeOf(config), command, log: serverLog(log) })
  const stop = async () => {
    if (local.embedded) await local.stop()
    flush()
  }
  const onSignal = () => void stop().finally(() => process.exit(130))
  for (const signal of SIGNALS) process.once(signal, onSignal)
  try {
    const { url } = local
    return await work({ url, directUrl: url, config, log, isGiven: false, isOurs: local.embedded !== undefined })
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
    await stop()
  }
}

/** The reason of a stop that was asked for, unlike one that something broken brings about. */
class Asked extends Error {}

/** Lets the first signal ask for a stop and a later one force it; also when the process that started us is gone. */
function hearSignals(run: Run, config: Config, log: Logger, killDatabase: () => void) {
  let askedAt: number | undefined
  const force = (code: number) => {
    killDatabase()
    process.exit(code)
  }
  const ask = (what: string) => {
    if (askedAt !== undefined) {
      if (Date.now() - askedAt > SAME_SIGNAL_MS) force(1)
      return
    }
    askedAt = Date.now()
    log.info(`stopping: ${what}`)
    run.requestStop(new Asked(what))
    // Should a part hang in spite of its own limit. What was cut off is as after a crash, which loses nothing.
    setTimeout(() => force(0), config.SHUTDOWN_TIMEOUT_S * 1000 + 500).unref()
  }
  const listeners = SIGNALS.map((signal) => [signal, () => ask(signal)] as const)
  for (const [signal, listener] of listeners) process.on(signal, listener)
  const onDisconnect = () => ask('the process that started this one has ended')
  process.once('disconnect', onDisconnect)
  process.channel?.unref()
  return {
    /** By when all must have ended, in ms since the epoch. */
    deadline: () => (askedAt ?? Date.now()) + config.SHUTDOWN_TIMEOUT_S * 1000,
    forget() {
      for (const [signal, listener] of listeners) process.off(signal, listener)
      process.off('disconnect', onDisconnect)
    },
  }
}

type Place = Pick<Config, 'HOST' | 'PORT'>

/** Throws a Refusal when nothing can listen there, before anything else has been started for nothing. */
async function probePort({ HOST: host, PORT: port }: Place): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, { host, port })))
    server.listen({ host, port, exclusive: true }, resolve)
  })
  await new Promise((resolve) => server.close(resolve))
}

/** Listens; answers the address under which this machine reaches it. */
async function listen(app: FastifyInstance, { HOST: host, PORT: port }: Place): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw listenFailure(error, { host, port })
  }
  const bound = app.server.address()
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
  const isEvery = host === '0.0.0.0' || host === '::'
  return `http://${isEvery ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${boundPort}`
}

function readSettings(): Config {
  return readConfig({ ...readEnvFile(), ...process.env })
}

/** Settings from `.env` in the checkout; what is set in the environment wins over them. */
function readEnvFile(): NodeJS.Dict<string> {
  const path = join(ROOT, '.env')
  try {
    const given = parseEnv(readFileSync(path, 'utf8'))
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(Settings.properties, name))
    if (unknown.length > 0)
      process.stderr.write(`rollcall: ${path} has names that are no settings: ${unknown.join(', ')}\n`)
    return given
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw diskFailure(error, path)
  }
}

function homeOf(config: Config): string {
  return resolve(ROOT, config.ROLLCALL_HOME)
}

function readKeyring(config: Config): Keyring {
  if (config.ROLLCALL_SECRET !== undefined) return parseKeyring(config.ROLLCALL_SECRET)
  prepareHome(homeOf(config))
  return loadKeyring(homeOf(config))
}

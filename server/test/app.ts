import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance, InjectOptions, RouteOptions } from 'fastify'
import { pino } from 'pino'
import { buildApp, type Parts } from '../app.ts'
import { type Config, readConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import { createAccount } from '../features/accounts/accounts.ts'
import { createToken } from '../features/accounts/tokens.ts'
import { dispatchAll } from '../features/activity/dispatcher.ts'
import { SmartListFollower } from '../features/lists/follower.ts'
import { diskStore } from '../files/disk.ts'
import type { FileStore, FilesAt } from '../files/store.ts'
import type { Scope } from '../http/caller.ts'
import { Queue } from '../jobs/queue.ts'
import { allJobs } from '../worker.ts'
import { atEnd, testDatabase } from './database.ts'
import { keyring, runJobs } from './jobs.ts'

export { keyring }

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from a body is checked by the test
  body: any
  headers: Record<string, string | string[] | number | undefined>
}

/** An account, and a token that may do everything in it. */
export interface Tenant {
  accountId: number
  token: string
  /** `call('POST', '/api/contacts', {…})`: a body that is an object is sent as JSON. */
  call: (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
}

/** The API over a private database, and the first account in it. */
export interface TestApp extends Tenant {
  app: FastifyInstance
  db: Database
  files: FileStore
  filesAt: FilesAt
  queue: Queue
  config: Config
  /** Runs all jobs that wait, with these files. */
  runJobs: () => Promise<void>
  get: (url: string) => Promise<Answer>
  post: (url: string, body?: unknown) => Promise<Answer>
  patch: (url: string, body?: unknown) => Promise<Answer>
  del: (url: string, body?: unknown) => Promise<Answer>
  /** Another account in the same database. */
  another: (name?: string) => Promise<Tenant>
}

export async function testApp(
  t: TestContext,
  settings: Record<string, string> = {},
  log = pino({ level: 'silent' }),
  onRoute?: (route: RouteOptions) => void,
  more: Pick<Parts, 'reach'> & { db?: Database } = {},
): Promise<TestApp> {
  const { db = await testDatabase(t), ...parts } = more
  const config: Config = readConfig({ RATE_LIMIT: '0', ...settings })
  const queue = new Queue(db, { role: 'api', onError: () => {} })
  const home = temporaryHome(t)
  const files = diskStore(home)
  const filesAt = { url: undefined, home }
  const app = await buildApp({
    db,
    queue,
    config,
    files,
    filesAt,
    keyring,
    logger: log,
    isReady: async () => true,
    isPrepared: () => true,
    ...(onRoute ? { onRoute } : {}),
    ...parts,
  })
  atEnd(t, () => queue.stop(0))
  atEnd(t, () => app.close())
  const account = async (name: string, scopes: Scope[] = ['admin']) => {
    const { id: accountId } = await createAccount(db, { name })
    const { token } = await createToken(db, accountId, { name: 'test', scopes })
    return { accountId, token, call: caller(app, token) }
  }
  const first = await account('First')
  const { call } = first
  return {
    app,
    db,
    files,
    filesAt,
    queue,
    config,
    runJobs: () => runJobs(db, allJobs({ db, files, filesAt, queue, keyring, config })),
    ...first,
    get: (url) => call('GET', url),
    post: (url, body) => call('POST', url, body),
    patch: (url, body) => call('PATCH', url, body),
    del: (url, body) => call('DELETE', url, body),
    another: (name = 'Another') => account(name),
  }
}

/** A directory of the test's own. */
export function temporaryHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'rollcall-test-home-'))
  atEnd(t, () => rmSync(home, { recursive: true, force: true }))
  return home
}

export function caller(app: FastifyInstance, token: string | undefined): TestApp['call'] {
  return async (method, url, body, headers = {}) => {
    const authorization = token === undefined ? {} : { 'api-token': token }
    const response = await app.inject({
      method: method as InjectOptions['method'] & string,
      url,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { payload: body as object | string }),
    } as InjectOptions)
    const isJson = String(response.headers['content-type'] ?? '').includes('json')
    return { status: response.statusCode, body: isJson ? response.json() : response.body, headers: response.headers }
  }
}

function failOnDifferences(accountId: number, contacts: number): never {
  throw new Error(`in account ${accountId} the membership last told of ${contacts} contacts was wrong`)
}

/** Does at once what the worker does 200 ms later. */
export async function dispatched(db: Database): Promise<void> {
  await dispatchAll(db, new SmartListFollower({ onDifferences: failOnDifferences }))
}

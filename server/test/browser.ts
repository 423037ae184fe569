import type { FastifyInstance, InjectOptions } from 'fastify'
import sql from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { beginSession } from '../features/accounts/sessions.ts'
import { createUser } from '../features/accounts/users.ts'
import type { Role } from '../http/caller.ts'
import { hashPassword, PASSWORD_COST } from '../lib/password.ts'
import type { Answer } from './app.ts'

export const PASSWORD = 'a few words to keep in mind'

const HOST = 'rollcall.example.com'

/** What our own pages send, as browsers do on http. */
export const OWN = { origin: `http://${HOST}`, 'x-rollcall-ui': '1' }

/** A browser: keeps the cookie, and sends what pages of ours send. */
export class TestBrowser {
  readonly #app: FastifyInstance
  /** Of the network 192.0.2.0/24, or another. */
  readonly #ip: string
  cookie: string | undefined

  constructor(app: FastifyInstance, { cookie, ip = '192.0.2.1' }: { cookie?: string; ip?: string } = {}) {
    this.#app = app
    this.#ip = ip
    this.cookie = cookie
  }

  /** A header given as undefined is not sent. */
  readonly call = async (
    method: string,
    url: string,
    body?: unknown,
    given: Record<string, string | undefined> = {},
  ): Promise<Answer> => {
    const all = { host: HOST, ...OWN, ...(this.cookie === undefined ? {} : { cookie: this.cookie }), ...given }
    const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    const response = await this.#app.inject({
      method: method as InjectOptions['method'] & string,
      url,
      headers,
      remoteAddress: this.#ip,
      ...(body === undefined ? {} : { payload: body as object }),
    } as InjectOptions)
    const set = response.headers['set-cookie']
    if (typeof set === 'string') {
      const [pair = ''] = set.split(';')
      this.cookie = pair.endsWith('=') ? undefined : pair
    }
    const isJson = String(response.headers['content-type'] ?? '').includes('json')
    return { status: response.statusCode, body: isJson ? response.json() : response.body, headers: response.headers }
  }

  signIn(email: string, password = PASSWORD): Promise<Answer> {
    return this.call('POST', '/api/session', { email, password })
  }
}

let made: Promise<string> | undefined

/** The hash of PASSWORD at next to no cost. */
function cheapHash(): Promise<string> {
  made ??= hashPassword(PASSWORD, { ...PASSWORD_COST, memory: 64 })
  return made
}

/** A user with PASSWORD, in these accounts. */
export async function userIn(db: Database, email: string, roles: Record<number, Role>): Promise<number> {
  const hash = await cheapHash()
  return db.transaction(async (trx) => {
    const userId = await createUser(trx, { email, name: email.split('@')[0]!, password: hash })
    for (const [accountId, role] of Object.entries(roles))
      trx.send(sql`insert into account_users (account_id, user_id, role) values (${accountId}, ${userId}, ${role})`)
    return userId
  })
}

/** The same, signed in. */
export async function signedIn(
  { app, db }: { app: FastifyInstance; db: Database },
  email: string,
  roles: Record<number, Role>,
): Promise<TestBrowser & { userId: number }> {
  const userId = await userIn(db, email, roles)
  const token = await db.transaction((trx) => beginSession(trx, userId, { ip: null, network: '', agent: undefined }))
  return Object.assign(new TestBrowser(app, { cookie: `rollcall=${token}` }), { userId })
}

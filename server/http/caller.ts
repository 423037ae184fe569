import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../lib/app-error.ts'
import { parseId } from '../lib/ids.ts'
import { accountSegment, tokenOf } from './aliases.ts'
import { type Browser, PAGE_HEADER } from './browser.ts'
import { guard } from './guard.ts'
import { addressOf, senderOf } from './sender.ts'

/** What a token may do; each includes those before it. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** What a person is in an account; each may do what those before it may. */
export const ROLES = ['viewer', 'editor', 'admin'] as const
export type Role = (typeof ROLES)[number]

const SCOPE_OF: Record<Role, Scope> = { viewer: 'read', editor: 'write', admin: 'admin' }

/** Who asks, for which account: known before a route runs. */
export interface Caller {
  accountId: number
  /** As it stands in change sets, consents and the audit: `token:ID`, `user:ID`. */
  actor: string
  /** The client's address, found through the trusted proxies alone; null when it can't be known. */
  ip: string | null
}

/** What a request may do in an account, by its token or by its session. */
export interface Grant {
  /** `token:ID`, `user:ID` */
  actor: string
  accountId: number
  scopes: readonly Scope[]
  expiresAt: Date | null
  /** Of a person. */
  role?: Role
}

/** Someone who is signed in. */
export interface Visit {
  sessionId: number
  userId: number
  /** What they are in the account that they ask for. */
  role: Role | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for every route of an account. */
    caller: Caller
    grant: Grant | null
    /** Who is signed in, of a request without a token. */
    visit: Visit | null
    /** Asks anew whether the request may still do in its account what it could: for answers that take long. */
    isStillGranted: () => Promise<boolean>
  }
  interface FastifyContextConfig {
    /** What the token or the role must allow. Every route has this, `session` or `public`. */
    scope?: Scope
    /** A route for the person at the browser, whatever the account; they must be signed in, or need not be. */
    session?: 'required' | 'optional'
    public?: true
    body?: import('./aliases.ts').BodyForm
  }
}

export function includesScope(held: readonly Scope[], needed: Scope): boolean {
  return held.some((scope) => SCOPES.indexOf(scope) >= SCOPES.indexOf(needed))
}

export interface Doors {
  browser: Browser
  /** Answers undefined for a token that opens nothing, and throws when the sender has tried too many. */
  findGrant: (token: string, sender: () => string) => Promise<Grant | undefined>
  /** The same for what a cookie holds; `accountId` is the account asked for, if any. */
  findVisit: (token: string, accountId: number | null, sender: () => string) => Promise<Visit | undefined>
}

/**
 * Finds out who asks; whether they may is for `installPermission` to say, once the requests of the same sender have been
 * counted. A token goes before a cookie.
 */
export function installAuthentication(app: FastifyInstance, { browser, findGrant, findVisit }: Doors): void {
  app.decorateRequest('grant', null)
  app.decorateRequest('visit', null)
  app.decorateRequest('caller')
  app.decorateRequest('isStillGranted')

  const authenticate = async (request: FastifyRequest): Promise<{ grant?: Grant; visit?: Visit }> => {
    const token = tokenOf(request.headers)
    const sender = () => senderOf(request)
    if (token !== undefined) {
      const grant = await findGrant(token, sender)
      return grant && !(grant.expiresAt && grant.expiresAt.getTime() <= Date.now()) ? { grant } : {}
    }
    const session = browser.sessionOf(request)
    if (session === undefined) return {}
    browser.requireOwnPage(request)
    const accountId = parseId(accountSegment(request.raw) ?? '')
    const visit = await findVisit(session, accountId, sender)
    if (!visit) return {}
    if (accountId === null || visit.role === null) return { visit }
    const { userId, role } = visit
    return { visit, grant: { actor: `user:${userId}`, accountId, scopes: [SCOPE_OF[role]], expiresAt: null, role } }
  }

  guard(app, {
    async onRequest(request) {
      const { grant, visit } = await authenticate(request)
      request.visit = visit ?? null
      if (!grant) return
      const { accountId, actor } = grant
      request.grant = grant
      request.caller = { accountId, actor, ip: addressOf(request) }
      request.isStillGranted = async () => {
        const { grant: now } = await authenticate(request)
        return now?.accountId === accountId && now.actor === actor
      }
    },
  })
}

/**
 * Lets a request through when its token, or its session, opens the account in the path and may do what the route asks.
 * Runs after the rate limit, so that nobody can ask without bound, be it to guess tokens.
 */
export function installPermission(app: FastifyInstance, browser: Browser): void {
  guard(app, {
    async preParsing(request) {
      const { scope, session } = request.routeOptions.config
      if (session) {
        browser.requireOwnPage(request)
        if (session === 'required' && !request.visit) throw sessionEnded()
        return
      }
      const { grant } = request
      const named = accountSegment(request.raw)
      if (!grant) throw refusalOf(request, browser, named)
      if (named !== undefined && named !== String(grant.accountId)) throw accountForbidden()
      if (!scope || !includesScope(grant.scopes, scope)) throw lacking(grant, scope)
    },
  })
}

/** For what a route answers only to some of those who may ask. Throws scope_missing. */
export function requireScope({ grant }: FastifyRequest, needed: Scope): void {
  if (!grant || !includesScope(grant.scopes, needed)) throw lacking(grant ?? {}, needed)
}

const sessionEnded = () => new AppError('session_ended', 'Your session has ended: sign in again')
const accountForbidden = () => new AppError('account_forbidden', 'Account access forbidden')

/** Why a request has no grant: pages must be able to tell that their session has ended. */
function refusalOf(request: FastifyRequest, browser: Browser, named: string | undefined): AppError {
  if (request.visit && named === undefined)
    return new AppError('bad_request', 'With a session the path names the account: /api/accounts/ACCOUNT_ID/…')
  if (request.visit) return accountForbidden()
  const { headers } = request
  const isPage = headers[PAGE_HEADER] !== undefined || browser.sessionOf(request) !== undefined
  if (isPage && tokenOf(headers) === undefined) return sessionEnded()
  return new AppError(
    'unauthenticated',
    'Incorrect API token',
    undefined,
    undefined,
    tokenOf(headers) === undefined ? NO_TOKEN : {},
  )
}

/** Beside the official words, for who has sent none, or one where it is not looked for. */
const NO_TOKEN = { hint: 'No token was sent: it goes into Api-Token: TOKEN, or Authorization: Bearer TOKEN.' }

function lacking({ role }: Pick<Grant, 'role'>, scope: Scope | undefined): AppError {
  if (role === undefined) return new AppError('scope_missing', `Access forbidden: this token lacks the scope ${scope}`)
  const who = scope === 'admin' ? 'administrators' : 'editors and administrators'
  return new AppError(
    'scope_missing',
    `Access forbidden: only ${who} of this account may do that. Ask an administrator of the account`,
  )
}

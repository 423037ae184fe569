import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../lib/app-error.ts'
import { accountSegment, tokenOf } from './aliases.ts'

/** What a token may do; each includes those before it. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Who asks, for which account: known before a route runs. */
export interface Caller {
  accountId: number
  /** As it stands in change sets, consents and the audit: `token:ID`. */
  actor: string
  /** The client's address, found through the trusted proxies alone. */
  ip: string
}

/** What is known of a token that opens something. */
export interface Grant {
  tokenId: number
  accountId: number
  scopes: readonly Scope[]
  expiresAt: Date | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for every route that is not public. */
    caller: Caller
    grant: Grant | null
  }
  interface FastifyContextConfig {
    /** What the token must be allowed to do. Every route has this or `public`. */
    scope?: Scope
    public?: true
    body?: import('./aliases.ts').BodyForm
  }
}

export function includesScope(held: readonly Scope[], needed: Scope): boolean {
  return held.some((scope) => SCOPES.indexOf(scope) >= SCOPES.indexOf(needed))
}

/**
 * Lets a request through when its token opens the account in the path and may do what the route asks.
 * `findGrant` answers undefined for a token that opens nothing.
 */
export function installAuthentication(
  app: FastifyInstance,
  findGrant: (token: string) => Promise<Grant | undefined>,
): void {
  app.decorateRequest('grant', null)
  app.decorateRequest('caller')
  app.addHook('onRequest', async (request: FastifyRequest) => {
    const { config } = request.routeOptions
    if (config.public || request.is404) return
    const token = tokenOf(request.headers)
    const grant = token === undefined ? undefined : await findGrant(token)
    if (!grant || (grant.expiresAt && grant.expiresAt.getTime() <= Date.now())) {
      throw new AppError('unauthenticated', 'Incorrect API token')
    }
    const named = accountSegment(request.raw)
    if (named !== undefined && named !== String(grant.accountId)) {
      throw new AppError('account_forbidden', 'Account access forbidden')
    }
    request.grant = grant
    request.caller = { accountId: grant.accountId, actor: `token:${grant.tokenId}`, ip: request.ip }
  })
}

/** Runs after the rate limit, so that a token without the right to ask can't ask without bound either. */
export function installScopes(app: FastifyInstance): void {
  app.addHook('preParsing', async (request: FastifyRequest) => {
    const { scope, public: isPublic } = request.routeOptions.config
    if (isPublic || request.is404) return
    if (!request.grant || !scope || !includesScope(request.grant.scopes, scope)) {
      throw new AppError('scope_missing', `Access forbidden: this token lacks the scope ${scope}`)
    }
  })
}

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../lib/app-error.ts'
import { accountSegment, tokenOf } from './aliases.ts'
import { addressOf, senderOf } from './sender.ts'

/** What a token may do; each includes those before it. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Who asks, for which account: known before a route runs. */
export interface Caller {
  accountId: number
  /** As it stands in change sets, consents and the audit: `token:ID`. */
  actor: string
  /** The client's address, found through the trusted proxies alone; null when it can't be known. */
  ip: string | null
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
 * Finds out who asks; whether they may is for `installPermission` to say, once the requests of the same sender have been
 * counted. `findGrant` answers undefined for a token that opens nothing, and throws when the sender has tried too many.
 */
export function installAuthentication(
  app: FastifyInstance,
  findGrant: (token: string, sender: () => string) => Promise<Grant | undefined>,
): void {
  app.decorateRequest('grant', null)
  app.decorateRequest('caller')
  app.addHook('onRequest', async (request: FastifyRequest) => {
    if (request.routeOptions.config.public || request.is404) return
    const token = tokenOf(request.headers)
    const grant = token === undefined ? undefined : await findGrant(token, () => senderOf(request))
    if (!grant || (grant.expiresAt && grant.expiresAt.getTime() <= Date.now())) return
    request.grant = grant
    request.caller = { accountId: grant.accountId, actor: `token:${grant.tokenId}`, ip: addressOf(request) }
  })
}

/**
 * Lets a request through when its token opens the account in the path and may do what the route asks. Runs after the
 * rate limit, so that nobody can ask without bound, be it to guess tokens.
 */
export function installPermission(app: FastifyInstance): void {
  app.addHook('preParsing', async (request: FastifyRequest) => {
    const { scope, public: isPublic } = request.routeOptions.config
    if (isPublic || request.is404) return
    const { grant } = request
    if (!grant) throw new AppError('unauthenticated', 'Incorrect API token')
    const named = accountSegment(request.raw)
    if (named !== undefined && named !== String(grant.accountId)) {
      throw new AppError('account_forbidden', 'Account access forbidden')
    }
    if (!scope || !includesScope(grant.scopes, scope)) {
      throw new AppError('scope_missing', `Access forbidden: this token lacks the scope ${scope}`)
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import { SCOPES } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import { Nullable } from '../../http/paging.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { pathId } from '../../lib/ids.ts'
import { issueToken, listTokens, revokeToken, type Token } from './tokens.ts'

const Scopes = Type.Array(Type.Enum([...SCOPES]), {
  minItems: 1,
  maxItems: SCOPES.length,
  description: 'read, write, admin: each includes the ones before.',
})

const TokenOnWire = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  hint: Type.String({ description: 'Its last four characters.' }),
  scopes: Scopes,
  created_at: Type.String(),
  expires_at: Nullable(Type.String()),
  last_used_at: Nullable(Type.String({ description: 'To the minute.' })),
  revoked_at: Nullable(Type.String()),
})

const tags = ['Tokens']
const config = { scope: 'admin' } as const

function tokenOnWire({ id, name, hint, scopes, ...token }: Token) {
  return {
    ...{ id, name, hint, scopes },
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    revoked_at: token.revokedAt?.toISOString() ?? null,
  }
}

/** The account's API tokens: those in clear are shown once, when they are made. */
export const tokenRoutes: FastifyPluginAsyncTypebox<{ db: Database; change: Change }> = async (app, { db, change }) => {
  app.get(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        operationId: 'listTokens',
        summary: 'The API tokens of the account, the newest first, the revoked ones too',
        response: { 200: Type.Array(TokenOnWire) },
      },
    },
    async (request) => (await listTokens(db, request.caller.accountId)).map(tokenOnWire),
  )

  app.post(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        operationId: 'createToken',
        summary: 'Make an API token: the answer shows it, and nothing does so again',
        body: Type.Object(
          {
            name: Type.String({ maxLength: 255 }),
            scopes: Scopes,
            expires_at: Type.Optional(
              Nullable(Type.String({ format: 'date-time', description: 'Never if left out.' })),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ ...TokenOnWire.properties, token: Type.String() }) },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { name, scopes, expires_at: until } = request.body
        const expiresAt = until == null ? undefined : new Date(until)
        if (expiresAt && !(expiresAt.getTime() > Date.now())) throw invalid({ expires_at: ['must lie in the future'] })
        const { token, ...made } = await issueToken(trx, request.caller, { name, scopes, expiresAt })
        return { status: 201, body: { ...tokenOnWire(made), token } }
      }),
  )

  app.delete(
    '/api/tokens/:id',
    {
      config,
      schema: {
        tags,
        operationId: 'revokeToken',
        summary: 'End an API token: every process knows within 5 seconds',
        params: Type.Object({ id: Type.String() }),
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        if (!(await revokeToken(trx, request.caller, pathId(request.params.id)))) throw notFound()
        return { status: 204 }
      }),
  )
}

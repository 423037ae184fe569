import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { collection, NumberedPages, pageOf } from '../../http/paging.ts'
import { pathId } from '../../lib/ids.ts'
import type { Keyring } from '../../lib/secret.ts'
import { audit } from '../accounts/audit.ts'
import {
  ADAPTERS,
  createHook,
  deleteHook,
  findHook,
  type HookRow,
  listHooks,
  type Provider,
  rotateHook,
  updateHook,
} from './hooks.ts'
import { Hook, HookBody, HookPage, HookPatch, HookWithUrl } from './schemas.ts'

interface Options {
  db: Database
  change: Change
  keyring: Keyring
  /** Where providers reach this service, without a slash at its end. */
  base: string
}

const tags = ['Provider hooks']
const Params = Type.Object({ id: Type.String() })

/** Addresses for mail providers to post to, one a connection. */
export const providerRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, keyring, base }) => {
  const withUrl = (row: HookRow, secret: string) => ({ ...onWire(row), url: `${base}/hooks/${row.provider}/${secret}` })

  app.get(
    '/api/provider_hooks',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listProviderHooks',
        summary: 'Where mail providers post what becomes of mails',
        querystring: NumberedPages,
        response: { 200: HookPage },
      },
    },
    async (request) => {
      const page = pageOf(request.query)
      const { rows, total } = await listHooks(db, request.caller.accountId, page.perPage, page.offset)
      return collection(rows.map(onWire), page, total, null)
    },
  )

  app.post(
    '/api/provider_hooks',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'createProviderHook',
        summary: 'An address for a mail provider to post to',
        body: HookBody,
        response: { 201: HookWithUrl },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { provider, ...input } = request.body
        const { row, secret } = await createHook(trx, keyring, request.caller.accountId, provider as Provider, input)
        audit(trx, request.caller, 'provider_hook_created', { id: row.id, provider })
        return { status: 201, body: withUrl(row, secret) }
      }),
  )

  app.get(
    '/api/provider_hooks/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getProviderHook',
        summary: 'One hook, with what has come to it',
        params: Params,
        response: { 200: Hook },
      },
    },
    async (request) => onWire(await findHook(db, request.caller.accountId, pathId(request.params.id))),
  )

  app.patch(
    '/api/provider_hooks/:id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'updateProviderHook',
        summary: 'Name a hook, or say what its provider signs with',
        params: Params,
        body: HookPatch,
        response: { 200: Hook },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const id = pathId(request.params.id)
        const row = await updateHook(trx, keyring, request.caller.accountId, id, request.body)
        audit(trx, request.caller, 'provider_hook_updated', { id, changed: Object.keys(request.body) })
        return { status: 200, body: onWire(row) }
      }),
  )

  app.post(
    '/api/provider_hooks/:id/rotate',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'rotateProviderHook',
        summary: 'A new address; that of before works beside it for a day',
        params: Params,
        response: { 200: HookWithUrl },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { row, secret } = await rotateHook(trx, request.caller.accountId, pathId(request.params.id))
        audit(trx, request.caller, 'provider_hook_rotated', { id: row.id })
        return { status: 200, body: withUrl(row, secret) }
      }),
  )

  app.delete(
    '/api/provider_hooks/:id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'deleteProviderHook',
        summary: 'Delete a hook: its address answers nobody any more',
        params: Params,
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const id = pathId(request.params.id)
        await deleteHook(trx, request.caller.accountId, id)
        audit(trx, request.caller, 'provider_hook_deleted', { id })
        return { status: 204 }
      }),
  )
}

function onWire({ id, provider, name, signing_secret, topic_arn, previous_until, last_received_at, ...rest }: HookRow) {
  const { created_at, updated_at, received, recorded, duplicates, unknown, suppressed, ignored, refused, unverified } =
    rest
  return {
    ...{ id, provider, name, topic_arn },
    is_verified: signing_secret !== null || !ADAPTERS[provider].usesSecret,
    previous_url_until: previous_until && previous_until > new Date() ? previous_until.toISOString() : null,
    counts: { received, recorded, duplicates, unknown, suppressed, ignored, refused, unverified },
    last_received_at: last_received_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  }
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database, Queryable } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { type Cursors, collection, NumberedPages, pageOf } from '../../http/paging.ts'
import { invalid } from '../../lib/app-error.ts'
import { pathId } from '../../lib/ids.ts'
import type { Keyring } from '../../lib/secret.ts'
import { audit, differences } from '../accounts/audit.ts'
import { readHead } from '../activity/feed.ts'
import type { FeedCursors } from '../activity/feed-cursor.ts'
import type { Naming } from '../activity/wire.ts'
import { loadFields } from '../fields/field-set.ts'
import { checkFilter, shownCriteria } from './filter.ts'
import { bodyOf, readEvents } from './letter.ts'
import { addTest, countDeliveries, type DeliveryRow, findDelivery, listDeliveries, redeliver } from './log.ts'
import {
  DeliveriesQuery,
  Delivery,
  DeliveryPage,
  DeliveryWithRequest,
  Replay,
  Webhook,
  WebhookBody,
  WebhookPage,
  WebhookPatch,
  WebhookWithSecret,
} from './schemas.ts'
import { checkTarget, type Resolve } from './target.ts'
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
  moveWebhook,
  rotateSecret,
  updateWebhook,
  type WebhookRow,
} from './webhooks.ts'

interface Options {
  db: Database
  change: Change
  keyring: Keyring
  cursors: Cursors
  feedCursors: FeedCursors
  nameFields: (accountId: number) => Promise<Naming>
  target: { allowPrivate: boolean; resolve: Resolve }
}

const tags = ['Webhooks']
const Params = Type.Object({ id: Type.String() })
const DeliveryParams = Type.Object({ id: Type.String(), delivery: Type.String() })

export const webhookRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { db, change, keyring, cursors, feedCursors, nameFields, target } = options
  // Looking, too: to many programs whoever knows the address may post.
  const scope = 'write' as const

  app.get(
    '/api/webhooks',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'listWebhooks',
        summary: 'All webhooks',
        querystring: NumberedPages,
        response: { 200: WebhookPage },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const page = pageOf(request.query)
      const { rows, total } = await listWebhooks(db, accountId, page.perPage, page.offset)
      return collection(await webhooksOnWire(db, accountId, rows), page, total, null)
    },
  )

  app.post(
    '/api/webhooks',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'createWebhook',
        summary: 'Tell an address what happens from now on',
        body: WebhookBody,
        response: { 201: WebhookWithSecret },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const { criteria, ...given } = request.body
      const url = await checkTarget(given.url, target)
      return change(request, reply, async (trx) => {
        const filter = criteria == null ? null : await checkFilter(trx, accountId, criteria)
        const { row, secret } = await createWebhook(trx, keyring, accountId, { ...given, url, filter })
        audit(trx, request.caller, 'webhook_created', { webhook_id: row.id })
        return { status: 201, body: { ...(await webhookOnWire(trx, accountId, row)), secret } }
      })
    },
  )

  app.get(
    '/api/webhooks/:id',
    {
      config: { scope },
      schema: { tags, operationId: 'getWebhook', summary: 'One webhook', params: Params, response: { 200: Webhook } },
    },
    async (request) => {
      const { accountId } = request.caller
      return webhookOnWire(db, accountId, await findWebhook(db, accountId, pathId(request.params.id)))
    },
  )

  app.patch(
    '/api/webhooks/:id',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'updateWebhook',
        summary: 'Change, disable or enable a webhook',
        params: Params,
        body: WebhookPatch,
        response: { 200: Webhook },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const id = pathId(request.params.id)
      const { criteria, ...given } = request.body
      const url = given.url === undefined ? undefined : await checkTarget(given.url, target)
      return change(request, reply, async (trx) => {
        const filter = criteria == null ? criteria : await checkFilter(trx, accountId, criteria)
        const before = await findWebhook(trx, accountId, id, true)
        const row = await updateWebhook(trx, accountId, id, { ...given, url, filter })
        audit(trx, request.caller, 'webhook_updated', {
          ...{ webhook_id: id, ...differences(auditable(before), auditable(row)) },
          changed: Object.keys(request.body).filter((name) => !(name in auditable(row))),
        })
        return { status: 200, body: await webhookOnWire(trx, accountId, row) }
      })
    },
  )

  app.delete(
    '/api/webhooks/:id',
    {
      config: { scope },
      schema: { tags, operationId: 'deleteWebhook', summary: 'Delete a webhook and its log', params: Params },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const id = pathId(request.params.id)
        await deleteWebhook(trx, request.caller.accountId, id)
        audit(trx, request.caller, 'webhook_deleted', { webhook_id: id })
        return { status: 204 }
      }),
  )

  app.post(
    '/api/webhooks/:id/rotate_secret',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'rotateWebhookSecret',
        summary: 'A new secret; the one of before signs beside it for a day',
        params: Params,
        response: { 200: WebhookWithSecret },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const { row, secret } = await rotateSecret(trx, keyring, accountId, pathId(request.params.id))
        audit(trx, request.caller, 'webhook_secret_rotated', { webhook_id: row.id })
        return { status: 200, body: { ...(await webhookOnWire(trx, accountId, row)), secret } }
      }),
  )

  app.post(
    '/api/webhooks/:id/replay',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'replayWebhook',
        summary: 'Read the feed on from another position',
        description: 'Back, to send again under the same ids what was sent before; or ahead, to leave out what waits.',
        params: Params,
        body: Replay,
        response: { 200: Webhook },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const { id, position: from } = await findWebhook(trx, accountId, pathId(request.params.id), true)
        const position = await positionIn(trx, accountId, request.body.after)
        const row = await moveWebhook(trx, accountId, id, position)
        audit(trx, request.caller, 'webhook_replayed', { webhook_id: id, position: { from, to: position } })
        return { status: 200, body: await webhookOnWire(trx, accountId, row) }
      }),
  )

  /** Throws `invalid`, and `gone` for a cursor of before. */
  const positionIn = async (trx: Queryable, accountId: number, after: string | undefined): Promise<number> => {
    if (after === undefined) throw invalid({ after: ["can't be blank: give a cursor of GET events, start or now"] })
    const head = await readHead(trx, accountId)
    if (after === 'start') return 0
    return after === 'now' ? head.position : feedCursors.read(accountId, head, after)
  }

  app.post(
    '/api/webhooks/:id/test',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'testWebhook',
        summary: 'Send a message that tells nothing, once; the delivery says how it went',
        params: Params,
        response: { 202: Delivery },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const { id } = await findWebhook(trx, accountId, pathId(request.params.id))
        return { status: 202, body: deliveryOnWire(await addTest(trx, accountId, id)) }
      }),
  )

  app.get(
    '/api/webhooks/:id/deliveries',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'listDeliveries',
        summary: 'What was sent to a webhook in the last 14 days, and how it went; the latest first',
        params: Params,
        querystring: DeliveriesQuery,
        response: { 200: DeliveryPage },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { id } = await findWebhook(db, accountId, pathId(request.params.id))
      const { cursor, state } = request.query
      const page = pageOf(request.query)
      const scopeOf = ['deliveries', accountId, id, state ?? null]
      const from = cursor === undefined ? undefined : cursors.read(scopeOf, cursor)
      const before = from && Number(from[0])
      const asked = { state, before, limit: page.perPage + 1, offset: from ? 0 : page.offset }
      const [rows, total] = await Promise.all([
        listDeliveries(db, accountId, id, asked),
        from ? Number(from[1]) : countDeliveries(db, accountId, id, state),
      ])
      const shown = rows.slice(0, page.perPage)
      const next = rows.length > page.perPage ? cursors.write(scopeOf, [shown.at(-1)!.id, total]) : null
      return collection(shown.map(deliveryOnWire), page, total, next)
    },
  )

  app.get(
    '/api/webhooks/:id/deliveries/:delivery',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'getDelivery',
        summary: 'One delivery, with what is sent',
        params: DeliveryParams,
        response: { 200: DeliveryWithRequest },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const webhook = await findWebhook(db, accountId, pathId(request.params.id))
      const delivery = await findDelivery(db, accountId, webhook.id, pathId(request.params.delivery))
      const [events, name] = await Promise.all([readEvents(db, accountId, [delivery]), nameFields(accountId)])
      const body = bodyOf(delivery, webhook.id, events, name) ?? null
      return { ...deliveryOnWire(delivery), request: { url: webhook.url, body } }
    },
  )

  app.post(
    '/api/webhooks/:id/deliveries/:delivery/redeliver',
    {
      config: { scope },
      schema: {
        tags,
        operationId: 'redeliver',
        summary: 'Send a delivery again, under the same id',
        params: DeliveryParams,
        response: { 202: Delivery },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const webhook = await findWebhook(trx, accountId, pathId(request.params.id))
        if (webhook.disabled_at) throw invalid({ base: ['the webhook is disabled: enable it first'] })
        const delivery = await redeliver(trx, accountId, webhook.id, pathId(request.params.delivery))
        return { status: 202, body: deliveryOnWire(delivery) }
      }),
  )
}

/** What of a webhook the audit log says as it was and is: address, description and criteria may hold secrets or people. */
function auditable({ types, each, disabled_at }: WebhookRow) {
  return { types, each, enabled: disabled_at === null }
}

async function webhookOnWire(db: Queryable, accountId: number, row: WebhookRow) {
  return (await webhooksOnWire(db, accountId, [row]))[0]!
}

async function webhooksOnWire(db: Queryable, accountId: number, rows: readonly WebhookRow[]) {
  const fields = rows.some(({ criteria }) => criteria !== null) ? await loadFields(db, accountId) : undefined
  return rows.map(({ criteria, previous_until, disabled_at, failing_since, created_at, updated_at, ...rest }) => ({
    ...rest,
    criteria: fields ? shownCriteria(criteria, fields) : criteria,
    enabled: disabled_at === null,
    disabled_at: disabled_at?.toISOString() ?? null,
    failing_since: failing_since?.toISOString() ?? null,
    previous_secret_until: previous_until && previous_until > new Date() ? previous_until.toISOString() : null,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  }))
}

function deliveryOnWire({ id, message_id, kind, event_ids, state, tries, attempts, ...rest }: DeliveryRow) {
  return {
    ...{ id, message_id, kind, event_ids, state, tries, attempts },
    next_try_at: state === 'pending' ? rest.due_at.toISOString() : null,
    created_at: rest.created_at.toISOString(),
    finished_at: rest.finished_at?.toISOString() ?? null,
  }
}

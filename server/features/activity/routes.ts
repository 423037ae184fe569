import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { type Cursors, collection, NumberedPages, PagingQuery, pageOf } from '../../http/paging.ts'
import { invalid } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { displayEmail } from '../../lib/email.ts'
import { pathId } from '../../lib/ids.ts'
import { type ChangeSet as ChangeSetRow, findChangeSet, listChangeSets } from './change-sets.ts'
import { contactNamed } from './contact-named.ts'
import { CONTACT_EVENT_TYPES } from './event-types.ts'
import { type Place, readKept } from './kept-rows.ts'
import { ChangeSet, ChangeSetPage, Diff, EventCreated, EventPage } from './schemas.ts'
import { addEvent, checkEvent, countTimeline, readTimeline } from './timeline.ts'
import { eventOnWire, type Naming } from './wire.ts'

interface Options {
  db: Database
  change: Change
  cursors: Cursors
  /** What stands in an event or a change row under fields' keys, under their merge tags of now. */
  nameFields: (accountId: number) => Promise<Naming>
}

export const activityRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, cursors, nameFields }) => {
  const ContactParams = Type.Object({ contact: Type.String() })

  app.get(
    '/api/contacts/:contact/events',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Activity'],
        operationId: 'listContactEvents',
        summary: 'What happened to a contact, the latest first',
        params: ContactParams,
        querystring: Type.Object(
          {
            ...PagingQuery,
            types: Type.Optional(
              Type.String({
                description: `Only events of these types, separated by commas: ${CONTACT_EVENT_TYPES.join(', ')}.`,
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: EventPage },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { query } = request
      const page = pageOf(query)
      const types =
        query.types
          ?.split(',')
          .map((type) => type.trim())
          .filter(Boolean) ?? []
      const unknown = types.filter((type) => !(CONTACT_EVENT_TYPES as readonly string[]).includes(type))
      if (unknown.length > 0)
        throw invalid({
          types: [`${unknown.join(', ')} is not a type of event: there are ${CONTACT_EVENT_TYPES.join(', ')}`],
        })
      const contact = await contactNamed(db, accountId, parseContactRef(request.params.contact))
      const scope = ['events', accountId, contact.id, types]
      const after = query.cursor === undefined ? undefined : cursors.read(scope, query.cursor)
      const asked = { types, limit: page.perPage + 1, offset: after ? 0 : page.offset, after }
      const [rows, total, name] = await Promise.all([
        readTimeline(db, accountId, contact.id, asked),
        after ? Number(after[1]) : countTimeline(db, accountId, contact.id, types),
        nameFields(accountId),
      ])
      const shown = rows.slice(0, page.perPage)
      const next = rows.length > page.perPage ? cursors.write(scope, [shown.at(-1)!.id, total]) : null
      return collection(
        shown.map((row) => eventOnWire(row, name)),
        page,
        total,
        next,
      )
    },
  )

  app.post(
    '/api/contacts/:contact/events',
    {
      config: { scope: 'write', body: {} },
      schema: {
        tags: ['Activity'],
        operationId: 'createContactEvent',
        summary: 'Tell what a contact did',
        params: ContactParams,
        body: Type.Object(
          {
            name: Type.Unsafe<unknown>({
              description: 'At most 255 characters; names such as email_opened act as that type.',
            }),
            params: Type.Optional(Type.Unsafe<unknown>({ description: 'Scalar values by key.' })),
          },
          { additionalProperties: false, required: [] },
        ),
        response: { 201: EventCreated },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const event = checkEvent(request.body)
        const contact = await contactNamed(trx, accountId, parseContactRef(request.params.contact), true)
        await addEvent(trx, accountId, contact.id, event)
        return { status: 201, body: { contact_id: contact.id, contact_email: displayEmail(contact.email), ...event } }
      }),
  )

  app.get(
    '/api/change_sets',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Change sets'],
        operationId: 'listChangeSets',
        summary: 'Acts on many people, the latest first',
        querystring: NumberedPages,
        response: { 200: ChangeSetPage },
      },
    },
    async (request) => {
      const page = pageOf(request.query)
      const { rows, total } = await listChangeSets(db, request.caller.accountId, page.perPage, page.offset)
      return collection(rows.map(changeSetOnWire), page, total, null)
    },
  )

  app.get(
    '/api/change_sets/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Change sets'],
        operationId: 'getChangeSet',
        summary: 'One act on many people',
        params: Type.Object({ id: Type.String() }),
        response: { 200: ChangeSet },
      },
    },
    async (request) => changeSetOnWire(await findChangeSet(db, request.caller.accountId, pathId(request.params.id))),
  )

  app.get(
    '/api/change_sets/:id/diff',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Change sets'],
        operationId: 'getDiff',
        summary: 'What an act did to each person',
        params: Type.Object({ id: Type.String() }),
        querystring: Type.Object(
          { per_page: PagingQuery.per_page, cursor: PagingQuery.cursor },
          { additionalProperties: false },
        ),
        response: { 200: Diff },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const id = pathId(request.params.id)
      await findChangeSet(db, accountId, id)
      const { cursor } = request.query
      const { perPage } = pageOf(request.query)
      const scope = ['rows', accountId, id]
      const after = cursor === undefined ? undefined : (cursors.read(scope, cursor) as Place)
      const [{ rows, next }, name] = await Promise.all([
        readKept(db, accountId, id, { after, limit: perPage }),
        nameFields(accountId),
      ])
      return {
        data: rows.map((row) => ({
          ...row,
          before: row.before && name(row.before),
          after: row.after && name(row.after),
        })),
        per_page: perPage,
        next_cursor: next ? cursors.write(scope, next) : null,
      }
    },
  )
}

/** An act on many people as the API answers it. */
export function changeSetOnWire({ created_at, finished_at, ...rest }: ChangeSetRow) {
  return { ...rest, created_at: created_at.toISOString(), finished_at: finished_at?.toISOString() ?? null }
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import { expectedBy, IF_MATCH } from '../../http/if-match.ts'
import { AppError, notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { parseId } from '../../lib/ids.ts'
import { BatchDelete, BatchResult, BatchUpdate, deleteBatch, updateBatch } from './batch.ts'
import { type Precondition, readContact, versionOf } from './contact.ts'
import { createContact } from './create.ts'
import type { Desk } from './desk.ts'
import type { ContactReader } from './find.ts'
import { ContactCreate, ContactPatch } from './input.ts'
import { removeContact } from './remove.ts'
import { Contact, ContactPage } from './schemas.ts'
import {
  ContactsQuery,
  ContactsSearch,
  checkInclude,
  Include,
  selectionFromBody,
  selectionFromQuery,
} from './selection.ts'
import { upsertContact } from './update.ts'

const ContactParams = Type.Object({
  contact: Type.String({ description: 'Id, address, or ext: and the external id.' }),
})
const ListId = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'To which `links` are bound.',
})
const Conditions = Type.Object({ 'if-match': Type.Optional(Type.String({ description: IF_MATCH })) })
const ChangedSince = Type.Object(
  { errors: Type.String(), data: Type.Optional(Contact) },
  { description: 'Not at the version that `If-Match` names: `data` is how it is now' },
)
const tags = ['Contacts']

const etagOf = ({ data }: { data: { version: string } }) => ({ etag: `"${data.version}"` })

/** The list that a request names, if it names one alone. */
function oneList(request: object): number | null {
  const list_id: unknown = 'list_id' in request ? request.list_id : undefined
  const [only, ...others] = [list_id ?? []].flat()
  return others.length === 0 && (typeof only === 'string' || typeof only === 'number') ? parseId(only) : null
}

interface Options {
  db: Database
  change: Change
  reader: ContactReader
  deskOf: (caller: Caller) => Promise<Desk>
}

export const contactRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, reader, deskOf }) => {
  /** What a request's `If-Match` asks of the contact, told with how the contact is now where it is not met. */
  const conditionOf = (request: FastifyRequest) => {
    const isExpected = expectedBy(request)
    return (
      isExpected &&
      ((trx: Trx): Precondition =>
        async (now) => {
          if (isExpected(now && versionOf(now))) return
          if (!now) throw new AppError('changed_since', 'There is no such contact')
          const data = await reader.showIn(trx, request.caller.accountId, now)
          const text = 'The contact has been changed since that version: `data` is how it is now'
          throw new AppError('changed_since', text, undefined, undefined, { data })
        })
    )
  }

  app.post(
    '/api/contacts',
    {
      config: { scope: 'write', body: { wrapper: 'contact' } },
      schema: {
        tags,
        operationId: 'createContact',
        summary: 'Create a contact',
        body: ContactCreate,
        response: { 201: Type.Object({ data: Contact }) },
      },
    },
    async (request, reply) => {
      const desk = await deskOf(request.caller)
      return change(
        request,
        reply,
        async (trx) => {
          const row = await createContact(trx, desk, request.body)
          return { status: 201, body: { data: await reader.showIn(trx, request.caller.accountId, row) } }
        },
        etagOf,
      )
    },
  )

  app.get(
    '/api/contacts',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listContacts',
        summary: 'Search and filter contacts',
        description:
          'Every further parameter is a filter: `company=Acme`, `age[gte]=18`, `list_id=3`, `tag=customer`, `state=pending`.',
        querystring: ContactsQuery,
        response: { 200: ContactPage },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      checkInclude(request, request.query.include)
      const selection = await reader.understood(accountId, (fields) => selectionFromQuery(request.query, fields))
      return reader.page(accountId, selection, { ...request.query, linksTo: oneList(request.query) })
    },
  )

  app.post(
    '/api/contacts/search',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'searchContacts',
        summary: 'Find contacts by criteria',
        body: ContactsSearch,
        response: { 200: ContactPage },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      checkInclude(request, request.body.include)
      const selection = await reader.understood(accountId, (fields) => selectionFromBody(request.body, fields))
      return reader.page(accountId, selection, { ...request.body, linksTo: oneList(request.body) })
    },
  )

  app.get(
    '/api/contacts/:contact',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getContact',
        summary: 'One contact',
        params: ContactParams,
        querystring: Type.Object({ include: Include, list_id: Type.Optional(ListId) }),
        response: { 200: Type.Object({ data: Contact }) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      checkInclude(request, request.query.include)
      const row = await readContact(db, accountId, parseContactRef(request.params.contact))
      if (!row) throw notFound()
      const { include, list_id: listId = null } = request.query
      const shown = await reader.including(accountId, [await reader.show(accountId, row)], include, listId)
      const body = { data: shown[0]! }
      reply.headers(etagOf(body))
      return body
    },
  )

  // PUT is what an older official client sends for the same.
  for (const [method, operationId] of [
    ['PATCH', 'updateContact'],
    ['PUT', 'putContact'],
  ] as const) {
    app.route({
      method,
      url: '/api/contacts/:contact',
      config: { scope: 'write', body: { wrapper: 'contact' } },
      schema: {
        tags,
        operationId,
        summary: 'Change a contact, or create it when its address is new',
        params: ContactParams,
        headers: Conditions,
        body: ContactPatch,
        response: { 200: Type.Object({ data: Contact, action: Type.Enum(['created', 'updated']) }), 412: ChangedSince },
      },
      handler: async (request, reply) => {
        const desk = await deskOf(request.caller)
        const condition = conditionOf(request)
        return change(
          request,
          reply,
          async (trx) => {
            const { contact } = request.params
            const { row, action } = await upsertContact(trx, desk, contact, request.body, condition?.(trx))
            return { status: 200, body: { data: await reader.showIn(trx, request.caller.accountId, row), action } }
          },
          etagOf,
        )
      },
    })
  }

  app.delete(
    '/api/contacts/:contact',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'deleteContact',
        summary: 'Remove a contact',
        params: ContactParams,
        headers: Conditions,
        response: { 412: ChangedSince },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller
      const { keyring } = await deskOf(request.caller)
      const condition = conditionOf(request)
      return change(request, reply, async (trx) => {
        const ref = parseContactRef(request.params.contact)
        await removeContact(trx, ref, { accountId, changeSetId: null, source: actor, keyring }, condition?.(trx))
        return { status: 204 }
      })
    },
  )

  app.patch(
    '/api/contacts/batch',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'updateBatch',
        summary: 'Change up to 1,000 contacts',
        body: BatchUpdate,
        response: { 200: BatchResult },
      },
    },
    async (request, reply) => {
      const desk = await deskOf(request.caller)
      return change(request, reply, async (trx) => ({ status: 200, body: await updateBatch(trx, desk, request.body) }))
    },
  )

  app.delete(
    '/api/contacts/batch',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'deleteBatch',
        summary: 'Remove up to 1,000 contacts',
        body: BatchDelete,
        response: { 200: BatchResult },
      },
    },
    async (request, reply) => {
      const desk = await deskOf(request.caller)
      return change(request, reply, async (trx) => ({ status: 200, body: await deleteBatch(trx, desk, request.body) }))
    },
  )
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { parseId } from '../../lib/ids.ts'
import { isReferred } from '../activity/referred.ts'
import { ContactIds } from '../contacts/batch.ts'
import type { ContactReader } from '../contacts/find.ts'
import { ContactPage } from '../contacts/schemas.ts'
import { ContactsQuery, selectionFromQuery } from '../contacts/selection.ts'
import { createList, deleteList, listOnWire, readList, readLists, requireList, updateList } from './lists.ts'
import { addMembers, mergeLists, removeMember, removeMembers } from './members.ts'
import { Added, List, Merged, Removed } from './schemas.ts'

const ListParams = Type.Object({ list_id: Type.String() })
const ListBody = Type.Object(
  { name: Type.Optional(Type.String()), description: Type.Optional(Type.Union([Type.String(), Type.Null()])) },
  { additionalProperties: false },
)
const MembersBody = Type.Object({ contact_ids: ContactIds }, { additionalProperties: false })
const tags = ['Lists']

/** An id that is none names no list. */
function listIdOf(params: { list_id: string }): number {
  const id = parseId(params.list_id)
  if (id === null) throw notFound()
  return id
}

export const listRoutes: FastifyPluginAsyncTypebox<{ db: Database; change: Change; reader: ContactReader }> = async (
  app,
  options,
) => {
  const { db, change, reader } = options
  const onWire = (row: Parameters<typeof listOnWire>[0]) => listOnWire(row, new Date())

  app.get(
    '/api/contact_lists',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listLists',
        summary: 'All lists',
        querystring: Type.Object({ search: Type.Optional(Type.String()) }, { additionalProperties: false }),
        response: { 200: Type.Array(List) },
      },
    },
    async (request) => (await readLists(db, request.caller.accountId, request.query.search)).map(onWire),
  )

  app.post(
    '/api/contact_lists',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'createList', summary: 'Create a list', body: ListBody, response: { 200: List } },
    },
    (request, reply) =>
      change(request, reply, async (trx) => ({
        status: 200,
        body: onWire(await createList(trx, request.caller.accountId, request.body)),
      })),
  )

  app.get(
    '/api/contact_lists/:list_id',
    {
      config: { scope: 'read' },
      schema: { tags, operationId: 'getList', summary: 'One list', params: ListParams, response: { 200: List } },
    },
    async (request) => onWire(await readList(db, request.caller.accountId, listIdOf(request.params))),
  )

  app.patch(
    '/api/contact_lists/:list_id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'updateList',
        summary: 'Rename or describe a list',
        params: ListParams,
        body: ListBody,
        response: { 200: List },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => ({
        status: 200,
        body: onWire(await updateList(trx, request.caller.accountId, listIdOf(request.params), request.body)),
      })),
  )

  app.delete(
    '/api/contact_lists/:list_id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteList', summary: 'Delete a list; its contacts stay', params: ListParams },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await deleteList(trx, request.caller, listIdOf(request.params))
        return { status: 204 }
      }),
  )

  app.post(
    '/api/contact_lists/:list_id/merge',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'mergeLists',
        summary: 'Move everyone from other lists into this one, and delete those',
        params: ListParams,
        response: { 200: Merged },
        body: Type.Object(
          {
            list_ids: Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
              minItems: 1,
              maxItems: 100,
            }),
          },
          { additionalProperties: false },
        ),
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const listId = listIdOf(request.params)
        return { status: 200, body: await mergeLists(trx, request.caller, listId, request.body.list_ids) }
      }),
  )

  app.get(
    '/api/contact_lists/:list_id/contacts',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listMembers',
        summary: 'The contacts in a list',
        params: ListParams,
        querystring: ContactsQuery,
        response: { 200: ContactPage },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const listId = listIdOf(request.params)
      await requireList(db, accountId, listId)
      const fields = await reader.fieldsOf(accountId)
      const { q, condition } = selectionFromQuery(request.query, fields)
      return reader.page(
        accountId,
        { q, condition: { is: 'all', of: [{ is: 'list', listIds: [listId] }, condition] } },
        request.query,
      )
    },
  )

  app.post(
    '/api/contact_lists/:list_id/contacts',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'addMembers',
        summary: 'Add up to 1,000 contacts',
        params: ListParams,
        body: MembersBody,
        response: { 200: Added },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const listId = listIdOf(request.params)
        return { status: 200, body: await addMembers(trx, request.caller, listId, request.body.contact_ids) }
      }),
  )

  app.delete(
    '/api/contact_lists/:list_id/contacts',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'removeMembers',
        summary: 'Remove up to 1,000 contacts',
        params: ListParams,
        body: MembersBody,
        response: { 200: Removed },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const listId = listIdOf(request.params)
        return { status: 200, body: await removeMembers(trx, request.caller, listId, request.body.contact_ids) }
      }),
  )

  app.delete(
    '/api/contact_lists/:list_id/contacts/:contact',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'removeMember',
        summary: 'Remove one contact from a list',
        params: Type.Object({ list_id: Type.String(), contact: Type.String() }),
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const listId = listIdOf(request.params)
        const contact = isReferred(parseContactRef(request.params.contact))
        if (!(await removeMember(trx, request.caller.accountId, listId, contact))) throw notFound()
        return { status: 204 }
      }),
  )
}

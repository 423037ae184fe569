import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { pathId } from '../../lib/ids.ts'
import { isReferred } from '../activity/referred.ts'
import { ContactIds } from '../contacts/batch.ts'
import type { ContactReader } from '../contacts/find.ts'
import { ContactPage } from '../contacts/schemas.ts'
import { ContactsQuery, checkInclude, selectionFromQuery } from '../contacts/selection.ts'
import type { Condition } from '../criteria/parse.ts'
import { requireList } from './lists.ts'
import { addMembers, removeMember, removeMembers } from './members.ts'
import { Added, Explanation, ListParams, Removed } from './schemas.ts'

const MemberParams = Type.Object({ list_id: Type.String(), contact: Type.String() })
const MembersBody = Type.Object({ contact_ids: ContactIds }, { additionalProperties: false })

const tags = ['Lists']

interface Options {
  db: Database
  change: Change
  reader: ContactReader
}

/** Who is in a list: static or smart to read, static to change. */
export const memberRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, reader }) => {
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
      const listId = pathId(request.params.list_id)
      checkInclude(request, request.query.include)
      await requireList(db, accountId, listId)
      const { q, condition } = await reader.understood(accountId, (fields) => selectionFromQuery(request.query, fields))
      return reader.page(
        accountId,
        { q, condition: { is: 'all', of: [{ is: 'list', listIds: [listId] }, condition] } },
        { ...request.query, linksTo: listId },
      )
    },
  )

  app.get(
    '/api/contact_lists/:list_id/contacts/:contact/explain',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'explainMember',
        summary: 'Why a contact is in a list, or is not',
        params: MemberParams,
        response: { 200: Explanation },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const listId = pathId(request.params.list_id)
      await requireList(db, accountId, listId)
      const condition: Condition = { is: 'list', listIds: [listId] }
      const explained = await reader.explain(accountId, condition, parseContactRef(request.params.contact))
      return { list_id: listId, ...explained }
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
        const listId = pathId(request.params.list_id)
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
        const listId = pathId(request.params.list_id)
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
        params: MemberParams,
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const listId = pathId(request.params.list_id)
        const contact = isReferred(parseContactRef(request.params.contact))
        if (!(await removeMember(trx, request.caller.accountId, listId, contact))) throw notFound()
        return { status: 204 }
      }),
  )
}

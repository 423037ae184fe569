import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { type Database, Trx } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { Nullable } from '../../http/paging.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { pathId } from '../../lib/ids.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import type { ContactReader } from '../contacts/find.ts'
import { vocabularyOf } from '../contacts/selection.ts'
import { parseCriteria } from '../criteria/parse.ts'
import { fieldsIn } from '../criteria/stored.ts'
import {
  createList,
  deleteList,
  type ListRow,
  listOnWire,
  readList,
  readLists,
  requireList,
  updateList,
} from './lists.ts'
import { convertList, mergeLists } from './members.ts'
import { Converted, Explanation, List, ListParams, ListUsage, Merged, Preview } from './schemas.ts'
import type { ListUsesOf } from './smart.ts'
import type { ListUsers } from './usage.ts'

const Criteria = Type.Unknown({
  description: 'Who is in the list: a map of values, or the nested language of docs/criteria.md.',
})
const ListBody = Type.Object(
  {
    name: Type.Optional(Type.String()),
    description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    criteria: Type.Optional(Criteria),
    track: Type.Optional(Type.Boolean({ description: 'Of a smart list: whether entering and leaving are told.' })),
    public: Type.Optional(
      Type.Boolean({ description: 'Whether its people may leave and join it on their page of preferences.' }),
    ),
    public_name: Type.Optional(Nullable(Type.String({ description: 'How it is called there; null: its name.' }))),
    public_description: Type.Optional(Nullable(Type.String())),
    double_opt_in: Type.Optional(
      Type.Boolean({
        description: 'Whether who is created into it, by a request or a form, waits as pending until they confirm.',
      }),
    ),
    announce: Type.Optional(
      Type.Boolean({ description: 'Whether entering and leaving by these new criteria is told, too.' }),
    ),
  },
  { additionalProperties: false },
)
/** How far those who meet criteria are counted. */
const PreviewCounting = Type.Enum(['exact', 'capped', 'estimated'], {
  description:
    'capped, unless another is asked for: to 10,000. estimated: the same where that is known within a moment, else about how many, from a sample.',
})
/** Contacts that a preview shows. */
const SAMPLE = 10

const tags = ['Lists']

interface Options {
  db: Database
  change: Change
  reader: ContactReader
  settingsOf: (accountId: number) => Promise<AccountSettings>
  /** What keeps a list from being deleted. */
  usesOf: readonly ListUsesOf[]
  /** What speaks of a list. */
  usersOf: readonly ListUsers[]
}

export const listRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { db, change, reader, settingsOf, usesOf, usersOf },
) => {
  /** With the number of now, also of a smart list. */
  const onWire = async (source: Database | Trx, accountId: number, row: ListRow) => {
    const fields = await reader.fieldsFor(source, accountId, fieldsIn(row.criteria))
    const smart = row.criteria !== null
    const count = () =>
      source instanceof Trx ? reader.countList(source, accountId, row.id) : reader.countMembers(accountId, row.id)
    return listOnWire({ ...row, contacts_count: smart ? await count() : row.contacts_count }, fields)
  }

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
    async (request) => {
      const { accountId } = request.caller
      const rows = await readLists(db, accountId, request.query.search)
      const fields = await reader.fieldsFor(
        db,
        accountId,
        rows.flatMap((row) => fieldsIn(row.criteria)),
      )
      return rows.map((row) => listOnWire(row, fields))
    },
  )

  app.post(
    '/api/contact_lists',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'createList',
        summary: 'Create a list, or with criteria a smart list',
        body: ListBody,
        response: { 200: List },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        return { status: 200, body: await onWire(trx, accountId, await createList(trx, request.caller, request.body)) }
      }),
  )

  app.get(
    '/api/contact_lists/:list_id',
    {
      config: { scope: 'read' },
      schema: { tags, operationId: 'getList', summary: 'One list', params: ListParams, response: { 200: List } },
    },
    async (request) => {
      const { accountId } = request.caller
      return onWire(db, accountId, await readList(db, accountId, pathId(request.params.list_id)))
    },
  )

  app.get(
    '/api/contact_lists/:list_id/usage',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getListUsage',
        summary: 'What speaks of a list: smart lists, forms, webhooks, views, mappings of imports',
        params: ListParams,
        response: { 200: ListUsage },
      },
    },
    async ({ caller, params }) => {
      const id = pathId(params.list_id)
      await requireList(db, caller.accountId, id)
      return { used_by: (await Promise.all(usersOf.map((find) => find(db, caller, id)))).flat() }
    },
  )

  app.patch(
    '/api/contact_lists/:list_id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'updateList',
        summary: 'Rename or describe a list, or change its criteria',
        params: ListParams,
        body: ListBody,
        response: { 200: List },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const row = await updateList(trx, request.caller, pathId(request.params.list_id), request.body)
        return { status: 200, body: await onWire(trx, accountId, row) }
      }),
  )

  app.delete(
    '/api/contact_lists/:list_id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteList', summary: 'Delete a list; its contacts stay', params: ListParams },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await deleteList(trx, request.caller, pathId(request.params.list_id), usesOf)
        return { status: 204 }
      }),
  )

  app.post(
    '/api/contact_lists/preview',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'previewCriteria',
        summary: 'How many contacts criteria find, and some of them',
        body: Type.Object(
          { criteria: Criteria, count: Type.Optional(PreviewCounting) },
          { additionalProperties: false },
        ),
        response: { 200: Preview },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { criteria, count } = request.body
      const condition = await reader.understood(accountId, (fields) => parseCriteria(criteria, vocabularyOf(fields)))
      const asked = { per_page: SAMPLE, ...(count ? { count } : {}) }
      const {
        total,
        total_is_capped: isCapped,
        total_is_estimated: isEstimated,
        data,
      } = await reader.page(accountId, { q: undefined, condition }, asked)
      return {
        count: total,
        ...(isCapped ? { count_is_capped: true } : {}),
        ...(isEstimated ? { count_is_estimated: true } : {}),
        sample: data,
      }
    },
  )

  app.post(
    '/api/contact_lists/explain',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'explainCriteria',
        summary: 'Why criteria find a contact, or do not',
        body: Type.Object(
          { criteria: Criteria, contact: Type.String({ description: 'Id, address, or ext: and the external id.' }) },
          { additionalProperties: false },
        ),
        response: { 200: Explanation },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const condition = await reader.understood(accountId, (fields) =>
        parseCriteria(request.body.criteria, vocabularyOf(fields)),
      )
      return reader.explain(accountId, condition, parseContactRef(request.body.contact))
    },
  )

  app.post(
    '/api/contact_lists/:list_id/convert',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'convertList',
        summary: 'Make a static list of a smart one, with those who are in it now',
        params: ListParams,
        response: { 200: Converted },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const listId = pathId(request.params.list_id)
        const { time_zone: timeZone } = await settingsOf(accountId)
        const fields = await reader.fieldsOf(accountId)
        return { status: 200, body: await convertList(trx, request.caller, listId, { fields, timeZone }) }
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
        const listId = pathId(request.params.list_id)
        return { status: 200, body: await mergeLists(trx, request.caller, listId, request.body.list_ids, usesOf) }
      }),
  )
}

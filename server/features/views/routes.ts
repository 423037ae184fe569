import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { Nullable } from '../../http/paging.ts'
import { pathId } from '../../lib/ids.ts'
import { createView, deleteView, findView, listViews, updateView, type View } from './views.ts'

const Properties = {
  name: Type.String({ maxLength: 255 }),
  shared: Type.Boolean({
    description: "Everybody's in the account; else only its maker's. A token makes shared ones.",
  }),
  q: Nullable(Type.String({ maxLength: 320 })),
  criteria: Nullable(Type.Unknown({ description: 'As in a search.' })),
  columns: Type.Array(Type.String({ minLength: 1, maxLength: 80 }), {
    maxItems: 100,
    description: 'Merge tags of fields, and other names, in their order.',
  }),
  sort: Nullable(Type.String({ maxLength: 90, description: 'As in a listing.' })),
}
const Input = Type.Object(
  { ...Type.Partial(Type.Object(Properties)).properties, name: Properties.name },
  { additionalProperties: false },
)
const Patch = Type.Partial(Type.Object(Properties), { additionalProperties: false })
const ViewOnWire = Type.Object({
  id: Type.Integer(),
  ...Properties,
  created_at: Type.String(),
  updated_at: Type.String(),
})
const ById = Type.Object({ id: Type.String() })
const tags = ['Views']

function onWire({ createdAt, updatedAt, ...view }: View) {
  return { ...view, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() }
}

/** Saved views of the contacts. */
export const viewRoutes: FastifyPluginAsyncTypebox<{ db: Database; change: Change }> = async (app, { db, change }) => {
  app.get(
    '/api/views',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listViews',
        summary: 'Saved views of the contacts: your own and those of everybody',
        response: { 200: Type.Array(ViewOnWire) },
      },
    },
    async (request) => (await listViews(db, request.caller)).map(onWire),
  )

  app.post(
    '/api/views',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'createView', summary: 'Save a view', body: Input, response: { 201: ViewOnWire } },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { shared = true, q = null, criteria = null, columns = [], sort = null, name } = request.body
        const view = await createView(trx, request.caller, { name, shared, q, criteria, columns, sort })
        return { status: 201, body: onWire(view) }
      }),
  )

  app.get(
    '/api/views/:id',
    {
      config: { scope: 'read' },
      schema: { tags, operationId: 'getView', summary: 'One saved view', params: ById, response: { 200: ViewOnWire } },
    },
    async (request) => onWire(await findView(db, request.caller, pathId(request.params.id))),
  )

  app.patch(
    '/api/views/:id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'updateView',
        summary: 'Change a saved view',
        params: ById,
        body: Patch,
        response: { 200: ViewOnWire },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const view = await updateView(trx, request.caller, pathId(request.params.id), request.body)
        return { status: 200, body: onWire(view) }
      }),
  )

  app.delete(
    '/api/views/:id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteView', summary: 'Delete a saved view', params: ById },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await deleteView(trx, request.caller, pathId(request.params.id))
        return { status: 204 }
      }),
  )
}

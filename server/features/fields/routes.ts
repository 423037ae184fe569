import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import type { Queue } from '../../jobs/queue.ts'
import { pathId } from '../../lib/ids.ts'
import { convertField } from './convert.ts'
import type { FieldCache } from './field-set.ts'
import { loadFields } from './field-set.ts'
import { countValues, createField, fieldOnWire, findField, updateField } from './fields.ts'
import { removeField, type UsesOf } from './removal.ts'
import { Conversion, ConvertInput, CountedField, Field, FieldInput, FieldUsage, FieldValues } from './schemas.ts'
import { type FieldUsers, readUsage } from './usage.ts'
import { readValues } from './values.ts'

const FieldParams = Type.Object({ field_id: Type.String() })
const tags = ['Fields']

interface Options {
  db: Database
  change: Change
  queue: Queue
  fieldCache: FieldCache
  usesOf: readonly UsesOf[]
  /** What only shows a field, of whatever kind it is: in the way of a removal alone. */
  showsOf: readonly UsesOf[]
  /** All that speaks of fields, whether it is in the way of anything or not. */
  usersOf: readonly FieldUsers[]
}

export const fieldRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { db, change, queue, fieldCache, usesOf, showsOf, usersOf },
) => {
  /** What this process knows of the fields is out of date once the change is there. */
  const outdated = (trx: Trx, accountId: number) => trx.afterCommit(() => fieldCache.forget(accountId))

  app.get(
    '/api/contact_fields',
    {
      config: { scope: 'read' },
      schema: { tags, operationId: 'listFields', summary: 'All fields', response: { 200: Type.Array(Field) } },
    },
    async (request) => (await loadFields(db, request.caller.accountId)).active.map(fieldOnWire),
  )

  app.post(
    '/api/contact_fields',
    {
      config: { scope: 'write', body: { renamed: true } },
      schema: {
        tags,
        operationId: 'createField',
        summary: 'Define a field',
        body: FieldInput,
        response: { 201: Field },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const field = await createField(trx, request.caller.accountId, request.body)
        outdated(trx, request.caller.accountId)
        return { status: 201, body: fieldOnWire(field) }
      }),
  )

  app.get(
    '/api/contact_fields/usage',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getFieldUsage',
        summary: 'How many contacts have a value for each field, and what speaks of it',
        description:
          'From 20,000 contacts on, shares and counts are estimates from a sample of up to 4,000 of them: `margin` says by how much a ' +
          'share may be off, 95 times in 100. GET contact_fields/FIELD_ID counts the values of one field exactly.',
        response: { 200: FieldUsage },
      },
    },
    async (request) => readUsage(db, request.caller, usersOf),
  )

  app.get(
    '/api/contact_fields/:field_id/values',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listFieldValues',
        summary: 'Values that contacts have, the commonest first: to suggest some',
        description:
          'Of a text or select field, by its id or merge tag; or of `tag`, `email_domain` or `origin`. From 20,000 contacts on they are ' +
          'those of a sample of up to 4,000, with estimated counts: a rare value may be missing.',
        params: FieldParams,
        querystring: Type.Object(
          {
            q: Type.Optional(
              Type.String({
                maxLength: 255,
                description: 'Only values that hold this, in any letter case; those that begin with it first.',
              }),
            ),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '20 unless given.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: FieldValues },
      },
    },
    async (request) => {
      const { caller, params, query } = request
      const asked = { q: query.q?.trim() ?? '', limit: query.limit ?? 20 }
      return readValues(db, caller.accountId, await fieldCache.of(caller.accountId), params.field_id, asked)
    },
  )

  app.get(
    '/api/contact_fields/:field_id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getField',
        summary: 'One field, and how many contacts have a value',
        params: FieldParams,
        response: { 200: CountedField },
      },
    },
    async (request) => {
      const field = await findField(db, request.caller.accountId, pathId(request.params.field_id))
      return { ...fieldOnWire(field), values_count: await countValues(db, request.caller.accountId, field) }
    },
  )

  app.patch(
    '/api/contact_fields/:field_id',
    {
      config: { scope: 'write', body: { renamed: true } },
      schema: {
        tags,
        operationId: 'updateField',
        summary: 'Change a definition',
        params: FieldParams,
        body: FieldInput,
        response: { 200: CountedField },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { accountId } = request.caller
        const field = await updateField(trx, queue, accountId, pathId(request.params.field_id), request.body)
        outdated(trx, accountId)
        return { status: 200, body: { ...fieldOnWire(field), values_count: await countValues(trx, accountId, field) } }
      }),
  )

  app.delete(
    '/api/contact_fields/:field_id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteField', summary: 'Remove a field; its values follow', params: FieldParams },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const uses = [...usesOf, ...showsOf]
        await removeField(trx, queue, request.caller, pathId(request.params.field_id), uses)
        outdated(trx, request.caller.accountId)
        return { status: 204 }
      }),
  )

  app.post(
    '/api/contact_fields/:field_id/convert',
    {
      config: { scope: 'write', body: { renamed: true } },
      schema: {
        tags,
        operationId: 'convertField',
        summary: 'Turn a field into another kind',
        params: FieldParams,
        body: ConvertInput,
        response: { 200: Conversion },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const body = await convertField(
          trx,
          queue,
          request.caller,
          pathId(request.params.field_id),
          request.body,
          usesOf,
        )
        outdated(trx, request.caller.accountId)
        return { status: 200, body }
      }),
  )
}

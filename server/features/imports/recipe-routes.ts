import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { pathId } from '../../lib/ids.ts'
import {
  createRecipe,
  deleteRecipe,
  findRecipe,
  listRecipes,
  type Recipe as RecipeRow,
  updateRecipe,
} from './recipes.ts'
import { Recipe } from './schemas.ts'

const Params = Type.Object({ id: Type.String() })
const Body = Type.Object(
  {
    name: Type.String(),
    columns: Type.Array(Type.String({ maxLength: 1000 }), {
      minItems: 1,
      maxItems: 1000,
      description: "Names of the file's columns, in their order: by these the recipe is proposed again.",
    }),
    options: Type.Record(Type.String(), Type.Unknown(), { description: 'Options of an import: see createImport.' }),
  },
  { additionalProperties: false },
)
const tags = ['Imports']

function onWire({ id, name, options, created_at, updated_at }: RecipeRow) {
  return {
    id,
    name,
    options: { ...options },
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  }
}

export const recipeRoutes: FastifyPluginAsyncTypebox<{ db: Database; change: Change }> = async (
  app,
  { db, change },
) => {
  app.get(
    '/api/import_recipes',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listRecipes',
        summary: 'Saved mappings with their rules',
        response: { 200: Type.Array(Recipe) },
      },
    },
    async (request) => (await listRecipes(db, request.caller.accountId)).map(onWire),
  )

  app.post(
    '/api/import_recipes',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'createRecipe', summary: 'Save a mapping', body: Body, response: { 201: Recipe } },
    },
    (request, reply) =>
      change(request, reply, async (trx) => ({
        status: 201,
        body: onWire(await createRecipe(trx, request.caller.accountId, request.body)),
      })),
  )

  app.get(
    '/api/import_recipes/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getRecipe',
        summary: 'One saved mapping',
        params: Params,
        response: { 200: Recipe },
      },
    },
    async (request) => onWire(await findRecipe(db, request.caller.accountId, pathId(request.params.id))),
  )

  app.patch(
    '/api/import_recipes/:id',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'updateRecipe',
        summary: 'Change a saved mapping',
        params: Params,
        body: Type.Partial(Body),
        response: { 200: Recipe },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => ({
        status: 200,
        body: onWire(await updateRecipe(trx, request.caller.accountId, pathId(request.params.id), request.body)),
      })),
  )

  app.delete(
    '/api/import_recipes/:id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteRecipe', summary: 'Remove a saved mapping', params: Params },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await deleteRecipe(trx, request.caller.accountId, pathId(request.params.id))
        return { status: 204 }
      }),
  )
}

import { createHash } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import type { FieldUsers } from '../fields/usage.ts'
import type { ListUsers } from '../lists/usage.ts'
import { checkOptions, type ImportOptions } from './options.ts'

/** A mapping with its rules, for the next file of its kind. */
export interface Recipe {
  id: number
  name: string
  options: ImportOptions
  created_at: Date
  updated_at: Date
}

const COLUMNS = sql`id, name, options, created_at, updated_at`

/** What a recipe may say: how files of a kind are read. Whom they join, and whether it is a trial, each import says itself. */
const KEPT = [
  'field_mapping',
  'value_mapping',
  'rules',
  'match_by',
  'update_existing',
  'skip_invalid',
  'clear_empty',
  'state',
  'consent',
  'tags',
  'list_ids',
  'delimiter',
  'encoding',
  'sheet',
  'header',
  'date_order',
] as const satisfies readonly (keyof ImportOptions)[]

/** Files of a kind have the same columns in the same order, however they are written. */
export function headerKey(columns: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(columns.map((name) => name.trim().toLowerCase())))
    .digest('hex')
}

export interface RecipeInput {
  name: string
  columns: string[]
  options: Record<string, unknown>
}

/** Throws `invalid`. */
export async function createRecipe(trx: Trx, accountId: number, input: RecipeInput): Promise<Recipe> {
  const [row] = await trx
    .query<Recipe>(sql`
      insert into import_recipes (account_id, name, header, options)
      values (${accountId}, ${nameOf(input.name)}, ${headerKey(input.columns)}, ${JSON.stringify(kept(input.options))}::jsonb)
      returning ${COLUMNS}`)
    .catch(refuseTaken)
  return row!
}

/** What is given is set. Throws not_found and `invalid`. */
export async function updateRecipe(
  trx: Trx,
  accountId: number,
  id: number,
  input: { [Key in keyof RecipeInput]?: RecipeInput[Key] | undefined },
): Promise<Recipe> {
  const { name, columns, options } = input
  const [row] = await trx
    .query<Recipe>(sql`
      update import_recipes set name = coalesce(${name === undefined ? null : nameOf(name)}, name),
        header = coalesce(${columns ? headerKey(columns) : null}, header),
        options = coalesce(${options ? JSON.stringify(kept(options)) : null}::jsonb, options), updated_at = statement_timestamp()
      where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
    .catch(refuseTaken)
  if (!row) throw notFound()
  return row
}

/** Throws not_found. */
export async function deleteRecipe(trx: Trx, accountId: number, id: number): Promise<void> {
  const [row] = await trx.query(
    sql`delete from import_recipes where account_id = ${accountId} and id = ${id} returning id`,
  )
  if (!row) throw notFound()
}

/** The recipes that name fields, for columns to go to or for values to be mended of. */
export const recipesWithFields: FieldUsers = async (db, { accountId }, fields) =>
  (await listRecipes(db, accountId)).map(({ id, name, options }) => {
    const names = [...Object.values(options.field_mapping ?? {}), ...Object.keys(options.value_mapping ?? {})]
    return { kind: 'recipe', id, name, fields: names.flatMap((tag) => (tag && fields.tagged(tag)?.id) || []) }
  })

/** The recipes whose files join a list. */
export const recipesWithList: ListUsers = async (db, { accountId }, listId) =>
  (await listRecipes(db, accountId))
    .filter(({ options }) => options.list_ids?.includes(listId))
    .map(({ id, name }) => ({ kind: 'recipe', id, name }))

/** In the order of their names. */
export function listRecipes(db: Queryable, accountId: number): Promise<Recipe[]> {
  return db.query<Recipe>(
    sql`select ${COLUMNS} from import_recipes where account_id = ${accountId} order by lower(name), id`,
  )
}

/** Throws not_found. */
export async function findRecipe(db: Queryable, accountId: number, id: number): Promise<Recipe> {
  const [row] = await db.query<Recipe>(
    sql`select ${COLUMNS} from import_recipes where account_id = ${accountId} and id = ${id}`,
  )
  if (!row) throw notFound()
  return row
}

/** The one that was changed last for files with these columns. */
export async function recipeFor(
  db: Queryable,
  accountId: number,
  columns: readonly string[],
): Promise<Recipe | undefined> {
  const [row] = await db.query<Recipe>(sql`
    select ${COLUMNS} from import_recipes where account_id = ${accountId} and header = ${headerKey(columns)}
    order by updated_at desc limit 1`)
  return row
}

/** Options with those of their recipe where none is given. Throws `invalid` for a recipe that is not there. */
export async function withRecipe(db: Queryable, accountId: number, options: ImportOptions): Promise<ImportOptions> {
  if (options.recipe_id === undefined) return options
  const [row] = await db.query<Recipe>(
    sql`select ${COLUMNS} from import_recipes where account_id = ${accountId} and id = ${options.recipe_id}`,
  )
  if (!row) throw invalid({ recipe_id: [`not found: ${options.recipe_id}`] })
  return { ...row.options, ...options }
}

function kept(options: Record<string, unknown>): ImportOptions {
  const other = Object.keys(options).find((name) => !(KEPT as readonly string[]).includes(name))
  if (other !== undefined)
    throw invalid({ [`options.${other}`]: [`can't be part of a recipe: there are ${KEPT.join(', ')}`] })
  return checkOptions(options)
}

function nameOf(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 80) throw invalid({ name: ['must have 1 to 80 characters'] })
  return name
}

function refuseTaken(error: unknown): never {
  throw violatedUnique(error) === 'import_recipes_name' ? invalid({ name: ['has already been taken'] }, error) : error
}

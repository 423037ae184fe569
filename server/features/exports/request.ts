import { randomBytes } from 'node:crypto'
import sql, { join, type Sql } from 'sql-template-tag'
import { type Static, Type } from 'typebox'
import type { Queryable } from '../../db/database.ts'
import { AppError, together } from '../../lib/app-error.ts'
import { parseId } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { compileSelection, selectionFromBody, vocabularyOf } from '../contacts/selection.ts'
import { type Calendar, compile } from '../criteria/compile.ts'
import { expandLists } from '../criteria/expand.ts'
import { type Form, forSet } from '../criteria/forms.ts'
import { type Condition, listsIn, parseEntries } from '../criteria/parse.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { STATUSES } from '../subscriptions/states.ts'
import { type Column, columnsOf } from './columns.ts'

export const FORMATS = ['csv', 'csv.gz', 'xlsx', 'ndjson'] as const
export type Format = (typeof FORMATS)[number]

const OneOrMore = Type.Optional(Type.Unknown())

/** The body of `POST contact_exports`. */
export const ExportRequest = Type.Object(
  {
    format: Type.Optional(Type.Enum([...FORMATS], { description: 'csv.gz unless given.' })),
    fields: Type.Optional(
      Type.Array(Type.String({ maxLength: 80 }), {
        minItems: 1,
        maxItems: 600,
        description: 'Merge tags and attributes of contacts: the columns in their order.',
      }),
    ),
    q: Type.Optional(Type.String({ maxLength: 320, description: 'As in the search of contacts.' })),
    criteria: Type.Optional(
      Type.Unknown({ description: 'A map of values, or the nested language: see docs/criteria.md.' }),
    ),
    list_id: Type.Optional(Type.Unknown({ description: 'Members of this list, or of any of these.' })),
    tag: OneOrMore,
    state: OneOrMore,
    status: OneOrMore,
    sendable: Type.Optional(
      Type.Boolean({
        description: 'Who may be mailed now, or who may not; of lists that are named, their opt-outs count too.',
      }),
    ),
    raw: Type.Optional(Type.Boolean({ description: 'Cells that a spreadsheet takes for formulas stay as they are.' })),
    filters: Type.Optional(Type.Unknown({ description: 'As in the official API: list_id, subscription_status.' })),
  },
  { additionalProperties: false },
)
export type ExportRequest = Static<typeof ExportRequest>

/** What an export writes of whom. */
export interface Plan {
  format: Format
  columns: Column[]
  raw: boolean
  /** What stands before what is to become a link; the list that links to leave are bound to. */
  linkWord: string
  listId: number | null
  /** Over `contacts as c`; undefined: everyone. */
  filter: Sql | undefined
}

/** What a request is read with. */
interface Ground extends Calendar {
  fields: FieldSet
}

/**
 * Reads what a request asks for. Throws `invalid` with every fault, also for a list that is not there, and `filters_invalid`
 * in the official words for what is wrong with `filters`.
 */
export async function planOf(db: Queryable, accountId: number, body: ExportRequest, ground: Ground): Promise<Plan> {
  const { fields } = ground
  const official = await withKnownLists(db, accountId, officialFilters(body.filters, fields))
  const { format = 'csv.gz', raw = false, sendable } = body
  const given = Object.fromEntries(
    Object.entries({
      q: body.q,
      criteria: body.criteria,
      list_id: body.list_id,
      tag: body.tag,
      state: body.state,
      status: body.status,
    }).filter(([, value]) => value !== undefined && value !== null),
  )
  const linkWord = randomBytes(16).toString('hex')
  const [columns, selection] = await together(
    () => columnsOf(body.fields, fields, linkWord),
    () => selectionFromBody(given, fields),
  )
  const condition: Condition = { is: 'all', of: [selection.condition, ...official] }
  const chosen = official.length === 0 ? selection.condition : condition
  const filter = await compileSelection(db, accountId, { q: selection.q, condition: chosen }, ground)
  const named = namedLists(given.list_id, official)
  const may = sendable === undefined ? undefined : await mayBeMailed(db, accountId, sendable, named, ground)
  const listId = named?.is === 'list' && named.listIds.length === 1 ? named.listIds[0]! : null
  return { format, columns, raw, linkWord, listId, filter: filter && may ? sql`${filter} and ${may}` : (filter ?? may) }
}

/** Those who may be mailed, or all others. Where lists are named, only through one that the person has not left. */
async function mayBeMailed(
  db: Queryable,
  accountId: number,
  wanted: boolean,
  named: Condition | undefined,
  { fields, ...calendar }: Ground,
): Promise<Sql> {
  const form = forSet(accountId)
  const entry = { key: 'sendable', value: true, place: 'sendable' }
  const may = compile(parseEntries([entry], undefined, vocabularyOf(fields)), calendar, form)
  if (!named) return wanted ? may : sql`(not ${may})`
  const lists = await expandLists(db, accountId, named, fields)
  const all = sql`(${may} and ${isReachedBy(lists, calendar, form)})`
  return wanted ? all : sql`(not ${all})`
}

/** Whether one of these lists, expanded, has the person, who has not left it. */
function isReachedBy(lists: Condition, calendar: Calendar, form: Form): Sql {
  if (lists.is === 'any')
    return sql`(${join(
      lists.of.map((one) => isReachedBy(one, calendar, form)),
      ' or ',
    )})`
  if (lists.is !== 'list') return compile(lists, calendar, form) // whoever has left a smart list is not in it
  return sql`exists (
    select from list_members as m
    where m.account_id = c.account_id and m.list_id = any(${lists.listIds}::bigint[]) and m.contact_id = c.id and not exists (
      select from list_opt_outs as o
      where o.account_id = c.account_id and o.list_id = m.list_id and o.email = c.email))`
}

function namedLists(listId: unknown, official: readonly Condition[]): Condition | undefined {
  const named = [listId ?? []].flat().map((id) => Number(id))
  const isNamed = named.length > 0 || official.some((one) => one.is === 'list')
  return isNamed ? { is: 'list', listIds: [...new Set([...named, ...official.flatMap(listsIn)])] } : undefined
}

/** Of lists in the official filters, those that are there. */
async function withKnownLists(db: Queryable, accountId: number, filters: Condition[]): Promise<Condition[]> {
  const named = filters.flatMap(listsIn)
  if (named.length === 0) return filters
  const rows = await db.query<{ id: number }>(
    sql`select id from lists where account_id = ${accountId} and id = any(${named})`,
  )
  const known = new Set(rows.map(({ id }) => id))
  return filters.map((one) =>
    one.is === 'list' ? { is: 'list', listIds: one.listIds.filter((id) => known.has(id)) } : one,
  )
}

const filtersInvalid = () => new AppError('filters_invalid', 'invalid')

/** The filters of the official API, all of which must hold. Lists that are not there have no members. */
function officialFilters(filters: unknown, fields: FieldSet): Condition[] {
  if (filters === undefined) return []
  if (!Array.isArray(filters)) throw filtersInvalid()
  return filters.map((filter: unknown) => {
    const { name, operator, value, ...more } = isObject(filter) ? filter : {}
    if (operator !== 'equal' || Object.keys(more).length > 0) throw filtersInvalid()
    if (name === 'list_id') {
      const listIds = Array.isArray(value) ? value.map((id) => (typeof id === 'number' ? parseId(id) : null)) : [null]
      if (listIds.length > 1000 || listIds.includes(null)) throw filtersInvalid()
      return { is: 'list', listIds: listIds as number[] }
    }
    if (name === 'subscription_status' && STATUSES.some((status) => status === value))
      return parseEntries([{ key: 'status', value, place: 'filters' }], undefined, vocabularyOf(fields))
    throw filtersInvalid()
  })
}

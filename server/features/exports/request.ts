import sql, { type Sql } from 'sql-template-tag'
import { type Static, Type } from 'typebox'
import { AppError, together } from '../../lib/app-error.ts'
import { parseId } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { compileSelection, isEveryone, selectionFromBody, vocabularyOf } from '../contacts/selection.ts'
import { type Calendar, compile } from '../criteria/compile.ts'
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
  /** Over `contacts as c`; undefined: everyone. */
  filter: Sql | undefined
  /** Lists that must be there. */
  lists: Condition
}

/**
 * Reads what a request asks for. Throws `invalid` with every fault, and `filters_invalid` in the official words for what is
 * wrong with `filters`.
 */
export async function planOf(body: ExportRequest, fields: FieldSet, calendar: Calendar): Promise<Plan> {
  const official = officialFilters(body.filters, fields)
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
  const [columns, selection] = await together(
    () => columnsOf(body.fields, fields),
    () => selectionFromBody(given, fields),
  )
  const { q } = selection
  const condition: Condition = { is: 'all', of: [selection.condition, ...official] }
  const chosen = isEveryone(selection.condition) && official.length === 0 ? selection.condition : condition
  const filter = compileSelection({ q, condition: chosen }, calendar)
  const may =
    sendable === undefined ? undefined : mayBeMailed(sendable, listIdsOf(given.list_id, official), fields, calendar)
  return {
    format,
    columns,
    raw,
    filter: filter && may ? sql`${filter} and ${may}` : (filter ?? may),
    lists: selection.condition,
  }
}

/** Those who may be mailed, or all others. Where lists are named, only through one that the person has not left. */
function mayBeMailed(wanted: boolean, listIds: number[] | undefined, fields: FieldSet, calendar: Calendar): Sql {
  const entry = { key: 'sendable', value: true, place: 'sendable' }
  const may = compile(parseEntries([entry], undefined, vocabularyOf(fields)), calendar)
  const all = listIds
    ? sql`(${may} and exists (
        select from list_members as m
        where m.account_id = c.account_id and m.list_id = any(${listIds}::bigint[]) and m.contact_id = c.id and not exists (
          select from list_opt_outs as o
          where o.account_id = c.account_id and o.list_id = m.list_id and o.email = c.email)))`
    : may
  return wanted ? all : sql`(not ${all})`
}

function listIdsOf(listId: unknown, official: readonly Condition[]): number[] | undefined {
  const named = [listId ?? []].flat().map((id) => Number(id))
  const ids = [...named, ...official.flatMap(listsIn)]
  return ids.length > 0 ? ids : undefined
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

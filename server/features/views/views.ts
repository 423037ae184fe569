import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { AppError, invalid, notFound, together } from '../../lib/app-error.ts'
import { isStorable } from '../../lib/text.ts'
import { parseOrder } from '../contacts/order.ts'
import { vocabularyOf } from '../contacts/selection.ts'
import { parseCriteria } from '../criteria/parse.ts'
import { listsNamed, shownForm, storedForm } from '../criteria/stored.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'
import type { FieldUser, FieldUsers } from '../fields/usage.ts'
import type { ListUsers } from '../lists/usage.ts'

/** What of the contacts is shown, and how. */
export interface ViewInput {
  name: string
  shared: boolean
  q: string | null
  criteria: unknown
  columns: string[]
  sort: string | null
}

export interface View extends ViewInput {
  id: number
  createdAt: Date
  updatedAt: Date
}

interface Row extends Omit<ViewInput, 'shared'> {
  id: number
  user_id: number | null
  created_at: Date
  updated_at: Date
}

const COLUMNS = sql`id, user_id, name, q, criteria, columns, sort, created_at, updated_at`
const LONGEST_NAME = 80
const MOST_VIEWS = 1000

/** Whose views a caller has beside those of everybody; a token has none. */
function userOf({ actor }: Caller): number | null {
  const id = /^user:(\d+)$/.exec(actor)?.[1]
  return id === undefined ? null : Number(id)
}

const visibleTo = (caller: Caller) =>
  sql`account_id = ${caller.accountId} and (user_id is null or user_id = ${userOf(caller)}::bigint)`

/** The caller's own and those of everybody, by name. */
export async function listViews(db: Queryable, caller: Caller): Promise<View[]> {
  const [fields, rows] = await Promise.all([
    loadFields(db, caller.accountId),
    db.query<Row>(sql`select ${COLUMNS} from views where ${visibleTo(caller)} order by lower(name), id`),
  ])
  return rows.map((row) => viewFrom(row, fields))
}

/** The saved views that choose, show or sort by fields. Those of others are told of without their names. */
export const viewsWithFields: FieldUsers = async (db, caller) => {
  const rows = await db.query<Omit<FieldUser, 'kind'>>(sql`
    select id, case when ${visibleTo(caller)} then name end as name,
      array(select (field #>> '{}')::bigint from jsonb_path_query(criteria, '$.**.field_id') as field)
        || array(select substring(shown from '#(\\d+)$')::bigint from unnest(columns || sort) as shown where shown ~ '#\\d+$') as fields
    from views where account_id = ${caller.accountId} order by lower(name), id`)
  return rows.map((row) => ({ kind: 'view', ...row }))
}

/** The saved views whose filter speaks of a list. Those of others are told of without their names. */
export const viewsWithList: ListUsers = async (db, caller, listId) => {
  const rows = await db.query<{ id: number; name: string | null; criteria: unknown }>(sql`
    select id, case when ${visibleTo(caller)} then name end as name, criteria
    from views where account_id = ${caller.accountId} and criteria is not null order by lower(name), id`)
  return rows
    .filter(({ criteria }) => listsNamed(criteria).includes(listId))
    .map(({ id, name }) => ({ kind: 'view', id, name }))
}

/** Throws not_found, also for a view of somebody else. */
export async function findView(db: Queryable, caller: Caller, id: number): Promise<View> {
  const [fields, [row]] = await Promise.all([
    loadFields(db, caller.accountId),
    db.query<Row>(sql`select ${COLUMNS} from views where ${visibleTo(caller)} and id = ${id}`),
  ])
  if (!row) throw notFound()
  return viewFrom(row, fields)
}

/** Throws `invalid` with every fault. */
export async function createView(trx: Trx, caller: Caller, input: ViewInput): Promise<View> {
  const { accountId } = caller
  const fields = await loadFields(trx, accountId)
  const kept = await checked(input, fields, caller)
  const [row] = await trx.query<Row>(sql`
    insert into views (account_id, user_id, name, q, criteria, columns, sort)
    select ${accountId}::bigint, ${kept.userId}::bigint, ${kept.name}, ${kept.q}, ${kept.criteria}::jsonb, ${kept.columns}::text[], ${kept.sort}
    where (select count(*) from views where account_id = ${accountId}) < ${MOST_VIEWS}
    returning ${COLUMNS}`)
  if (!row) throw new AppError('conflict', `An account can have at most ${MOST_VIEWS} views: delete some first`)
  return viewFrom(row, fields)
}

/** Changes what is given. Throws not_found and `invalid`. */
export async function updateView(trx: Trx, caller: Caller, id: number, patch: Partial<ViewInput>): Promise<View> {
  const { accountId } = caller
  await trx.query(sql`select from views where ${visibleTo(caller)} and id = ${id} for update`)
  const { createdAt: _, updatedAt: __, id: ___, ...present } = await findView(trx, caller, id)
  const fields = await loadFields(trx, accountId)
  const kept = await checked({ ...present, ...patch }, fields, caller)
  const [row] = await trx.query<Row>(sql`
    update views set user_id = ${kept.userId}, name = ${kept.name}, q = ${kept.q}, criteria = ${kept.criteria}::jsonb,
      columns = ${kept.columns}, sort = ${kept.sort}, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
  return viewFrom(row!, fields)
}

/** Throws not_found. */
export async function deleteView(trx: Trx, caller: Caller, id: number): Promise<void> {
  const gone = await trx.query(sql`delete from views where ${visibleTo(caller)} and id = ${id} returning id`)
  if (gone.length === 0) throw notFound()
}

function viewFrom(row: Row, fields: FieldSet): View {
  const shown = (name: string) => name.replace(/#(\d+)$/, (_, id) => fields.numbered(Number(id))?.mergeTag ?? '')
  const { id, name, q, criteria, user_id, created_at: createdAt, updated_at: updatedAt } = row
  return {
    ...{ id, name, q, shared: user_id === null, createdAt, updatedAt },
    criteria: criteria === null ? null : shownForm(criteria, (fieldId) => fields.numbered(fieldId)),
    columns: row.columns.map(shown).filter((column) => column !== ''), // of a field that is gone nothing is shown
    sort: row.sort === null ? null : shown(row.sort).replace(/^-?$/, '') || null,
  }
}

async function checked(input: ViewInput, fields: FieldSet, caller: Caller) {
  const userId = input.shared ? null : userOf(caller)
  const kept = (name: string) =>
    name.replace(/^(-?)(.+)$/, (_, sign, tag) => {
      const field = fields.tagged(tag)
      return field ? `${sign}#${field.id}` : `${sign}${tag}`
    })
  const name = input.name.trim()
  const [criteria] = await together(
    () => {
      if (input.criteria === null) return null
      const vocabulary = vocabularyOf(fields)
      parseCriteria(input.criteria, vocabulary)
      return JSON.stringify(storedForm(input.criteria, vocabulary))
    },
    () => parseOrder(input.sort ?? undefined, fields),
    () => {
      if (name === '' || name.length > LONGEST_NAME || !isStorable(name))
        throw invalid({ name: [`must have 1 to ${LONGEST_NAME} characters`] })
    },
    () => {
      if (!input.shared && userId === null)
        throw invalid({ shared: ['must be true: a token is nobody whose own a view could be'] })
    },
  )
  const sort = input.sort ? kept(input.sort) : null
  return { userId, name, criteria, q: input.q?.trim() || null, columns: input.columns.map(kept), sort }
}

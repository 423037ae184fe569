import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import type { Caller } from '../../http/caller.ts'
import { invalid, type Messages, notFound, tell } from '../../lib/app-error.ts'
import { countCharacters, isStorable } from '../../lib/text.ts'
import { noteChangeSets } from '../activity/change-sets.ts'

export interface ListRow {
  id: number
  name: string
  description: string | null
  criteria: unknown
  created_at: Date
  updated_at: Date
  contacts_count: number
}

const LONGEST_NAME = 255
const LONGEST_DESCRIPTION = 2000

const COLUMNS = sql`l.id, l.name, l.description, l.criteria, l.created_at, l.updated_at`

/** Members of static lists, counted when they are asked for. */
const COUNT = sql`(select count(*) from list_members as m where m.account_id = l.account_id and m.list_id = l.id) as contacts_count`

export function listOnWire(row: ListRow, countedAt: Date) {
  const { id, name, description, criteria, contacts_count } = row
  return {
    id,
    name,
    description,
    type: criteria === null ? ('static' as const) : ('smart' as const),
    criteria,
    contacts_count,
    counted_at: countedAt.toISOString(),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}

/** All lists in the order of their names; with `search` those whose name begins with it, in any letter case. */
export function readLists(db: Queryable, accountId: number, search: string | undefined): Promise<ListRow[]> {
  const begins: Sql = search ? sql`and starts_with(lower(l.name), lower(${search}))` : sql``
  return db.query<ListRow>(sql`
    select ${COLUMNS}, coalesce(counted.members, 0) as contacts_count
    from lists as l left join (
      select list_id, count(*) as members from list_members where account_id = ${accountId} group by list_id
    ) as counted on counted.list_id = l.id
    where l.account_id = ${accountId} ${begins}
    order by lower(l.name), l.id`)
}

/** Throws not_found. */
export async function readList(db: Queryable, accountId: number, id: number): Promise<ListRow> {
  const [row] = await db.query<ListRow>(
    sql`select ${COLUMNS}, ${COUNT} from lists as l where l.account_id = ${accountId} and l.id = ${id}`,
  )
  if (!row) throw notFound()
  return row
}

/** Throws not_found. */
export async function requireList(db: Queryable, accountId: number, id: number): Promise<void> {
  const [row] = await db.query(sql`select id from lists where account_id = ${accountId} and id = ${id}`)
  if (!row) throw notFound()
}

export interface ListInput {
  name?: string
  description?: string | null
}

/** Throws `invalid` for a name that is missing, too long or taken. */
export async function createList(trx: Trx, accountId: number, input: ListInput): Promise<ListRow> {
  const { name, description } = checkInput<ListInput>({ name: '', ...input })
  const [row] = await trx
    .query<ListRow>(sql`
      insert into lists as l (account_id, name, description) values (${accountId}, ${name}, ${description ?? null})
      returning ${COLUMNS}, 0 as contacts_count`)
    .catch(refuseTakenName)
  return row!
}

/** An empty name, as one client sends when it has none, is not given. Throws not_found and `invalid`. */
export async function updateList(trx: Trx, accountId: number, id: number, input: ListInput): Promise<ListRow> {
  const { name, ...others } = input
  const given = checkInput<ListInput>(name?.trim() ? input : others)
  await trx
    .query(sql`
      update lists set name = coalesce(${given.name ?? null}, name),
        description = case when ${given.description !== undefined} then ${given.description ?? null} else description end,
        updated_at = statement_timestamp()
      where account_id = ${accountId} and id = ${id}`)
    .catch(refuseTakenName)
  return readList(trx, accountId, id)
}

function refuseTakenName(error: unknown): never {
  throw violatedUnique(error) === 'lists_name' ? invalid({ name: ['has already been taken'] }, error) : error
}

/** Throws `invalid` with everything that is wrong. */
function checkInput<Input extends ListInput>(input: Input): Input {
  const name = input.name?.trim()
  const faults: Messages = {}
  if (name === '') faults.name = ["can't be blank"]
  for (const [key, text, most] of [
    ['name', name, LONGEST_NAME],
    ['description', input.description, LONGEST_DESCRIPTION],
  ] as const) {
    if (text && countCharacters(text) > most) tell(faults, key, `is too long (maximum is ${most} characters)`)
    if (text && !isStorable(text)) tell(faults, key, 'holds a character that text can not have')
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return name === undefined ? input : { ...input, name }
}

/** Deletes a list and its memberships; its contacts stay. Throws not_found. */
export async function deleteList(trx: Trx, caller: Caller, id: number): Promise<void> {
  if ((await deleteLists(trx, caller, [id])) === 0) throw notFound()
}

/**
 * Deletes these lists and their memberships, and answers how many there were. Each is one act on the account, told as a
 * change set with the number of members, not as an event for each of them: a list may have a million, and none of them has
 * changed.
 */
export async function deleteLists(trx: Trx, { accountId, actor }: Caller, ids: readonly number[]): Promise<number> {
  const gone = await trx.query<{ id: number; name: string }>(sql`
    delete from lists where account_id = ${accountId} and id = any(${ids}::bigint[]) returning id, name`)
  if (gone.length === 0) return 0
  const left = await trx.query<{ list_id: number; members: number }>(sql`
    with left_by as (
      delete from list_members where account_id = ${accountId} and list_id = any(${ids}::bigint[]) returning list_id
    )
    select list_id, count(*) as members from left_by group by list_id`)
  trx.send(sql`delete from list_opt_outs where account_id = ${accountId} and list_id = any(${ids}::bigint[])`)
  const members = new Map(left.map((row) => [row.list_id, row.members]))
  const inOrder = gone.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
  noteChangeSets(
    trx,
    accountId,
    { kind: 'list_delete', actor },
    inOrder.map(({ id, name }) => ({ options: { list_id: id, name }, counts: { members: members.get(id) ?? 0 } })),
  )
  return gone.length
}

/** Whether something stands on a field: the smart lists whose criteria speak of it, as the official API says it. */
export async function listsUsingField(db: Queryable, accountId: number, fieldId: number): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql`
    select name from lists
    where account_id = ${accountId} and jsonb_path_exists(criteria, '$.**.field_id ? (@ == $id)', jsonb_build_object('id', ${fieldId}::bigint))
    order by name`)
  return rows.length === 0
    ? []
    : [`This field is used in the conditions of segment(s): ${rows.map((row) => row.name).join(', ')}.`]
}

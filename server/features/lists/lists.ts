import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import type { Caller } from '../../http/caller.ts'
import { invalid, type Messages, notFound, tell, together } from '../../lib/app-error.ts'
import { countCharacters, isStorable } from '../../lib/text.ts'
import { noteChangeSets } from '../activity/change-sets.ts'
import { shownForm } from '../criteria/stored.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { announceCriteria } from './announcements.ts'
import { askToCompare, checkCriteria, type ListUsesOf, type VersionedList } from './smart.ts'

export interface ListRow {
  id: number
  name: string
  description: string | null
  /** In stored form; null: a static list. */
  criteria: unknown
  criteria_version: number
  track: boolean
  public: boolean
  public_name: string | null
  public_description: string | null
  double_opt_in: boolean
  created_at: Date
  updated_at: Date
  contacts_count: number
  /** null: just now. */
  counted_at: Date | null
}

const LONGEST_NAME = 255
const LONGEST_DESCRIPTION = 2000

const COLUMNS = sql`l.id, l.name, l.description, l.criteria, l.criteria_version, l.track,
  l.public, l.public_name, l.public_description, l.double_opt_in, l.created_at, l.updated_at`

/** Members of static lists, counted when they are asked for; those of a smart list are for `countMembers`. */
const COUNT = sql`(select count(*) from list_members as m where m.account_id = l.account_id and m.list_id = l.id) as contacts_count, null::timestamptz as counted_at`

export function listOnWire(row: ListRow, fields: FieldSet) {
  const { id, name, description, criteria, contacts_count } = row
  const smart = criteria === null ? {} : { criteria_version: row.criteria_version, track: row.track }
  return {
    id,
    name,
    description,
    type: criteria === null ? ('static' as const) : ('smart' as const),
    criteria: shownForm(criteria, (field) => fields.numbered(field)),
    ...smart,
    contacts_count,
    public: row.public,
    public_name: row.public_name,
    public_description: row.public_description,
    double_opt_in: row.double_opt_in,
    counted_at: (row.counted_at ?? new Date()).toISOString(),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}

/**
 * All lists in the order of their names; with `search` those whose name begins with it, in any letter case. Smart lists with
 * the number last told, which is exact up to what the dispatcher has not looked at yet.
 */
export function readLists(db: Queryable, accountId: number, search: string | undefined): Promise<ListRow[]> {
  const begins: Sql = search ? sql`and starts_with(lower(l.name), lower(${search}))` : sql``
  return db.query<ListRow>(sql`
    select ${COLUMNS}, coalesce(counted.members, told.contacts, 0) as contacts_count, told.counted_at
    from lists as l left join (
      select list_id, count(*) as members from list_members where account_id = ${accountId} group by list_id
    ) as counted on counted.list_id = l.id
    left join smart_counts as told on told.account_id = l.account_id and told.list_id = l.id and l.criteria is not null
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
  /** Makes a smart list. */
  criteria?: unknown
  /** Of a smart list: whether its transitions are told (they are unless it says false). */
  track?: boolean
  /** Whether those who are in a smart list by its new criteria are told as having entered, and others as having left. */
  announce?: boolean
  /** Whether its people may leave and join it on their page of preferences, and how it is called there. */
  public?: boolean
  public_name?: string | null
  public_description?: string | null
  /** Whether who is created into it waits until they confirm. */
  double_opt_in?: boolean
}

/** Throws `invalid` for a name that is missing, too long or taken, and for criteria with every fault. */
export async function createList(trx: Trx, caller: Actor, input: ListInput): Promise<ListRow> {
  const { accountId } = caller
  const [{ name, description }, kept] = await together(
    () => checkInput<ListInput>({ name: '', ...input }),
    () =>
      input.criteria === undefined || input.criteria === null
        ? undefined
        : checkCriteria(trx, accountId, input.criteria),
  )
  if (!kept) refuseSmartWords(input)
  const [row] = await trx
    .query<ListRow>(sql`
      insert into lists as l (account_id, name, description, criteria, clock, track, public, public_name, public_description, double_opt_in)
      values (${accountId}, ${name}, ${description ?? null}, ${kept ? JSON.stringify(kept.criteria) : null}::jsonb,
        ${kept?.clock ?? null}, ${input.track ?? true}, ${input.public ?? false}, ${input.public_name ?? null},
        ${input.public_description ?? null}, ${input.double_opt_in ?? false})
      returning ${COLUMNS}, 0 as contacts_count, null::timestamptz as counted_at`)
    .catch(refuseTakenName)
  if (kept) takeOver(trx, caller, [row!], input)
  return row!
}

/** Who acts in which account. */
type Actor = Pick<Caller, 'accountId' | 'actor'>

/** New criteria are compared with all contacts; of lists that are not tracked, nothing is told anyway. */
function takeOver(trx: Trx, caller: Actor, lists: readonly VersionedList[], { announce = false }: ListInput): void {
  const { true: told = [], false: silent = [] } = Object.groupBy(lists, (list) => `${announce && list.track}`)
  askToCompare(trx, caller.accountId, silent)
  announceCriteria(trx, caller, told)
}

/** What only a smart list has. */
function refuseSmartWords({ track, announce }: ListInput): void {
  if (track !== undefined || announce !== undefined)
    throw invalid({ base: ['track and announce are for smart lists: give criteria, or leave them out'] })
}

/** An empty name, as one client sends when it has none, is not given. Throws not_found and `invalid`. */
export async function updateList(trx: Trx, caller: Actor, id: number, input: ListInput): Promise<ListRow> {
  const { accountId } = caller
  const { name, ...others } = input
  const given = checkInput<ListInput>(name?.trim() ? input : others)
  const changes = await smartChanges(trx, accountId, id, given)
  await trx
    .query(sql`
      update lists set name = coalesce(${given.name ?? null}, name),
        description = case when ${given.description !== undefined} then ${given.description ?? null} else description end,
        public = coalesce(${given.public ?? null}, public), double_opt_in = coalesce(${given.double_opt_in ?? null}, double_opt_in),
        public_name = case when ${given.public_name !== undefined} then ${given.public_name ?? null} else public_name end,
        public_description = case when ${given.public_description !== undefined} then ${given.public_description ?? null}
          else public_description end,
        ${changes?.columns ?? sql``}
        updated_at = statement_timestamp()
      where account_id = ${accountId} and id = ${id}`)
    .catch(refuseTakenName)
  const row = await readList(trx, accountId, id)
  if (changes) takeOver(trx, caller, [row, ...changes.above], given)
  return row
}

/** Of a smart list, new criteria and whether it is tracked: each is a new version, with which all contacts are compared. */
async function smartChanges(trx: Trx, accountId: number, id: number, input: ListInput) {
  const { criteria, track } = input
  const [list] = await trx.query<{ id: number; name: string; criteria: unknown }>(
    sql`select id, name, criteria from lists where account_id = ${accountId} and id = ${id}`,
  )
  if (!list) throw notFound()
  if (list.criteria === null) {
    if (criteria !== undefined && criteria !== null)
      throw invalid({ criteria: ['are for smart lists, and this one is static: create a new list with them'] })
    refuseSmartWords(input)
    return undefined
  }
  if (criteria === null)
    throw invalid({
      criteria: [
        `can't be taken away: POST contact_lists/${id}/convert makes a static list of those who are in it now`,
      ],
    })
  if (criteria === undefined && track === undefined) return undefined
  const kept = criteria === undefined ? undefined : await checkCriteria(trx, accountId, criteria, list)
  const columns = sql`
    criteria = coalesce(${kept ? JSON.stringify(kept.criteria) : null}::jsonb, criteria),
    clock = case when ${kept !== undefined} then ${kept?.clock ?? null}::text else clock end,
    track = coalesce(${track ?? null}::boolean, track), criteria_version = criteria_version + 1,`
  return { columns, above: kept?.above ?? [] }
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
    ['public_name', input.public_name, LONGEST_NAME],
    ['public_description', input.public_description, LONGEST_DESCRIPTION],
  ] as const) {
    if (text && countCharacters(text) > most) tell(faults, key, `is too long (maximum is ${most} characters)`)
    if (text && !isStorable(text)) tell(faults, key, 'holds a character that text can not have')
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  const publicName = input.public_name?.trim()
  return {
    ...input,
    ...(name === undefined ? {} : { name }),
    ...(publicName === undefined ? {} : { public_name: publicName || null }),
  }
}

/** Deletes a list and its memberships; its contacts stay. Throws not_found, and `invalid` with whatever speaks of it. */
export async function deleteList(trx: Trx, caller: Caller, id: number, usesOf: readonly ListUsesOf[]): Promise<void> {
  if ((await deleteLists(trx, caller, [id], usesOf)) === 0) throw notFound()
}

/**
 * Deletes these lists and their memberships, and answers how many there were. Each is one act on the account, told as a
 * change set with the number of members, not as an event for each of them: a list may have a million, and none of them has
 * changed. Throws `invalid` with whatever stays and speaks of one of them.
 */
export async function deleteLists(
  trx: Trx,
  { accountId, actor }: Caller,
  ids: readonly number[],
  usesOf: readonly ListUsesOf[],
): Promise<number> {
  // In one order, whoever deletes them; from here on no criteria come to name them.
  await trx.query(sql`
    select id from lists where account_id = ${accountId} and id = any(${ids}::bigint[]) order by id for update`)
  const uses = (await Promise.all(usesOf.map((find) => find(trx, accountId, ids)))).flat()
  if (uses.length > 0) throw invalid({ usage: uses })
  const gone = await trx.query<{ id: number; name: string; smart: boolean; criteria_version: number }>(sql`
    delete from lists where account_id = ${accountId} and id = any(${ids}::bigint[])
    returning id, name, criteria is not null as smart, criteria_version`)
  if (gone.length === 0) return 0
  askToCompare(
    trx,
    accountId,
    gone.filter((list) => list.smart),
  )
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

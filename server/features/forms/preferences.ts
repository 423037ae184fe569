import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Texts } from '../../languages/file.ts'
import type { Desk } from '../contacts/desk.ts'
import { smartListsOf } from '../contacts/smart-lists.ts'
import { upsertContact } from '../contacts/update.ts'
import { coerceValue } from '../fields/coerce.ts'
import type { FieldDefinition, FieldValue } from '../fields/definition.ts'
import type { FieldSet } from '../fields/field-set.ts'
import type { Evidence } from '../subscriptions/evidence.ts'
import { holdLists, joinLists } from '../subscriptions/join.ts'
import { leaveList } from '../subscriptions/leave.ts'
import type { Preferring } from '../subscriptions/links.ts'
import { holdStandings } from '../subscriptions/standing.ts'
import { inputName } from './form-page.ts'

export interface PublicList {
  id: number
  name: string
  description: string | null
  /** Whether the person hears of it now. */
  isIn: boolean
}

/** What a person sees of themselves. */
export interface Preferences {
  contactId: string
  email: string
  state: string
  lists: PublicList[]
  fields: FieldDefinition[]
  values: Readonly<Record<string, FieldValue>>
}

interface ShownList extends PublicList {
  smart: boolean
  /** Whether they have left it by a word of their own. */
  left: boolean
}

interface ShownRow {
  id: string
  state: string
  fields: Record<string, FieldValue>
  lists: ShownList[]
}

/** undefined where nobody has the address any more. */
export async function readPreferences(
  db: Queryable,
  preferring: Preferring,
  fields: FieldSet,
): Promise<Preferences | undefined> {
  const [person] = await db.query<ShownRow>(selectShown(preferring))
  if (!person) return undefined
  const { accountId, email } = preferring
  const inside = person.lists.some((list) => list.smart)
    ? ((await smartListsOf(db, accountId, [person.id])).get(person.id) ?? [])
    : []
  return {
    contactId: person.id,
    email,
    state: person.state,
    // Nobody can come into a smart list by hand; who is in it can leave, and take that back.
    lists: person.lists
      .map(({ smart, left, ...list }) => ({
        list: smart ? { ...list, isIn: inside.includes(list.id) } : list,
        smart,
        left,
      }))
      .filter(({ list, smart, left }) => !smart || list.isIn || left)
      .map(({ list }) => list),
    fields: fields.active.filter((field) => field.editable),
    values: person.fields,
  }
}

/** The person, and the account's public lists as they stand to them: one statement, as planning takes longer than reading. */
export function selectShown({ accountId, email }: Preferring): Sql {
  return sql`
    select c.id, c.state, c.fields, coalesce((
      select json_agg(json_build_object(
        'id', l.id, 'name', coalesce(l.public_name, l.name), 'description', l.public_description,
        'smart', l.criteria is not null,
        'isIn', exists (select from list_members as m where m.account_id = l.account_id and m.list_id = l.id and m.contact_id = c.id),
        'left', exists (select from list_opt_outs as o where o.account_id = l.account_id and o.list_id = l.id and o.email = c.email)
      ) order by lower(coalesce(l.public_name, l.name)), l.id)
      from lists as l where l.account_id = ${accountId} and l.public), '[]') as lists
    from contacts as c where c.account_id = ${accountId} and c.email = ${email}`
}

/** How the page names what it has shown, so that what it has not is left alone. */
export const shownList = (id: number) => `list.${id}`
export const shownField = (field: FieldDefinition) => `field.${field.id}`

export interface Saving {
  /** What they want to hear of, of the lists that were shown. */
  joins: number[]
  leaves: number[]
  /** By merge tag; null unsets. */
  fields: Record<string, unknown>
}

/** What somebody has set on their page, or what is wrong with it by the name of the input. */
export function readSaving(
  values: URLSearchParams,
  now: Preferences,
  texts: Texts,
): Saving | { problems: Record<string, string> } {
  const shown = new Set(values.getAll('shown'))
  const wanted = new Set(values.getAll('list'))
  const lists = now.lists.filter((list) => shown.has(shownList(list.id)))
  const problems: Record<string, string> = {}
  const fields: Record<string, unknown> = {}
  for (const field of now.fields) {
    if (!shown.has(shownField(field))) continue
    const name = inputName(field)
    const before = now.values[field.key]
    // A box that is not ticked is not sent; where there was nothing, it still says nothing.
    const given = values.get(name) ?? (field.type === 'boolean' && before !== undefined ? 'false' : '')
    const read = coerceValue(field.convertingTo ? { ...field, type: field.convertingTo } : field, given)
    if (!read.ok) problems[name] = texts.badValue
    else if (read.value === null && field.required) problems[name] = texts.missing
    else if (read.value !== (before ?? null)) fields[field.mergeTag] = read.value
  }
  if (Object.keys(problems).length > 0) return { problems }
  return {
    joins: lists.filter((list) => wanted.has(String(list.id)) && !list.isIn).map(({ id }) => id),
    leaves: lists.filter((list) => !wanted.has(String(list.id)) && list.isIn).map(({ id }) => id),
    fields,
  }
}

/** Does what somebody has set on their page: their own act, which joins what they had left. Lists that are gone are passed over. */
export async function savePreferences(
  trx: Trx,
  desk: Desk,
  { contactId, email }: Preferences,
  { joins, leaves, fields }: Saving,
  evidence: Evidence,
): Promise<void> {
  const { accountId } = desk.caller
  const held = await holdLists(trx, accountId, [...joins, ...leaves])
  if (Object.keys(fields).length > 0) await upsertContact(trx, desk, contactId, { fields })
  const [person] = await holdStandings(trx, accountId, [contactId])
  if (person?.email !== email) return // removed, or moved to another address, since
  for (const id of leaves.filter((one) => held.includes(one))) await leaveList(trx, accountId, id, [person], evidence)
  const ids = joins.filter((one) => held.includes(one))
  await joinLists(trx, accountId, person, ids, evidence)
}

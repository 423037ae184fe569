import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { ContactRef } from '../../lib/contact-ref.ts'
import { displayEmail } from '../../lib/email.ts'
import { isReferred } from '../activity/referred.ts'
import type { FieldValue } from '../fields/definition.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { type State, statusOf } from '../subscriptions/states.ts'
import { SUPPRESSED, sendable } from '../subscriptions/suppressions.ts'

export interface ContactRow {
  id: string
  email: string
  external_id: string | null
  state: State
  state_reason: string | null
  state_before: State | null
  fields: Record<string, FieldValue>
  tags: string[]
  origin: string
  created_at: Date
  updated_at: Date
}

/** A contact with what stands in other tables about it. */
export interface ReadRow extends ContactRow {
  /** In no order: to sort them costs PostgreSQL more than it costs us. */
  list_ids: number[]
  suppressed: boolean
}

export const CONTACT_COLUMNS = sql`
  c.id, c.email, c.external_id, c.state, c.state_reason, c.state_before, c.fields, c.tags, c.origin, c.created_at, c.updated_at`

export const READ_COLUMNS = sql`${CONTACT_COLUMNS},
  array(select m.list_id from list_members as m where m.account_id = c.account_id and m.contact_id = c.id) as list_ids,
  (c.state = 'subscribed' and ${SUPPRESSED}) as suppressed`

/** The contact that a path names, as it is read; undefined when there is none. */
export async function readContact(db: Queryable, accountId: number, ref: ContactRef): Promise<ReadRow | undefined> {
  const [row] = await db.query<ReadRow>(
    ref.by === 'id'
      ? sql`select * from read_contact(${accountId}, ${ref.id})`
      : sql`select ${READ_COLUMNS} from contacts as c where c.account_id = ${accountId} and ${isReferred(ref)}`,
  )
  return row
}

/**
 * What a contact is, as text: the same as long as nothing of it that a caller can change is another. Made from what is
 * stored rather than counted with each write, so that no way of writing can leave it out; takes 2 µs.
 */
export function versionOf({ email, external_id, state, fields, tags, list_ids }: ReadRow): string {
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)) // a new contact has them as they were given
  const lists = list_ids.toSorted((a, b) => a - b)
  const told = JSON.stringify([email, external_id, state, sorted, tags, lists])
  return hash('sha256', told, 'base64url').slice(0, VERSION_CHARACTERS)
}

/** Throws when a contact, locked and read since, or undefined as there is none, is not what the caller expects. */
export type Precondition = (now: ReadRow | undefined) => Promise<void>

/** 132 bits. */
const VERSION_CHARACTERS = 22

/** What decides how a contact's fields are shown. */
export interface View {
  fields: FieldSet
  /** Whether unset fields are shown as null rather than left out. */
  withNulls: boolean
}

/** A contact as the API answers it: values under the merge tags of now, times in epoch milliseconds. */
export function contactOnWire(row: ReadRow, view: View) {
  const { id, email, external_id, state, tags, list_ids, origin } = row
  return {
    id,
    email: displayEmail(email),
    external_id,
    status: statusOf(state),
    state,
    subscribed: state === 'subscribed',
    sendable: sendable(state, row.suppressed),
    fields: fieldsOnWire(row.fields, view),
    tags,
    list_ids: list_ids.toSorted((a, b) => a - b),
    origin,
    created_at: row.created_at.getTime(),
    updated_at: row.updated_at.getTime(),
    version: versionOf(row),
  }
}

function fieldsOnWire(
  values: Record<string, FieldValue>,
  { fields, withNulls }: View,
): Record<string, FieldValue | null> {
  const shown: Record<string, FieldValue | null> = {}
  for (const { key, mergeTag } of fields.active) {
    if (Object.hasOwn(values, key)) shown[mergeTag] = values[key]!
    else if (withNulls) shown[mergeTag] = null
  }
  return shown
}

/** Whether a row has a value under a key that these definitions, up to 5 s old, do not know yet. */
export function isNewerThan(row: ContactRow, fields: FieldSet): boolean {
  return Object.keys(row.fields).some((key) => !fields.keyed(key))
}

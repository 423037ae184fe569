import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { type EventType, inOrder } from './event-types.ts'

/** From what, to what: an absent side was or is unset. */
export interface Change {
  from?: unknown
  to?: unknown
}

/** What an act changed. Fields stand under their keys, which outlive a renamed merge tag. */
export interface EventData {
  email?: Change
  external_id?: Change
  state?: Change
  created_at?: Change
  fields?: Record<string, Change>
  tags?: { added?: string[]; removed?: string[] }
  lists?: { added?: number[]; removed?: number[] }
  /** Of a custom event: what its sender said of it. */
  params?: Record<string, unknown>
  counts?: Record<string, number>
  [other: string]: unknown
}

export interface Act {
  /** null: an act on the account. */
  contactId: string | null
  types: EventType[]
  name?: string
  /** When it happened; never later than now. */
  at?: Date
  data: EventData
}

/** An act of more events than this is bulk: what a request can name one by one, and its end, are small. */
const SMALL = 1000

/**
 * Appends one event for each act and one row in the outbox for all of them. Runs after the contacts' rows are locked,
 * so that a contact's events stand in the order in which they happened. Sent, not awaited: see `Trx.send`.
 */
export function record(trx: Trx, accountId: number, acts: readonly Act[], changeSetId: number | null = null): void {
  if (acts.length === 0) return
  if (acts.length === 1) {
    recordOne(trx, accountId, acts[0]!, changeSetId)
    return
  }
  const rows = acts.map(({ contactId, types, name, at, data }) => ({
    contact_id: contactId,
    types: inOrder(types),
    name,
    at,
    data,
  }))
  trx.send(sql`with ${recording(accountId, actsAsRows(rows), changeSetId)} select`)
}

/** What most requests need: by a function in the database, which keeps its plan. */
function recordOne(trx: Trx, accountId: number, act: Act, changeSetId: number | null): void {
  const { contactId, types, name = null, at = null, data } = act
  trx.send(sql`
    select record_act(${accountId}, ${contactId}, ${inOrder(types)}, ${name}, ${at}, ${JSON.stringify(data)}, ${changeSetId})`)
}

function actsAsRows(rows: object[]): Sql {
  return sql`
    select contact_id, types, name, at, data
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as act (contact_id uuid, types text[], name text, at timestamptz, data jsonb)`
}

/**
 * The same for acts that a statement finds: two steps to put into its `with`, where `acts` selects
 * (contact_id uuid, types text[] in order, name text, at timestamptz, data jsonb). Where each belongs to a change set of
 * its own, `changeSetId` is the column of `acts` that has it; those of one change set stand in one row of the outbox.
 * `isBulk`: a part of something large, however many they are.
 */
export function recording(accountId: number, acts: Sql, changeSetId: number | Sql | null, isBulk = false): Sql {
  const bulk = isBulk ? sql`true` : sql`cardinality(ids) > ${SMALL}`
  return sql`
    recorded as (
      insert into events (account_id, contact_id, type, types, name, at, data, change_set_id)
      select ${accountId}::bigint, contact_id, types[1], types, name, least(at, clock_timestamp()), data, ${changeSetId}::bigint
      from (${acts}) as acts
      returning id, change_set_id, contact_id
    ), queued as (
      insert into outbox (account_id, event_ids, size, bulk, change_set_id, first_event, last_event, first_contact, last_contact)
      select ${accountId}::bigint, ids, cardinality(ids), ${bulk}, change_set_id, ids[1], ids[cardinality(ids)],
        coalesce(contacts[1], 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
        coalesce(contacts[cardinality(contacts)], '00000000-0000-0000-0000-000000000000')
      from (
        select change_set_id, array_agg(id order by id) as ids,
          array_agg(contact_id order by contact_id) filter (where contact_id is not null) as contacts
        from recorded group by change_set_id) as recorded_sets
      order by ids[1]
    )`
}

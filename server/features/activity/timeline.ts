import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Position } from '../../http/paging.ts'
import { invalid, type Messages } from '../../lib/app-error.ts'
import { countCharacters, isStorable } from '../../lib/text.ts'
import { type EventType, NAMED_BY_CALLERS } from './event-types.ts'
import { type EventData, record } from './record.ts'

export interface EventRow {
  id: string
  type: EventType
  types: EventType[]
  name: string | null
  at: Date
  data: EventData
  contact_id: string | null
  change_set_id: number | null
}

/** A contact's events, the latest first; `types` keeps those that are of any of them. */
export async function readTimeline(
  db: Queryable,
  accountId: number,
  contactId: string,
  asked: { types: readonly string[]; limit: number; offset: number; after: Position | undefined },
): Promise<EventRow[]> {
  const ofTypes = asked.types.length > 0 ? sql`and types && ${asked.types}::text[]` : sql``
  const behind = asked.after ? sql`and id < ${asked.after[0]}::uuid` : sql``
  return db.query<EventRow>(sql`
    select id, type, types, name, at, data, contact_id, change_set_id from events
    where account_id = ${accountId} and contact_id = ${contactId} ${ofTypes} ${behind}
    order by id desc limit ${asked.limit} offset ${asked.offset}`)
}

export async function countTimeline(
  db: Queryable,
  accountId: number,
  contactId: string,
  types: readonly string[],
): Promise<number> {
  const ofTypes = types.length > 0 ? sql`and types && ${types}::text[]` : sql``
  const [row] = await db.query<{ count: number }>(sql`
    select count(*) as count from events where account_id = ${accountId} and contact_id = ${contactId} ${ofTypes}`)
  return row!.count
}

export type EventParams = Record<string, string | number | boolean | null>

const LONGEST = 255
const MOST_PARAMS = 100

/** What a caller says has happened: a name, and scalar parameters. Throws `invalid` with every fault, in the official words. */
export function checkEvent(input: { name?: unknown; params?: unknown }): { name: string; params: EventParams } {
  const faults: Messages = {}
  const { name } = input
  if (name === undefined || name === null) faults.name = ["can't be blank", 'must be a string']
  else if (typeof name !== 'string') faults.name = ['must be a string']
  else if (name.trim() === '') faults.name = ["can't be blank"]
  else if (countCharacters(name) > LONGEST) faults.name = [`is too long (maximum is ${LONGEST} characters)`]
  else if (!isStorable(name)) faults.name = ['holds a character that text can not have']
  const params = input.params ?? {}
  const wrong = paramFaults(params)
  if (wrong.length > 0) faults.params = wrong
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return { name: name as string, params: params as EventParams }
}

function paramFaults(params: unknown): string[] {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return ['must be a hash']
  const entries = Object.entries(params)
  if (entries.length > MOST_PARAMS) return [`has too many keys (maximum is ${MOST_PARAMS})`]
  return entries.flatMap(([key, value]) => {
    const faults: string[] = []
    if (countCharacters(key) > LONGEST) faults.push(`key '${key.slice(0, 40)}…' is too long`)
    if (value !== null && !['string', 'number', 'boolean'].includes(typeof value))
      faults.push(`value for '${key}' must be a text, a number, a boolean or null`)
    else if (typeof value === 'number' && !Number.isFinite(value))
      faults.push(`value for '${key}' is too large a number`)
    else if (typeof value === 'string' && countCharacters(value) > LONGEST)
      faults.push(`value for '${key}' is too long (maximum is ${LONGEST} characters)`)
    else if (!isStorable(key) || (typeof value === 'string' && !isStorable(value)))
      faults.push(`'${key.replaceAll('\0', '')}' holds a character that text can not have`)
    return faults
  })
}

/** Adds an event that a caller tells of. A name such as `email_opened` acts as that type; any other is a custom event. */
export async function addEvent(
  trx: Trx,
  accountId: number,
  contactId: string,
  event: { name: string; params: EventParams },
): Promise<void> {
  const type = NAMED_BY_CALLERS.has(event.name) ? (event.name as EventType) : 'custom'
  record(trx, accountId, [{ contactId, types: [type], name: event.name, data: { params: event.params } }])
}

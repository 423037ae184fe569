import sql, { type Sql } from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { eventOf, SPAN } from '../activity/feed.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { compileFilter } from './filter.ts'
import { disableWebhook } from './webhooks.ts'

/** Deliveries of one webhook that are under way or wait for their next try. While there are so many, it reads no further. */
export const MOST_OPEN = 100

/** Events in one message of an act on many. */
export const MOST_IN_MESSAGE = 500

/** Events found at once: enough to fill a few messages of many. */
const MOST_FOUND = 5000

/** What is known of accounts, as it was at most 5 s ago. */
export interface Knowledge {
  fieldsOf: (accountId: number) => Promise<FieldSet>
  settingsOf: (accountId: number) => Promise<AccountSettings>
}

export interface Found {
  position: number
  id: string
  contact_id: string | null
  change_set_id: number | null
}

export interface Message {
  message_id: string
  kind: 'event' | 'events'
  event_ids: string[]
  contact_ids: string[]
}

interface Reading {
  position: number
  types: string[] | null
  criteria: unknown
  each: boolean
}

/**
 * Reads the feed on for one webhook and makes the deliveries of what it is to be told, in one transaction with the
 * position up to which it has read: each event is in one delivery. Answers whether it came any further. Another process
 * that is at it finds the webhook locked, and a webhook with enough open deliveries reads nothing.
 */
export function planDeliveries(db: Database, known: Knowledge, accountId: number, webhookId: number): Promise<boolean> {
  return db.transaction(async (trx) => {
    const [reading] = await trx.query<Reading>(sql`
      select position, types, criteria, each from webhooks
      where account_id = ${accountId} and id = ${webhookId} and disabled_at is null for update skip locked`)
    if (!reading) return false
    const [open] = await trx.query<{ count: number; position: number; epoch: string }>(sql`
      select position, epoch, (
        select count(*) from deliveries where account_id = ${accountId} and webhook_id = ${webhookId} and state = 'pending') as count
      from feed_heads where account_id = ${accountId}`)
    const room = MOST_OPEN - open!.count
    if (room <= 0 || open!.position <= reading.position) return false
    const filter = await filterOf(trx, known, accountId, webhookId, reading)
    if (!filter) return false
    const { rows, readTo } = await findEvents(trx, accountId, reading, filter, open!.position)
    const { messages, stoppedAt } = messagesOf(rows, open!.epoch, room)
    if (messages.length > 0) {
      trx.send(sql`
        insert into deliveries (account_id, webhook_id, message_id, kind, event_ids, contact_ids)
        select ${accountId}::bigint, ${webhookId}::bigint, message_id, kind, event_ids, contact_ids
        from jsonb_to_recordset(${JSON.stringify(messages)}::jsonb) as m (message_id text, kind text, event_ids uuid[], contact_ids uuid[])`)
    }
    trx.send(sql`
      update webhooks set position = ${stoppedAt ?? readTo} where account_id = ${accountId} and id = ${webhookId}`)
    return true
  })
}

/** The condition on the contact of an event `e`. undefined, with the webhook disabled, when its criteria no longer make sense. */
async function filterOf(
  trx: Trx,
  { fieldsOf, settingsOf }: Knowledge,
  accountId: number,
  webhookId: number,
  { criteria }: Reading,
): Promise<Sql | undefined> {
  if (criteria === null) return sql`true`
  try {
    const { time_zone: timeZone } = await settingsOf(accountId)
    const condition = await compileFilter(trx, accountId, criteria, { timeZone, fields: await fieldsOf(accountId) })
    return sql`exists (select from contacts as c where c.account_id = ${accountId} and c.id = e.contact_id and ${condition})`
  } catch (error) {
    if (!(error instanceof AppError) || !error.messages) throw error
    const faults = Object.entries(error.messages).map(([place, texts]) => `${place} ${texts.join(', ')}`)
    await disableWebhook(trx, accountId, webhookId, `its criteria are no longer right: ${faults.join('; ')}`)
    return undefined
  }
}

/**
 * The events behind a position that this webhook is told of, and how far that looked. Of an act on many, its end alone
 * unless each is asked for. The criteria are asked of the contacts as they now are; whoever was removed meets none, but
 * that they were is told, as a receiver may have kept them.
 */
async function findEvents(
  trx: Trx,
  accountId: number,
  { position, types, each }: Reading,
  filter: Sql,
  head: number,
): Promise<{ rows: Found[]; readTo: number }> {
  const end = Math.min(head, position + SPAN)
  const ofTypes = types === null ? sql`true` : sql`e.types && ${types}::text[]`
  const rows = await trx.query<Found>(sql`
    select f.position, e.id, e.contact_id, e.change_set_id
    from feed as f join ${eventOf(accountId)} as e on true
    where f.account_id = ${accountId} and f.position > ${position} and f.position <= ${end}
      and ${ofTypes} and (${each}::boolean or e.contact_id is null or e.change_set_id is null)
      and (e.contact_id is null or e.type = 'deleted' or ${filter})
    order by f.position limit ${MOST_FOUND}`)
  return { rows, readTo: rows.length < MOST_FOUND ? end : rows.at(-1)!.position }
}

/**
 * Events as messages, `room` of them at most: each by itself, those of an act on many together. A message of many is named
 * by its first and last position, and by the epoch that these count in. `stoppedAt` is the position behind which there was
 * no room, undefined when there was room for all.
 */
export function messagesOf(
  rows: readonly Found[],
  epoch: string,
  room: number,
): { messages: Message[]; stoppedAt: number | undefined } {
  const groups: Found[][] = []
  const open = new Map<number, Found[]>()
  let stoppedAt: number | undefined
  for (const row of rows) {
    const act = row.contact_id === null ? null : row.change_set_id
    const group = act === null ? undefined : open.get(act)
    if (group && group.length < MOST_IN_MESSAGE) {
      group.push(row)
      continue
    }
    if (groups.length === room) {
      stoppedAt = row.position - 1
      break
    }
    const begun = [row]
    groups.push(begun)
    if (act !== null) open.set(act, begun)
  }
  return { messages: groups.map((group) => messageOf(group, epoch)), stoppedAt }
}

function messageOf(group: readonly Found[], epoch: string): Message {
  const [first, last] = [group[0]!, group.at(-1)!]
  const isOfMany = first.contact_id !== null && first.change_set_id !== null
  return {
    message_id: isOfMany ? `${first.position}-${last.position}-${epoch.slice(0, 8)}` : first.id,
    kind: isOfMany ? 'events' : 'event',
    event_ids: group.map(({ id }) => id),
    contact_ids: [...new Set(group.flatMap(({ contact_id }) => contact_id ?? []))],
  }
}

import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { EventRow } from '../activity/timeline.ts'
import { eventOnWire, type Naming } from '../activity/wire.ts'

/** What a delivery is about. */
export interface Contents {
  message_id: string
  kind: 'event' | 'events' | 'test'
  event_ids: string[]
  created_at: Date
}

/** The events of deliveries, by id; those of removed contacts are no longer there. */
export async function readEvents(
  db: Queryable,
  accountId: number,
  deliveries: readonly Contents[],
): Promise<Map<string, EventRow>> {
  const ids = [...new Set(deliveries.flatMap(({ event_ids }) => event_ids))]
  if (ids.length === 0) return new Map()
  const rows = await db.query<EventRow>(sql`
    select id, type, types, name, at, data, contact_id, change_set_id from events
    where account_id = ${accountId} and id = any(${ids}::uuid[])`)
  return new Map(rows.map((row) => [row.id, row]))
}

/** The body of a message; undefined when there is nothing left to tell. */
export function bodyOf(
  { kind, event_ids, created_at }: Contents,
  webhookId: number,
  events: ReadonlyMap<string, EventRow>,
  name: Naming,
): string | undefined {
  if (kind === 'test')
    return JSON.stringify({ type: 'test', timestamp: created_at.toISOString(), data: { webhook_id: webhookId } })
  const told = event_ids.flatMap((id) => {
    const event = events.get(id)
    return event ? [eventOnWire(event, name)] : []
  })
  if (told.length === 0) return undefined
  const [first] = told
  return JSON.stringify(
    kind === 'event'
      ? { type: first!.type, timestamp: first!.at, data: first }
      : { type: 'events', timestamp: created_at.toISOString(), data: told },
  )
}

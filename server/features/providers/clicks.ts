import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { sumUpAnew } from '../criteria/before.ts'
import type { ProviderEvent } from './event.ts'
import { CLICK_WITHIN_S, CLOCKS_DIFFER_S } from './machine.ts'

interface Told {
  contactId: string
  event: ProviderEvent
}

const SOONEST_MS = CLOCKS_DIFFER_S * 1000
const LATEST_MS = CLICK_WITHIN_S * 1000

/**
 * Marks the clicks that came within seconds of their mail's delivery as made by a machine: those that are told now, and
 * those that were recorded before their delivery was told. The contacts' rows are held.
 * @returns of each contact, the events recorded before that are marked now
 */
export async function markClicks(trx: Trx, accountId: number, told: readonly Told[]): Promise<Map<string, string[]>> {
  const about = told.filter(({ event }) => event.messageId !== null)
  const deliveries = about.filter(({ event }) => event.kind === 'delivered')
  const clicks = about.filter(({ event }) => event.kind === 'clicked' && !event.isMachine)
  for (const click of clicks)
    if (deliveries.some((delivery) => isSoonAfter(delivery, click))) click.event.isMachine = true
  const open = clicks.filter(({ event }) => !event.isMachine)
  if (open.length > 0) {
    const soon = await trx.query<{ nth: number }>(sql`
      select c.nth from ${rows(open)} where exists (
        select from events as e where e.account_id = ${accountId} and e.contact_id = c.contact_id
          and e.id >= id_floor(c.at - make_interval(secs => ${CLICK_WITHIN_S})) and e.type = 'email_delivered' and e.data ? 'hook_id'
          and e.data -> 'params' ->> 'message_id' = c.message_id
          and e.at > c.at - make_interval(secs => ${CLICK_WITHIN_S}) and e.at <= c.at + make_interval(secs => ${CLOCKS_DIFFER_S}))`)
    for (const { nth } of soon) open[nth - 1]!.event.isMachine = true
  }
  if (deliveries.length === 0) return new Map()
  const marked = await trx.query<{ contact_id: string; id: string; is_of_the_past: boolean }>(sql`
    update events as e set data = e.data || '{"machine": true}'
    from ${rows(deliveries)}
    where e.account_id = ${accountId} and e.contact_id = c.contact_id
      and e.id >= id_floor(c.at - make_interval(secs => ${CLOCKS_DIFFER_S})) and e.type = 'email_clicked' and e.data ? 'hook_id'
      and not e.data ? 'machine' and e.data -> 'params' ->> 'message_id' = c.message_id
      and e.at >= c.at - make_interval(secs => ${CLOCKS_DIFFER_S}) and e.at < c.at + make_interval(secs => ${CLICK_WITHIN_S})
    returning e.contact_id, e.id, e.id < id_floor(date_trunc('day', now() at time zone 'UTC') at time zone 'UTC') as is_of_the_past`)
  const summedUp = marked.filter((row) => row.is_of_the_past).map((row) => row.contact_id)
  if (summedUp.length > 0) sumUpAnew(trx, accountId, [...new Set(summedUp)])
  const byContact = Map.groupBy(marked, (row) => row.contact_id)
  return new Map([...byContact].map(([contactId, found]) => [contactId, found.map(({ id }) => id)]))
}

function isSoonAfter(delivery: Told, click: Told): boolean {
  if (delivery.contactId !== click.contactId || delivery.event.messageId !== click.event.messageId) return false
  const after = click.event.at.getTime() - delivery.event.at.getTime()
  return after >= -SOONEST_MS && after < LATEST_MS
}

function rows(told: readonly Told[]): Sql {
  return sql`unnest(${told.map(({ contactId }) => contactId)}::uuid[], ${told.map(({ event }) => event.messageId)}::text[],
    ${told.map(({ event }) => event.at)}::timestamptz[]) with ordinality as c (contact_id, message_id, at, nth)`
}

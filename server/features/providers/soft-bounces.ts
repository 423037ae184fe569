import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { keyOf } from './seen.ts'

export interface Told {
  contactId: string
  event: { kind: string; id: string; at: Date; messageId: string | null }
}

/**
 * Takes these deliveries and soft bounces into account, and answers for everyone concerned how many of their mails have
 * bounced for the moment since the last delivery to them. A mail counts once, however often it was tried. What comes out
 * depends on what was told, not on the order: a bounce counts unless a later delivery is known, now or afterwards.
 * The contacts' rows are held.
 */
export async function countSoftBounces(
  trx: Trx,
  accountId: number,
  told: readonly Told[],
): Promise<Map<string, number>> {
  const delivered = latest(told, 'delivered', ({ contactId }) => contactId)
  const bounced = latest(
    told,
    'soft_bounce',
    ({ contactId, event }) => `${contactId} ${keyOf(event.messageId ?? event.id)}`,
  )
  if (delivered.size === 0 && bounced.size === 0) return new Map()
  const people = [...delivered.keys()]
  trx.send(sql`
    delete from soft_bounces as s
    using unnest(${people}::uuid[], ${people.map((id) => delivered.get(id)!)}::timestamptz[]) as d (contact_id, at)
    where s.account_id = ${accountId} and s.contact_id = d.contact_id and s.at <= d.at`)
  const fresh = [...bounced]
    .map(([key, at]) => ({ contactId: key.slice(0, 36), key: key.slice(37), at }))
    .filter(({ contactId, at }) => !(delivered.get(contactId)! >= at))
  if (fresh.length > 0)
    trx.send(sql`
      insert into soft_bounces as s (account_id, contact_id, key, at)
      select ${accountId}::bigint, contact_id, key, at
      from unnest(${fresh.map((one) => one.contactId)}::uuid[], ${fresh.map((one) => one.key)}::uuid[],
        ${fresh.map((one) => one.at)}::timestamptz[]) as b (contact_id, key, at)
      where not exists ( -- what lies later than the bounce was recorded later as well
        select from events as e where e.account_id = ${accountId} and e.contact_id = b.contact_id
          and e.id >= id_floor(b.at) and e.type = 'email_delivered' and e.data ? 'hook_id' and e.at >= b.at)
      on conflict (account_id, contact_id, key) do update set at = greatest(s.at, excluded.at)`)
  const everyone = [...new Set([...people, ...[...bounced.keys()].map((key) => key.slice(0, 36))])]
  const counts = await trx.query<{ contact_id: string; count: number }>(sql`
    select contact_id, count(*) as count from soft_bounces
    where account_id = ${accountId} and contact_id = any(${everyone}::uuid[]) group by contact_id`)
  const counted = new Map(counts.map(({ contact_id, count }) => [contact_id, count]))
  return new Map(everyone.map((id) => [id, counted.get(id) ?? 0]))
}

function latest(told: readonly Told[], kind: string, keyFor: (one: Told) => string): Map<string, Date> {
  const found = new Map<string, Date>()
  for (const one of told) {
    if (one.event.kind !== kind) continue
    const key = keyFor(one)
    const known = found.get(key)
    if (!known || known < one.event.at) found.set(key, one.event.at)
  }
  return found
}

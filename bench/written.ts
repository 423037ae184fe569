import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'

/** Parts of the addresses that a side has sent, to tell its rows from all others. */
const DOMAIN = { floor: 'floor.example', product: 'product.example' } as const
export type Sender = keyof typeof DOMAIN

/** Makes the bodies of requests, each with an address of its own, in no order that an index would be fast with. */
export function newContacts(sender: Sender): () => string {
  let sent = 0
  return () => {
    const scattered = (Math.imul(++sent, 0x9e3779b1) >>> 0).toString(36)
    return JSON.stringify({
      email: `${scattered}.${sent}@${DOMAIN[sender]}`,
      fields: { first_name: 'Katherine', last_name: 'Johnson', company: 'Rollcall Example', plan: 'team', age: 41 },
    })
  }
}

/**
 * Throws unless both sides wrote one event, one place in the outbox or feed and one consent with every contact, and
 * a contact of the one looks like a contact of the other: a benchmark that wrote less would compare nothing.
 */
export async function requireSameRows(db: Database): Promise<void> {
  const [floor, product] = [await rowsOf(db, 'floor'), await rowsOf(db, 'product')]
  for (const { contacts, events, told, consents } of [floor, product]) {
    assert.ok(contacts > 0)
    assert.deepEqual({ events, told, consents }, { events: contacts, told: contacts, consents: contacts })
  }
  assert.deepEqual(product.looks, floor.looks)
}

interface Rows {
  contacts: number
  events: number
  /** Events that wait in the outbox or stand in the feed. */
  told: number
  consents: number
  /** One contact with its event and consent, without what differs from each to each. */
  looks: unknown
}

async function rowsOf(db: Database, sender: Sender): Promise<Rows> {
  const [rows] = await db.query<Rows>(sql`
    with contact as materialized (
      select * from contacts where account_id = 1 and email like ${`%@${DOMAIN[sender]}`}
    ), event as materialized (
      select e.* from events as e join contact as c on e.account_id = 1 and e.contact_id = c.id
    ), consent as materialized (
      select e.* from consents as e join contact as c on e.account_id = 1 and e.contact_id = c.id
    ), told as (
      select event_id from feed where account_id = 1
      union all
      select unnest(event_ids) from outbox where account_id = 1
    )
    select
      (select count(*) from contact) as contacts,
      (select count(*) from event) as events,
      (select count(*) from consent) as consents,
      (select count(*) from told join event on event.id = told.event_id) as told,
      (select jsonb_build_array(
        to_jsonb(c) - '{id,email,search,state_at,created_at,updated_at}'::text[],
        (to_jsonb(e) #- '{data,email}') - '{id,contact_id,at}'::text[],
        to_jsonb(o) - '{id,contact_id,at}'::text[])
      from contact as c join event as e on e.contact_id = c.id join consent as o on o.contact_id = c.id limit 1) as looks`)
  return rows!
}

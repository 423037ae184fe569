import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { forgetAllBefore } from '../server/features/criteria/before.ts'
import { contactFields, loadContacts } from './dataset.ts'
import { progress } from './report.ts'

/** Events for each contact, on average. */
const EVENTS_PER_CONTACT = 10

/** What a few people did: the name of a custom event. */
export const REFUND = 'asked for a refund'

/** How they are spread, for whoever reads the results. */
export const SPREAD =
  `${EVENTS_PER_CONTACT} events a contact on average, whose share falls with the square of a number that hashes from its id; ` +
  'over 360 days, more of them lately; 40 % delivered, 40 % opened (a tenth of these by machines), 12 % clicked, 8 % custom; ' +
  'besides, as many as one in 2,000 contacts have asked for a refund, mostly of those who click much'

const KINDS = ['email_delivered', 'email_opened', 'email_clicked', 'custom']

/** Contacts and their events in account 1, or what is missing of them: a load that was cut off goes on where it was. */
export async function loadAudience(db: Database, contacts: number): Promise<void> {
  const startedMs = performance.now()
  const [there] = await db.query<{ people: number; events: number }>(sql`
    select (select count(*) from contacts where account_id = 1 and origin <> 'bench') as people,
      (select count(*) from events where account_id = 1 and type = any(${KINDS}::text[]) and name is distinct from ${REFUND}) as events`)
  const { people, events } = there!
  if (people > contacts) throw new Error(`${people} contacts are kept there, not ${contacts}: name another directory`)
  if (people === contacts && events === contacts * EVENTS_PER_CONTACT) return loadRefunds(db, contacts)
  if (people === 0) await db.query(contactFields(1))
  await db.transaction(async (trx) => forgetAllBefore(trx, 1)) // the events have ids of the past
  await loadContacts(db, 1, contacts, people)
  await loadEvents(db, contacts, events)
  await loadRefunds(db, contacts)
  progress('vacuum analyze')
  await db.query({ text: 'vacuum analyze', values: [] })
  progress(`all loaded after ${Math.round((performance.now() - startedMs) / 1000)} s`)
}

/** Takes away what an earlier part, or run, has left beside contacts and their events. */
export async function forgetRuns(db: Database): Promise<void> {
  for (const table of ['lists', 'smart_memberships', 'smart_counts', 'smart_looks', 'outbox', 'feed'])
    await db.query({ text: `delete from ${table}`, values: [] })
  await db.query(sql`
    delete from events where account_id = 1 and type <> all(${KINDS}::text[])`)
  await db.query(sql`delete from contacts where account_id = 1 and origin = 'bench'`)
  await db.query(sql`update feed_heads set position = 0 where account_id = 1`)
}

/**
 * Ten events a contact on average, over 360 days up to now, more of them lately; who has few has almost none: a contact's
 * share falls with the square of a number that hashes from its id. 40 % delivered, 40 % opened, 12 % clicked, 8 % custom.
 * @param loaded So many are there from a load that was cut off: each chunk is there as a whole or not at all.
 */
async function loadEvents(db: Database, contacts: number, loaded: number): Promise<void> {
  const total = contacts * EVENTS_PER_CONTACT
  await db.query(sql`select make_event_partitions((now() - interval '13 months')::date, 13)`)
  const CHUNK = 500_000
  for (let done = loaded; done < total; done += CHUNK) {
    const upTo = Math.min(done + CHUNK, total)
    await db.query(sql`
      with people as materialized (
        select id, row_number() over (order by id) - 1 as nth from contacts where account_id = 1
      )
      insert into events (account_id, id, contact_id, type, types, name, at, data)
      select 1, (left(replace(id_floor(at)::text, '-', ''), 12) || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
        people.id, type, array[type], case when type = 'custom' then 'bought' end, at,
        case when type = 'email_opened' and n % 10 = 0 then '{"machine": true}'::jsonb
          when type = 'custom' then jsonb_build_object('params', jsonb_build_object('amount', n % 200)) else '{}' end
      from (
        select n, floor(power((hashint8extended(n, 1) & 1073741823) / 1073741824.0, 2) * ${contacts})::bigint as nth,
          now() - power((hashint8extended(n, 2) & 1073741823) / 1073741824.0, 1.5) * interval '360 days' as at,
          case when h < 40 then 'email_delivered' when h < 80 then 'email_opened' when h < 92 then 'email_clicked' else 'custom' end as type
        from (select n, hashint8extended(n, 3) & 1023 as h1024, ((hashint8extended(n, 3) & 1073741823) % 100) as h
          from generate_series(${done + 1}::bigint, ${upTo}::bigint) as n) as drawn
      ) as event join people using (nth)`)
    progress(`loaded ${upTo.toLocaleString('en')} events`)
  }
}

/** A custom event that few have, a moment after clicks that a hash chooses; unless they are there from an earlier run. */
async function loadRefunds(db: Database, contacts: number): Promise<void> {
  await db.query(sql`
    insert into events (account_id, id, contact_id, type, types, name, at)
    select 1, (left(replace(id_floor(at)::text, '-', ''), 12) || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
      contact_id, 'custom', '{custom}', ${REFUND}, at
    from (
      select contact_id, at from events where account_id = 1 and type = 'email_clicked'
      order by hashtextextended(id::text, 7) limit ${Math.ceil(contacts / 2000)}) as clicked
    where not exists (select from events where account_id = 1 and type = 'custom' and name = ${REFUND})`)
}

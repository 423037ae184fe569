import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'

/** By what someone is found in what is kept: only as long as an erasure takes, and sealed where it has to wait. */
export interface Person {
  /** Contacts that are them; more than one where an address went from one to another. */
  ids: string[]
  /** Their address, and those they had before that nobody else has now. In order. */
  emails: string[]
  externalIds: string[]
  /** Imports whose files they stood in. */
  importIds: number[]
}

/** Everything by which a contact, or an address that nobody has, is known. */
export async function personOf(
  db: Queryable,
  accountId: number,
  known: { id?: string; email?: string },
): Promise<Person> {
  const { id = null, email = null } = known
  const of = sql`account_id = ${accountId}`
  const [row] = await db.query<Person>(sql`
    with held as (
      select id, email, external_id from contacts where ${of} and (id = ${id}::uuid or email = ${email}::text)
    ), lines as (
      select change_set_id, email, before ->> 'email' as was, after ->> 'email' as became
      from change_rows where ${of} and contact_id = any(array(select id from held))
      union all
      select change_set_id, email, null, null from change_rows where ${of} and contact_id is null and email = ${email}::text
    ), told as (
      select data #>> '{email,from}' as was, data #>> '{email,to}' as became from events
      where ${of} and contact_id = any(array(select id from held)) and data ? 'email'
    ), addresses as (
      select email from held union select ${email}::text union select email from lines union select was from lines
      union select became from lines union select was from told union select became from told
    )
    select array(select id from held order by id) as ids,
      array(select external_id from held where external_id is not null order by 1) as "externalIds",
      array(select distinct change_set_id from lines order by 1) as "importIds",
      array(
        select email from addresses as a where email is not null and not exists (
          select from contacts as other where other.account_id = ${accountId} and other.email = a.email and other.id <> all(array(select id from held)))
        order by email) as emails`)
  return row!
}

/**
 * Takes the addresses as one who enters them would, so that whoever is entering one at this moment is waited for; answers
 * the contacts that have them now. Their unique key is the lock.
 */
export async function holdAddresses(trx: Trx, accountId: number, emails: readonly string[]): Promise<string[]> {
  const rows = await trx.query<{ id: string }>(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}::bigint, email, 'none', 'erasure' from unnest(${[...emails].sort()}::text[]) as email
    on conflict (account_id, email) do update set email = excluded.email
    returning id`)
  return rows.map(({ id }) => id)
}

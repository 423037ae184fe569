import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Keyring, Mark } from '../../lib/secret.ts'
import { awaitNotes } from '../contacts/removal-lock.ts'
import { leaveErased } from '../subscriptions/suppressions.ts'

/** By what someone is found in what is kept: only as long as an erasure takes, and sealed where it has to wait. */
export interface Person {
  /** Contacts that are them; more than one where several addresses are erased as one person. */
  ids: string[]
  /** Their address, and those they had before that nobody else has now. In order. */
  emails: string[]
  externalIds: string[]
  /** Imports whose files they stood in. */
  importIds: number[]
}

/** Whom an erasure is about: a contact, or addresses, which nobody need have. */
export interface Known {
  id?: string
  emails?: readonly string[]
}

export interface Held {
  person: Person
  /** What has been left of each address. */
  marks: Mark[]
  /** Rows that hold an address that no contact had: to be removed, and told to nobody. */
  placeholders: string[]
}

/** As which a placeholder says that it is one. No contact ever has it: they go in the transaction that makes them. */
const PLACEHOLDER = 'erasure'

/**
 * Takes hold of a person, so that nothing of them changes and nobody enters their addresses until the transaction ends.
 * The contact first, as someone may be giving it another address at this moment; then its mark, and its address's row,
 * which waits for whoever is entering it; then, now that no more can be added to it, whatever was ever its address.
 * Undefined: there is no such contact any more.
 */
export async function holdPerson(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  { id, emails = [] }: Known,
): Promise<Held | undefined> {
  const locked = await trx.query<{ id: string; email: string }>(sql`
    select id, email from contacts where account_id = ${accountId} and (id = ${id ?? null}::uuid or email = any(${[...emails]}::text[]))
    order by id for update`)
  const current = [...new Set([...emails, ...locked.map(({ email }) => email)])].sort()
  if (current.length === 0) return undefined
  const marks = leaveErased(trx, keyring, accountId, current, 'erasure')
  const rows = await holdAddresses(trx, accountId, current)
  // Whoever has the address by now is them, also where it was being entered until this moment.
  const ids = [
    ...new Set([...locked, ...rows.filter(({ isPlaceholder }) => !isPlaceholder)].map((row) => row.id)),
  ].sort()

  awaitNotes(trx, accountId)
  const told = await toldOf(trx, accountId, ids, current)
  const former = await holdAddresses(trx, accountId, told.formerEmails)
  const theirs = former.filter(({ isPlaceholder }) => isPlaceholder) // of the others somebody else has them now
  marks.push(
    ...leaveErased(
      trx,
      keyring,
      accountId,
      theirs.map(({ email }) => email),
      'erasure',
    ),
  )
  const { externalIds, importIds } = told
  return {
    person: { ids, emails: [...current, ...theirs.map(({ email }) => email)].sort(), externalIds, importIds },
    marks,
    placeholders: [...rows, ...theirs].filter(({ isPlaceholder }) => isPlaceholder).map((row) => row.id),
  }
}

/** The addresses that are named, or that a contact has at this moment. */
export async function addressesOf(db: Queryable, accountId: number, { id, emails = [] }: Known): Promise<string[]> {
  const rows = await db.query<{ email: string }>(
    sql`select email from contacts where account_id = ${accountId} and id = ${id ?? null}::uuid`,
  )
  return [...emails, ...rows.map(({ email }) => email)]
}

/** What is told of these contacts, and of rows that were about nobody but named an address of theirs. */
async function toldOf(db: Queryable, accountId: number, ids: readonly string[], emails: readonly string[]) {
  const of = sql`account_id = ${accountId} and contact_id = any(${[...ids]}::uuid[])`
  const [row] = await db.query<Pick<Person, 'externalIds' | 'importIds'> & { formerEmails: string[] }>(sql`
    with lines as (
      select change_set_id, email, before ->> 'email' as was, after ->> 'email' as became from change_rows where ${of}
      union all
      select change_set_id, email, null, null from only change_rows
      where account_id = ${accountId} and contact_id is null and email = any(${[...emails]}::text[])
    ), told as (
      select data #>> '{email,from}' as was, data #>> '{email,to}' as became from events where ${of} and data ? 'email'
    ), addresses as (
      select email from lines union select was from lines union select became from lines
      union select was from told union select became from told
    )
    select array(
        select external_id from contacts
        where account_id = ${accountId} and id = any(${[...ids]}::uuid[]) and external_id is not null order by 1) as "externalIds",
      array(select distinct change_set_id from lines order by 1) as "importIds",
      array(select email from addresses where email is not null and email <> all(${[...emails]}::text[]) order by 1) as "formerEmails"`)
  return row!
}

interface HeldAddress {
  id: string
  email: string
  isPlaceholder: boolean
}

/**
 * Takes addresses as one who enters them would, so that whoever is entering one at this moment is waited for, and who comes
 * later waits. Their unique key is the lock.
 */
function holdAddresses(trx: Trx, accountId: number, emails: readonly string[]): Promise<HeldAddress[]> {
  return trx.query<HeldAddress>(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}::bigint, email, 'none', ${PLACEHOLDER} from unnest(${[...emails].sort()}::text[]) as email
    on conflict (account_id, email) do update set email = excluded.email
    returning id, email, origin = ${PLACEHOLDER} as "isPlaceholder"`)
}

/** Lets go of addresses that nobody had. Who waits for one learns of the mark once the transaction has ended. */
export function removePlaceholders(trx: Trx, accountId: number, ids: readonly string[]): void {
  if (ids.length === 0) return
  trx.send(sql`delete from contacts where account_id = ${accountId} and id = any(${[...ids]}::uuid[])`)
}

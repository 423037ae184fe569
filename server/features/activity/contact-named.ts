import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import type { ContactRef } from '../../lib/contact-ref.ts'
import { displayEmail } from '../../lib/email.ts'
import { isReferred } from './referred.ts'

/** Whom a path or a query names; undefined: nobody. The row is locked when `lock` is set. */
export async function findContactNamed(
  db: Queryable,
  accountId: number,
  ref: ContactRef,
  lock = false,
): Promise<{ id: string; email: string } | undefined> {
  const [row] = await db.query<{ id: string; email: string }>(sql`
    select c.id, c.email from contacts as c
    where c.account_id = ${accountId} and ${isReferred(ref)} ${lock ? sql`for no key update` : sql``}`)
  return row
}

/** The same. Throws not_found. */
export async function contactNamed(
  db: Queryable,
  accountId: number,
  ref: ContactRef,
  lock = false,
): Promise<{ id: string; email: string }> {
  const row = await findContactNamed(db, accountId, ref, lock)
  if (!row) throw notFound()
  return row
}

/** The addresses of those contacts of some events that are there, by id. */
export async function emailsIn(
  db: Queryable,
  accountId: number,
  events: readonly { contact_id: string | null }[],
): Promise<Map<string, string>> {
  const ids = [...new Set(events.map(({ contact_id }) => contact_id).filter((id) => id !== null))]
  const rows = await db.query<{ id: string; email: string }>(sql`
    select id, email from contacts where account_id = ${accountId} and id = any(${ids}::uuid[])`)
  return new Map(rows.map(({ id, email }) => [id, displayEmail(email)]))
}

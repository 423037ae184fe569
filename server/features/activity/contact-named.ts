import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import type { ContactRef } from '../../lib/contact-ref.ts'
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

import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import type { ContactRef } from '../../lib/contact-ref.ts'

/** Whom a path or a query names; undefined: nobody. The row is locked when `lock` is set. */
export async function findContactNamed(db: Queryable, accountId: number, ref: ContactRef, lock = false) {
  const condition = {
    id: sql`id = ${ref.by === 'id' ? ref.id : null}::uuid`,
    email: sql`email = ${ref.by === 'email' ? ref.email : null}`,
    external_id: sql`external_id = ${ref.by === 'external_id' ? ref.externalId : null}`,
    none: sql`false`,
  }[ref.by]
  const [row] = await db.query<{ id: string; email: string }>(sql`
    select id, email from contacts where account_id = ${accountId} and ${condition} ${lock ? sql`for no key update` : sql``}`)
  return row
}

/** The same. Throws not_found. */
export async function contactNamed(db: Queryable, accountId: number, ref: ContactRef, lock = false) {
  const row = await findContactNamed(db, accountId, ref, lock)
  if (!row) throw notFound()
  return row
}

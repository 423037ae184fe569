import sql, { type Sql } from 'sql-template-tag'
import type { ContactRef } from '../../lib/contact-ref.ts'

/** Which contact a path names, as a condition over `contacts as c`. */
export function isReferred(ref: ContactRef): Sql {
  switch (ref.by) {
    case 'id':
      return sql`c.id = ${ref.id}::uuid`
    case 'email':
      return sql`c.email = ${ref.email}`
    case 'external_id':
      return sql`c.external_id = ${ref.externalId}`
    case 'none':
      return sql`false`
  }
}

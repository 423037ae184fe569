import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { displayEmail } from '../../lib/email.ts'
import type { FieldValue } from '../fields/definition.ts'
import { loadFields } from '../fields/field-set.ts'

/** What a template may say of a contact: the address, and every field by its merge tag, null where it is unset. */
export async function contactVariables(
  db: Queryable,
  accountId: number,
  contactId: string,
): Promise<Record<string, unknown>> {
  const [fields, [row]] = await Promise.all([
    loadFields(db, accountId),
    db.query<{ email: string; fields: Record<string, FieldValue> }>(
      sql`select email, fields from contacts where account_id = ${accountId} and id = ${contactId}`,
    ),
  ])
  const values = fields.active.map(({ key, mergeTag }) => [mergeTag, row?.fields[key] ?? null] as const)
  return { ...Object.fromEntries(values), email: row === undefined ? null : displayEmail(row.email) }
}

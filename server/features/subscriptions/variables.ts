import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { displayEmail } from '../../lib/email.ts'
import type { FieldValue } from '../fields/definition.ts'
import { loadFields } from '../fields/field-set.ts'
import type { FieldUsers } from '../fields/usage.ts'

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

/** How Liquid names a field: `contact.plan`, `contact["plan"]`. */
const NAMED = `contact(?:[.]|[[]["'])([A-Za-z_][A-Za-z0-9_]*)`

/** The account's own templates, as they are now, that name fields of a contact. */
export const templatesWithFields: FieldUsers = async (db, { accountId }, fields) => {
  const rows = await db.query<{ name: string; tags: string[] }>(sql`
    select name, array(select distinct named[1] from regexp_matches(concat_ws(' ', subject, html, text), ${NAMED}, 'g') as named) as tags
    from (
      select distinct on (name) name, subject, html, text from templates where account_id = ${accountId} order by name, version desc
    ) as latest order by name`)
  return rows.map(({ name, tags }) => ({
    ...{ kind: 'template', id: name, name },
    fields: tags.flatMap((tag) => fields.tagged(tag)?.id ?? []),
  }))
}

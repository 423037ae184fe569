import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import { displayEmail } from '../../lib/email.ts'
import { parseId } from '../../lib/ids.ts'
import { escapeLike } from '../../lib/text.ts'
import type { FieldSet } from './field-set.ts'
import { learn } from './sample.ts'

/** What contacts have beside fields that values can be suggested of, over `contacts as c`: each a row of `v (value)`. */
const ATTRIBUTES: Readonly<Record<string, Sql>> = {
  tag: sql`unnest(c.tags) as v (value)`,
  email_domain: sql`(select split_part(c.email, '@', 2)) as v (value)`,
  origin: sql`(select c.origin) as v (value)`,
}

export interface Values {
  values: { value: string; count: number }[]
  /** Contacts that were looked at, and whether these are all. */
  looked_at: number
  is_exact: boolean
}

/**
 * Values that contacts have under a name, the commonest first, after those that begin with `q` if there is one; told apart
 * without regard to case, as criteria do, and shown as most write them. Counts are of the whole account, estimated from a sample
 * of a large one, so that a rare value may be missing.
 * @param name A field's id or merge tag, or `tag`, `email_domain`, `origin`.
 * Throws not_found, and `invalid` for a field of another kind than text and select.
 */
export async function readValues(
  db: Database,
  accountId: number,
  fields: FieldSet,
  name: string,
  { q, limit }: { q: string; limit: number },
): Promise<Values> {
  const source = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name]! : valuesOf(fields, name)
  const pattern = sql`lower(${escapeLike(q)}) || '%'`
  const { rows, seen, isExact, scale } = await learn<{ value: string; count: number }>(
    db,
    accountId,
    (contacts) => sql`
      select mode() within group (order by value) as value, count(*) as count
      from (${contacts}) as c, lateral ${source}
      where lower(value) like '%' || ${pattern}
      group by lower(value collate "default") order by lower(value collate "default") like ${pattern} desc, count(*) desc, 1 limit ${limit}`,
  )
  const shown = name === 'email_domain' ? (value: string) => displayEmail(`x@${value}`).slice(2) : String
  return {
    values: rows.map(({ value, count }) => ({ value: shown(value), count: Math.round(count * scale) })),
    looked_at: seen,
    is_exact: isExact,
  }
}

function valuesOf(fields: FieldSet, name: string): Sql {
  const id = parseId(name)
  const field = id === null ? fields.tagged(name) : fields.numbered(id)
  if (!field) throw notFound()
  if (field.type !== 'text' && field.type !== 'select')
    throw invalid({ field_id: [`is a ${field.type} field: values are told of text and select fields`] })
  return sql`(select c.fields ->> ${field.key}) as v (value)`
}

import sql, { join, type Sql } from 'sql-template-tag'

/** A function takes 100 arguments. */
const AT_ONCE = 90

/**
 * An object as the text of its JSON, from the names of its members and the texts of their values; those that are null are
 * left out. For each row this takes half the time of `jsonb_build_object`, which looks up the type of every value.
 */
export function objectText(members: readonly (readonly [name: string, json: Sql])[]): Sql {
  const texts = members.map(([name, json]) => sql`${`${JSON.stringify(name)}:`}::text || ${json}`)
  const groups: Sql[] = []
  for (let at = 0; at < texts.length; at += AT_ONCE)
    groups.push(sql`nullif(concat_ws(',', ${join(texts.slice(at, at + AT_ONCE))}), '')`)
  return groups.length === 0 ? sql`'{}'` : sql`'{' || concat_ws(',', ${join(groups)}) || '}'`
}

/** The same as jsonb. */
export function object(members: readonly (readonly [name: string, json: Sql])[]): Sql {
  return sql`(${objectText(members)})::jsonb`
}

/** A value as the text of its JSON; null for null. */
export function json(value: Sql): Sql {
  return sql`to_json(${value})::text`
}

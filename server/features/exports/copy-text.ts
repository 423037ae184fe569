import sql, { join, raw, type Sql } from 'sql-template-tag'

/**
 * COPY takes no bound values, so what a user has written must reach it in other ways: here everything is named by numbers,
 * and names are looked up by the statement itself. `copyText` sees to it that nothing else has come in.
 */
export function copyText(statement: Sql): string {
  if (statement.values.length > 0) throw new TypeError('a value would have to become part of the SQL')
  return statement.text
}

/** A number as a part of the text. */
export function whole(number: number): Sql {
  if (!Number.isSafeInteger(number)) throw new RangeError(`not a whole number: ${number}`)
  return raw(String(number))
}

/** Something of a field's definition, evaluated once a statement. */
export function ofField(accountId: number, fieldId: number, what: Sql): Sql {
  return sql`(select ${what} from fields as f where f.account_id = ${whole(accountId)} and f.id = ${whole(fieldId)})`
}

/** PostgreSQL's functions take 100 arguments. */
const ARGUMENTS = 90

/** All these put together as one text; null counts as nothing. */
export function concatenated(parts: readonly Sql[]): Sql {
  const groups = Array.from({ length: Math.ceil(parts.length / ARGUMENTS) }, (_, nth) =>
    parts.slice(nth * ARGUMENTS, (nth + 1) * ARGUMENTS),
  )
  return join(
    groups.map((group) => sql`concat(${join(group, ', ')})`),
    ' || ',
  )
}

import sql, { type Sql } from 'sql-template-tag'
import { formatParts } from '../../lib/dates.ts'
import { countCharacters } from '../../lib/text.ts'
import type { FieldDefinition } from '../fields/definition.ts'
import { concatenated, ofField, whole } from './copy-text.ts'

/**
 * `defuse` of lib/spreadsheet-cell.ts over a column. Almost every text is told by its first character, most of them as it is a letter: looking at that
 * alone costs a fifth of what the patterns do.
 */
export function defused(column: Sql): Sql {
  return sql`case when ascii(${column}) < 65 and ascii(${column}) in (39, 61, 43, 45, 64, 9, 13)
    and ${column} ~ '^''*[=+\\-@\\t\\r]'
    and ${column} !~* '^[+-]([0-9]+([.,][0-9]+)*|[.,][0-9]+)(e[+-]?[0-9]+)?$'
    and ${column} !~ '^\\+\\(?[0-9][0-9 ()./-]{4,28}[0-9]$'
    then '''' || ${column} else ${column} end`
}

/** An item of a cell that holds several, parted by commas: quoted as CSV does it, where it would be read as something else. */
const item = (text: Sql) =>
  sql`case when ${text} ~ '[",\\r\\n]' then '"' || replace(${text}, '"', '""') || '"' else ${text} end`

export const LIST_NAME = item(sql`l.name`)

/** No tag has a comma, and hardly one a quote. */
export const TAGS = sql`case when position('"' in array_to_string(c.tags, ',')) = 0 then array_to_string(c.tags, ',')
  else array_to_string(array(select ${item(sql`tag`)} from unnest(c.tags) as tag), ',') end`

/** The text of a field's value, or null: `displayValue` of features/fields/coerce.ts as SQL. */
export function fieldText({ accountId, id, type, format }: FieldDefinition): Sql {
  const value = sql`c.fields ->> ${ofField(accountId, id, sql`f.key`)}`
  return type === 'date' && format !== null ? formatted(sql`(${value})`, { accountId, id, format }) : value
}

/** As many years as two digits can tell: `formatDate` writes others as ISO. */
const SHORT_YEARS = sql`between '1969' and '2068'`

const TOKENS: Record<string, (date: Sql) => Sql> = {
  YYYY: (date) => sql`left(${date}, 4)`,
  YY: (date) => sql`substr(${date}, 3, 2)`,
  MMM: (date) => sql`('{Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec}'::text[])[substr(${date}, 6, 2)::int]`,
  MM: (date) => sql`substr(${date}, 6, 2)`,
  M: (date) => sql`ltrim(substr(${date}, 6, 2), '0')`,
  DD: (date) => sql`substr(${date}, 9, 2)`,
  D: (date) => sql`ltrim(substr(${date}, 9, 2), '0')`,
}

/** A date in its field's format. What stands between day, month and year is taken from the definition by its place. */
function formatted(date: Sql, field: { accountId: number; id: number; format: string }): Sql {
  const parts = formatParts(field.format)
  if (!parts) return date
  let at = 1 + countCharacters(field.format.slice(0, field.format.indexOf(field.format.trim())))
  const shown = parts.map((part) => {
    const length = countCharacters(part)
    const from = at
    at += length
    const token = Object.hasOwn(TOKENS, part) ? TOKENS[part] : undefined
    return token?.(date) ?? ofField(field.accountId, field.id, sql`substr(f.format, ${whole(from)}, ${whole(length)})`)
  })
  const isShort = parts.includes('YY') ? sql`and left(${date}, 4) ${SHORT_YEARS}` : sql``
  return sql`case when ${date} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' ${isShort} then ${concatenated(shown)} else ${date} end`
}

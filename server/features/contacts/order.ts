import sql, { type Sql } from 'sql-template-tag'
import type { Position } from '../../http/paging.ts'
import { invalid } from '../../lib/app-error.ts'
import type { FieldSet } from '../fields/field-set.ts'

/** In which order contacts are listed: by one value, those without it last, and by id among equals. */
export interface Order {
  /** As it was asked for; part of what a cursor is bound to. */
  name: string
  descending: boolean
  /** What is compared, over `contacts as c`; undefined: the id alone, which is the order in which people were entered. */
  by: { value: Sql; type: Sql; always?: true } | undefined
}

/** `always`: every contact has it, so that an index on it serves both directions. */
const COLUMNS: Readonly<Record<string, { value: Sql; type: Sql; always?: true }>> = {
  email: { value: sql`c.email`, type: sql`text`, always: true },
  external_id: { value: sql`c.external_id`, type: sql`text` },
  state: { value: sql`c.state`, type: sql`text`, always: true },
  created_at: { value: sql`c.created_at`, type: sql`timestamptz`, always: true },
  updated_at: { value: sql`c.updated_at`, type: sql`timestamptz`, always: true },
}

/** The newest first. */
export const NEWEST_FIRST: Order = { name: '-id', descending: true, by: undefined }

/** `created_at`, `-updated_at`, or any merge tag; a minus turns it round. Throws `invalid`. */
export function parseOrder(sort: string | undefined, fields: FieldSet): Order {
  if (sort === undefined || sort === '' || sort === '-id') return NEWEST_FIRST
  const descending = sort.startsWith('-')
  const name = sort.replace(/^[-+]/, '')
  if (name === 'id') return { name: sort, descending, by: undefined }
  const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined
  if (column) return { name: sort, descending, by: column }
  const field = fields.tagged(name)
  if (!field)
    throw invalid({
      sort: [
        `is not a name to sort by (one name, with - before it to turn it round): there are id, ${[...Object.keys(COLUMNS), ...fields.mergeTags].join(', ')}`,
      ],
    })
  // Numbers are read as such only where they are: a field may be in the middle of its conversion.
  const isNumber = field.type === 'integer' || field.type === 'number'
  const by = isNumber
    ? {
        value: sql`case when jsonb_typeof(c.fields -> ${field.key}) = 'number' then (c.fields ->> ${field.key})::numeric end`,
        type: sql`numeric`,
      }
    : { value: sql`lower(c.fields ->> ${field.key}) collate "C"`, type: sql`text` }
  return { name: sort, descending, by }
}

const ASCENDING = { way: sql`asc`, beyond: sql`>` }
const DESCENDING = { way: sql`desc`, beyond: sql`<` }

/** The `order by` of a page. */
export function orderBy({ by, descending }: Order): Sql {
  const { way } = descending ? DESCENDING : ASCENDING
  if (!by) return sql`c.id ${way}`
  return sql`${by.value} ${way} ${by.always ? sql`` : sql`nulls last`}, c.id ${way}`
}

/** What a cursor must remember of a page's last row, as one text column; null where the row has no value. */
export function positionColumn({ by }: Order): Sql {
  return by ? sql`(${by.value})::text` : sql`null::text`
}

/** Only the rows behind that position. */
export function behind({ by, descending }: Order, [value, id]: Position): Sql {
  const { beyond } = descending ? DESCENDING : ASCENDING
  if (!by) return sql`c.id ${beyond} ${id}::uuid`
  if (value === null) return sql`(${by.value} is null and c.id ${beyond} ${id}::uuid)`
  const bound = sql`${value}::${by.type}`
  if (by.always) return sql`(${by.value}, c.id) ${beyond} (${bound}, ${id}::uuid)`
  return sql`(${by.value} ${beyond} ${bound} or (${by.value} = ${bound} and c.id ${beyond} ${id}::uuid) or ${by.value} is null)`
}

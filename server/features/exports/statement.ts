import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { defused, LIST_NAME } from './cells.ts'
import type { Column } from './columns.ts'
import { concatenated, copyText, ofField, whole } from './copy-text.ts'

/** Which contacts a statement reads: all, or those whose ids stand in the temporary table `chosen`. */
export interface Source {
  accountId: number
  isChosen: boolean
  /** Whether they are so many that reading all lists at once is quicker than asking for those of each. */
  areMany: boolean
}

/** What an export writes a line as: cells of CSV, a JSON object under the columns' names, or a JSON array of typed values. */
export type Shape = 'cells' | 'object' | 'array'

/** The COPY that writes a line for each contact, in the order in which they were entered. */
export function copyStatement(columns: readonly Column[], source: Source, shape: Shape, asTheyAre = false): string {
  const names = columns.map((_column, at) => sql`v${whole(at)}`)
  const values = columns.map((column, at) => sql`${valueIn(column, shape)} as ${names[at]}`)
  // `offset 0` keeps this a subquery of its own, so that what is looked at twice is worked out once.
  const rows = sql`(select ${join(values, ', ')} ${from(source, columns, shape)} order by c.id offset 0) as row`
  if (shape === 'cells') {
    const cells = columns.map(({ kind }, at) =>
      asTheyAre || kind === 'plain' || kind === 'moment' ? names[at]! : defused(names[at]!),
    )
    return copyText(sql`copy (select ${join(cells, ', ')} from ${rows}) to stdout (format csv)`)
  }
  const line = shape === 'array' ? arrayLine(names) : objectLine(columns, names, source.accountId)
  // JSON holds no control characters, so that with these nothing is ever quoted.
  return copyText(sql`copy (select ${line} from ${rows}) to stdout (format csv, quote E'\\x01', delimiter E'\\x02')`)
}

function valueIn(column: Column, shape: Shape): Sql {
  if (shape === 'cells') return column.text
  // A sheet's cell holds one text for what JSON has an array for.
  const json =
    shape === 'array' && column.field === undefined && column.kind === 'text'
      ? sql`to_json(${column.text})`
      : column.json
  return sql`(${json})::text`
}

const NULL = sql`'null'`

function arrayLine(names: readonly Sql[]): Sql {
  const items = names.flatMap((name, at) => [at === 0 ? sql`'['` : sql`','`, sql`coalesce(${name}, ${NULL})`])
  return concatenated([...items, sql`']'`])
}

function objectLine(columns: readonly Column[], names: readonly Sql[], accountId: number): Sql {
  const items = columns.flatMap(({ name, field }, at) => [
    at === 0 ? sql`'{'` : sql`','`,
    // An attribute's name is a word of the code; of a field's the definition has the text.
    field ? ofField(accountId, field.id, sql`to_json(f.merge_tag)`) : attributeName(name),
    sql`':'`,
    sql`coalesce(${names[at]}, ${NULL})`,
  ])
  return concatenated([...items, sql`'}'`])
}

function attributeName(name: string): Sql {
  if (!/^[a-z_]+$/.test(name)) throw new TypeError(`not an attribute: ${name}`)
  return raw(`'"${name}"'`)
}

/** What is told of a contact's lists, by the column that asks for it. */
const OF_LISTS: Record<Shape, Record<string, Sql>> = {
  cells: {
    lists: sql`string_agg(l.item, ',' order by l.id) as names`,
    list_ids: sql`string_agg(l.id::text, ',' order by l.id) as ids`,
  },
  array: {
    lists: sql`string_agg(l.item, ',' order by l.id) as names`,
    list_ids: sql`json_agg(l.id order by l.id) as ids_json`,
  },
  object: {
    lists: sql`json_agg(l.name order by l.id) as names_json`,
    list_ids: sql`json_agg(l.id order by l.id) as ids_json`,
  },
}

function from({ accountId, isChosen, areMany }: Source, columns: readonly Column[], shape: Shape): Sql {
  const account = whole(accountId)
  const contacts = isChosen
    ? sql`from chosen join contacts as c on c.account_id = ${account} and c.id = chosen.id`
    : sql`from contacts as c`
  const which = isChosen ? empty : sql`where c.account_id = ${account}`
  const asked = columns.filter(({ needsLists }) => needsLists).map(({ name }) => OF_LISTS[shape][name]!)
  if (asked.length === 0) return sql`${contacts} ${which}`
  const told = join(asked, ', ')
  const lists = sql`(select l.id, l.name, ${LIST_NAME} as item from lists as l where l.account_id = ${account}`
  const of = sql`where m.account_id = ${account}`
  return areMany
    ? sql`${contacts} left join (
        select m.contact_id, ${told} from list_members as m join ${lists} offset 0) as l on l.id = m.list_id ${of} group by m.contact_id
      ) as m on m.contact_id = c.id ${which}`
    : sql`${contacts} cross join lateral (
        select ${told} from list_members as m join ${lists}) as l on l.id = m.list_id ${of} and m.contact_id = c.id
      ) as m ${which}`
}

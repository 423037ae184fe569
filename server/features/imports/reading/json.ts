import { findUnstorable } from '../../../lib/text.ts'
import { decode, detectEncoding } from './encoding.ts'
import { cleanName, MOST_COLUMNS } from './header.ts'
import { type JsonText, splitDocument, splitLines } from './json-elements.ts'
import { inBatches } from './rows.ts'
import type { Bytes } from './source-bytes.ts'
import type { Cell, FormatAsked, OpenedTable, TableRow } from './table.ts'

/** How many contacts are looked at for the columns that are known from the start. */
const FIRST_ROWS = 1000

/** Objects in objects become columns `address.city`; deeper than this nobody means a contact. */
const DEEPEST = 5

/** Reads the first contacts. */
export async function openJson(
  bytes: Bytes,
  head: Buffer,
  asked: FormatAsked,
  format: 'json' | 'ndjson',
): Promise<OpenedTable> {
  const { encoding } = await detectEncoding(bytes, head, asked.encoding)
  const columns = new Columns()
  const open = () => {
    const text = asText(decode(bytes, encoding))
    return readRows(format === 'json' ? splitDocument(text) : splitLines(text), columns)
  }
  let seen = 0
  for await (const rows of open()) {
    seen += rows.length
    if (seen >= FIRST_ROWS) break
  }
  return {
    detected: {
      format,
      encoding,
      encoding_guess: null,
      delimiter: null,
      header: true,
      header_line: null,
      sheet: null,
      sheets: null,
      columns: columns.names.length,
    },
    columns: columns.names,
    rows: () => inBatches(open()),
  }
}

async function* asText(chunks: AsyncIterable<string | Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of chunks) yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

async function* readRows(texts: AsyncIterable<JsonText[]>, columns: Columns): AsyncGenerator<TableRow[]> {
  for await (const some of texts) yield some.map((text) => readRow(text, columns)).filter((row) => row !== null)
}

/** null for an object without a value. */
function readRow({ line, text }: JsonText, columns: Columns): TableRow | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const place = /at position (\d+)/.exec(String(error))?.[1]
    const where = place === undefined ? '' : ` at its character ${Number(place) + 1}`
    return { line, cells: [], problem: `is not correct JSON${where}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { line, cells: [], problem: 'is not a JSON object, as in {"email": "anna@example.com"}' }
  }
  const cells: Cell[] = []
  const problem = fill(cells, value, '', columns, 0) ?? unstorable(value)
  if (problem !== undefined) return { line, cells, problem }
  return cells.some((cell) => cell !== null && cell !== '') ? { line, cells } : null
}

/** @returns What is wrong, if something is. */
function fill(cells: Cell[], object: object, prefix: string, columns: Columns, depth: number): string | undefined {
  if (depth > DEEPEST) return 'has objects in objects, too deep for a contact'
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const below = prefix === '' && key === 'fields' ? FIELDS : `${prefix}${key}.`
      const problem = fill(cells, value, below, columns, depth + 1)
      if (problem !== undefined) return problem
      continue
    }
    const at = columns.indexOf(prefix, key)
    if (at === null) return `has a key beyond the ${MOST_COLUMNS} different ones that can be read`
    while (cells.length < at) cells.push(null)
    cells[at] = value as Cell
  }
}

function unstorable(value: object): string | undefined {
  const path = findUnstorable(value)
  if (path !== null) return `holds a character that text can not have (NUL, or half of a surrogate pair) at ${path}`
}

/** What stands in `fields` has the names that it would have beside it. */
const FIELDS = 'fields.'

/** Keys in the order in which they were met, each with a name of its own. */
class Columns {
  readonly names: string[] = []
  readonly #places = new Map<string, number>()
  readonly #taken = new Set<string>()

  /** null when there are too many. */
  indexOf(prefix: string, key: string): number | null {
    const path = prefix + key
    const known = this.#places.get(path)
    if (known !== undefined) return known
    if (this.names.length >= MOST_COLUMNS) return null
    const wanted = cleanName(prefix.startsWith(FIELDS) ? path.slice(FIELDS.length) : path)
    let name = wanted
    for (let nth = 2; this.#taken.has(name); nth++) name = `${wanted} (${nth})`
    this.#taken.add(name)
    this.#places.set(path, this.names.length)
    this.names.push(name)
    return this.names.length - 1
  }
}

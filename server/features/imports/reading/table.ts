import { tmpdir } from 'node:os'
import type { Readable } from 'node:stream'
import { identify } from './content.ts'
import { openCsv } from './csv.ts'
import { openJson } from './json.ts'
import { bytesOf, detectCompression, HEAD_BYTES, readHead } from './source-bytes.ts'
import { UnreadableFile } from './unreadable.ts'
import { openXlsx } from './xlsx.ts'

/** Where the bytes come from; may be opened more than once, each time from the start. */
export interface TableSource {
  open: () => Promise<Readable>
  /** What the file was called, for messages alone: what it is, its content says. */
  name: string | null
}

export type TableFormat = 'csv' | 'xlsx' | 'ndjson' | 'json'

/** What a caller has said of the file; what is left out is detected. */
export interface FormatAsked {
  format?: TableFormat
  /** One character. */
  delimiter?: string
  /** A label of the WHATWG Encoding Standard, such as windows-1252. */
  encoding?: string
  sheet?: string
  /** Whether the first row names the columns. */
  header?: boolean
}

/** What the file was found to be: shown to people in the import's status. */
export interface Detected {
  format: TableFormat
  compression: 'gzip' | null
  encoding: string | null
  /** Another encoding that the bytes look like. Told alone, never followed: guesses are wrong too often. */
  encoding_guess: string | null
  delimiter: string | null
  header: boolean
  /** The line in which the header stands: below the first one where a title stands above it. */
  header_line: number | null
  sheet: string | null
  /** All visible sheets, in the order of the workbook. */
  sheets: string[] | null
  columns: number
}

/**
 * CSV cells are texts; XLSX cells texts, numbers, booleans, and dates as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS; cells of JSON
 * any scalar or array. null and '' are empty.
 */
export type Cell = string | number | boolean | null | readonly unknown[]

export interface TableRow {
  /** The line where it begins, counted from 1 as editors do; of a sheet the row; of a JSON document the nth contact. */
  line: number
  /** As many as there are columns, or fewer: what is missing at the end is empty. */
  cells: readonly Cell[]
  /** Why this row can't be taken. Its cells are then what could be read of it. */
  problem?: string
}

export interface Table {
  detected: Detected
  /** Names, each once. Of JSON they grow while rows are read, at the end alone. */
  columns: readonly string[]
  /** All rows, in batches of at most 1,000. Rows without a single cell filled are left out. Throws UnreadableFile. */
  rows: () => AsyncGenerator<TableRow[]>
}

/** A table before anyone has said how its file was compressed. */
export interface OpenedTable extends Omit<Table, 'detected'> {
  detected: Omit<Detected, 'compression'>
}

export interface ReadingLimits {
  /** What a compressed file may expand to, in bytes. */
  inflatedBytes?: number
  /** Where a workbook is copied to while it is read, as its directory stands at its end. The copy has no name. */
  spoolFolder?: string
}

const MOST_INFLATED = 10 * 2 ** 30

/**
 * Finds out what a file is and opens it. Reads a CSV once from end to end, as its encoding can turn on its last byte.
 * Throws UnreadableFile.
 */
export async function openTable(source: TableSource, asked: FormatAsked, limits: ReadingLimits = {}): Promise<Table> {
  const { inflatedBytes = MOST_INFLATED, spoolFolder = tmpdir() } = limits
  const compression = await detectCompression(source)
  const bytes = bytesOf(source, compression, inflatedBytes)
  const head = await readHead(bytes)
  const format = formatOf(identify(head, head.length < HEAD_BYTES), asked.format)
  const table = await open(format)
  return { ...table, detected: { ...table.detected, compression } }

  function open(format: TableFormat): Promise<OpenedTable> {
    switch (format) {
      case 'csv':
        return openCsv(bytes, head, asked)
      case 'xlsx':
        return openXlsx(bytes, asked, { inflatedBytes, spoolFolder })
      case 'ndjson':
      case 'json':
        return openJson(bytes, head, asked, format)
    }
  }
}

/** A workbook can't be read as text, nor a text as a workbook; which text it is, a caller may know better. */
function formatOf(found: TableFormat, asked: TableFormat = found): TableFormat {
  if ((found === 'xlsx') === (asked === 'xlsx')) return asked
  throw new UnreadableFile(
    found === 'xlsx'
      ? `The file is a workbook or another ZIP, not ${asked}; leave out the format`
      : `The file is text, not a workbook; leave out the format, or say which text it is`,
  )
}

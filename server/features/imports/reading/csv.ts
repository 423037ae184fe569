import { restore } from '../../../lib/spreadsheet-cell.ts'
import { looksBinary } from './content.ts'
import { type CsvRecord, readRecords } from './csv-records.ts'
import { checkDelimiter, detectDelimiter, readSepLine } from './delimiter.ts'
import { decode, detectEncoding, type EncodingFound } from './encoding.ts'
import { layOut } from './header.ts'
import { inBatches } from './rows.ts'
import type { Bytes } from './source-bytes.ts'
import type { FormatAsked, OpenedTable, TableRow } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

/** How many are looked at for the header and, without one, for the number of columns. */
const FIRST_RECORDS = 100

/** Of a batch behind the first. Less lives at once than of 1000, so that collecting garbage takes 0.9 s of a million rows in place of 1.6. */
const ROWS = 250

/** @param head The file's first bytes. */
export async function openCsv(bytes: Bytes, head: Buffer, asked: FormatAsked): Promise<OpenedTable> {
  const found = await detectEncoding(bytes, head, asked.encoding)
  if (!found.encoding.startsWith('utf-16') && looksBinary(head)) {
    throw new UnreadableFile('The file is binary, not text; save the table as CSV or XLSX')
  }
  const start = new TextDecoder(found.encoding).decode(head, { stream: true })
  const sep = readSepLine(start)
  const delimiter =
    asked.delimiter === undefined ? (sep?.delimiter ?? detectDelimiter(start)) : checkDelimiter(asked.delimiter)
  const open = () => readRecords(skip(decode(bytes, found.encoding), sep?.length ?? 0), delimiter, sep ? 2 : 1)

  const first = await firstRecords(open())
  const layout = layOut(first.map(restored), asked.header)
  const width = layout.columns.length
  return {
    detected: {
      format: 'csv',
      encoding: found.encoding,
      encoding_guess: found.guess,
      delimiter,
      header: layout.header,
      header_line: layout.headerLine,
      sheet: null,
      sheets: null,
      columns: width,
    },
    columns: layout.columns,
    rows: () => inBatches(readRows(open(), layout.skipped, width, found), ROWS),
  }
}

async function* readRows(
  records: AsyncGenerator<CsvRecord[]>,
  skipped: number,
  columns: number,
  found: EncodingFound,
): AsyncGenerator<TableRow[]> {
  let above = skipped
  for await (const some of records) {
    const rows: TableRow[] = []
    for (const record of some) {
      if (above > 0) above--
      else if (!isBlank(record.cells)) rows.push(toRow(record, columns, found))
    }
    yield rows
  }
}

function toRow(record: CsvRecord, columns: number, found: EncodingFound): TableRow {
  const problem = findProblem(record, columns, found)
  const { line, cells } = restored(record)
  return problem === undefined ? { line, cells } : { line, cells, problem }
}

function findProblem({ cells, width }: CsvRecord, columns: number, found: EncodingFound): string | undefined {
  if (width > columns) {
    const filled = width > cells.length ? width : filledLength(cells)
    if (filled > columns)
      return `has ${filled} cells, but there are ${columns} columns: a cell with a delimiter needs quotes`
  }
  if (found.mayHoldNul && cells.some((cell) => cell.includes('\0'))) return 'holds a NUL character'
  if (found.isDamaged && cells.some((cell) => cell.includes('\ufffd'))) return 'holds bytes that are not UTF-8'
}

function isBlank(cells: readonly string[]): boolean {
  return cells[0]!.trim() === '' && cells.every((cell) => cell.trim() === '')
}

/** Without the empty cells at the end. */
function filledLength(cells: readonly string[]): number {
  let length = cells.length
  while (length > 0 && cells[length - 1]!.trim() === '') length--
  return length
}

/** The same record, its cells as they were before a spreadsheet was kept from them. */
function restored(record: CsvRecord): CsvRecord {
  const { cells } = record
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at]!
    if (cell.charCodeAt(0) === 0x27) cells[at] = restore(cell)
  }
  return record
}

async function firstRecords(records: AsyncGenerator<CsvRecord[]>): Promise<CsvRecord[]> {
  const first: CsvRecord[] = []
  for await (const some of records) {
    for (const record of some) first.push(record)
    if (first.length >= FIRST_RECORDS) break
  }
  return first
}

/** A text without its first characters. */
async function* skip(text: AsyncGenerator<string | Buffer>, characters: number): AsyncGenerator<string | Buffer> {
  let left = characters
  for await (const chunk of text) {
    // What is skipped is ASCII, so that its characters and its bytes of UTF-8 are as many.
    const skipped = Math.min(left, chunk.length)
    left -= skipped
    if (skipped < chunk.length) yield chunk.slice(skipped) as typeof chunk
  }
}

import { restore } from '../../../lib/spreadsheet-cell.ts'
import { looksBinary } from './content.ts'
import { type CsvRecord, readRecords } from './csv-records.ts'
import { checkDelimiter, detectDelimiter, readSepLine } from './delimiter.ts'
import { decode, detectEncoding, type EncodingFound } from './encoding.ts'
import { checkWidth, looksLikeHeader, nameColumns, numberColumns } from './header.ts'
import { inBatches } from './rows.ts'
import type { Bytes } from './source-bytes.ts'
import type { FormatAsked, OpenedTable, TableRow } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

/** How many are looked at for the header and, without one, for the number of columns. */
const FIRST_RECORDS = 100

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
  const header = asked.header ?? looksLikeHeader(first[0]?.cells ?? [])
  const columns = header
    ? nameColumns((first[0]?.cells ?? []).map(restore))
    : numberColumns(first.reduce((most, { cells }) => Math.max(most, filledLength(cells)), 0))
  checkWidth(columns.length)

  return {
    detected: {
      format: 'csv',
      encoding: found.encoding,
      encoding_guess: found.guess,
      delimiter,
      header,
      sheet: null,
      sheets: null,
      columns: columns.length,
    },
    columns,
    rows: () => inBatches(readRows(open(), header, columns.length, found), columns.length),
  }
}

async function* readRows(
  records: AsyncGenerator<CsvRecord[]>,
  header: boolean,
  width: number,
  found: EncodingFound,
): AsyncGenerator<TableRow[]> {
  const problemOf = problemFinder(width, found)
  let isHeader = header
  for await (const some of records) {
    const body = isHeader ? some.slice(1) : some
    isHeader = false
    const rows: TableRow[] = []
    for (const { line, cells } of body) {
      if (isBlank(cells)) continue
      const problem = problemOf(cells)
      restoreAll(cells)
      rows.push(problem === undefined ? { line, cells } : { line, cells, problem })
    }
    yield rows
  }
}

function problemFinder(width: number, { mayHoldNul, isDamaged }: EncodingFound) {
  return (cells: readonly string[]): string | undefined => {
    if (cells.length > width) {
      const filled = filledLength(cells)
      if (filled > width)
        return `has ${filled} cells, but there are ${width} columns: a cell with a delimiter needs quotes`
    }
    if (mayHoldNul && cells.some((cell) => cell.includes('\0'))) return 'holds a NUL character'
    if (isDamaged && cells.some((cell) => cell.includes('\ufffd'))) return 'holds bytes that are not UTF-8'
  }
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

function restoreAll(cells: string[]): void {
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at]!
    if (cell.charCodeAt(0) === 0x27) cells[at] = restore(cell)
  }
}

async function firstRecords(records: AsyncGenerator<CsvRecord[]>): Promise<CsvRecord[]> {
  const first: CsvRecord[] = []
  for await (const some of records) {
    first.push(...some)
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

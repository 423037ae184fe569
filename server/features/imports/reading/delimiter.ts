import { parse } from 'csv-parse/sync'
import { UnreadableFile } from './unreadable.ts'

const DELIMITERS = [',', ';', '\t', '|'] as const

/** Records looked at, and characters: a file's first ones tell as much as all of them. */
const RECORDS = 100
const CHARACTERS = 64 * 1024

/** How the parser is told to read, everywhere: quotes inside of fields stay, all line ends count, rows may be ragged. */
export const CSV_OPTIONS = {
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,
  record_delimiter: ['\r\n', '\n', '\r'],
}

const ADDRESS = /^[^\s@,;|<>"]+@[^\s@,;|<>"]+\.[^\s@,;|<>"]+$/

/**
 * The delimiter of a text: under it the records have the same number of cells, more than one, most constantly. Between
 * equals (`1,5;2,5` has constant commas too) the one that leaves addresses standing by themselves, then more columns.
 * A text of one column gets the comma.
 */
export function detectDelimiter(text: string): string {
  const sample = text.slice(0, CHARACTERS)
  const isCut = sample.length < text.length || text.length >= CHARACTERS
  const scored = DELIMITERS.map((delimiter) => score(sample, delimiter, isCut)).filter((found) => found.columns > 1)
  scored.sort(
    (a, b) =>
      Number(b.constancy >= 0.9) - Number(a.constancy >= 0.9) ||
      Number(b.hasAddress) - Number(a.hasAddress) ||
      b.constancy - a.constancy ||
      b.columns - a.columns,
  )
  return scored[0]?.delimiter ?? ','
}

/** The delimiter that Excel's own first line `sep=;` names, with the length of that line. */
export function readSepLine(text: string): { delimiter: string; length: number } | null {
  const match = /^"?sep=([\t !#-~])"?(\r\n|\n|\r)/i.exec(text)
  return match ? { delimiter: match[1]!, length: match[0].length } : null
}

/** Throws UnreadableFile unless it is one character that can delimit cells. */
export function checkDelimiter(delimiter: string): string {
  if (/^[^"\r\n\0]$/u.test(delimiter)) return delimiter
  throw new UnreadableFile('The delimiter must be one character, such as a comma, a semicolon, a tab or |')
}

function score(sample: string, delimiter: string, isCut: boolean) {
  const records = readSample(sample, delimiter)
  if (isCut && records.length > 1 && records.length < RECORDS) records.pop()
  const counts = new Map<number, number>()
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1)
  const [columns = 0, times = 0] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? []
  const hasAddress = records.some((cells) => cells.some((cell) => ADDRESS.test(cell.trim())))
  return { delimiter, columns, constancy: times / Math.max(records.length, 1), hasAddress }
}

function readSample(sample: string, delimiter: string): string[][] {
  const records: string[][] = []
  const keep = (record: string[]) => void records.push(record)
  try {
    parse(sample, { ...CSV_OPTIONS, delimiter, to: RECORDS, on_record: keep })
  } catch {
    // A quote that the sample cuts off: what was read before it counts.
  }
  return records
}

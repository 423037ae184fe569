import { createHash } from 'node:crypto'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { AppError, invalid } from '../../lib/app-error.ts'
import { type Entry, readEntry } from './suppression-entry.ts'

/** A file as it was read. */
export interface SuppressionFile {
  entries: Entry[]
  /** Lines that are none, the first of them with what is wrong. */
  rejected: number
  errors: { line: number; message: string }[]
  sha256: string
}

/** About 100 MB of memory; whoever has more sends several files. */
export const MOST_ENTRIES = 500_000
export const MOST_BYTES = 50_000_000
const MOST_ERRORS = 100
const HEADINGS = new Set(['email', 'e-mail', 'address', 'domain', 'sha256', 'hash', 'value'])

/** Reads one entry a line, of a CSV the first column; a heading is passed over. Throws `invalid`. */
export async function readSuppressionFile(file: Readable): Promise<SuppressionFile> {
  const read: SuppressionFile = { entries: [], rejected: 0, errors: [], sha256: '' }
  const hash = createHash('sha256')
  const hashed = new PassThrough()
  hashed.on('data', (chunk: Buffer) => hash.update(chunk))
  const rows = parse({
    bom: true,
    delimiter: [',', ';', '\t'],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 65_536,
    info: true,
  })
  await pipeline(file, hashed, rows, async (records) => {
    let isFirst = true
    for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const [cell = ''] = record
      const isHeading = isFirst && HEADINGS.has(cell.trim().toLowerCase())
      isFirst = false
      if (!isHeading) take(read, cell, info.lines)
    }
  }).catch((error: unknown) => {
    throw error instanceof AppError ? error : invalid({ file: ['can not be read: send one entry a line, as UTF-8'] })
  })
  return { ...read, sha256: hash.digest('hex') }
}

function take(read: SuppressionFile, cell: string, line: number): void {
  const entry =
    cell.includes('\0') || !cell.isWellFormed() ? 'holds a character that text can not have' : readEntry(cell)
  if (typeof entry !== 'string') {
    if (read.entries.length === MOST_ENTRIES)
      throw invalid({ file: [`has too many entries (maximum is ${MOST_ENTRIES}): send several files`] })
    read.entries.push(entry)
    return
  }
  read.rejected++
  if (read.errors.length < MOST_ERRORS) read.errors.push({ line, message: entry })
}

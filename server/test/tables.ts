import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import {
  type FormatAsked,
  openTable,
  type ReadingLimits,
  type TableRow,
  type TableSource,
} from '../features/imports/reading/table.ts'
import { UnreadableFile } from '../features/imports/reading/unreadable.ts'

/** A file of these bytes, which comes in chunks of `size`. */
export function sourceOf(content: string | Buffer, size = 64 * 1024): TableSource {
  const bytes = Buffer.from(content)
  return {
    name: null,
    open: async () =>
      Readable.from(
        (function* () {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
        })(),
      ),
  }
}

/** A table read to its end. */
export async function readAll(source: TableSource | string | Buffer, asked: FormatAsked = {}, limits?: ReadingLimits) {
  const isSource = typeof source === 'object' && 'open' in source
  const table = await openTable(isSource ? source : sourceOf(source), asked, limits)
  const rows: TableRow[] = []
  for await (const batch of table.rows()) rows.push(...batch)
  return { detected: table.detected, columns: table.columns, rows, cells: rows.map(({ cells }) => cells) }
}

/** For `assert.rejects`: a file was refused with such a message, and at this line if one is given. */
export const refused = (pattern: RegExp, line?: number) => (error: unknown) => {
  assert.ok(error instanceof UnreadableFile, String(error))
  assert.match(error.message, pattern)
  if (line !== undefined) assert.equal(error.line, line)
  return true
}

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

/** Encodings that a text may come in. What is found is the name without the BOM. */
export const ENCODINGS = {
  'utf-8': (text: string) => Buffer.from(text),
  'utf-8 with BOM': (text: string) => Buffer.from('\ufeff' + text),
  'utf-16le': (text: string) => Buffer.from(text, 'utf16le'),
  'utf-16le with BOM': (text: string) => Buffer.from('\ufeff' + text, 'utf16le'),
  'utf-16be': utf16be,
  'utf-16be with BOM': (text: string) => utf16be('\ufeff' + text),
  'windows-1252': (text: string) => Buffer.from(text, 'latin1'),
}

import { Readable } from 'node:stream'
import {
  type FormatAsked,
  openTable,
  type ReadingLimits,
  type TableRow,
  type TableSource,
} from '../features/imports/reading/table.ts'

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

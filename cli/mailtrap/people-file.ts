import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Refusal } from '@rollcall/server/lib/refusal.ts'
import { parse } from 'csv-parse'

/** Columns that are no fields and mean the same here. */
const ATTRIBUTES = ['email', 'created_at', 'tags', 'external_id']

/** Where a column of an export goes. */
export type Targets = ReadonlyMap<string, string>

/** A file of an export on its way into an import. */
export interface PeopleFile {
  /** CSV whose header has merge tags and attributes alone. */
  lines: AsyncGenerator<string>
  /** Columns that nothing is known about, once the header was read. */
  leftOut: string[]
  rows: number
}

/**
 * Reads an export, gzipped or not, and writes it as an import takes it: known columns under their merge tags, in the order of
 * the file, with the state where one is given. Held in memory: a piece at a time.
 *
 * @param fields merge tags by what a column may be called: tag or name, as `keyOf` writes it
 */
export function peopleFile(bytes: AsyncIterable<Uint8Array>, fields: Targets, state?: string): PeopleFile {
  const file: PeopleFile = { lines: lines(), leftOut: [], rows: 0 }
  return file

  async function* lines(): AsyncGenerator<string> {
    const parser = parse({ bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true })
    const plain = await unzipped(bytes)
    const fed = pipeline(plain, parser)
    fed.catch(() => {}) // the parser hands it on to whoever reads
    let columns: (string | undefined)[] | undefined
    for await (const record of parser as AsyncIterable<string[]>) {
      if (!columns) {
        columns = targetsOf(record, fields)
        if (!columns.includes('email'))
          throw new Refusal(`the export has no column for the address; its columns are ${record.join(', ')}`)
        file.leftOut = record.filter((_, at) => columns![at] === undefined)
        yield csvLine([...columns.filter((column) => column !== undefined), ...(state === undefined ? [] : ['state'])])
        continue
      }
      file.rows++
      const cells = columns.flatMap((column, at) => (column === undefined ? [] : [record[at] ?? '']))
      yield csvLine([...cells, ...(state === undefined ? [] : [state])])
    }
    await fed
  }
}

/** How names of columns are compared: `First name` is `first_name`. */
export function keyOf(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
}

function targetsOf(header: readonly string[], fields: Targets): (string | undefined)[] {
  const taken = new Set<string>()
  return header.map((name) => {
    const key = keyOf(name)
    const target = fields.get(key) ?? (ATTRIBUTES.includes(key) ? key : undefined)
    if (target === undefined || taken.has(target)) return undefined
    taken.add(target)
    return target
  })
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`
}

const GZIP = [0x1f, 0x8b]

async function unzipped(bytes: AsyncIterable<Uint8Array>): Promise<Readable> {
  const chunks = bytes[Symbol.asyncIterator]()
  const first = await chunks.next()
  async function* all() {
    if (!first.done) yield first.value
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  }
  const whole = Readable.from(all(), { objectMode: false })
  const isZipped = !first.done && GZIP.every((byte, at) => first.value[at] === byte)
  if (!isZipped) return whole
  const plain = new PassThrough()
  pipeline(whole, createGunzip(), plain).catch((error: Error) => plain.destroy(error))
  return plain
}

import { CsvError, Parser } from 'csv-parse'
import { CSV_OPTIONS } from './delimiter.ts'
import { MOST_COLUMNS } from './header.ts'
import { UnreadableFile } from './unreadable.ts'

export interface CsvRecord {
  /** The line in which it begins, counted from 1. */
  line: number
  /** The first `MOST_COLUMNS` at most. */
  cells: string[]
  /** How many there are. */
  width: number
}

/**
 * In bytes, roughly. A cell of a contact has 8,192 characters at most; what is longer is a quote that nobody closed, of
 * which no more than this is held in memory.
 */
const LONGEST_RECORD = 2 ** 20
/** With its delimiters. */
const LONGEST_LINE = 2 * LONGEST_RECORD

/**
 * Gathers what the parser has read of a chunk, instead of handing it on through a stream record by record with an object
 * for where each begins: 3.0 s of CPU for a million records in place of 3.5.
 */
class RecordParser extends Parser {
  #records: CsvRecord[] = []
  #nextLine: number
  #linesSeen = 0
  #emptySeen = 0

  constructor(delimiter: string, firstLine: number) {
    super({ ...CSV_OPTIONS, delimiter, max_record_size: LONGEST_RECORD })
    this.#nextLine = firstLine
    this.on('error', () => {}) // told through the callbacks of `write` and `end`
  }

  override push(cells: string[] | null): boolean {
    if (cells === null) return super.push(null)
    const line = this.currentLine
    this.#nextLine = line + this.#linesOf(cells)
    const width = cells.length
    if (width > MOST_COLUMNS) cells.length = MOST_COLUMNS
    this.#records.push({ line, cells, width })
    this.#linesSeen = this.info.lines
    this.#emptySeen = this.info.empty_lines
    // Each record counts as the first, to whose length the parser holds the others: for one that differs it would make an
    // Error with a stack, relaxed or not, which takes six times as long as the record.
    ;(this.info as { records: number }).records = 0
    return true
  }

  /** Where the record begins that is being read. */
  get currentLine(): number {
    return this.#nextLine + this.info.empty_lines - this.#emptySeen
  }

  takeRecords(): CsvRecord[] {
    const taken = this.#records
    this.#records = []
    return taken
  }

  /** csv-parse counts a CRLF inside of quotes twice, but never too few: only where it saw more than one line is counted anew. */
  #linesOf(cells: readonly string[]): number {
    const empty = this.info.empty_lines - this.#emptySeen
    if (this.info.lines - this.#linesSeen - empty === 1) return 1
    return cells.reduce((lines, cell) => lines + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 1)
  }
}

/**
 * The records of a text, as many at once as a chunk of it has. Empty lines are left out. Throws UnreadableFile where a
 * record is too long or a quote is not closed, with the line in which that record began.
 */
export async function* readRecords(
  text: AsyncIterable<string | Buffer>,
  delimiter: string,
  firstLine = 1,
): AsyncGenerator<CsvRecord[]> {
  const parser = new RecordParser(delimiter, firstLine)
  let line = firstLine
  let read = 0
  try {
    for await (const chunk of text) {
      await settled((done) => parser.write(chunk, done))
      const records = parser.takeRecords()
      // The parser measures the cells of a record, of which a line of commas has a million that are empty.
      read = parser.currentLine === line ? read + chunk.length : 0
      line = parser.currentLine
      if (read > LONGEST_LINE) throw tooLong(line)
      if (records.length > 0) yield records
    }
    await settled((done) => parser.end(done))
    const records = parser.takeRecords()
    if (records.length > 0) yield records
  } catch (error) {
    throw readFailure(error, parser.currentLine)
  } finally {
    parser.destroy()
  }
}

function settled(act: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => act((error) => (error ? reject(error) : resolve())))
}

function readFailure(error: unknown, line: number): unknown {
  if (!(error instanceof CsvError)) return error
  if (error.code === 'CSV_MAX_RECORD_SIZE') return tooLong(line, error)
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
    const message = `The quote (") that opens in the row beginning in line ${line} is never closed; close it, or remove it`
    return new UnreadableFile(message, line, error)
  }
  return error
}

function tooLong(line: number, cause?: unknown): UnreadableFile {
  const message = `The row that begins in line ${line} is longer than ${LONGEST_RECORD} bytes. Either a quote (") in it is never closed, or a cell is far too long; mend that line, or choose another delimiter`
  return new UnreadableFile(message, line, cause)
}

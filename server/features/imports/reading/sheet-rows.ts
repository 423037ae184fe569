import { MOST_COLUMNS } from './header.ts'
import { type NumberMeaning, readElapsed, readSerial, readTime } from './number-formats.ts'
import type { Cell } from './table.ts'
import { addText, unescapeText } from './workbook.ts'
import { parseXml, type XmlHandlers } from './xml.ts'

export interface SheetRow {
  line: number
  /** Up to the last cell that is filled, `MOST_COLUMNS` at most. */
  cells: Cell[]
  /** How many columns it reaches over. */
  width: number
}

export interface CellContext {
  is1904: boolean
  strings: readonly string[]
  meanings: readonly NumberMeaning[]
}

/** The rows of a sheet that have a cell filled, as many at once as a chunk of its XML holds. */
export async function* readSheetRows(chunks: AsyncIterable<Buffer>, context: CellContext): AsyncGenerator<SheetRow[]> {
  const reader = new SheetReader(context)
  for await (const _ of parseXml(chunks, reader.handlers)) {
    const rows = reader.takeRows()
    if (rows.length > 0) yield rows
  }
  const rows = reader.takeRows()
  if (rows.length > 0) yield rows
}

class SheetReader {
  readonly #context: CellContext
  #rows: SheetRow[] = []
  #line = 0
  #cells: Cell[] = []
  #width = 0
  #column = -1
  #type = ''
  #style = 0
  #text = ''
  /** Text counts inside of `v` (a value) and `is/t` (a text in place), but not in a reading (`rPh`) nor a formula (`f`). */
  #takesText = false
  #isReading = false

  constructor(context: CellContext) {
    this.#context = context
  }

  readonly handlers: XmlHandlers = {
    open: (name, attributes) => {
      if (name === 'c') this.#openCell(attributes)
      else if (name === 'v') this.#takesText = true
      else if (name === 't') this.#takesText = !this.#isReading
      else if (name === 'rPh') this.#isReading = true
      else if (name === 'row') this.#openRow(attributes)
    },
    close: (name) => {
      if (name === 'c') this.#closeCell()
      else if (name === 'v' || name === 't') this.#takesText = false
      else if (name === 'rPh') this.#isReading = false
      else if (name === 'row') this.#closeRow()
    },
    text: (text) => {
      if (this.#takesText) this.#text = addText(this.#text, text)
    },
  }

  takeRows(): SheetRow[] {
    const taken = this.#rows
    this.#rows = []
    return taken
  }

  #openRow(attributes: Readonly<Record<string, string>>): void {
    const line = Number(attributes.r)
    this.#line = Number.isSafeInteger(line) ? line : this.#line + 1
    this.#cells = []
    this.#width = 0
    this.#column = -1
  }

  #openCell(attributes: Readonly<Record<string, string>>): void {
    const column = attributes.r === undefined ? -1 : columnOf(attributes.r)
    this.#column = column === -1 ? this.#column + 1 : column
    this.#type = attributes.t ?? 'n'
    this.#style = attributes.s === undefined ? 0 : Number(attributes.s)
    this.#text = ''
  }

  #closeCell(): void {
    const value = this.#value()
    if (value === null || value === '') return
    this.#width = Math.max(this.#width, this.#column + 1)
    if (this.#column >= MOST_COLUMNS) return
    while (this.#cells.length < this.#column) this.#cells.push(null)
    this.#cells[this.#column] = value
  }

  #closeRow(): void {
    if (this.#width > 0) this.#rows.push({ line: this.#line, cells: this.#cells, width: this.#width })
  }

  #value(): Cell {
    const text = this.#text
    if (text === '') return null
    switch (this.#type) {
      case 's':
        return this.#context.strings[Number(text)] ?? null
      case 'inlineStr':
      case 'str':
        return unescapeText(text)
      case 'b':
        return text === '1' || text === 'true'
      case 'e':
        // #N/A and the like: what a formula found nothing for.
        return null
      case 'd':
        return readIsoDate(text)
      default:
        return this.#number(text)
    }
  }

  #number(text: string): Cell {
    const number = Number(text)
    if (!Number.isFinite(number)) return text
    const { meanings, is1904 } = this.#context
    switch (meanings[this.#style] ?? 'number') {
      case 'date':
        return readSerial(number, is1904)
      case 'time':
        return readTime(number, is1904)
      case 'elapsed':
        return readElapsed(number)
      case 'number':
        return number
    }
  }
}

/** Counted from 0: A1 is 0, AA7 is 26; -1 for what has no letter. */
function columnOf(reference: string): number {
  let column = 0
  for (let at = 0; at < reference.length; at++) {
    const letter = reference.charCodeAt(at) & ~0x20
    if (letter < 65 || letter > 90) break
    column = column * 26 + letter - 64
  }
  return column - 1
}

/** Dates that Strict workbooks write as text. */
function readIsoDate(text: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2}))?/.exec(text)
  if (!match) return text
  return match[2] === undefined || match[2] === '00:00:00' ? match[1]! : `${match[1]}T${match[2]}`
}

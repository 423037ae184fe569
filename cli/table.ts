import { printable, shortened, widthOf } from './text.ts'

/** Wider than this, a cell is cut: what is longer is read with --json. */
const WIDEST_CELL = 60

/** Rows as columns of text, the first row being their names. Whatever the cells hold is safe to be shown. */
export function table(rows: readonly (readonly string[])[], widest = WIDEST_CELL): string {
  return new Columns(rows, widest).lines(rows)
}

/** The widths of columns, taken from some rows and kept for those that follow. */
export class Columns {
  readonly #widths: number[]
  readonly #widest: number

  constructor(rows: readonly (readonly string[])[], widest = WIDEST_CELL) {
    this.#widest = widest
    const cells = rows.map((row) => row.map((cell) => this.#cell(cell)))
    this.#widths = (rows[0] ?? []).map((_, column) => Math.max(...cells.map((row) => widthOf(row[column]!))))
  }

  lines(rows: readonly (readonly string[])[]): string {
    return rows.map((row) => `${this.#line(row)}\n`).join('')
  }

  #line(row: readonly string[]): string {
    const cells = row.map((given, column) => {
      const cell = this.#cell(given)
      return cell + ' '.repeat(Math.max(0, this.#widths[column]! - widthOf(cell)))
    })
    return cells.join('  ').trimEnd()
  }

  #cell(text: string): string {
    return shortened(printable(text), this.#widest)
  }
}

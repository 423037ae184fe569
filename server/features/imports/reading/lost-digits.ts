import type { Cell } from './table.ts'

export interface DigitWarning {
  /**
   * `scientific_notation`: `4,91723E+11` keeps six digits of twelve. `leading_zeros`: in a column of codes that have the
   * same number of digits, some have fewer, as a spreadsheet took them for numbers.
   */
  kind: 'scientific_notation' | 'leading_zeros'
  rows: number
  /** Lines of the first ones. */
  lines: readonly number[]
}

const SCIENTIFIC = /^[+-]?(\d(?:[.,](\d+))?)e\+?(\d{1,3})$/i
const DIGITS = /^\d+$/

const LINES_TOLD = 10
/** Fewer digits than this are counts and scores, not codes. */
const SHORTEST_CODE = 4
const LONGEST_CODE = 20
/** The share of a column's codes that have all their digits; more short ones, and it is a column of numbers. */
const WHOLE = 0.8
/** How many zeros at most are missed: 00501 is a postcode, three zeros less is another kind of number. */
const MOST_ZEROS = 2

/** Watches a column for digits that were lost before the file was made. Nothing is changed or rejected for it. */
export class LostDigits {
  #scientific = 0
  readonly #scientificLines: number[] = []
  readonly #rows = new Map<number, number>()
  readonly #lines = new Map<number, number[]>()

  see(cell: Cell, line: number): void {
    if (typeof cell === 'string' && !mayBeNumber(cell)) return
    const text = typeof cell === 'number' ? String(cell) : typeof cell === 'string' ? cell.trim() : ''
    if (DIGITS.test(text) && text.length <= LONGEST_CODE) {
      this.#rows.set(text.length, (this.#rows.get(text.length) ?? 0) + 1)
      const lines = this.#lines.get(text.length) ?? []
      if (lines.length < LINES_TOLD) this.#lines.set(text.length, [...lines, line])
    } else if (typeof cell === 'string' && hasLostDigits(text)) {
      this.#scientific++
      if (this.#scientificLines.length < LINES_TOLD) this.#scientificLines.push(line)
    }
  }

  warnings(): DigitWarning[] {
    const warnings: DigitWarning[] = []
    if (this.#scientific > 0) {
      warnings.push({ kind: 'scientific_notation', rows: this.#scientific, lines: this.#scientificLines })
    }
    const short = this.#shortLengths()
    if (short.length > 0) {
      const rows = short.reduce((sum, length) => sum + this.#rows.get(length)!, 0)
      const lines = short.flatMap((length) => this.#lines.get(length)!).sort((a, b) => a - b)
      warnings.push({ kind: 'leading_zeros', rows, lines: lines.slice(0, LINES_TOLD) })
    }
    return warnings
  }

  /** Lengths below that of nearly all; none when the lengths vary as those of numbers do. */
  #shortLengths(): number[] {
    const lengths = [...this.#rows.keys()]
    const usual = lengths.reduce(
      (best, length) => (this.#rows.get(length)! > (this.#rows.get(best) ?? 0) ? length : best),
      0,
    )
    const all = lengths.reduce((sum, length) => sum + this.#rows.get(length)!, 0)
    const isCode = usual >= SHORTEST_CODE && this.#rows.get(usual)! >= all * WHOLE
    const short = lengths.filter((length) => length < usual)
    return isCode && short.every((length) => length >= usual - MOST_ZEROS) ? short : []
  }
}

/** By its first character: most texts are seen to be none in a tenth of the time that the patterns take. */
function mayBeNumber(text: string): boolean {
  const first = text.charCodeAt(0)
  return (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first <= 0x20 || first > 0x7e
}

/** Whether a number in scientific notation is a whole one that has more digits than are written: 1E+3 lost none worth a word. */
function hasLostDigits(text: string): boolean {
  const match = SCIENTIFIC.exec(text)
  if (!match) return false
  const decimals = match[2]?.length ?? 0
  return decimals > 0 && Number(match[3]) > decimals
}

import type { Cell } from './table.ts'

/** What separates the decimals of a column's numbers. `plain`: none has any, nor thousands set apart. */
export type Style = 'plain' | 'point' | 'comma'

export type StyleVerdict = Style | 'none' | 'ambiguous' | 'mixed'

const LONGEST = 40

const PLAIN = /^[+-]?\d+$/
const POINT = /^[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:[ '’]\d{3})+|\d*)(?:\.\d+)?(?:e[+-]?\d{1,3})?$/i
const COMMA = /^[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?:[ '’]\d{3})+|\d*)(?:,\d+)?(?:e[+-]?\d{1,3})?$/i

/**
 * Learns over a whole column, value by value, whether its numbers have a decimal comma or point: 1.234 alone may be either,
 * but 3,5 or 1.234,56 in any other row says it.
 */
export class NumberStyle {
  #isAny = false
  #isStyled = false
  #canBePoint = true
  #canBeComma = true
  #differs = false

  /** Texts that are no numbers in any style are passed over, and so are numbers that a file has as such. */
  see(cell: Cell): void {
    if (typeof cell === 'number') this.#isAny = true
    if (typeof cell !== 'string') return
    const text = bare(cell)
    if (text === null) return
    if (PLAIN.test(text)) {
      this.#isAny = true
      return
    }
    const point = readAs(text, 'point')
    const comma = readAs(text, 'comma')
    if (point === null && comma === null) return
    this.#isAny = true
    this.#isStyled = true
    if (point === null) this.#canBePoint = false
    if (comma === null) this.#canBeComma = false
    if (point !== null && comma !== null && point !== comma) this.#differs = true
  }

  /** `none` without a number, `mixed` when neither style fits all, `ambiguous` when both fit and read some differently. */
  verdict(): StyleVerdict {
    if (!this.#isAny) return 'none'
    if (!this.#isStyled) return 'plain'
    if (this.#canBePoint && this.#canBeComma) return this.#differs ? 'ambiguous' : 'point'
    return this.#canBePoint ? 'point' : this.#canBeComma ? 'comma' : 'mixed'
  }
}

/** The number that a text is in this style, with thousands set apart or not; null when it is none. */
export function readNumber(text: string, style: Style): number | null {
  const number = bare(text)
  if (number === null) return null
  if (style === 'plain') return PLAIN.test(number) ? Number(number) : null
  return readAs(number, style)
}

/** Whether a text is a number in some style. */
export function isNumber(text: string): boolean {
  const number = bare(text)
  return number !== null && (readAs(number, 'point') !== null || readAs(number, 'comma') !== null)
}

function readAs(text: string, style: 'point' | 'comma'): number | null {
  if (!/\d/.test(text) || !(style === 'point' ? POINT : COMMA).test(text)) return null
  const number = Number(style === 'point' ? text.replace(/[, '’]/g, '') : text.replace(/[. '’]/g, '').replace(',', '.'))
  return Number.isFinite(number) ? number : null
}

/** Without a currency's sign before or behind it; null for what is no number. */
function bare(text: string): string | null {
  if (text.length > LONGEST) return null
  const number = text.replace(/[\s\u200b]+/g, ' ').replace(/^ ?[€$£¥] ?|^ | ?[€$£¥]? ?$/g, '')
  return /^[+-]?[\d.,]/.test(number) ? number : null
}

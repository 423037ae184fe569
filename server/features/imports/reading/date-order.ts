import { isoFrom, longYear, parseDate } from '../../../lib/dates.ts'
import type { Cell } from './table.ts'

/** How the dates of a column are read. `iso`: none needs an order, as all are ISO dates or name their month. */
export type Order = 'iso' | 'dmy' | 'mdy' | 'ymd'

export type OrderVerdict = Order | 'none' | 'ambiguous' | 'mixed'

const ORDERS = ['dmy', 'mdy', 'ymd'] as const

const MONTHS: readonly (readonly string[])[] = [
  ['jan', 'january', 'januar', 'jän', 'jänner'],
  ['feb', 'february', 'februar', 'feber'],
  ['mar', 'march', 'mär', 'märz', 'mrz', 'maerz'],
  ['apr', 'april'],
  ['may', 'mai'],
  ['jun', 'june', 'juni'],
  ['jul', 'july', 'juli'],
  ['aug', 'august'],
  ['sep', 'sept', 'september'],
  ['oct', 'october', 'okt', 'oktober'],
  ['nov', 'november'],
  ['dec', 'december', 'dez', 'dezember'],
]
const MONTH_OF = new Map(MONTHS.flatMap((names, at) => names.map((name) => [name, at + 1] as const)))

/** Longer texts are no dates, and need not be matched against anything. */
const LONGEST = 60

const WEEKDAY =
  /^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)\.?,?\s+/i
const TIME =
  /[T ,]\s*(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:\s?[ap]\.?m\.?)?\s?(?:Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?$/i
const NUMERIC = /^(\d{1,4})(?: ?([./-]) ?| )(\d{1,2})(?: ?([./-]) ?| )(\d{1,4})\.?$/
const DAY_FIRST = /^(\d{1,2})(?:st|nd|rd|th|\.)?(?: of)?[ ./-]{0,2}(\p{L}+)\.?,?[ ./-]{1,2}(\d{4}|\d{2})$/iu
const MONTH_FIRST = /^(\p{L}+)\.?[ ./-]{1,2}(\d{1,2})(?:st|nd|rd|th|\.)?(?:, ?|[ ./-])(\d{4}|\d{2})$/iu
const YEAR_FIRST = /^(\d{4})[ ./-](\p{L}+)\.?[ ./-](\d{1,2})$/u

/** A date as it is written: what it means by itself, or else in each order in which it means something. */
interface Written {
  kind: 'iso' | 'year first' | 'named' | 'numeric'
  readings: Partial<Record<(typeof ORDERS)[number], string>>
}

/**
 * Learns the order of day and month over a whole column, value by value: 03/04/2026 alone says nothing, but a 25 in the
 * first place of any other row says which place the days have. Never decides by one row for itself.
 */
export class DateOrder {
  readonly #possible = new Set<(typeof ORDERS)[number]>(ORDERS)
  /** Pairs of orders between which some value reads differently. */
  readonly #differ = new Set<string>()
  readonly #kinds = new Set<Written['kind']>()

  /** Texts that are no dates in any order are passed over: they say nothing of it. */
  see(cell: Cell): void {
    if (typeof cell !== 'string') return
    const written = readWritten(cell)
    if (!written) return
    this.#kinds.add(written.kind)
    if (written.kind !== 'numeric') return
    const { readings } = written
    for (const order of this.#possible) if (readings[order] === undefined) this.#possible.delete(order)
    for (const [one, other] of PAIRS) {
      if (readings[one] && readings[other] && readings[one] !== readings[other]) this.#differ.add(one + other)
    }
  }

  /**
   * `none` without a date, `mixed` when no order fits all of them, `ambiguous` when several fit that read them differently.
   * Dates that mean one thing by themselves (ISO, a year of four digits first, a month's name) fit any order.
   */
  verdict(): OrderVerdict {
    if (!this.#kinds.has('numeric')) {
      return this.#kinds.has('year first') ? 'ymd' : this.#kinds.size > 0 ? 'iso' : 'none'
    }
    const [first] = this.#possible
    if (first === undefined) return 'mixed'
    const isOpen = PAIRS.some(
      ([one, other]) => this.#possible.has(one) && this.#possible.has(other) && this.#differ.has(one + other),
    )
    return isOpen ? 'ambiguous' : first
  }
}

const PAIRS = [
  ['dmy', 'mdy'],
  ['dmy', 'ymd'],
  ['mdy', 'ymd'],
] as const

/**
 * The day that a text names, as YYYY-MM-DD; null when it names none in this order. A time behind it is ignored, as a
 * birthday must not move by one with its zone. Two digits of a year are those of 1969 to 2068.
 */
export function readDate(text: string, order: Order): string | null {
  const written = readWritten(text)
  if (!written) return null
  if (written.kind !== 'numeric') return written.readings.ymd ?? null
  return order === 'iso' ? null : (written.readings[order] ?? null)
}

/** Whether a text is a date in some order. */
export function isDate(text: string): boolean {
  return readWritten(text) !== null
}

function readWritten(text: string): Written | null {
  if (text.length > LONGEST) return null
  const trimmed = text.trim()
  if (trimmed.length < 6 || !/\d/.test(trimmed)) return null
  const iso = parseDate(trimmed)
  if (iso !== null) return { kind: 'iso', readings: { ymd: iso } }
  const day = trimmed.replace(WEEKDAY, '').replace(TIME, '').replace(/\s+/g, ' ').trim()
  return readNumeric(day) ?? readNamed(day)
}

function readNumeric(text: string): Written | null {
  const match = NUMERIC.exec(text)
  if (!match || match[2] !== match[4]) return null
  const [, a = '', , b = '', , c = ''] = match
  const numbers = [a, b, c].map(Number) as [number, number, number]
  if (a.length === 4) {
    const iso = c.length <= 2 ? isoFrom(...numbers) : null
    return iso === null ? null : { kind: 'year first', readings: { ymd: iso } }
  }
  const readings: Written['readings'] = {}
  const keep = (order: (typeof ORDERS)[number], iso: string | null) => {
    if (iso !== null) readings[order] = iso
  }
  if (a.length <= 2 && (c.length === 2 || c.length === 4)) {
    const year = c.length === 2 ? longYear(numbers[2]) : numbers[2]
    keep('dmy', isoFrom(year, numbers[1], numbers[0]))
    keep('mdy', isoFrom(year, numbers[0], numbers[1]))
  }
  // Nobody writes a year of two digits first but with hyphens; else 25.12.26 would be ambiguous.
  if (a.length === 2 && c.length <= 2 && match[2] === '-')
    keep('ymd', isoFrom(longYear(numbers[0]), numbers[1], numbers[2]))
  return Object.keys(readings).length === 0 ? null : { kind: 'numeric', readings }
}

function readNamed(text: string): Written | null {
  const dayFirst = DAY_FIRST.exec(text)
  if (dayFirst) return named(dayFirst[3]!, dayFirst[2]!, dayFirst[1]!)
  const monthFirst = MONTH_FIRST.exec(text)
  if (monthFirst) return named(monthFirst[3]!, monthFirst[1]!, monthFirst[2]!)
  const yearFirst = YEAR_FIRST.exec(text)
  return yearFirst ? named(yearFirst[1]!, yearFirst[2]!, yearFirst[3]!) : null
}

function named(year: string, month: string, day: string): Written | null {
  const number = MONTH_OF.get(month.toLowerCase().normalize('NFC'))
  const iso = isoFrom(year.length === 2 ? longYear(Number(year)) : Number(year), number ?? 0, Number(day))
  return iso === null ? null : { kind: 'named', readings: { ymd: iso } }
}

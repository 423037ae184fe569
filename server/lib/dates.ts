type Token = 'YYYY' | 'YY' | 'MMM' | 'MM' | 'M' | 'DD' | 'D'

const PATTERNS: Readonly<Record<Token, string>> = {
  YYYY: '(?<year>\\d{4})',
  YY: '(?<year>\\d{2})',
  MMM: '(?<month>[A-Za-z]{3})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  DD: '(?<day>\\d{2})',
  D: '(?<day>\\d{1,2})',
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Two digits of a year stand for 1969 to 2068, as in POSIX `strptime`. */
const FIRST_SHORT_YEAR = 1969

const LONGEST_FORMAT = 40
const ISO = /^(\d{4})-(\d{2})-(\d{2})$/
const ISO_TIME = /^[T ]([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)([.,]\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?$/i

interface Format {
  tokens: readonly string[]
  pattern: RegExp
}

type FormatRead = { format: Format } | { problem: string }

/** Formats read before. An account has few; the bound is for what a hostile one could send. */
const known = new Map<string, FormatRead>()
const MOST_KNOWN = 1000

/**
 * What is wrong with a format of dates, or null. A format holds a year (YYYY, YY), a month (MM, M, MMM for Jan to Dec)
 * and a day (DD, D), each once, in either letter case; between them stands anything but digits and letters that have
 * case. Refused are two formats that could be read in two ways: D or M right before another number, and YYYY-DD-MM,
 * whose dates look like ISO ones.
 */
export function formatProblem(format: string): string | null {
  const read = readFormat(format)
  return 'problem' in read ? read.problem : null
}

/**
 * The day a text names, as YYYY-MM-DD; null when it names none. Taken are ISO dates, ISO timestamps, of which the date
 * counts as it is written, whatever its zone (a birthday must not move by one), and dates in `format`, where MM and DD
 * have two digits and M and D one or two. Years are 0001 to 9999, days those of the calendar.
 *
 * @param format One that `formatProblem` finds nothing wrong with; null: ISO only.
 */
export function parseDate(text: string, format: string | null = null): string | null {
  const trimmed = text.trim()
  return parseIso(trimmed) ?? (format === null ? null : parseAs(trimmed, format))
}

/** Exactly YYYY-MM-DD, a day of the calendar. A timestamp is none: taken for a date it would lose its time. */
export function isFullIsoDate(text: string): boolean {
  return ISO.test(text) && parseIso(text) !== null
}

/**
 * A day, given as YYYY-MM-DD, in `format`, so that `parseDate` reads it back. Therefore as ISO where two digits of the
 * year would stand for another one: 1950 in `DD.MM.YY`. What is not a day is returned as it is.
 */
export function formatDate(iso: string, format: string | null): string {
  const [, year = '', month = '', day = ''] = ISO.exec(iso) ?? []
  const read = format === null ? undefined : readFormat(format)
  if (!read || 'problem' in read || year === '') return iso
  const shown: Record<Token, string> = {
    YYYY: year,
    YY: year.slice(2),
    MMM: MONTHS[Number(month) - 1] ?? month,
    MM: month,
    M: String(Number(month)),
    DD: day,
    D: String(Number(day)),
  }
  const text = read.format.tokens.map((token) => (Object.hasOwn(shown, token) ? shown[token as Token] : token)).join('')
  return parseDate(text, format) === iso ? text : iso
}

/** The parts of a format in their order, `DD`, `.`, `MM`, `.`, `YYYY`; undefined where something is wrong with it. */
export function formatParts(format: string): readonly string[] | undefined {
  const read = readFormat(format)
  return 'problem' in read ? undefined : read.format.tokens
}

function parseIso(text: string): string | null {
  const [, year, month, day] = ISO.exec(text.slice(0, 10)) ?? []
  const time = text.slice(10)
  return time === '' || ISO_TIME.test(time) ? isoFrom(Number(year), Number(month), Number(day)) : null
}

function parseAs(text: string, format: string): string | null {
  const read = readFormat(format)
  if ('problem' in read) return null
  const { year = '', month = '', day } = read.format.pattern.exec(text)?.groups ?? {}
  const named = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase()) + 1
  return isoFrom(year.length === 2 ? longYear(Number(year)) : Number(year), named || Number(month), Number(day))
}

/** The year that two digits stand for. */
export function longYear(short: number): number {
  const century = short >= FIRST_SHORT_YEAR % 100 ? 1900 : 2000
  return century + short
}

/** YYYY-MM-DD; null unless it is a day of the Gregorian calendar, reckoned backwards before 1582 as ISO 8601 and PostgreSQL do. */
export function isoFrom(year: number, month: number, day: number): string | null {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0)
  if (!(year >= 1 && year <= 9999 && day >= 1 && day <= days)) return null
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function readFormat(text: string): FormatRead {
  const before = known.get(text)
  if (before) return before
  const read = compileFormat(text.trim())
  if (known.size >= MOST_KNOWN) known.clear()
  if (text.length <= LONGEST_FORMAT) known.set(text, read)
  return read
}

function compileFormat(text: string): FormatRead {
  const example = 'such as DD.MM.YYYY'
  if (text.length > LONGEST_FORMAT) return { problem: `is too long (maximum is ${LONGEST_FORMAT} characters)` }
  const tokens = text.split(/(y+|m+|d+)/i).map((part) => (/^[ymd]/i.test(part) ? part.toUpperCase() : part))
  const isToken = (part: string) => Object.hasOwn(PATTERNS, part)
  const wrong = tokens.find((part) => !isToken(part) && /[\p{Lu}\p{Ll}\p{Lt}\p{N}\p{C}]/u.test(part))
  if (wrong !== undefined)
    return { problem: `can have YYYY, YY, MMM, MM, M, DD, D and what separates them, ${example}` }
  const count = (letter: string) => tokens.filter((part) => isToken(part) && part.startsWith(letter)).length
  if (count('Y') !== 1 || count('M') !== 1 || count('D') !== 1)
    return { problem: `must have year, month and day once each, ${example}` }

  const parts = tokens.filter((part) => part !== '')
  const runsOn = parts.some(
    (part, at) => /^[DM]$/.test(part) && isToken(parts[at + 1] ?? '') && parts[at + 1] !== 'MMM',
  )
  if (runsOn) return { problem: 'needs a separator after D or M, or two digits: DD, MM' }
  if (/^YYYY-DD?-MM?$/.test(parts.join('')))
    return { problem: 'can be mistaken for ISO dates: write YYYY-MM-DD, or other separators' }
  const pattern = parts.map((part) => (isToken(part) ? PATTERNS[part as Token] : escaped(part))).join('')
  return { format: { tokens: parts, pattern: new RegExp(`^${pattern}$`) } }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

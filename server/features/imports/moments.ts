import { parseDate } from '../../lib/dates.ts'
import { type Order, readDate } from './reading/date-order.ts'

const ISO_MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|UTC|[+-]\d{2}(:?\d{2})?)?$/i
const TIME = /[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s?([ap])\.?m\.?)?/i

/** A moment as ISO 8601 in UTC; null for what is none, or lies outside the years 1 to 9999. */
export type Moment = string | null

/**
 * The moment a cell names: an ISO date or timestamp (UTC, unless it says otherwise), epoch milliseconds, or a date in the
 * column's order with or without a time behind it. Files rarely say their zone, and a permission's day is what counts.
 */
export function readMoment(cell: unknown, order: Order): Moment {
  if (typeof cell === 'number') return fromMs(cell)
  if (typeof cell !== 'string') return null
  const text = cell.trim()
  if (/^\d{12,14}$/.test(text)) return fromMs(Number(text))
  if (ISO_MOMENT.test(text)) {
    if (parseDate(text.slice(0, 10)) === null) return null
    const zoned = text
      .replace(' ', 'T')
      .replace(',', '.')
      .replace(/\s?UTC$/i, 'Z')
      .replace(/\s/, '')
    return fromMs(Date.parse(/(Z|[+-]\d{2}(:?\d{2})?)$/i.test(zoned.slice(10)) ? withMinutes(zoned) : `${zoned}Z`))
  }
  const day = parseDate(text) ?? readDate(text, order)
  if (day === null) return null
  const [, hour = '0', minute = '0', second = '0', half] = TIME.exec(text) ?? []
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
  if (hours > 23 || Number(minute) > 59 || Number(second) > 59) return null
  return fromMs(
    Date.parse(`${day}T${String(hours).padStart(2, '0')}:${minute.padStart(2, '0')}:${second.padStart(2, '0')}Z`),
  )
}

/** Whether an option or a form names a day or a moment, in ISO 8601. */
export function isTimestamp(text: string): boolean {
  return readMoment(text, 'iso') !== null
}

/** `+02` is short for `+02:00`, which JavaScript does not take. */
function withMinutes(text: string): string {
  return text.replace(/([+-]\d{2})$/, '$1:00').replace(/([+-]\d{2})(\d{2})$/, '$1:$2')
}

function fromMs(ms: number): Moment {
  if (!(Math.abs(ms) < 8.64e15)) return null
  const iso = new Date(ms).toISOString()
  return /^(?!0000)\d{4}-/.test(iso) ? iso : null
}

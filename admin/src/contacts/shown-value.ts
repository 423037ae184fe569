import * as en from '../strings/en.ts'

/** A field's value as text. */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'boolean') return value ? en.common.yes : en.common.no
  return typeof value === 'number' ? value.toLocaleString('en') : String(value)
}

import { normaliseEmail } from '../../../lib/email.ts'
import { isDate } from './date-order.ts'
import { isNumber } from './number-style.ts'
import type { Cell } from './table.ts'

export type Kind = 'email' | 'text' | 'integer' | 'number' | 'date' | 'boolean'

/** The share of addresses that makes a column one of addresses: some are misspelt, and each of those has its own report. */
const ADDRESSES = 0.7

/** Whole numbers that JSON and PostgreSQL keep exactly. Longer ones are numbers to call, or of cards. */
const LONGEST_INTEGER = 15

const YES_OR_NO = new Set(['true', 'false', 'yes', 'no', 'on', 'off', '1', '0'])

/**
 * What a column holds, by a sample of it; null when all of the sample is empty. A kind other than an address must fit every
 * value. A text with leading zeros is no number, and 0 and 1 alone are no booleans.
 */
export function guessKind(sample: Iterable<Cell>): Kind | null {
  const cells = [...sample].filter((cell) => cell !== null && !(typeof cell === 'string' && cell.trim() === ''))
  if (cells.length === 0) return null
  const addresses = cells.filter((cell) => typeof cell === 'string' && isAddress(cell)).length
  if (addresses >= cells.length * ADDRESSES) return 'email'
  const all = (is: (cell: Cell) => boolean) => cells.every(is)
  if (all(isBoolean) && cells.some((cell) => !isInteger(cell))) return 'boolean'
  if (all(isInteger)) return 'integer'
  if (all((cell) => isInteger(cell) || isDecimal(cell))) return 'number'
  return all((cell) => typeof cell === 'string' && isDate(cell)) ? 'date' : 'text'
}

function isAddress(text: string): boolean {
  return text.includes('@') && normaliseEmail(/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).ok
}

function isBoolean(cell: Cell): boolean {
  if (typeof cell === 'boolean') return true
  return (typeof cell === 'string' || typeof cell === 'number') && YES_OR_NO.has(String(cell).trim().toLowerCase())
}

function isInteger(cell: Cell): boolean {
  if (typeof cell === 'number') return Number.isSafeInteger(cell)
  if (typeof cell !== 'string') return false
  const text = cell.trim()
  return /^-?(0|[1-9]\d*)$/.test(text) && text.length <= LONGEST_INTEGER
}

function isDecimal(cell: Cell): boolean {
  if (typeof cell === 'number') return true
  if (typeof cell !== 'string') return false
  const text = cell.trim()
  // Signs, leading zeros, and digits in groups alone belong to numbers to call and to codes.
  return !/^\+|^[\d ]+$|^-?0\d|e\+?\d/i.test(text) && isNumber(text)
}

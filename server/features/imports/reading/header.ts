import type { Cell } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

/** More than any program that keeps people writes; each column costs in every row. */
export const MOST_COLUMNS = 1000

const LONGEST_NAME = 255

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/
const DATE = /^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([T ].*)?$/
const NUMBER = /^[+-]?\d[\d.,]*$/
const YEAR = /^(19|20)\d\d$/

/**
 * Whether the first row names the columns. It does not when it has an address, a date, or a number that can't be a year:
 * nobody names a column `anna@example.com` or 17,50.
 */
export function looksLikeHeader(first: readonly Cell[]): boolean {
  return !first.some((cell) => {
    if (typeof cell !== 'string') return cell !== null
    const text = tidy(cell)
    return ADDRESS.test(text) || DATE.test(text) || (NUMBER.test(text) && !YEAR.test(text))
  })
}

/** Names for columns: the header's, told apart where they are the same without regard to case, and `Column 3` where it has none. */
export function nameColumns(header: readonly Cell[]): string[] {
  const taken = new Set<string>()
  const given = header.map((cell) =>
    tidy(String(cell ?? ''))
      .slice(0, LONGEST_NAME)
      .toWellFormed(),
  )
  for (const name of given) taken.add(name.toLowerCase())
  const used = new Set<string>()
  return given.map((name, at) => {
    const wanted = name === '' ? `Column ${at + 1}` : name
    if (name !== '' && !used.has(name.toLowerCase())) {
      used.add(name.toLowerCase())
      return name
    }
    return another(wanted, (candidate) => used.has(candidate) || taken.has(candidate), used)
  })
}

/** Names for a table without a header. */
export function numberColumns(width: number): string[] {
  return Array.from({ length: width }, (_, at) => `Column ${at + 1}`)
}

export function checkWidth(columns: number): void {
  if (columns <= MOST_COLUMNS) return
  const message = `The file has ${columns} columns; at most ${MOST_COLUMNS} can be read. Remove some, or check the delimiter`
  throw new UnreadableFile(message, 1)
}

function another(wanted: string, isTaken: (name: string) => boolean, used: Set<string>): string {
  let name = wanted
  for (let nth = 2; isTaken(name.toLowerCase()); nth++) name = `${wanted} (${nth})`
  used.add(name.toLowerCase())
  return name
}

/** On one line, without what is invisible at the ends. */
function tidy(text: string): string {
  return text.replace(/[\s\u00ad\u200b-\u200f\u2060\ufeff]+/g, ' ').trim()
}

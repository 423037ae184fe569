import type { Cell } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

/** More than any program that keeps people writes; each column costs in every row. */
export const MOST_COLUMNS = 1000

const LONGEST_NAME = 255

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/
const DATE = /^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([T ].*)?$/
const NUMBER = /^[+-]?\d[\d.,]*$/
const YEAR = /^(19|20)\d\d$/

/** A row of which nobody has decided yet what it is. */
export interface FirstRow {
  line: number
  cells: readonly Cell[]
  /** How many columns it reaches over, more than it has cells where those are not kept. */
  width: number
}

export interface Layout {
  header: boolean
  /** The line of the header; null without one. */
  headerLine: number | null
  /** How many rows come before the first one of the table's body. */
  skipped: number
  columns: string[]
}

/** Rows above the header, which hold a title and what else people write there. */
const MOST_ABOVE = 10

/**
 * Where a table's header and body are, by its first rows. Throws UnreadableFile where it has too many columns.
 *
 * @param asked Whether there is a header, if a caller has said so.
 */
export function layOut(first: readonly FirstRow[], asked: boolean | undefined): Layout {
  const at = asked === false ? 0 : findHeader(first)
  const row = first[at]
  if (row && (asked ?? looksLikeHeader(row.cells))) {
    checkWidth(row.width, row.line)
    const cells = row.cells.concat(Array<null>(Math.max(0, row.width - row.cells.length)).fill(null))
    return { header: true, headerLine: row.line, skipped: at + 1, columns: nameColumns(cells) }
  }
  const width = first.reduce((most, each) => Math.max(most, each.width), 0)
  checkWidth(width, first[0]?.line ?? 1)
  const columns = Array.from({ length: width }, (_, nth) => `Column ${nth + 1}`)
  return { header: false, headerLine: null, skipped: 0, columns }
}

/**
 * The first row, unless it and those after it are titles: one cell each, two where the table is wide, above a row that
 * looks like a header and is as full as most rows.
 */
function findHeader(first: readonly FirstRow[]): number {
  const filled = first.map(({ cells }) => cells.filter((cell) => !isEmpty(cell)).length)
  const usual = mostCommon(filled)
  if (usual < 3) return 0
  const above = usual >= 5 ? 2 : 1
  const at = filled.findIndex((count) => count > above)
  const isTitled = at > 0 && at <= MOST_ABOVE && filled[at]! >= usual - 1
  return isTitled && first.slice(0, at + 1).every(({ cells }) => looksLikeHeader(cells)) ? at : 0
}

/**
 * Whether a row names the columns. It does not when it has an address, a date, or a number that can't be a year: nobody
 * names a column `anna@example.com` or 17,50.
 */
function looksLikeHeader(cells: readonly Cell[]): boolean {
  return !cells.some((cell) => {
    if (typeof cell !== 'string') return cell !== null
    const text = tidy(cell)
    return ADDRESS.test(text) || DATE.test(text) || (NUMBER.test(text) && !YEAR.test(text))
  })
}

/** Names for columns: the header's, told apart where they are the same without regard to case, and `Column 3` where it has none. */
function nameColumns(header: readonly Cell[]): string[] {
  const taken = new Set<string>()
  const given = header.map((cell) => cleanName(String(cell ?? '')))
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

function checkWidth(columns: number, line: number): void {
  if (columns <= MOST_COLUMNS) return
  const message = `The file has ${columns} columns; at most ${MOST_COLUMNS} can be read. Remove some, or check the delimiter`
  throw new UnreadableFile(message, line)
}

function another(wanted: string, isTaken: (name: string) => boolean, used: Set<string>): string {
  let name = wanted
  for (let nth = 2; isTaken(name.toLowerCase()); nth++) name = `${wanted} (${nth})`
  used.add(name.toLowerCase())
  return name
}

/** A column's name as it can be stored and shown: on one line, without what is invisible, 255 characters at most. */
export function cleanName(text: string): string {
  return tidy(text.slice(0, LONGEST_NAME * 4))
    .slice(0, LONGEST_NAME)
    .toWellFormed()
}

function tidy(text: string): string {
  return text
    .replace(/[\0\u00ad\u200b-\u200f\u2060\ufeff]+/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function isEmpty(cell: Cell): boolean {
  return cell === null || (typeof cell === 'string' && cell.trim() === '')
}

/** Between equals, the greatest. */
function mostCommon(counts: readonly number[]): number {
  const times = new Map<number, number>()
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1)
  return [...times].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 0
}

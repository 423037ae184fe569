/** What spreadsheets take for the beginning of a formula, behind any number of apostrophes. */
const FORMULA = /^'*[=+\-@\t\r]/
const DEFUSED = /^'+[=+\-@\t\r]/

const NUMBER = /^[+-](\d+([.,]\d+)*|[.,]\d+)(e[+-]?\d+)?$/i
/** Signs and digits alone: at worst a spreadsheet shows a sum, and a number to call is worth more without an apostrophe. */
const PHONE = /^\+\(?\d[\d ()./-]{4,28}\d$/

/**
 * A text as it may stand in a cell that a spreadsheet opens: what would be taken for a formula gets one `'` in front,
 * also where it has some already, so that `restore` knows how many there were. Numbers and phone numbers stay as they are.
 */
export function defuse(text: string): string {
  return FORMULA.test(text) && !NUMBER.test(text) && !PHONE.test(text) ? `'${text}` : text
}

/** Undoes `defuse`: takes one `'` off from before a formula. Any other text stays as it is. */
export function restore(text: string): string {
  return DEFUSED.test(text) ? text.slice(1) : text
}

/** A line of a CSV that spreadsheets open: cells are defused, and quoted where they must be. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(defuse(cell))).join(',')}\r\n`
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

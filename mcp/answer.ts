import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'

/** Characters of one answer at most: about five thousand tokens. */
const MOST = 20_000
/** Characters of one text in it. */
const LONGEST_TEXT = 500

/** An answer as JSON, cut to what a model can read: what was left out is said. */
export function answer(value: object): CallToolResult {
  return { content: [{ type: 'text', text: bounded(value) }] }
}

/** What went wrong, in plain words, for the model to mend. */
export function problem(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: text.slice(0, 2000) }] }
}

/** JSON of at most MOST characters: long texts are cut, then lists are shortened, the longest first. */
export function bounded(value: object): string {
  const copy = JSON.parse(JSON.stringify(value), (_key, part) =>
    typeof part === 'string' && part.length > LONGEST_TEXT ? `${part.slice(0, LONGEST_TEXT).toWellFormed()}…` : part,
  )
  let text = JSON.stringify(copy)
  let left = 0
  while (text.length > MOST) {
    const longest = longestList(copy)
    if (!longest || longest.length < 2) return `${text.slice(0, MOST).toWellFormed()}… (cut: ask for less)`
    const keep = Math.floor(longest.length / 2)
    left += longest.length - keep
    longest.length = keep
    text = JSON.stringify({ ...copy, left_out: `${left} items, as the answer was too long: ask for fewer at a time` })
  }
  return text
}

function longestList(value: unknown): unknown[] | undefined {
  let [longest, most]: [unknown[] | undefined, number] = [undefined, 0]
  const open: unknown[] = [value]
  while (open.length > 0) {
    const part = open.pop()
    if (typeof part !== 'object' || part === null) continue
    if (Array.isArray(part) && part.length > 1) {
      const size = JSON.stringify(part).length
      if (size > most) [longest, most] = [part, size]
    }
    open.push(...Object.values(part))
  }
  return longest
}

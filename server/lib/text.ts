/** True when PostgreSQL can hold the text: no NUL, which its `text` and `jsonb` refuse, and no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

interface Place {
  above: Place | null
  key: string
  value: unknown
}

/**
 * The path of the first text in a JSON value, key or value, that can't be stored: `fields.first_name`, `contacts.0.email`,
 * '' for the value itself; null when there is none. Bad characters of a key read as U+FFFD in the path, and a path is
 * cut at 200 characters. Without recursion, as JSON may be nested deeper than the stack.
 */
export function findUnstorable(json: unknown): string | null {
  const open: Place[] = [{ above: null, key: '', value: json }]
  for (let place = open.pop(); place; place = open.pop()) {
    const { value } = place
    if (!isStorable(place.key) || (typeof value === 'string' && !isStorable(value))) return pathOf(place)
    if (typeof value !== 'object' || value === null) continue
    // Pushed from the last to the first, so that what stands first in the document is looked at first.
    const keys = Object.keys(value)
    for (let at = keys.length - 1; at >= 0; at--) {
      const key = keys[at]!
      open.push({ above: place, key, value: (value as Record<string, unknown>)[key] })
    }
  }
  return null
}

const LONGEST_PATH = 200

function pathOf(place: Place): string {
  const keys: string[] = []
  for (let at = place; at.above; at = at.above) keys.push(at.key.replaceAll('\0', '\ufffd').toWellFormed())
  const path = keys.reverse().join('.')
  return path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH).toWellFormed()}…` : path
}

/**
 * Length in code points. Not UTF-16 units, of which an emoji has two, and not graphemes, whose bounds change from one
 * version of Unicode to the next: PostgreSQL's `char_length` and JSON Schema's `maxLength` count the same way, so a text
 * that passes here passes there.
 */
export function countCharacters(text: string): number {
  let pairs = 0
  for (let at = 0; at < text.length; at++) if (text.codePointAt(at)! > 0xffff) pairs++
  return text.length - pairs
}

/** Makes `%`, `_` and the backslash stand for themselves in a LIKE pattern whose escape is the backslash, the default. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/**
 * The form in which texts are compared without regard to case: STRASSE and Straße, ΟΔΟΣ and οδοσ are the same. Small first,
 * as the capital ẞ has no other capital, and so would stay apart from both ß and SS.
 */
export function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC')
}

/**
 * The same text in memory of its own: V8 cuts a text out of a larger one by pointing into it, and whoever keeps a cell keeps
 * the chunk of the file that it was read from.
 */
export function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

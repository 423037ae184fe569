/** White space of any kind, and what is invisible and comes along when text is copied. */
const BLANK = /[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/

/** Small words that begin a family name: Ludwig van Beethoven, Ana de la Cruz. */
const PARTICLES = new Set(
  'von van vom zu zum zur de del della delle dei di da das do dos du des la le el al bin ibn ben ter ten der den af av'.split(
    ' ',
  ),
)

/** What may stand behind a comma without being a first name: `King, Jr.` */
const SUFFIX = /^(?:jr|sr|ii|iii|iv|md|phd|ph\.d|esq|mba|b\.a|m\.a|b\.sc|m\.sc)\.?$/i

export interface Mailbox {
  name: string | null
  address: string
}

export interface FullName {
  first: string | null
  last: string | null
}

/** A text without blanks at its ends, also those that can't be seen. By hand, as a pattern takes quadratic time. */
export function trimCell(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && BLANK.test(text[start]!)) start++
  while (end > start && BLANK.test(text[end - 1]!)) end--
  return text.slice(start, end)
}

/**
 * The name and the address of `Name <a@b>`, `"Last, First" <a@b>`, `<a@b>`, `a@b (Name)` or `mailto:a@b`, or an address
 * alone, without blanks around its @ and a full stop behind it. null when there is no @ where the address should be.
 * Whether the address is a good one is not looked at.
 */
export function readMailbox(text: string): Mailbox | null {
  const trimmed = trimCell(text)
  const open = trimmed.lastIndexOf('<')
  if (open !== -1 && trimmed.endsWith('>')) {
    return mailbox(trimmed.slice(open + 1, -1), trimmed.slice(0, open))
  }
  const paren = trimmed.indexOf('(')
  if (paren > 0 && trimmed.endsWith(')')) return mailbox(trimmed.slice(0, paren), trimmed.slice(paren + 1, -1))
  return mailbox(trimmed, '')
}

/**
 * The first of several addresses, with its name if it has one: of `a@x, b@y`, `a@x; b@y`, `a@x b@y`, one on each line.
 * A comma in quotes, in brackets, or in a name before an address (`Last, First <a@x>`) separates nothing. A text that
 * holds one address, or none, is returned as it is but trimmed.
 */
export function firstAddress(text: string): string {
  const trimmed = trimCell(text)
  const parts = splitOutside(trimmed)
  const at = parts.findIndex((part) => part.includes('@'))
  if (at === -1) return trimmed
  const isNamed = parts[at]!.includes('<')
  if (isNamed) return trimCell(parts.slice(0, at + 1).join(','))
  const words = parts[at]!.split(/\s+|\//).filter((word) => word.includes('@'))
  return words.length > 1 ? words[0]! : trimCell(parts[at]!)
}

/**
 * A full name in two: `Last, First`, or else the last word is the family name, with the small words before it (`van`,
 * `de la`). One word is a first name. Nothing is lost: titles and further names stay with the first name.
 */
export function splitName(text: string): FullName {
  const name = trimCell(text).replace(/\s+/g, ' ')
  if (name === '') return { first: null, last: null }
  const parts = name.split(',').map((part) => part.trim())
  const [last = '', first = ''] = parts
  if (parts.length === 2 && last !== '' && first !== '' && !SUFFIX.test(first)) return { first, last }

  const words = name.split(' ')
  if (words.length === 1) return { first: name, last: null }
  let start = words.length - 1
  while (start > 1 && SUFFIX.test(words[start]!.replace(/,$/, ''))) start--
  while (start > 1 && PARTICLES.has(words[start - 1]!.toLowerCase())) start--
  return { first: words.slice(0, start).join(' '), last: words.slice(start).join(' ') }
}

function mailbox(address: string, name: string): Mailbox | null {
  const bare = trimCell(address).replace(/^mailto:/i, '')
  const at = bare.lastIndexOf('@')
  if (at === -1) return null
  const unquoted = trimCell(name)
    .replace(/^(["'])(.*)\1$/s, '$2')
    .replace(/\\(["\\])/g, '$1')
  return {
    name: trimCell(unquoted) || null,
    address: `${trimCell(bare.slice(0, at))}@${withoutEnd(trimCell(bare.slice(at + 1)))}`,
  }
}

/** Without the full stop, comma or semicolon that came along from a sentence or a list. */
function withoutEnd(text: string): string {
  let end = text.length
  while (end > 0 && '.,;'.includes(text[end - 1]!)) end--
  return text.slice(0, end)
}

/** Cut at commas, semicolons, bars and line ends that are neither in quotes nor in angle brackets. */
function splitOutside(text: string): string[] {
  const parts: string[] = []
  let start = 0
  let inQuotes = false
  let inBrackets = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') inQuotes = !inQuotes
    else if (inQuotes) continue
    else if (character === '<' || character === '>') inBrackets = character === '<'
    else if (!inBrackets && /[,;|\r\n]/.test(character)) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)].filter((part) => trimCell(part) !== '')
}

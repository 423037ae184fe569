import { domainToASCII, domainToUnicode } from 'node:url'
import { copyOf } from './text.ts'

export type EmailRead = { ok: true; email: string; domain: string } | { ok: false; problem: string[] }

/** RFC 5321: 64 octets before the @, and a path of 256 with its angle brackets. */
const MOST_LOCAL_BYTES = 64
const MOST_BYTES = 254

/** Nothing longer is looked at: before normalising, 254 octets may have been more characters, but not so many more. */
const MOST_CHARACTERS = 1000

/** A dot-atom as most people have it, which is stored as it is. Linear for any input. */
const PLAIN_LOCAL = /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*$/

/** What a dot-atom may hold (RFC 5322), and letters, marks and digits of any script (RFC 6531). */
const NOT_LOCAL = /[^\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]/u

/** In a domain, of ASCII only these; `domainToASCII` would decode `%41` and cut at `/`, `?`, `#` without a word. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII but the letters, digits, dot and hyphen
const NOT_DOMAIN = /[\x00-,/:-@[-`{-\x7f]/

/** Besides spaces, what is invisible and comes along when an address is copied: zero widths, marks of direction. */
const BLANK = /[\s\u00ad\u0085\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069]/

/**
 * The one form in which an address is stored and compared: trimmed, lower case, NFC, the domain as ASCII (punycode).
 * An address is a dot-atom of at most 64 bytes, one @, and a domain name with a dot, 254 bytes in all; no quotes,
 * comments or IP addresses. Letter case before the @ is given up, as no provider in use tells people apart by it.
 *
 * @returns `problem` is what to answer: the official words first, then what would be right.
 */
export function normaliseEmail(text: string): EmailRead {
  const trimmed = trim(text)
  if (trimmed === '') return { ok: false, problem: ["can't be blank"] }
  if (trimmed.length > MOST_CHARACTERS) return notOne(TOO_LONG)
  const [before = '', after, ...more] = trimmed.split('@')
  if (after === undefined) return notOne('must have an @, as in name@example.com')
  if (more.length > 0) return notOne('must have only one @')

  const isPlain = before.length <= MOST_LOCAL_BYTES && PLAIN_LOCAL.test(before)
  const local = isPlain ? before : before.normalize('NFC').toLowerCase().normalize('NFC')
  const localProblem = isPlain ? undefined : checkLocal(local)
  if (localProblem) return notOne(localProblem)
  const read = readDomain(after)
  if ('problem' in read) return notOne(read.problem)
  const email = `${local}@${read.domain}`
  return email.length * 3 > MOST_BYTES && Buffer.byteLength(email) > MOST_BYTES
    ? notOne(TOO_LONG)
    : { ok: true, email, domain: read.domain }
}

/** A stored address as people read it: the domain in its own script, where that leads back to the same address. */
export function displayEmail(email: string): string {
  if (!email.includes('xn--')) return email
  const at = email.lastIndexOf('@')
  const shown = `${email.slice(0, at)}@${domainToUnicode(email.slice(at + 1))}`
  const read = normaliseEmail(shown)
  return read.ok && read.email === email ? shown : email
}

const TOO_LONG = `is too long (maximum is ${MOST_BYTES} characters)`

function notOne(cure: string): EmailRead {
  return { ok: false, problem: ['is invalid', cure] }
}

/** By hand, as a pattern anchored at the end takes quadratic time over a long run of spaces in the middle. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  if (isVisible(text.charCodeAt(0)) && isVisible(text.charCodeAt(end - 1))) return text
  while (start < end && BLANK.test(text[start]!)) start++
  while (end > start && BLANK.test(text[end - 1]!)) end--
  return text.slice(start, end)
}

/** Of ASCII: what nearly all addresses begin and end with. */
function isVisible(code: number): boolean {
  return code > 0x20 && code < 0x7f
}

function checkLocal(local: string): string | undefined {
  if (local === '') return 'must have a name before the @'
  const wrong = NOT_LOCAL.exec(local)
  if (wrong) return `can't have ${shownCharacter(wrong[0])} before the @`
  if (/^\.|\.\.|\.$/.test(local))
    return "can't have a dot at the start or end of the part before the @, nor two in a row"
  if (Buffer.byteLength(local) > MOST_LOCAL_BYTES)
    return `is too long before the @ (maximum is ${MOST_LOCAL_BYTES} bytes)`
}

type DomainRead = { domain: string } | { problem: string }

/** Of most files and accounts there are few, and to read one takes as long as all else that is done with an address. */
const domains = new Map<string, DomainRead>()
const MOST_DOMAINS = 1000

function readDomain(text: string): DomainRead {
  const known = domains.get(text)
  if (known) return known
  const read = readNewDomain(text)
  if (domains.size >= MOST_DOMAINS) domains.clear()
  domains.set(copyOf(text), read)
  return read
}

function readNewDomain(text: string): DomainRead {
  if (text === '') return { problem: 'must have a domain after the @, as in name@example.com' }
  if (text.startsWith('[')) return { problem: 'must have a domain name after the @, not an IP address' }
  const wrong = NOT_DOMAIN.exec(text)
  if (wrong) return { problem: `can't have ${shownCharacter(wrong[0])} after the @` }
  const domain = text.isWellFormed() ? domainToASCII(text) : ''
  // Full-width digits become an IP address here, full-width letters and dots plain ones.
  if (!/^[a-z0-9.-]+$/.test(domain)) return { problem: 'has a domain that no host can have' }
  if (domain.endsWith('.')) return { problem: "can't end with a dot" }
  const labels = domain.split('.')
  if (labels.length < 2) return { problem: 'must have a domain with a dot, as in name@example.com' }
  if (labels.includes('')) return { problem: "can't have two dots in a row, or one right after the @" }
  if (!labels.every(isLabel))
    return { problem: 'has a domain with a part that is too long, or that starts or ends with a hyphen' }
  if (/^\d+$/.test(labels.at(-1)!)) return { problem: 'must have a domain name after the @, not an IP address' }
  if (labels.some(isUndecodable)) return { problem: 'has a domain with a part that is not correct punycode (xn--)' }
  return { domain }
}

/** RFC 1035: 1 to 63 characters, no hyphen first or last. */
function isLabel(label: string): boolean {
  return label.length <= 63 && !label.startsWith('-') && !label.endsWith('-')
}

function isUndecodable(label: string): boolean {
  return label.startsWith('xn--') && domainToUnicode(label) === label
}

function shownCharacter(character: string): string {
  const code = character.codePointAt(0)!
  if (code === 0x20) return 'a space'
  return /[\p{C}\p{Z}]/u.test(character) ? `U+${code.toString(16).toUpperCase().padStart(4, '0')}` : `'${character}'`
}

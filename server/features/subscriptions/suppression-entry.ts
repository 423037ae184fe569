import { normaliseEmail } from '../../lib/email.ts'

/** What may not be mailed, in the form in which it is stored. */
export interface Entry {
  kind: 'address' | 'sha256' | 'domain'
  value: string
}

const LONGEST = 1000

/**
 * Reads what someone has written: an address, the SHA-256 of one (in small letters, as 64 hexadecimal digits), a domain, or
 * `*.` and a domain for all below it. A text says what would be right.
 */
export function readEntry(written: string): Entry | string {
  const text = written.trim()
  if (text === '') return "can't be blank"
  if (text.length > LONGEST) return 'is too long'
  if (/^[0-9a-f]{64}$/i.test(text)) return { kind: 'sha256', value: text.toLowerCase() }
  if (text.includes('@')) {
    const read = normaliseEmail(text)
    return read.ok ? { kind: 'address', value: read.email } : read.problem.join(', ')
  }
  const below = text.startsWith('*.')
  const read = normaliseEmail(`name@${below ? text.slice(2) : text}`)
  if (!read.ok) return 'must be an address, the SHA-256 of one, a domain such as example.com, or *.example.com'
  return { kind: 'domain', value: below ? `*.${read.domain}` : read.domain }
}

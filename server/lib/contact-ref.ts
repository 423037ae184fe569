import { normaliseEmail } from './email.ts'
import { parseUuid } from './ids.ts'
import { isStorable } from './text.ts'

/** How a request names a contact, in the form in which it is stored; `none` is what can be nobody's name. */
export type ContactRef =
  | { by: 'id'; id: string }
  | { by: 'email'; email: string }
  | { by: 'external_id'; externalId: string }
  | { by: 'none' }

const EXTERNAL = 'ext:'
const LONGEST_EMAIL = 320
const LONGEST_EXTERNAL_ID = 255

/** Nothing longer is decoded: an external id of 255 characters, each percent-encoded as up to 12, stays below. */
const LONGEST = 4096

/**
 * Reads the part of a path, already decoded once by the router, or an item of `contact_ids`: a UUID, an address of at
 * most 320 characters in which `+` is a plus, or `ext:` with an external id. Text that is none of these is decoded once
 * more: Java's official samples encode an address that their client encodes again. Never throws.
 */
export function parseContactRef(text: string): ContactRef {
  if (text.length > LONGEST) return { by: 'none' }
  const ref = readRef(text)
  if (ref || text.includes('@')) return ref ?? { by: 'none' }
  const decoded = decode(text)
  return (decoded !== null && readRef(decoded)) || { by: 'none' }
}

function readRef(text: string): ContactRef | undefined {
  const trimmed = text.trim()
  if (trimmed.startsWith(EXTERNAL)) {
    const externalId = trimmed.slice(EXTERNAL.length).trim()
    const isOne = externalId !== '' && externalId.length <= LONGEST_EXTERNAL_ID && isStorable(externalId)
    return isOne ? { by: 'external_id', externalId } : { by: 'none' }
  }
  const id = parseUuid(trimmed)
  if (id) return { by: 'id', id }
  if (!trimmed.includes('@') || trimmed.length > LONGEST_EMAIL) return undefined
  const read = normaliseEmail(trimmed)
  return read.ok ? { by: 'email', email: read.email } : undefined
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

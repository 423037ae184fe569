import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/** One key of ROLLCALL_SECRET. */
export interface Key {
  /** Eight hexadecimal digits that name the key and tell nothing of it; stored with all that it makes. */
  id: string
  secret: string
}

/** The keys, newest first: the first makes, all of them read. Never empty. */
export type Keyring = readonly [Key, ...Key[]]

export interface Mark {
  keyId: string
  /** Hexadecimal. */
  value: string
}

/** Shorter ones could be guessed. */
export const SHORTEST_KEY = 32

const IV_BYTES = 12
const TAG_BYTES = 16
const ID_BYTES = 4

/** Reads one key or several, comma-separated, newest first. The error's message never holds a key. */
export function parseKeyring(text: string): Keyring {
  const secrets = text.split(',').map((part) => part.trim())
  if (secrets.some((secret) => secret.length < SHORTEST_KEY)) {
    throw new Error(
      `each key must have at least ${SHORTEST_KEY} characters; several are parted by commas, the newest first`,
    )
  }
  const keys = secrets.map((secret) => ({ id: idOf(secret), secret }))
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('a key stands there twice')
  return keys as [Key, ...Key[]]
}

/** A new key, in the form that `parseKeyring` reads. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** 32 bytes for one purpose, made from the newest key: what is known of one purpose's key tells nothing of another's. */
export function deriveKey(keyring: Keyring, purpose: string): KeyObject {
  return derived(keyring[0], purpose)
}

/** A keyed hash by the newest key: equal for equal texts, and nobody without the key can try texts against it. */
export function hmac(keyring: Keyring, purpose: string, text: string): Mark {
  return mark(keyring[0], purpose, text)
}

/** The same by every key, newest first: what to look for, as any of them may have made what is stored. */
export function hmacAll(keyring: Keyring, purpose: string, text: string): Mark[] {
  return keyring.map((key) => mark(key, purpose, text))
}

/** Encrypts with the newest key (AES-256-GCM). The same text sealed twice gives different bytes. */
export function seal(keyring: Keyring, purpose: string, text: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', derived(keyring[0], purpose), iv)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.from(keyring[0].id, 'hex'), iv, cipher.getAuthTag(), sealed])
}

/** Which key has sealed it. */
export function keyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(0, ID_BYTES)).toString('hex')
}

/** The text that was sealed for the same purpose. Throws when its key is not in the ring, or a byte was changed. */
export function openSealed(keyring: Keyring, purpose: string, sealed: Uint8Array): string {
  const bytes = Buffer.from(sealed)
  const id = keyIdOf(bytes)
  const key = keyring.find((known) => known.id === id)
  if (!key) throw new Error(`sealed with key ${id}, which is not in ROLLCALL_SECRET`)
  const [ivEnd, tagEnd] = [ID_BYTES + IV_BYTES, ID_BYTES + IV_BYTES + TAG_BYTES]
  const decipher = createDecipheriv('aes-256-gcm', derived(key, purpose), bytes.subarray(ID_BYTES, ivEnd), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(bytes.subarray(ivEnd, tagEnd))
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8')
}

function idOf(secret: string): string {
  return createHash('sha256')
    .update(`rollcall key id\0${secret}`)
    .digest('hex')
    .slice(0, 2 * ID_BYTES)
}

function mark(key: Key, purpose: string, text: string): Mark {
  return { keyId: key.id, value: createHmac('sha256', derived(key, purpose)).update(text).digest('hex') }
}

const derivedKeys = new WeakMap<Key, Map<string, KeyObject>>()

/**
 * Deriving takes longer than the hash it is for, so each result is kept as long as its key is. As a KeyObject: with a
 * Buffer for its key, an HMAC takes 12 µs in place of 2.
 */
function derived(key: Key, purpose: string): KeyObject {
  const byPurpose = derivedKeys.get(key) ?? new Map<string, KeyObject>()
  derivedKeys.set(key, byPurpose)
  const known = byPurpose.get(purpose)
  if (known) return known
  const made = createSecretKey(Buffer.from(hkdfSync('sha256', key.secret, '', `rollcall ${purpose}`, 32)))
  byPurpose.set(purpose, made)
  return made
}

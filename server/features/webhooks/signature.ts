import { createHmac, randomBytes } from 'node:crypto'
import { type Keyring, openSealed, seal } from '../../lib/secret.ts'

/** What a receiver checks messages with, in the form of Standard Webhooks: `whsec_` and 32 bytes in base64. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

const PURPOSE = 'webhook secret'

export function sealSigningSecret(keyring: Keyring, secret: string): Buffer {
  return seal(keyring, PURPOSE, secret)
}

/** Throws when the key that sealed it is not in the ring. */
export function openSigningSecret(keyring: Keyring, sealed: Uint8Array): string {
  return openSealed(keyring, PURPOSE, sealed)
}

export interface Letter {
  /** The message's id, the same each time it is sent. */
  id: string
  body: string
}

/**
 * The headers of a message, signed by each of the secrets, as Standard Webhooks asks for.
 * @param atMs the moment of sending, in ms since the epoch: receivers refuse what is minutes old
 */
export function signedHeaders({ id, body }: Letter, secrets: readonly string[], atMs: number): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

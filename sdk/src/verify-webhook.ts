import { WebhookError } from './errors.ts'
import type { FeedEvent } from './feed.ts'

/** A message of a webhook, once it is known to be genuine. With `each`, `data` holds many events. */
export interface WebhookMessage {
  type: string
  timestamp: string
  data: Omit<FeedEvent, 'position'> | Omit<FeedEvent, 'position'>[]
}

/** Headers as platforms have them: an object that is asked, or Node's plain one. */
export type GivenHeaders = { get(name: string): string | null } | Record<string, string | string[] | undefined>

const TOLERANCE_S = 300

/**
 * Reads a webhook's message; throws WebhookError unless it was signed with this secret (or one of these) in the last five
 * minutes. It may still come twice: keep the ids (`webhook-id`) that you have seen.
 *
 * @param body As it came, byte by byte: what was parsed and written again is not what was signed.
 */
export async function verifyWebhook(
  secret: string | string[],
  headers: GivenHeaders,
  body: string | Uint8Array,
  now: () => number = Date.now,
): Promise<WebhookMessage> {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    headerOf(headers, name),
  )
  if (!id || !timestamp || !signatures) throw new WebhookError('This has not the headers of a webhook message')
  if (!/^\d+$/.test(timestamp) || Math.abs(now() / 1000 - Number(timestamp)) > TOLERANCE_S)
    throw new WebhookError('The message was not sent in the last five minutes: is the clock right?')
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const head = new TextEncoder().encode(`${id}.${timestamp}.`)
  const signed = new Uint8Array(head.length + bytes.length)
  signed.set(head)
  signed.set(bytes, head.length)
  if (!(await isSigned([secret].flat(), signatures, signed)))
    throw new WebhookError('The message was not signed with this secret, or was changed on its way')
  return JSON.parse(new TextDecoder().decode(bytes))
}

/** Web Crypto compares in constant time. */
async function isSigned(secrets: string[], signatures: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const { subtle } = await webCrypto()
  const given = signatures
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .flatMap((signature) => bytesOf(signature.slice(3)) ?? [])
  for (const secret of secrets) {
    const key = bytesOf(secret.replace(/^whsec_/, ''))
    if (!key || key.length === 0) throw new WebhookError('The secret must be as it was given: whsec_…')
    const imported = await subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
    for (const signature of given) if (await subtle.verify('HMAC', imported, signature, signed)) return true
  }
  return false
}

/** Bytes of a base64 text; undefined for what is none. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function headerOf(headers: GivenHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? []
  return [value as string | string[] | undefined].flat()[0]
}

/** Everywhere but in Node 18 it is global. The name is a variable so that bundlers for browsers do not look for the module. */
async function webCrypto(): Promise<typeof globalThis.crypto> {
  if (globalThis.crypto) return globalThis.crypto
  const name: string = 'node:crypto'
  const { webcrypto } = (await import(name)) as { webcrypto: typeof globalThis.crypto }
  return webcrypto
}

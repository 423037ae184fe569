import { timingSafeEqual } from 'node:crypto'
import { parseId } from '../../lib/ids.ts'
import { hmac, hmacAll, type Keyring } from '../../lib/secret.ts'

const PURPOSE = 'export'

/** What a link names; whoever has the link may read it. */
export interface Linked {
  accountId: number
  exportId: number
  expiresAt: Date
}

/** `ACCOUNT-EXPORT-SECONDS-KEY-MAC`: what it names in clear, then the key's id and a keyed hash of all that. */
export function signLink(keyring: Keyring, { accountId, exportId, expiresAt }: Linked): string {
  const named = `${accountId}-${exportId}-${Math.floor(expiresAt.getTime() / 1000)}`
  const { keyId, value } = hmac(keyring, PURPOSE, named)
  return `${named}-${keyId}-${value}`
}

/** What a link names; undefined unless `signLink` has made it with one of these keys. It may have expired. */
export function readLink(keyring: Keyring, link: string): Linked | undefined {
  const [, named, keyId, mac] = /^(\d+-\d+-\d+)-([0-9a-f]{8})-([0-9a-f]{64})$/.exec(link) ?? []
  if (named === undefined) return undefined
  const mark = hmacAll(keyring, PURPOSE, named).find((made) => made.keyId === keyId)
  if (!mark || !timingSafeEqual(Buffer.from(mark.value), Buffer.from(mac!))) return undefined
  const [accountId, exportId, seconds] = named.split('-').map((text) => parseId(text))
  if (!accountId || !exportId || !seconds) return undefined
  return { accountId, exportId, expiresAt: new Date(seconds * 1000) }
}

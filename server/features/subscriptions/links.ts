import { type Keyring, openSealed, seal } from '../../lib/secret.ts'

/** What the links are sealed for: one is no good as the other. */
export const UNSUBSCRIBE_LINK = 'unsubscribe link'
export const PREFERENCES_LINK = 'preferences link'

/** Who leaves by a link, and what: one list, or all mail. */
export interface Leaving {
  accountId: number
  contactId: string
  /** To which the link was mailed. Its owner's word counts for it, whoever has it by then. */
  email: string
  /** null: all mail. */
  listId: number | null
}

/**
 * `BASE/unsubscribe/ACCOUNT-SEALED`. Sealed rather than signed, as it holds the address: so it also works for someone who was
 * removed and has come back since. It works for as long as its key is in the ring, behind whatever newer ones.
 */
export function unsubscribeUrl(
  base: string,
  keyring: Keyring,
  { accountId, contactId, email, listId }: Leaving,
): string {
  const sealed = seal(keyring, UNSUBSCRIBE_LINK, JSON.stringify([accountId, contactId, email, listId]))
  return `${base}/unsubscribe/${accountId}-${sealed.toString('base64url')}`
}

/** Who leaves by a link; undefined unless `unsubscribeUrl` made it with one of these keys. */
export function readUnsubscribeLink(keyring: Keyring, link: string): Leaving | undefined {
  const read = openLink(keyring, UNSUBSCRIBE_LINK, link) as [number, string, string, number | null] | undefined
  if (!read) return undefined
  const [accountId, contactId, email, listId] = read
  return { accountId, contactId, email, listId }
}

/** Whose preferences a link shows: those of whoever has the address, as whoever reads its mail may see them. */
export interface Preferring {
  accountId: number
  email: string
}

/** `BASE/preferences/ACCOUNT-SEALED`, which works as long as `unsubscribeUrl`. */
export function preferencesUrl(base: string, keyring: Keyring, { accountId, email }: Preferring): string {
  const sealed = seal(keyring, PREFERENCES_LINK, JSON.stringify([accountId, email]))
  return `${base}/preferences/${accountId}-${sealed.toString('base64url')}`
}

/** undefined unless `preferencesUrl` made it with one of these keys. */
export function readPreferencesLink(keyring: Keyring, link: string): Preferring | undefined {
  const read = openLink(keyring, PREFERENCES_LINK, link) as [number, string] | undefined
  return read && { accountId: read[0], email: read[1] }
}

/** What was sealed into a link, its account first, which must be the one in clear. */
function openLink(keyring: Keyring, purpose: string, link: string): unknown[] | undefined {
  const [, account, sealed] = /^(\d{1,16})-([\w-]+)$/.exec(link) ?? []
  if (account === undefined) return undefined
  try {
    const read = JSON.parse(openSealed(keyring, purpose, Buffer.from(sealed!, 'base64url'))) as unknown[]
    return String(read[0]) === account ? read : undefined
  } catch {
    return undefined
  }
}

/** What is put into mail to somebody; with a list, the link to leave is bound to it. */
export function linksOf(
  base: string,
  keyring: Keyring,
  leaving: Leaving,
): { unsubscribe_url: string; preferences_url: string } {
  return {
    unsubscribe_url: unsubscribeUrl(base, keyring, leaving),
    preferences_url: preferencesUrl(base, keyring, leaving),
  }
}

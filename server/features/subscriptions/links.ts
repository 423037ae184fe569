import { type Keyring, openSealed, seal } from '../../lib/secret.ts'

const PURPOSE = 'unsubscribe link'

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
  const sealed = seal(keyring, PURPOSE, JSON.stringify([accountId, contactId, email, listId]))
  return `${base}/unsubscribe/${accountId}-${sealed.toString('base64url')}`
}

/** Who leaves by a link; undefined unless `unsubscribeUrl` made it with one of these keys. */
export function readUnsubscribeLink(keyring: Keyring, link: string): Leaving | undefined {
  const [, account, sealed] = /^(\d{1,16})-([\w-]+)$/.exec(link) ?? []
  if (account === undefined) return undefined
  try {
    const [accountId, contactId, email, listId] = JSON.parse(
      openSealed(keyring, PURPOSE, Buffer.from(sealed!, 'base64url')),
    ) as [number, string, string, number | null]
    return String(accountId) === account ? { accountId, contactId, email, listId } : undefined
  } catch {
    return undefined
  }
}

import { type Keyring, openSealed, seal } from '../../lib/secret.ts'
import type { EventType } from '../activity/event-types.ts'

const PURPOSE = 'mail'

/** A mail as it goes out. */
export interface Letter {
  /** The recipient's address. */
  to: string
  /** Whose name stands before the address that mail comes from. */
  fromName: string
  subject: string
  html: string
  text: string
  /** By which its reader leaves: in the headers too. None in a mail that only asks for permission, and so needs none. */
  unsubscribeUrl?: string
  /** The list whose mail it is: who has left that does not get it. */
  listId?: number
  /** What is told of the contact once it is on its way. */
  types: EventType[]
}

/** Addresses of our own in a mail, up to what makes each good for something. */
const LINKS = /(\/(?:confirm|request|unsubscribe|preferences)\/\d+-)[\w-]+/g

/** A mail for those who are not to act for its reader: its links lead nowhere. */
export function withoutLinks({ unsubscribeUrl: _, ...letter }: Letter): Letter {
  const cut = (text: string) => text.replaceAll(LINKS, '$1…')
  return { ...letter, subject: cut(letter.subject), html: cut(letter.html), text: cut(letter.text) }
}

/** Sealed, as a link in it may let its reader act for the person. */
export function sealLetter(keyring: Keyring, letter: Letter): Buffer {
  return seal(keyring, PURPOSE, JSON.stringify(letter))
}

/** undefined when the key that sealed it is gone. */
export function openLetter(keyring: Keyring, sealed: Uint8Array): Letter | undefined {
  try {
    return JSON.parse(openSealed(keyring, PURPOSE, sealed)) as Letter
  } catch {
    return undefined
  }
}

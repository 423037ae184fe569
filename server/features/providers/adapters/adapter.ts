import type { IncomingHttpHeaders } from 'node:http'
import type { Reading } from '../event.ts'
import type { Certificates } from '../sns.ts'

/** A request as it came, and what the hook knows. */
export interface Letter {
  bytes: Uint8Array
  headers: IncomingHttpHeaders
  /** What its sender signs with, where that was told. */
  signingSecret: string | null
  /** Since 1970. */
  nowMs: number
}

export interface Opened extends Reading {
  /** The topic of SNS that sent it: only one may post to a hook. */
  topicArn?: string
  /** Where a subscription is confirmed, when that is asked for. */
  confirmUrl?: URL
}

/** How one provider's messages are checked and read. */
export interface Adapter {
  /** Whether its sender signs with a secret that the hook must be told. */
  usesSecret: boolean
  /** Throws Unverified when the signature is not right, and Unreadable when the body is nothing that the provider sends. */
  open(letter: Letter, certificates: Certificates): Promise<Opened>
}

/** Whoever sent it does not know the secret, or what was sent was changed on its way. */
export class Unverified extends Error {
  override readonly name = 'Unverified'
}

export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../db/database.ts'
import { Turnstile } from '../../db/turnstile.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { EventRow } from '../activity/timeline.ts'
import type { Naming } from '../activity/wire.ts'
import {
  type Claimed,
  claimDeliveries,
  dropErased,
  type Endpoint,
  endpointsWithWork,
  forgetDeliveries,
  noteOutcome,
  readSending,
  releaseDelivery,
  type Sending,
} from './deliveries.ts'
import { bodyOf, readEvents } from './letter.ts'
import { type Knowledge, planDeliveries } from './plan.ts'
import { Post, type PostOptions } from './post.ts'
import { openSigningSecret, signedHeaders } from './signature.ts'

const LOOK_EVERY_MS = 250
const FORGET_EVERY_MS = 3_600_000

/** Messages to one webhook under way at once, in one process; to one that fails a single one, until it answers well. */
const LANES = 16

/** Webhooks that are served at once, in one process: with their lanes they stay below the 1,024 sockets of most systems. */
const SERVED = 60

/** What a process has for its own part of a delivery, beside the time for the answer. */
const LEASE_MARGIN_S = 15

export interface SenderParts extends PostOptions, Knowledge {
  db: Database
  keyring: Keyring
  nameFields: (accountId: number) => Promise<Naming>
  onError: (error: unknown) => void
}

/**
 * Sends to webhooks what they are to be told. Each has a loop of its own, which reads the feed on, makes deliveries and
 * sends them; so one that stalls keeps nobody waiting but itself. Any number of processes may run this.
 */
export class Sender {
  readonly #parts: SenderParts
  readonly #post: Post
  readonly #leaseS: number
  readonly #turnstile = new Turnstile(SERVED)
  readonly #busy = new Map<string, Promise<void>>()
  readonly #cutOff = new AbortController()
  #stopping = false
  #looking: Promise<unknown> = Promise.resolve()
  #lookTimer: NodeJS.Timeout | undefined
  #forgetTimer: NodeJS.Timeout | undefined

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#post = new Post(parts)
    this.#leaseS = parts.timeoutMs / 1000 + LEASE_MARGIN_S
  }

  start(): this {
    const look = () => {
      this.#looking = this.look().catch(this.#parts.onError)
      void this.#looking.then(() => {
        if (!this.#stopping) this.#lookTimer = setTimeout(look, LOOK_EVERY_MS)
      })
    }
    this.#forgetTimer = setInterval(() => void this.forget().catch(this.#parts.onError), FORGET_EVERY_MS)
    look()
    return this
  }

  /** Empties the log of what has ended long ago. */
  forget(): Promise<void> {
    return forgetDeliveries(this.#parts.db)
  }

  /** Begins to serve every webhook that has something to read or to send, and that this process does not serve yet. */
  async look(): Promise<void> {
    for (const endpoint of await endpointsWithWork(this.#parts.db)) {
      const key = `${endpoint.accountId} ${endpoint.webhookId}`
      if (this.#busy.has(key) || this.#stopping) continue
      const serving = this.#serve(endpoint)
        .catch(this.#parts.onError)
        .finally(() => this.#busy.delete(key))
      this.#busy.set(key, serving)
    }
  }

  /** Waits until all that was begun has ended. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values())
  }

  /** Takes nothing more, lets what is under way end for `timeoutMs`, and cuts off the rest, which is sent again elsewhere. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#lookTimer)
    clearInterval(this.#forgetTimer)
    await this.#looking
    const settled = this.settled()
    await Promise.race([settled, sleep(timeoutMs, undefined, { ref: false })])
    this.#cutOff.abort()
    await settled
    this.#post.close()
  }

  async #serve(endpoint: Endpoint): Promise<void> {
    let goesOn = true
    while (goesOn && !this.#stopping) goesOn = await this.#turnstile.pass(() => this.#round(endpoint))
  }

  /**
   * Sends as much as there are lanes for and, when that is less, reads the feed on by one batch. Answers whether there was
   * anything to do.
   */
  async #round(endpoint: Endpoint): Promise<boolean> {
    const { db } = this.#parts
    const sending = await readSending(db, endpoint)
    if (!sending) return false
    const limit = sending.isFailing ? 1 : LANES
    const claim = { limit, leaseS: this.#leaseS, testsOnly: !sending.isEnabled }
    const claimed = await claimDeliveries(db, endpoint, claim)
    const [hasRead] = await Promise.all([
      claimed.length < limit && planDeliveries(db, this.#parts, endpoint.accountId, endpoint.webhookId),
      this.#deliverAll(endpoint, sending, claimed),
    ])
    return hasRead || claimed.length > 0
  }

  async #deliverAll(endpoint: Endpoint, sending: Sending, claimed: readonly Claimed[]): Promise<void> {
    if (claimed.length === 0) return
    const { db, nameFields, onError } = this.#parts
    const [events, name] = await Promise.all([
      readEvents(db, endpoint.accountId, claimed),
      nameFields(endpoint.accountId),
    ])
    // What fails here is ours, not the receiver's: its lease runs out, and it is sent again.
    await Promise.all(
      claimed.map((delivery) => this.#deliver(endpoint, sending, delivery, events, name).catch(onError)),
    )
  }

  async #deliver(
    endpoint: Endpoint,
    sending: Sending,
    delivery: Claimed,
    events: ReadonlyMap<string, EventRow>,
    name: Naming,
  ): Promise<void> {
    const { db, keyring } = this.#parts
    const body = bodyOf(delivery, endpoint.webhookId, events, name)
    if (body === undefined) return dropErased(db, endpoint, delivery)
    const sealed = [sending.secret, ...(sending.previous_secret ? [sending.previous_secret] : [])]
    const secrets = sealed.map((secret) => openSigningSecret(keyring, secret))
    const headers = signedHeaders({ id: delivery.message_id, body }, secrets, Date.now())
    const outcome = await this.#post.send(sending.url, headers, body, this.#cutOff.signal)
    return outcome
      ? noteOutcome(db, endpoint, delivery, outcome, sending.isFailing)
      : releaseDelivery(db, endpoint, delivery)
  }
}

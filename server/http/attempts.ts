import { LRUCache } from 'lru-cache'
import { AppError } from '../lib/app-error.ts'

/** Senders that are told apart; beyond that, those heard of longest ago begin anew. */
const MOST_SENDERS = 100_000

/** How often each sender may try what costs us something before we know who it is, in a window that its first try opens. */
export class Attempts {
  readonly #max: number
  readonly #made: LRUCache<string, { count: number }>

  /** @param max Attempts of one sender in a window of `windowMs`; 0 is no limit. */
  constructor(max: number, windowMs: number) {
    this.#max = max
    // Not by `max`, for which room is made at once: seven of these would take 80 ms and 30 MB with nobody in them.
    this.#made = new LRUCache({ maxSize: MOST_SENDERS, sizeCalculation: () => 1, ttl: windowMs })
  }

  /** Counts an attempt; what it returns takes it back. Throws rate_limited when the sender has none left. */
  take(sender: string): () => void {
    if (this.#max === 0) return () => {}
    const made = this.#made.get(sender) ?? { count: 0 }
    if (made.count === this.#max) {
      const retry_after_s = Math.max(1, Math.ceil(this.#made.getRemainingTTL(sender) / 1000))
      throw new AppError('rate_limited', 'Rate limit exceeded', undefined, undefined, { retry_after_s })
    }
    if (made.count++ === 0) this.#made.set(sender, made)
    return () => made.count--
  }
}

import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import { type FeedHead, type FeedRow, readFeed, readHeads } from './feed.ts'

/** How often the heads are looked at: what an event waits at most, beside the dispatcher's time, before a stream has it. */
const LOOK_EVERY_MS = 250

/** Events that a stream reads at once: what a slow reader holds in memory, beside the buffer of its socket. */
export const STREAM_PAGE = 200

/** Pages that several streams read at the same moment are read once. More are not kept: they hold what may be erased. */
const PAGES_KEPT = 50
const PAGES_KEPT_MS = 2000

interface Waiting {
  head: FeedHead
  wake: (head: FeedHead | undefined) => void
}

/**
 * Watches the feeds that streams of this process wait for. One statement a look finds the heads of all their accounts,
 * however many streams there are; without any, it does not look.
 */
export class FeedWatch {
  readonly #db: Database
  readonly #onError: (error: unknown) => void
  readonly #waiting = new Map<number, Set<Waiting>>()
  readonly #pages = new LRUCache<string, Promise<FeedRow[]>>({ max: PAGES_KEPT, ttl: PAGES_KEPT_MS })
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(db: Database, onError: (error: unknown) => void) {
    this.#db = db
    this.#onError = onError
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /**
   * Waits until an account's feed has gone beyond this head, or has a new epoch; answers how it then is. undefined when
   * `signal` ended the wait, or the watch was stopped.
   */
  beyond(accountId: number, head: FeedHead, signal: AbortSignal): Promise<FeedHead | undefined> {
    if (this.#stopped || signal.aborted) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const those = this.#waiting.get(accountId) ?? new Set()
      this.#waiting.set(accountId, those)
      const onAbort = () => waiting.wake(undefined)
      const waiting: Waiting = {
        head,
        wake: (found) => {
          signal.removeEventListener('abort', onAbort)
          those.delete(waiting)
          if (those.size === 0 && this.#waiting.get(accountId) === those) this.#waiting.delete(accountId)
          resolve(found)
        },
      }
      those.add(waiting)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#timer ??= setTimeout(() => void this.#look(), LOOK_EVERY_MS)
    })
  }

  /** The page behind a position, of a feed that has come as far as `head`. */
  page(accountId: number, after: number, head: FeedHead): Promise<FeedRow[]> {
    const key = `${accountId} ${head.epoch} ${head.position} ${after}`
    const known = this.#pages.get(key)
    if (known) return known
    const reading = readFeed(this.#db, accountId, { after, head, limit: STREAM_PAGE }).then(({ rows }) => rows)
    this.#pages.set(key, reading)
    reading.catch(() => this.#pages.delete(key))
    return reading
  }

  /** Ends every wait, and those that are yet to come. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const { wake } of this.#all()) wake(undefined)
  }

  #all(): Waiting[] {
    return [...this.#waiting.values()].flatMap((those) => [...those])
  }

  async #look(): Promise<void> {
    try {
      const heads = await readHeads(this.#db, [...this.#waiting.keys()])
      for (const { account_id, ...found } of heads) {
        for (const { head, wake } of [...(this.#waiting.get(account_id) ?? [])])
          if (found.position > head.position || found.epoch !== head.epoch) wake(found)
      }
    } catch (error) {
      if (!this.#stopped) this.#onError(error)
    }
    this.#timer = undefined
    if (this.#waiting.size > 0 && !this.#stopped) this.#timer = setTimeout(() => void this.#look(), LOOK_EVERY_MS)
  }
}

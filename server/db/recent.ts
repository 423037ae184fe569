import { LRUCache } from 'lru-cache'

/**
 * What was read a moment ago, by key. Holds the promises, so that many who ask at once read once; a failure is not kept,
 * and what is forgotten while it is being read is read again by the next who asks.
 */
export class Recent<Key extends string | number, Value> {
  readonly #read: (key: Key) => Promise<Value>
  readonly #cache: LRUCache<Key, Promise<Value>>

  /** @param options.ttlMs For how many milliseconds an answer is believed; `max`: of how many keys. */
  constructor(read: (key: Key) => Promise<Value>, options: { ttlMs: number; max: number }) {
    this.#read = read
    this.#cache = new LRUCache({ max: options.max, ttl: options.ttlMs })
  }

  get(key: Key): Promise<Value> {
    const known = this.#cache.get(key)
    if (known) return known
    const reading = this.#read(key)
    this.#cache.set(key, reading)
    reading.catch(() => this.#cache.peek(key) === reading && this.#cache.delete(key))
    return reading
  }

  /** Whether it is known, or being read. */
  has(key: Key): boolean {
    return this.#cache.has(key)
  }

  forget(key: Key): void {
    this.#cache.delete(key)
  }
}

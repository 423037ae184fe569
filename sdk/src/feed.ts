import { sleep } from './attempts.ts'
import type { Answer, CallOptions, Query, Transport } from './transport.ts'

export type FeedEvent = Answer<'readFeed'>['data'][number]

export interface FeedOptions extends CallOptions {
  /** A cursor, `start` or `now`; from the beginning unless given. */
  after?: string | undefined
  /** Only events of any of these types. */
  types?: FeedEvent['type'][]
  /** Only events of this contact. */
  contact?: string
  /** Events in a batch at most; 100 unless given, 1,000 at most. */
  limit?: number
}

export interface Batch {
  events: FeedEvent[]
  /** To go on behind these events: keep it where you keep what you made of them, in the same transaction if you can. */
  cursor: string
}

/** Milliseconds between two questions when nothing has happened. */
const POLL_MS = 1_000

/** The account's feed: all that happened, in order, with nothing missed and nothing twice. */
export class Feed {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** One page. */
  read = (query: Query<'readFeed'> = {}, options?: CallOptions): Promise<Answer<'readFeed'>> =>
    this.#transport.call('readFeed', { query }, options)

  /** What there is up to now, batch by batch. */
  batches = (options: FeedOptions = {}): AsyncGenerator<Batch> => this.#batches(options, false)

  /**
   * The same, and then what happens next, until its signal is aborted or the loop is left. Throws FeedRestartedError when the
   * service was put back to an older state; its `resumeAfter` is where to go on.
   */
  follow = (options: FeedOptions = {}): AsyncGenerator<Batch> => this.#batches(options, true)

  async *#batches({ after, types, contact, limit, ...call }: FeedOptions, isEndless: boolean): AsyncGenerator<Batch> {
    const filters = {
      ...(types === undefined ? {} : { types: types.join(',') }),
      ...(contact === undefined ? {} : { contact }),
      ...(limit === undefined ? {} : { limit }),
    }
    for (let cursor = after; ; ) {
      const page = await this.read({ ...filters, ...(cursor === undefined ? {} : { after: cursor }) }, call)
      cursor = page.next_cursor
      if (page.data.length > 0) yield { events: page.data, cursor }
      if (page.has_more) continue
      if (!isEndless) return
      await sleep(POLL_MS, call.signal)
    }
  }
}

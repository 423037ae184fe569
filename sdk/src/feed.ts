import { backoffMs, sleep } from './attempts.ts'
import { ConnectionError, ServiceError, TimeoutError } from './errors.ts'
import { messagesOf } from './event-stream.ts'
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

export interface StreamOptions extends CallOptions {
  /** A cursor, `start` or `now`; what happens from now on unless given. */
  after?: string | undefined
  types?: FeedEvent['type'][]
  contact?: string
  /** `contact_email`: with each event its contact's address. */
  include?: 'contact_email'
  /** Told each time that the connection is there. */
  onOpen?: () => void
  /** Told why a stream ended, each time before it is taken up again. */
  onBreak?: (reason: Error) => void
}

/** An event as it happened. */
export interface StreamedEvent {
  event: FeedEvent
  /** To go on behind this event. */
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

  /** One page: behind `after`, or with `before` up to there, the latest first. */
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

  /**
   * Events as they happen, over one connection that is taken up again where it broke off: nothing is missed and nothing comes
   * twice. Ends when its signal is aborted or the loop is left; throws what the service refuses.
   */
  async *stream({
    after = 'now',
    types,
    contact,
    include,
    onOpen,
    onBreak,
    ...call
  }: StreamOptions = {}): AsyncGenerator<StreamedEvent> {
    // A place to come back to, from before the first event: `now` would be a later one after a break.
    let cursor = after === 'now' ? (await this.read({ after, limit: 1 }, call)).next_cursor : after
    const filters = {
      ...(types === undefined ? {} : { types: types.join(',') }),
      ...(contact === undefined ? {} : { contact }),
      ...(include === undefined ? {} : { include }),
    }
    for (let breaks = 0; ; breaks++) {
      try {
        const response = await this.#transport.call(
          'streamFeed',
          { query: { ...filters, after: cursor } },
          { ...call, retries: 0 },
        )
        onOpen?.()
        for await (const { id, data } of messagesOf(response as unknown as Response)) {
          call.signal?.throwIfAborted() // what had come already is not wanted either
          breaks = 0
          cursor = id ?? cursor
          yield { event: JSON.parse(data) as FeedEvent, cursor }
        }
        onBreak?.(new ConnectionError('The stream has ended'))
      } catch (error) {
        call.signal?.throwIfAborted()
        const passes =
          error instanceof ConnectionError || error instanceof TimeoutError || error instanceof ServiceError
        if (!passes) throw error
        onBreak?.(error)
      }
      await sleep(backoffMs(breaks + 2), call.signal)
    }
  }
}

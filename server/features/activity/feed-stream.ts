import type { Database } from '../../db/database.ts'
import { emailsIn } from './contact-named.ts'
import { type FeedFilter, type FeedHead, type FeedRow, passes, readFeed } from './feed.ts'
import type { FeedCursors } from './feed-cursor.ts'
import { type FeedWatch, STREAM_PAGE } from './feed-watch.ts'
import { feedEventOnWire, type Naming } from './wire.ts'

/** A line that means nothing, so often while nothing happens: proxies take a silent connection for a dead one. */
const HEARTBEAT_MS = 15_000

/** After how many milliseconds a reader that has lost its connection comes back. */
const RETRY_MS = 2000

export interface Stream {
  db: Database
  watch: FeedWatch
  cursors: FeedCursors
  accountId: number
  head: FeedHead
  after: number
  filter: FeedFilter
  nameFields: (accountId: number) => Promise<Naming>
  /** Whether each event tells its contact's address. */
  withEmails: boolean
  /** Whether the reader may still read; asked at each heartbeat. */
  isAllowed: () => Promise<boolean>
  /** Aborted when the reader has gone. */
  signal: AbortSignal
  heartbeatMs?: number
}

/**
 * A feed as server-sent events, from a position on. One page is read when the one before has been taken, so that a slow
 * reader holds one page and no more, however much happens meanwhile. Ends when the reader may read no more, when the feed
 * begins a new epoch, and when the watch stops.
 */
export async function* streamFeed(stream: Stream): AsyncGenerator<string> {
  const { db, watch, cursors, accountId, filter, signal, heartbeatMs = HEARTBEAT_MS } = stream
  let { head, after } = stream
  yield `retry: ${RETRY_MS}\n\n`
  let beatMs = performance.now()
  while (!signal.aborted && !watch.stopped) {
    if (after < head.position) {
      const { rows, readTo } = await nextPage(db, watch, accountId, after, head, filter)
      const [name, emails] = await Promise.all([
        stream.nameFields(accountId),
        stream.withEmails ? emailsIn(db, accountId, rows) : undefined,
      ])
      const text = rows
        .map((row) => messageOf(feedEventOnWire(row, name, emails), cursors.write(accountId, head, row.position)))
        .join('')
      after = readTo
      if (text !== '') yield text
    }
    if (performance.now() - beatMs >= heartbeatMs) {
      if (!(await stream.isAllowed())) return
      beatMs = performance.now()
      // The cursor too: who was sent nothing for long, as nothing passed its filter, need not read all that again.
      yield `: alive\nid: ${cursors.write(accountId, head, after)}\n\n`
    }
    if (after >= head.position) {
      const untilBeat = AbortSignal.timeout(Math.max(1, Math.ceil(heartbeatMs - (performance.now() - beatMs))))
      const found = await watch.beyond(accountId, { ...head, position: after }, AbortSignal.any([signal, untilBeat]))
      if (found && found.epoch !== head.epoch) return // who comes back is told where to go on
      head = found ?? head
    }
  }
}

/** What passes the filter behind a position. Far behind with a filter, the database leaves out what does not. */
async function nextPage(
  db: Database,
  watch: FeedWatch,
  accountId: number,
  after: number,
  head: FeedHead,
  filter: FeedFilter,
): Promise<{ rows: FeedRow[]; readTo: number }> {
  const isFar = head.position - after > STREAM_PAGE
  const isFiltered = filter.types.length > 0 || filter.contactId !== undefined
  if (isFar && isFiltered) return readFeed(db, accountId, { after, head, limit: STREAM_PAGE, filter })
  const rows = await watch.page(accountId, after, head)
  const readTo = rows.at(-1)?.position ?? head.position
  return { rows: rows.filter((row) => passes(filter, row)), readTo }
}

function messageOf(event: ReturnType<typeof feedEventOnWire>, cursor: string): string {
  return `id: ${cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

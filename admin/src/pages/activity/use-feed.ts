import { FeedRestartedError, type Rollcall } from '@rollcall/sdk'
import { useEffect, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { FeedEvent } from '../../api/queries.ts'

/** Events that are kept at most: a page that stays open must not grow. */
export const MOST_EVENTS = 500
/** Events of one request. */
const PAGE = 50
/** What comes within so many milliseconds is shown at once. */
const GATHER_MS = 250
/** A request with a filter looks at 20,000 events: so often it is repeated before the user is asked to. */
const MOST_PAGES = 5

interface Row {
  event: FeedEvent
  /** The place from which, going back, this event is the first; unknown within a page. */
  from?: string
}

interface Held {
  /** The newest first; undefined: not there yet. */
  rows?: readonly Row[]
  /** Where older ones are; null: nowhere. */
  end: string | null
  /** How many have happened and were never shown, as they came too fast; null: some, of which a filter keeps the number. */
  leftOut: number | null
}

export type Standing = 'connecting' | 'live' | 'broken' | 'paused'

/** Newer rows on top of those that are held; what is too much goes at the other end, where it can be had again. */
function withNewer({ rows = [], end, leftOut }: Held, newer: readonly Row[]): Held {
  const all = [...newer, ...rows]
  if (all.length <= MOST_EVENTS) return { rows: all, end, leftOut }
  const cut = all.findLastIndex(({ from }, at) => at <= MOST_EVENTS && from !== undefined)
  return { rows: all.slice(0, cut), end: all[cut]!.from!, leftOut }
}

/** What lies between the newest of those that were shown, and the oldest of those that are now. Positions have no gaps. */
function skipped({ rows = [], leftOut }: Held, oldest: FeedEvent | undefined, isFiltered: boolean): number | null {
  const newest = rows[0]?.event
  if (leftOut === null || isFiltered || !newest || !oldest) return null
  return leftOut + Math.max(0, oldest.position - newest.position - 1)
}

/**
 * The account's feed from now back and, while it runs, what happens next. Where more happens at once than is kept, it
 * begins anew with what is the latest then.
 * @param types Separated by commas; empty: all.
 * @param run 0: stands still. Each other number begins anew.
 */
export function useFeed(types: string, run: number) {
  const { api } = useAccount()
  const [held, setHeld] = useState<Held>({ end: null, leftOut: 0 })
  const [standing, setStanding] = useState<Standing>('connecting')
  const [error, setError] = useState<unknown>(null)

  useEffect(() => {
    if (run === 0) return setStanding('paused')
    const gone = new AbortController()
    const { signal } = gone
    /** Resolves when too much has come. */
    const follow = async (isAgain: boolean) => {
      const { next_cursor: now } = await api.events.read({ after: 'now', limit: 1 }, { signal })
      const { events, next } = await readBack(api, types, now, signal)
      setHeld((before) => ({
        rows: events.map((event, at) => (at === 0 ? { event, from: now } : { event })),
        end: next,
        leftOut: isAgain ? skipped(before, events.at(-1), types !== '') : 0,
      }))
      let waiting: Row[] = []
      const timer = setInterval(() => {
        const newer = waiting.toReversed()
        waiting = []
        if (newer.length > 0) setHeld((before) => withNewer(before, newer))
      }, GATHER_MS)
      try {
        const stream = api.events.stream({
          ...{ after: now, include: 'contact_email', signal },
          ...(types === '' ? {} : { types: types.split(',') as FeedEvent['type'][] }),
          onOpen: () => setStanding('live'),
          onBreak: () => !signal.aborted && setStanding('broken'),
        })
        for await (const { event, cursor } of stream) {
          waiting.push({ event, from: cursor })
          if (waiting.length > MOST_EVENTS) return
        }
      } finally {
        clearInterval(timer)
      }
    }
    const begin = async () => {
      setStanding('connecting')
      setError(null)
      for (let isAgain = false; ; isAgain = true) {
        try {
          await follow(isAgain)
          await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
        } catch (failure) {
          if (signal.aborted) return
          if (failure instanceof FeedRestartedError) continue // an older copy of the database was put back
          setStanding('broken')
          return setError(failure)
        }
      }
    }
    void begin()
    return () => gone.abort()
  }, [api, types, run])

  /** Adds older ones; what is too much goes on top. */
  const readOlder = async () => {
    const { events, next } = await readBack(api, types, held.end!)
    setHeld(({ rows = [], leftOut }) => ({
      leftOut,
      rows: [...rows, ...events.map((event) => ({ event }))].slice(-MOST_EVENTS),
      end: next,
    }))
  }

  const { rows, end, leftOut } = held
  return { events: rows?.map(({ event }) => event), hasOlder: end !== null, leftOut, standing, error, readOlder }
}

/** A page up to a place or, where a filter lets hardly anything pass, what a few pages have. */
async function readBack(api: Rollcall, types: string, from: string, signal?: AbortSignal) {
  const events: FeedEvent[] = []
  let next: string | null = from
  for (let pages = 0; next !== null && events.length < PAGE && pages < MOST_PAGES; pages++) {
    const page = await api.events.read(
      {
        ...{ before: next, limit: PAGE - events.length, include: 'contact_email' },
        ...(types === '' ? {} : { types }),
      },
      { signal },
    )
    events.push(...page.data)
    next = page.has_more ? page.next_cursor : null
  }
  return { events, next }
}

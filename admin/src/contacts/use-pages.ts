import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useAccount } from '../api/client.ts'
import type { Contact } from '../api/queries.ts'
import { contactsPage, PER_PAGE, type Which } from './pages-query.ts'

/** How far a search has been gone through. It outlasts the pages, of which those around what is in sight alone are held. */
export interface Walk {
  /** Where each page begins, as far as is known: cursors lead forward only, so these are the way back. */
  cursors: readonly string[]
  /** Rows of the last page, once that has been reached. */
  tail: number | undefined
}

const START: Walk = { cursors: [''], tail: undefined }

/** As many rows as are known to be there. */
export const rowsOf = ({ cursors, tail = 0 }: Walk) => (cursors.length - 1) * PER_PAGE + tail

/** The walk through a search, from where an earlier visit of the page has left it. */
export function useWalk(which: Which, sort: string | undefined): [Walk, (next: Walk) => void] {
  const account = useAccount()
  const client = useQueryClient()
  const key = [account.id, 'walks', which, sort]
  const [walk, setWalk] = useState(() => client.getQueryData<Walk>(key) ?? START)
  const goOn = (next: Walk) => {
    setWalk(next)
    client.setQueryData(key, next)
  }
  return [walk, goOn]
}

interface Page {
  data: Contact[]
  next_cursor: string | null
}

/** The walk once a page has come, which says where the next one begins. What lies further on is put right when it comes. */
function beyond(walk: Walk, at: number, { data, next_cursor }: Page): Walk {
  const { cursors, tail } = walk
  if (next_cursor === null) {
    const isKnown = tail === data.length && cursors.length === at + 1
    return isKnown ? walk : { cursors: cursors.slice(0, at + 1), tail: data.length }
  }
  if (cursors[at + 1] === next_cursor) return walk
  const isFurther = cursors.length === at + 1
  return {
    cursors: [...cursors.slice(0, at + 1), next_cursor, ...cursors.slice(at + 2)],
    tail: isFurther ? undefined : tail,
  }
}

interface Held {
  /** undefined while its page is on its way. */
  contactAt: (row: number) => Contact | undefined
  /** Those held of a span of rows: all of the pages that it touches. */
  contactsIn: (from: number, to: number) => Contact[]
  /** Tries again what could not be loaded; undefined when nothing is missing. */
  retry: (() => void) | undefined
}

const pageOf = (row: number) => Math.floor(Math.max(0, row) / PER_PAGE)

/** The pages around the rows `from` to `to`; nothing else is held, however far one scrolls. */
export function usePages(
  which: Which,
  sort: string | undefined,
  [walk, goOn]: [Walk, (next: Walk) => void],
  from: number,
  to: number,
): Held {
  const account = useAccount()
  const first = pageOf(from)
  const wanted = walk.cursors.slice(first, pageOf(to) + 1)
  const found = useQueries({ queries: wanted.map((cursor) => contactsPage(account, which, sort, cursor)) })
  let next = walk
  for (const [nth, { data }] of found.entries()) if (data) next = beyond(next, first + nth, data)
  // When people come or go, the pages after them begin elsewhere: until those have come, the rows that were there stay.
  const [shown] = useState(() => new Map<number, Page>())
  const pageAt = (at: number) => found[at - first]?.data ?? shown.get(at)
  useEffect(() => {
    if (next !== walk) goOn(next)
    for (const at of shown.keys()) if (at < first || at >= first + found.length) shown.delete(at)
    for (const [nth, { data }] of found.entries()) if (data) shown.set(first + nth, data)
  })
  const failed = found.filter(({ isError }) => isError)
  return {
    contactAt: (row) => pageAt(pageOf(row))?.data[row % PER_PAGE],
    contactsIn: (start, end) => {
      const pages = Array.from({ length: pageOf(end) - pageOf(start) + 1 }, (_, nth) => pageAt(pageOf(start) + nth))
      return pages.flatMap((page) => page?.data ?? [])
    },
    retry: failed.length === 0 ? undefined : () => void failed.map(({ refetch }) => refetch()),
  }
}

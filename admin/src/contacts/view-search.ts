import type { Answer } from '@rollcall/sdk'

/** What the page of contacts shows of a saved view, as its address says it. */
export function searchOf({ q, criteria, sort, columns }: Answer<'getView'>) {
  return {
    q: q ?? undefined,
    criteria: criteria ?? undefined,
    sort: sort ?? undefined,
    cols: columns.length > 0 ? columns : undefined,
  }
}

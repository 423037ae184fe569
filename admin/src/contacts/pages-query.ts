import { type InfiniteData, infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from '../api/client.ts'
import type { Contact, Search } from '../api/queries.ts'

/** Which contacts: what the search, the bulk acts and the exports of the API all take. */
export interface Which {
  q?: string
  criteria?: unknown
  list_id?: number
}

/** A page is some screens long: small enough to come at once, large enough to be ahead of who scrolls. */
const PER_PAGE = 100

/** Contacts page by page, by cursor; the total of the first page may be capped. */
export const contactPages = ({ id, api }: OpenAccount, which: Which, sort: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [id, 'contacts', 'pages', which, sort],
    queryFn: ({ signal, pageParam }) => {
      const body: Search = { ...which, per_page: PER_PAGE, count: 'capped' }
      if (sort) body.sort = sort
      if (pageParam) body.cursor = pageParam
      return api.contacts.search(body, { signal })
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })

/** How many there are exactly: asked beside the first page, which does not wait for it. */
export const exactTotal = ({ id, api }: OpenAccount, which: Which) =>
  queryOptions({
    queryKey: [id, 'contacts', 'total', which],
    queryFn: async ({ signal }) =>
      (await api.contacts.search({ ...which, per_page: 1, count: 'exact' }, { signal })).total,
  })

type Pages = InfiniteData<{ data: Contact[] }>

/** The same pages with one contact as it is now. */
export function withContact<Held extends Pages | undefined>(pages: Held, contact: Contact): Held {
  if (!pages) return pages
  const put = (held: Contact) => (held.id === contact.id ? contact : held)
  return { ...pages, pages: pages.pages.map((page) => ({ ...page, data: page.data.map(put) })) }
}

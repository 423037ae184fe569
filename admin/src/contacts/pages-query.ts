import { queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from '../api/client.ts'
import type { Contact, Search } from '../api/queries.ts'

/** Which contacts: what the search, the bulk acts and the exports of the API all take. */
export interface Which {
  q?: string
  criteria?: unknown
  list_id?: number
}

/** Some screens long: small enough to come at once, large enough that who scrolls asks for few. */
export const PER_PAGE = 200

/** A page that is out of sight is kept for so long: for who goes to and fro over its edge. */
const KEPT_MS = 2000

/** The page of contacts that a cursor begins; '' begins the first one, whose total may be capped, and which is come back to. */
export const contactsPage = ({ id, api }: OpenAccount, which: Which, sort: string | undefined, cursor: string) =>
  queryOptions({
    queryKey: [id, 'contacts', 'pages', which, sort, cursor],
    queryFn: ({ signal }) => {
      const body: Search = { ...which, per_page: PER_PAGE, count: 'capped' }
      if (sort) body.sort = sort
      if (cursor) body.cursor = cursor
      return api.contacts.search(body, { signal })
    },
    ...(cursor ? { gcTime: KEPT_MS } : {}),
  })

/** How many there are exactly: asked beside the first page, which does not wait for it. */
export const exactTotal = ({ id, api }: OpenAccount, which: Which) =>
  queryOptions({
    queryKey: [id, 'contacts', 'total', which],
    queryFn: async ({ signal }) =>
      (await api.contacts.search({ ...which, per_page: 1, count: 'exact' }, { signal })).total,
  })

/** The same page with one contact as it is now. */
export function withContact<Held extends { data: Contact[] } | undefined>(page: Held, contact: Contact): Held {
  return page && { ...page, data: page.data.map((held) => (held.id === contact.id ? contact : held)) }
}

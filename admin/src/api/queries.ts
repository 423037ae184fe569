import { queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from './client.ts'

/**
 * Keys begin with the account and the noun: `invalidateQueries({ queryKey: [account.id, 'contacts'] })` reaches everything
 * that shows contacts.
 */
export const contactsTotalQuery = ({ id, api }: OpenAccount) =>
  queryOptions({
    queryKey: [id, 'contacts', 'total'],
    queryFn: async ({ signal }) => (await api.contacts.list({ per_page: 1 }, { signal })).total,
  })

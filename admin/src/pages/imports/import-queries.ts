import type { Import } from '@rollcall/sdk'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from '../../api/client.ts'

/** Of an import that goes on by itself. */
const POLL_MS = 500

const AT_WORK: readonly Import['phase'][] = ['queued', 'reading', 'validating', 'merging', 'reverting']

export const isAtWork = ({ phase }: Pick<Import, 'phase'>) => AT_WORK.includes(phase)

export const IMPORTS_PER_PAGE = 25

export const importsQuery = ({ id, api }: OpenAccount, page: number) =>
  queryOptions({
    queryKey: [id, 'imports', 'page', page],
    queryFn: ({ signal }) => api.call('listImports', { query: { page, per_page: IMPORTS_PER_PAGE } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.data.some(isAtWork) ? POLL_MS * 4 : false),
  })

/** An import, looked at again and again while something goes on: so its page can be left, or loaded anew. */
export const importQuery = ({ id: accountId, api }: OpenAccount, id: number) =>
  queryOptions({
    queryKey: [accountId, 'imports', id],
    queryFn: ({ signal }) => api.imports.get(id, { signal }),
    refetchInterval: ({ state }) => (state.data && isAtWork(state.data) ? POLL_MS : false),
  })

import type { ChangeSet } from '@rollcall/sdk'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { OpenAccount } from '../../api/client.ts'

const POLL_MS = 700
export const CHANGES_PER_PAGE = 25

/** Phases in which something goes on by itself; imports have some of their own. */
const AT_WORK: readonly string[] = ['queued', 'planning', 'running', 'reading', 'validating', 'merging', 'reverting']

export const isAtWork = ({ phase }: Pick<ChangeSet, 'phase'>) => AT_WORK.includes(phase)

/** Acts that can be taken back, once they are done; the service says so of the rest when it is asked. */
export function canRevert({ kind, phase, options, counts }: ChangeSet): boolean {
  const act = options.act as { type?: string } | undefined
  return (
    ['import', 'bulk', 'batch_update', 'list_add', 'list_remove'].includes(kind) &&
    act?.type !== 'delete' &&
    // What was stopped before it began has nothing to give back.
    (phase === 'finished' || (phase === 'cancelled' && (kind !== 'bulk' || (counts.updated ?? 0) > 0)))
  )
}

export const changesQuery = ({ id, api }: OpenAccount, page: number) =>
  queryOptions({
    queryKey: [id, 'changes', 'page', page],
    queryFn: ({ signal }) => api.call('listChangeSets', { query: { page, per_page: CHANGES_PER_PAGE } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.data.some(isAtWork) ? POLL_MS * 3 : false),
  })

export const changeQuery = ({ id: accountId, api }: OpenAccount, id: number) =>
  queryOptions({
    queryKey: [accountId, 'changes', id, 'set'],
    queryFn: ({ signal }) => api.changeSets.get(id, { signal }),
    refetchInterval: ({ state }) => (state.data && isAtWork(state.data) ? POLL_MS : false),
  })

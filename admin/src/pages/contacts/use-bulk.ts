import type { Body } from '@rollcall/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { ChangeSet } from '../../api/queries.ts'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

export type Bulk = Body<'startBulk'>
export type Action = Bulk['action']

/** How often a running act is looked at. */
const LOOK_MS = 400
const RESTING = ['ready', 'finished', 'failed', 'cancelled']

export const isResting = ({ phase }: ChangeSet) => RESTING.includes(phase)

/** An act on many people: tried first, applied when it is confirmed, followed until it rests, undone where that can be. */
export function useBulk() {
  const account = useAccount()
  const client = useQueryClient()
  const [id, setId] = useState<number>()
  const follow = useQuery({
    queryKey: [account.id, 'change_sets', id],
    queryFn: ({ signal }) => account.api.call('getChangeSet', { path: { id: id! } }, { signal }),
    enabled: id !== undefined,
    refetchInterval: (query) => (query.state.data && isResting(query.state.data) ? false : LOOK_MS),
  })
  const put = (set: ChangeSet) => {
    client.setQueryData([account.id, 'change_sets', set.id], set)
    setId(set.id)
  }
  const options = { onSuccess: put, onError: (error: unknown) => failed(error) }
  const attempt = useMutation({
    mutationFn: (body: Bulk) => account.api.call('startBulk', { body: { ...body, dry_run: true } }),
    onError: options.onError,
    onSuccess: put,
  })
  const apply = useMutation({ mutationFn: () => account.api.call('applyBulk', { path: { id: id! } }), ...options })
  const stop = useMutation({ mutationFn: () => account.api.call('cancelBulk', { path: { id: id! } }), ...options })

  const set = id === undefined ? undefined : follow.data
  const phase = set?.phase
  useEffect(() => {
    if (phase === 'finished' || phase === 'cancelled') {
      void client.invalidateQueries({ queryKey: [account.id, 'contacts'] })
      void client.invalidateQueries({ queryKey: [account.id, 'lists'] })
    }
  }, [phase, client, account.id])
  return { set, attempt, apply, stop, error: follow.error, forget: () => setId(undefined) }
}

/** Takes an act on many people back, and says what came of it. */
export function useUndo() {
  const account = useAccount()
  const client = useQueryClient()
  return async (id: number) => {
    try {
      const { counts } = await account.api.call('revertChangeSet', { path: { id }, body: {} })
      const restored = counts.restored + counts.removed
      done(en.contacts.bulk.undone(restored) + (counts.kept > 0 ? en.contacts.bulk.kept(counts.kept) : ''))
    } catch (error) {
      failed(error)
    }
    void client.invalidateQueries({ queryKey: [account.id] })
  }
}

import { ApiError } from '@rollcall/sdk'
import { notifyManager, type Query, useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { SessionEnded } from '../api/gate.ts'

/** Whether a request that failed so may well succeed when it is made again: not what the service has refused. */
export function isPassing(error: unknown): boolean {
  if (error instanceof SessionEnded) return false
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429
}

const hasFailed = ({ state }: Query) =>
  state.status === 'error' && state.fetchStatus === 'idle' && isPassing(state.error)

/** How many places of the page say of themselves that they could not be loaded. */
let told = 0
const listeners = new Set<() => void>()

/** Notes, while it is shown, that a failure is told in its own place. */
export function useTold(): void {
  useEffect(() => {
    const add = (count: number) => {
      told += count
      for (const tell of listeners) tell()
    }
    add(1)
    return () => add(-1)
  }, [])
}

/**
 * What of the page could not be loaded, or loaded anew, without a place that says so: names, choices, a second look. `retry`
 * asks for all of it again.
 */
export function useUntoldFailures(): { error: unknown; retry: () => void } {
  const client = useQueryClient()
  const cache = client.getQueryCache()
  const failed = () => cache.findAll({ type: 'active', predicate: hasFailed })
  const error = useSyncExternalStore(
    (tell) => {
      const later = notifyManager.batchCalls(tell)
      listeners.add(later)
      const stop = cache.subscribe(later)
      return () => {
        listeners.delete(later)
        stop()
      }
    },
    () => (told > 0 ? null : (failed()[0]?.state.error ?? null)),
  )
  return { error, retry: () => void client.refetchQueries({ type: 'active', predicate: hasFailed }) }
}

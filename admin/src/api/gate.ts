import { RollcallError } from '@rollcall/sdk'

/**
 * What stands between a request that was answered 401 and its second attempt: the dialog in which the user signs in again.
 * All requests that meet an ended session wait at the same gate.
 */
let waiting: { promise: Promise<void>; open: () => void; refuse: (error: Error) => void } | undefined
const listeners = new Set<() => void>()

/** The user has left instead of signing in. One of the client's own errors: others it would take for a connection that was lost. */
export class SessionEnded extends RollcallError {
  override name = 'SessionEnded'
}

export const gate = {
  /** Resolves once the user has signed in again. */
  pass(): Promise<void> {
    if (!waiting) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      promise.catch(() => {})
      waiting = { promise, open: resolve, refuse: reject }
      for (const tell of listeners) tell()
    }
    return waiting.promise
  },
  /** The user is signed in: everyone who waits goes on. */
  open: () => end((held) => held.open()),
  /** The user leaves: everyone who waits fails. */
  refuse: () => end((held) => held.refuse(new SessionEnded('The session has ended'))),
  isClosed: () => waiting !== undefined,
  subscribe(tell: () => void): () => void {
    listeners.add(tell)
    return () => listeners.delete(tell)
  },
}

function end(act: (held: NonNullable<typeof waiting>) => void): void {
  const held = waiting
  waiting = undefined
  if (held) act(held)
  for (const tell of listeners) tell()
}

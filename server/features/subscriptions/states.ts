/**
 * What a person has allowed. `none`: known, never asked or answered. `pending`: asked, not yet confirmed.
 * `bounced`: their mailbox refuses for good.
 */
export const STATES = ['none', 'pending', 'subscribed', 'unsubscribed', 'bounced'] as const
export type State = (typeof STATES)[number]

/** The two words that strict clients know. */
export const STATUSES = ['subscribed', 'unsubscribed'] as const
export type Status = (typeof STATUSES)[number]

export function statusOf(state: State): Status {
  return state === 'subscribed' ? 'subscribed' : 'unsubscribed'
}

/** Why someone is in their state. Only what callers have said can be unsaid by callers. */
export type StateReason =
  | 'caller' //    an API caller said so
  | 'import' //    a column of an import said so
  | 'bulk' //      a caller said so of everyone selected
  | 'withdrawn' // they had left before they were entered again

const UNDONE_BY_CALLERS: ReadonlySet<string> = new Set<StateReason>(['caller', 'import', 'bulk'])

export interface Standing {
  state: State
  state_reason: string | null
  state_before: State | null
}

/** How someone is entered: what the request says, else what the account asks for; a withdrawal outlives both. */
export function standingOnEntry(asked: {
  unsubscribed?: boolean | undefined
  doubleOptIn: boolean
  withdrawn: boolean
}): Standing {
  if (asked.withdrawn) return { state: 'unsubscribed', state_reason: 'withdrawn', state_before: null }
  const state = asked.doubleOptIn ? 'pending' : 'subscribed'
  if (asked.unsubscribed) return { state: 'unsubscribed', state_reason: 'caller', state_before: state }
  return { state, state_reason: 'caller', state_before: null }
}

/**
 * Where `unsubscribed: true` or `false` of a caller leads; undefined: nowhere. `false` takes back what a caller or an
 * import has set, and returns to what was before that; the person's own act it never undoes (one client sends `false`
 * with every update).
 */
export function standingAfterCaller(now: Standing, unsubscribed: boolean): Standing | undefined {
  if (unsubscribed) {
    return now.state === 'unsubscribed'
      ? undefined
      : { state: 'unsubscribed', state_reason: 'caller', state_before: now.state }
  }
  if (now.state !== 'unsubscribed' || !UNDONE_BY_CALLERS.has(now.state_reason ?? '')) return undefined
  return { state: now.state_before ?? 'subscribed', state_reason: 'caller', state_before: null }
}

/** Whether removing someone in this state must leave a suppression, so that they do not come back as subscribed. */
export const LEAVES_SUPPRESSION: readonly State[] = ['unsubscribed', 'bounced']

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
  | 'person' //    they have left by their own act
  | 'complaint' // they have told their mail provider that it is spam
  | 'form' //      they have filled a form
  | 'asked' //     they were asked to confirm
  | 'confirmed' // they have confirmed
  | 'expired' //   they were asked, and never answered
  | 'bounce' //    their mailbox refuses mail for good
  | 'soft_bounces' // mail after mail was refused for the moment, and none was delivered since
  | 'delivered' // a mail has reached them, after such refusals

export const UNDONE_BY_CALLERS: ReadonlySet<string> = new Set<StateReason>(['caller', 'import', 'bulk'])

export interface Standing {
  state: State
  state_reason: string | null
  state_before: State | null
}

/** Whether removing someone in this state must leave a suppression, so that they do not come back as subscribed. */
export const LEAVES_SUPPRESSION: readonly State[] = ['unsubscribed', 'bounced']

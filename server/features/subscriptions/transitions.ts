import type { Consent } from './consents.ts'
import { type Standing, type State, type StateReason, UNDONE_BY_CALLERS } from './states.ts'

/**
 * Where a person stands. A state tells that but for those who are unsubscribed: `excluded` are those of whom callers alone
 * have said so, which callers can take back; `left` is whoever has left by their own act, which only they can. `soft_bounced`
 * are those of the bounced whose mailbox has only refused for the moment, again and again: a delivery takes that back.
 * `file_bounced` are those of whom a file alone says that they bounce: who takes that import back takes this back.
 */
export type Standpoint = Exclude<State, 'unsubscribed'> | 'excluded' | 'left' | 'soft_bounced' | 'file_bounced'

/** Of an address that is being entered: unknown, left behind by someone who had withdrawn, or erased. */
export type Past = 'absent' | 'withdrawn' | 'erased'

interface Step {
  /** `before`: the state to which the present one is an exception. */
  to: State | 'before'
  reason: StateReason
  /** What undoing it returns to; `from`: the state that it leaves; `kept`: what undoing that one would return to. */
  before: State | 'from' | 'kept' | null
  /** What it adds to the ledger. */
  consent: Consent | null
}

/** `stays`: the act changes nothing, and is no mistake. */
type Cell = Step | 'stays' | { refused: string }

const to = (state: Step['to'], reason: StateReason, more: Partial<Pick<Step, 'before' | 'consent'>> = {}): Step => ({
  to: state,
  reason,
  before: null,
  consent: null,
  ...more,
})
const stays = 'stays'
const gone = to('unsubscribed', 'withdrawn')
const erased = { refused: 'is suppressed' }
const undoable = { before: 'from', consent: 'withdrawn' } as const

/** How an address is entered. What it has withdrawn outlives whatever the request or the file says. */
export const ENTRIES = {
  create: { absent: to('subscribed', 'caller', { consent: 'granted' }), withdrawn: gone, erased },
  create_double_opt_in: { absent: to('pending', 'caller'), withdrawn: gone, erased },
  create_unsubscribed: {
    absent: to('unsubscribed', 'caller', { before: 'subscribed', consent: 'withdrawn' }),
    withdrawn: gone,
    erased,
  },
  create_unsubscribed_double_opt_in: {
    absent: to('unsubscribed', 'caller', { before: 'pending', consent: 'withdrawn' }),
    withdrawn: gone,
    erased,
  },
  /** A form. Whoever has left or was erased comes back by it as anyone, once they confirm. */
  form: {
    absent: to('subscribed', 'form', { consent: 'granted' }),
    withdrawn: to('pending', 'form'),
    erased: to('pending', 'form'),
  },
  form_double_opt_in: {
    absent: to('pending', 'form'),
    withdrawn: to('pending', 'form'),
    erased: to('pending', 'form'),
  },
  file_none: { absent: to('none', 'import'), withdrawn: gone, erased },
  file_pending: { absent: to('pending', 'import'), withdrawn: gone, erased },
  file_subscribed: { absent: to('subscribed', 'import', { consent: 'granted' }), withdrawn: gone, erased },
  file_unsubscribed: {
    absent: to('unsubscribed', 'import', { before: 'none', consent: 'withdrawn' }),
    withdrawn: gone,
    erased,
  },
  file_bounced: {
    absent: to('bounced', 'import', { before: 'none' }),
    withdrawn: to('bounced', 'import', { before: 'none' }),
    erased,
  },
} as const satisfies Record<string, Record<Past, Exclude<Cell, 'stays'>>>
export type Entry = keyof typeof ENTRIES

const everywhere = (cell: Cell): Record<Standpoint, Cell> => ({
  none: cell,
  pending: cell,
  subscribed: cell,
  excluded: cell,
  left: cell,
  bounced: cell,
  soft_bounced: cell,
  file_bounced: cell,
})
const fromOpen = (cell: Cell): Record<Standpoint, Cell> => ({
  ...everywhere(stays),
  none: cell,
  pending: cell,
  subscribed: cell,
})

const refusesMail = {
  refused:
    'Their mailbox refuses mail for good: give them the link yourself (send_confirmation: false), or change their address',
}

/** Every act on someone who is there, and where it leads from each standpoint. */
export const TRANSITIONS = {
  /** PATCH `unsubscribed: true`. */
  caller_excludes: {
    ...fromOpen(to('unsubscribed', 'caller', undoable)),
    bounced: to('unsubscribed', 'caller', undoable),
    soft_bounced: to('unsubscribed', 'caller', undoable),
    file_bounced: to('unsubscribed', 'caller', undoable),
  },
  /** PATCH `unsubscribed: false`, which one client sends with every update: undoes what callers have said, and nothing else. */
  caller_readmits: { ...everywhere(stays), excluded: to('before', 'caller', { consent: 'granted' }) },
  bulk_excludes: fromOpen(to('unsubscribed', 'bulk', undoable)),

  /** The column `state` of a file. `…_new_only`: where existing contacts are left as they are. */
  file_none: everywhere(stays),
  file_pending: everywhere(stays),
  file_subscribed: { ...everywhere(stays), none: to('subscribed', 'import', { consent: 'granted' }) },
  file_subscribed_new_only: everywhere(stays),
  file_unsubscribed: fromOpen(to('unsubscribed', 'import', undoable)),
  file_bounced: fromOpen(to('bounced', 'import', { before: 'from' })),

  /** Their own act: the endpoint, a link, the one click of a mail program. Of who is excluded already, it makes it their own. */
  person_leaves: { ...everywhere(to('unsubscribed', 'person', { consent: 'withdrawn' })), left: stays },
  complaint: { ...everywhere(to('unsubscribed', 'complaint', { consent: 'withdrawn' })), left: stays },
  /** They come to have an address that has withdrawn before: whoever had it does not want mail there. */
  address_withdrawn: everywhere(gone),

  /** A form that does not ask to confirm: enough for whoever was never asked, and for nobody who has said anything. */
  signs_up: { ...everywhere(stays), none: to('subscribed', 'form', { consent: 'granted' }) },
  /** `resubscribe`: asks, and gives nothing. Who has left stays as they are until they answer. */
  asked_by_mail: {
    ...everywhere(stays),
    none: to('pending', 'asked', { before: 'none' }),
    bounced: refusesMail,
    file_bounced: refusesMail,
  },
  asked_by_link: { ...everywhere(stays), none: to('pending', 'asked', { before: 'none' }) },
  confirms: { ...everywhere(to('subscribed', 'confirmed', { consent: 'granted' })), subscribed: stays },
  /** PENDING_RETENTION_DAYS without an answer. Who has no state of before was created pending, and is removed. */
  pending_expires: { ...everywhere(stays), pending: to('before', 'expired') },

  /**
   * What a mail provider tells of a mailbox. It holds for those, too, of whom callers or a file say as much or more: what
   * these take back later would else make somebody mailable whose mailbox is gone.
   */
  hard_bounce: {
    ...fromOpen(to('bounced', 'bounce', { before: 'from' })),
    excluded: to('bounced', 'bounce', { before: 'kept' }),
    soft_bounced: to('bounced', 'bounce', { before: 'kept' }),
    file_bounced: to('bounced', 'bounce', { before: 'kept' }),
  },
  /** As many mails in a row as the account's `soft_bounce_limit`. */
  soft_bounces: fromOpen(to('bounced', 'soft_bounces', { before: 'from' })),
  /** Fewer than that, as a mail was delivered since. */
  recovers: { ...everywhere(stays), soft_bounced: to('before', 'delivered') },
} as const satisfies Record<string, Record<Standpoint, Cell>>
export type Act = keyof typeof TRANSITIONS

export interface Outcome {
  standing: Standing
  consent: Consent | null
}

export function standpointOf({ state, state_reason }: Standing): Standpoint {
  if (state === 'bounced' && state_reason === 'soft_bounces') return 'soft_bounced'
  if (state === 'bounced' && state_reason === 'import') return 'file_bounced'
  if (state !== 'unsubscribed') return state
  return UNDONE_BY_CALLERS.has(state_reason ?? '') ? 'excluded' : 'left'
}

/** How someone comes in; a text says why they can not. */
export function enter(act: Entry, past: Past): Outcome | { refused: string } {
  const cell: Exclude<Cell, 'stays'> = ENTRIES[act][past]
  if ('refused' in cell) return cell
  return {
    standing: { state: cell.to as State, state_reason: cell.reason, state_before: cell.before as State | null },
    consent: cell.consent,
  }
}

/** Where an act leads someone; undefined: nowhere. */
export function move(now: Standing, act: Act): Outcome | { refused: string } | undefined {
  const cell: Cell = TRANSITIONS[act][standpointOf(now)]
  if (cell === 'stays') return undefined
  if ('refused' in cell) return cell
  // Whoever is asked again to confirm was not created for it alone: if they never do, they stay, as `none`.
  const state = cell.to === 'before' ? (now.state_before ?? (now.state === 'pending' ? 'none' : 'subscribed')) : cell.to
  const isAgainPending = cell.to === 'before' && state === 'pending'
  const before =
    cell.before === 'from'
      ? now.state
      : cell.before === 'kept'
        ? now.state_before
        : isAgainPending
          ? 'none'
          : cell.before
  return {
    standing: { state, state_reason: cell.reason, state_before: before },
    consent: cell.consent === 'granted' && state !== 'subscribed' ? null : cell.consent,
  }
}

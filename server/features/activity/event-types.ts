/** What can happen to a contact, the most telling first: an event's `type` is the first of its `types` in this order. */
export const CONTACT_EVENT_TYPES = [
  'created',
  'deleted',
  'unsubscribed',
  'subscribed',
  'updated',
  'list_added',
  'list_removed',
  'list_entered',
  'list_left',
  'confirmation_sent',
  'email_sent',
  'email_delivered',
  'email_opened',
  'email_clicked',
  'email_bounced',
  'email_complained',
  'custom',
] as const

/** What can happen to an account as a whole. */
export const ACCOUNT_EVENT_TYPES = ['change_set_finished', 'change_set_reverted', 'webhook_disabled'] as const

export type EventType = (typeof CONTACT_EVENT_TYPES)[number] | (typeof ACCOUNT_EVENT_TYPES)[number]

/** Types that stand alone in an event's `types`: what `type` says of these is the whole truth. */
export const ALONE: ReadonlySet<EventType> = new Set<EventType>([
  'email_sent',
  'email_delivered',
  'email_opened',
  'email_clicked',
  'custom',
])

/** Names a caller may record as such; every other name is a custom event. */
export const NAMED_BY_CALLERS: ReadonlySet<string> = new Set(
  CONTACT_EVENT_TYPES.filter((type) => type.startsWith('email_')),
)

const RANK = new Map<string, number>([...CONTACT_EVENT_TYPES, ...ACCOUNT_EVENT_TYPES].map((type, rank) => [type, rank]))

/** The types once each, the most telling first. */
export function inOrder(types: Iterable<EventType>): EventType[] {
  return [...new Set(types)].sort((a, b) => RANK.get(a)! - RANK.get(b)!)
}

import { criteria } from './criteria.ts'

/** What happens, wherever it is told: on the page of activity, and of one contact. */
export const events = {
  types: {
    ...criteria.events,
    list_entered: 'entered a smart list',
    list_left: 'left a smart list',
    change_set_finished: 'an act on many people has ended',
    change_set_reverted: 'an act on many people was taken back',
    webhook_disabled: 'a webhook was turned off',
    erased: 'nothing is known of it any more',
  } as Record<string, string>,
  lists: {
    added: 'put into',
    removed: 'taken out of',
    entered: 'entered',
    left: 'left',
  } as Record<string, string>,
  /** Why somebody is in their state. */
  reasons: {
    caller: 'A program, or somebody here, said so.',
    import: 'A file said so.',
    bulk: 'Somebody said so of many.',
    withdrawn: 'They had left before they were entered again.',
    person: 'By their own act.',
    complaint: 'They told their mail provider that it is spam.',
    form: 'They filled a form.',
    asked: 'They were asked to confirm.',
    confirmed: 'They have confirmed.',
    expired: 'They were asked, and never answered.',
    bounce: 'Their mailbox refuses mail for good.',
    soft_bounces: 'Mail after mail was refused for the moment.',
    delivered: 'A mail has reached them again.',
  } as Record<string, string>,
  /** Why somebody entered or left a smart list; by what they did themselves is said by what stands below. */
  causes: {
    clock: 'By time alone.',
    criteria: 'The criteria were changed.',
    comparison: 'Found by the daily comparison.',
    suppression: 'Mail to them was forbidden, or allowed again.',
  } as Record<string, string>,
  inAct: (id: number) => `in change ${id}`,
}

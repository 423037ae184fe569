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
  inAct: (id: number) => `in change ${id}`,
}

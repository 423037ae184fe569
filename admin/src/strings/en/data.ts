import { number } from './common.ts'

/** What tables and change sets have in common. */
export const data = {
  pages: 'Pages of this table',
  pageOf: (page: number, pages: number) => `Page ${number(page)} of ${number(pages)}`,
  previous: 'Previous',
  next: 'Next',
  showMore: 'Show more',
  nobody: '(no address)',
  empty: '(empty)',
  line: 'Line',
  contact: 'Contact',
  action: 'What happens',
  change: 'Change',
  keys: {
    state: 'State',
    external_id: 'External id',
    email: 'Address',
    tags: 'Tags',
    lists: 'Lists',
  } as Readonly<Record<string, string>>,
  actions: {
    created: 'New',
    updated: 'Changed',
    unchanged: 'Unchanged',
    duplicate: 'Earlier row of the same person',
    rejected: 'Rejected',
    suppressed: 'Erased before',
    removed: 'Removed',
    restored: 'Restored',
    kept: 'Kept',
    gone: 'No longer there',
  } as Readonly<Record<string, string>>,
}

const numbers = new Intl.NumberFormat('en')

/** How much is known of a number. */
export type Known = 'exactly' | 'at least' | 'about'

/** 1234567 → 1,234,567. */
export const number = (value: number) => numbers.format(value)

/** `count(1, 'contact')` → 1 contact; `count(2, 'list')` → 2 lists. */
export const count = (value: number, one: string, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`

/** 500, more than 10,000, about 500. */
export const known = (value: number, how: Known) =>
  `${{ exactly: '', 'at least': 'more than ', about: 'about ' }[how]}${number(value)}`

export const common = {
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  remove: 'Remove',
  delete: 'Delete',
  edit: 'Edit',
  create: 'Create',
  undo: 'Undo',
  retry: 'Try again',
  loading: 'Loading…',
  more: 'More',
  none: 'None',
  yes: 'Yes',
  no: 'No',
  copied: 'Copied',
  copy: 'Copy',
  copyOf: (what: string, copied: boolean) => `${copied ? 'Copied' : 'Copy'}: ${what}`,
  atLine: (line: number, what: string) => `Line ${line}: ${what}`,
  picturesLeftOut: (n: number) =>
    `${n === 1 ? 'A picture that lies' : `${number(n)} pictures that lie`} on another server ${n === 1 ? 'is' : 'are'} not loaded here.`,
  failed: 'This did not work',
  /** Of a page, when what it shows can't be had. */
  loadFailed: 'This could not be loaded',
  /** Over a page, when a part of it can't be had. */
  incomplete: 'Not everything on this page could be loaded',
  unreachable: 'Rollcall can not be reached. It may be restarting, or the network is down.',
  noAnswer: 'Rollcall has not answered. It may have very much to do.',
  noAnswerToChange: 'Rollcall has not answered. Whether this has been done is not known: look before you try it again.',
  /** In the place of what is being loaded, after a while. */
  slow: 'This takes longer than it should. It is waited for, for half a minute.',
  unexpected: 'Something went wrong that should not have.',
  requestId: (id: string) => `Request ${id}: the server’s log has it under this number.`,
  gone: 'It is not there any more. Someone may have deleted it.',
  notFound: 'There is nothing here',
  notFoundText: 'It may have been deleted, or the address is not quite right.',
  forbidden: 'This needs another role',
  forbiddenText: 'Your role in this account does not include this. An administrator can change that under Settings.',
  crashed: 'This page has stopped working',
  crashedText: 'The fault is ours. Nothing that was saved is lost: load the page again.',
  reload: 'Load again',
  /** Below inputs. */
  unsaved: 'There are changes that are not saved.',
  contacts: (n: number) => count(n, 'contact'),
}

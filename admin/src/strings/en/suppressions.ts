import { count } from './common.ts'

/** `soft_bounces` → Soft bounces: programs give reasons of their own. */
const sentence = (word: string) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll('_', ' ')

export const suppressions = {
  title: 'Suppressions',
  about: 'Addresses and domains that may not be mailed, whatever anyone’s state is.',
  start: 'Add',
  none: 'Nothing is suppressed',
  noneFound: 'Nothing forbids mail to this address',
  noneText: 'Bounces, complaints and what you add by hand will stand here.',
  search: 'What forbids mail to an address',
  searchHint: 'name@example.com',
  value: 'What',
  kind: 'Kind',
  kinds: { address: 'Address', sha256: 'Hashed address', domain: 'Domain' },
  reason: 'Why',
  reasons: (reason: string) => (reason === 'manual' ? 'By hand' : sentence(reason)),
  source: 'From',
  sources: (source: string) => (source === 'api' ? 'API' : sentence(source)),
  since: 'Since',
  until: 'Until',
  forGood: 'For good',
  actions: 'Actions',
  remove: 'Remove',
  removeOf: (value: string) => `Remove ${value}`,
  removeTitle: (value: string) => `Allow mail to ${value} again?`,
  removeText: 'Who has left by their own act stays as they are.',
  addTitle: 'Forbid mail',
  entries: 'Addresses and domains',
  entriesHint: 'One a line: name@example.com, example.com, or *.example.com for all below it',
  add: 'Forbid mail',
  added: (added: number, known: number) =>
    known === 0
      ? `${count(added, 'entry', 'entries')} added`
      : `${count(added, 'entry', 'entries')} added, ${known} were there`,
}

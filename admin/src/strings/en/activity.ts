import { count, number } from './common.ts'

export const activity = {
  title: 'Activity',
  about: 'All that happens to contacts and lists, as it happens, the newest first.',
  list: 'Events',
  types: 'Kinds of event',
  typesAll: 'Everything',
  pause: 'Pause',
  resume: 'Resume',
  live: 'Live',
  paused: 'Paused',
  connecting: 'Connecting…',
  broken: 'The connection is lost: trying again…',
  someone: 'Someone who was removed',
  older: 'Show older',
  most: (n: number) => `At most ${number(n)} are kept here: newer ones come back with “Resume”.`,
  leftOut: (n: number | null) =>
    `${n === null ? 'Some events' : count(n, 'event')} came too fast to be shown here: “Show older” leads to them.`,
  none: 'Nothing has happened yet',
  noneText: 'As soon as a contact is added or changed, it shows here by itself.',
  noneOfKind: 'Nothing of this kind has happened lately',
  noneOfKindText: 'What happens from now on shows here by itself.',
}

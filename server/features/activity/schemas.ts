import { Type } from 'typebox'
import { Nullable, PageOf } from '../../http/paging.ts'
import { ACCOUNT_EVENT_TYPES, CONTACT_EVENT_TYPES } from './event-types.ts'

const Types = Type.Enum([...CONTACT_EVENT_TYPES, ...ACCOUNT_EVENT_TYPES])
const Data = Type.Record(Type.String(), Type.Unknown())

/** Something that happened, as the API answers it; `data` names what changed, from what to what. */
export const Event = Type.Object({
  id: Type.String(),
  type: Types,
  types: Type.Array(Types),
  name: Type.Optional(Type.String()),
  at: Type.String(),
  data: Data,
  contact_id: Nullable(Type.String()),
  change_set_id: Type.Optional(Type.Integer()),
})

export const EventPage = PageOf(Event)

const Erased = Type.Enum([...CONTACT_EVENT_TYPES, ...ACCOUNT_EVENT_TYPES, 'erased'])

/** A part of the feed. Unlike other collections it has no end: a cursor is always there to go on with. */
export const FeedPage = Type.Object({
  data: Type.Array(
    Type.Object({
      ...Event.properties,
      type: Erased,
      types: Type.Array(Erased),
      contact_email: Type.Optional(
        Nullable(Type.String({ description: 'With include=contact_email: of now, null when the contact is gone.' })),
      ),
      position: Type.Integer({ description: 'Its place: each by one more than the one before.' }),
    }),
  ),
  next_cursor: Type.String({ description: 'To go on from here, now or at any later time.' }),
  has_more: Type.Boolean({ description: 'Whether there is more behind next_cursor already.' }),
})

/** What a cursor of before is answered when an older copy of the database was put back. */
export const FeedBegunAnew = Type.Object({
  errors: Type.String(),
  resume_after: Type.String({ description: 'The cursor up to which this feed and the one of before tell the same.' }),
  position: Type.Integer(),
})

export const EventCreated = Type.Object({
  contact_id: Type.String(),
  contact_email: Type.String(),
  name: Type.String(),
  params: Data,
})

/** An act on many people. */
export const ChangeSet = Type.Object({
  id: Type.Integer(),
  kind: Type.String(),
  phase: Type.String(),
  actor: Type.String(),
  options: Data,
  counts: Type.Record(Type.String(), Type.Number()),
  created_at: Type.String(),
  finished_at: Nullable(Type.String()),
})

export const ChangeSetPage = PageOf(ChangeSet)

export const Diff = Type.Object({
  data: Type.Array(
    Type.Object({
      line: Type.Integer(),
      email: Nullable(Type.String()),
      action: Nullable(Type.String()),
      contact_id: Nullable(Type.String()),
      before: Nullable(Data),
      after: Nullable(Data),
      problem: Type.Unknown(),
    }),
  ),
  per_page: Type.Integer(),
  next_cursor: Nullable(Type.String()),
})

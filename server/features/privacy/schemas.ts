import { Type } from 'typebox'
import { Nullable } from '../../http/paging.ts'
import { Event } from '../activity/schemas.ts'
import { Contact } from '../contacts/schemas.ts'
import { Field } from '../fields/schemas.ts'

export const Receipt = Type.Object({
  id: Type.String(),
  erasure_id: Type.String({ description: 'The same as `id`.' }),
  status: Type.Enum(['running', 'finished'], {
    description: 'Running until files and kept answers have been looked through, and what was at work has ended.',
  }),
  actor: Type.String(),
  counts: Type.Record(Type.String(), Type.Integer(), { description: 'Rows and files that went, by what they were.' }),
  created_at: Type.String(),
  finished_at: Nullable(Type.String()),
})

const Moment = Nullable(Type.String())
const Values = Nullable(Type.Record(Type.String(), Type.Unknown()))

/** Everything held of a person: what `jsonOf` writes, part after part. A test holds the one to the other. */
export const PersonDocument = Type.Object({
  exported_at: Type.String(),
  contact: Contact,
  fields: Type.Array(Field, { description: 'How the fields are defined.' }),
  lists: Type.Array(
    Type.Object({
      list_id: Nullable(Type.Integer()),
      name: Nullable(Type.String({ description: 'null: the list is gone, or another row names it.' })),
      since: Moment,
      left_at: Moment,
    }),
    { description: 'Lists of now have `since`, those of before `left_at`.' },
  ),
  events: Type.Array(
    Type.Object({ ...Event.properties, name: Nullable(Type.String()), change_set_id: Nullable(Type.Integer()) }),
    {
      description: 'All that happened to them and that they did.',
    },
  ),
  consents: Type.Array(
    Type.Object({
      id: Type.String(),
      action: Type.String(),
      grade: Type.String(),
      source: Type.String(),
      actor: Type.String(),
      ip: Nullable(Type.String()),
      data: Values,
      at: Type.String(),
    }),
    { description: 'Every permission and its withdrawal, with its evidence.' },
  ),
  mails: Type.Array(
    Type.Object({
      id: Type.String(),
      template: Type.String(),
      template_version: Type.Integer(),
      phase: Type.String(),
      at: Type.String(),
      sent_at: Moment,
      to: Type.Optional(Type.String()),
      subject: Type.Optional(Type.String()),
      text: Type.Optional(Type.String()),
    }),
    { description: 'Without its texts where they can not be opened any more.' },
  ),
  changes: Type.Array(
    Type.Object({
      change_set_id: Type.Integer(),
      kind: Type.String(),
      actor: Type.String(),
      at: Type.String(),
      file_name: Nullable(Type.String()),
      line: Type.Integer(),
      action: Nullable(Type.String()),
      email: Nullable(Type.String()),
      before: Values,
      after: Values,
      problem: Values,
    }),
    { description: 'Their rows of imports, batches, bulk acts and reverts.' },
  ),
  suppressions: Type.Array(
    Type.Object({
      kind: Type.String(),
      reason: Type.String(),
      source: Type.String(),
      at: Type.String(),
      expires_at: Moment,
    }),
    { description: 'Entries that forbid mail to them.' },
  ),
  recipients: Type.Array(Type.Object({ url: Type.String(), messages: Type.Integer(), last_at: Type.String() }), {
    description: 'Webhooks that were told of them.',
  }),
})

import { Type } from 'typebox'
import { Nullable, PageOf } from '../../http/paging.ts'
import { PROVIDERS } from './hooks.ts'

const GIVEN = {
  name: Type.Optional(Nullable(Type.String({ maxLength: 255, description: 'For you.' }))),
  signing_secret: Type.Optional(
    Nullable(
      Type.String({
        minLength: 16,
        maxLength: 255,
        description:
          'What the provider signs with: of mailtrap the signing secret of its webhook; of generic whsec_…, as in Standard ' +
          'Webhooks. From then on, what is not signed with it is refused. Kept sealed and never shown.',
      }),
    ),
  ),
  topic_arn: Type.Optional(
    Nullable(
      Type.String({
        maxLength: 400,
        description: 'Of ses: the one topic of Amazon SNS that may post here. By default the first one that does.',
      }),
    ),
  ),
}

export const HookBody = Type.Object(
  { provider: Type.Enum([...PROVIDERS], { description: 'Whose messages come here.' }), ...GIVEN },
  { additionalProperties: false },
)

export const HookPatch = Type.Object(GIVEN, { additionalProperties: false })

const counts = {
  received: Type.Integer(),
  recorded: Type.Integer({ description: 'Now in the activity of a contact.' }),
  duplicates: Type.Integer({ description: 'Taken before.' }),
  unknown: Type.Integer({ description: 'No contact has the address, and none is made of it.' }),
  suppressed: Type.Integer({ description: 'The address was erased.' }),
  ignored: Type.Integer({ description: 'Of a type that says nothing of a person.' }),
  refused: Type.Integer({ description: 'Could not be read, or is too old.' }),
}

const hook = {
  id: Type.Integer(),
  provider: Type.Enum([...PROVIDERS]),
  name: Nullable(Type.String()),
  is_verified: Type.Boolean({ description: 'Whether signatures are asked for; else the address alone is the proof.' }),
  topic_arn: Nullable(Type.String()),
  previous_url_until: Nullable(Type.String({ description: 'Until then the address of before works as well.' })),
  counts: Type.Object({
    ...counts,
    unverified: Type.Integer({ description: 'Requests whose signature was not right.' }),
  }),
  last_received_at: Nullable(Type.String()),
  created_at: Type.String(),
  updated_at: Type.String(),
}

export const Hook = Type.Object(hook)
export const HookPage = PageOf(Hook)
export const HookWithUrl = Type.Object({
  ...hook,
  url: Type.String({ description: 'Shown this once: whoever knows it can post events.' }),
})

export const Taken = Type.Object({
  ...counts,
  problems: Type.Array(Type.String(), { description: 'Why events were refused: the first ten.' }),
})

import { type Static, Type } from 'typebox'
import { invalid } from '../../lib/app-error.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { countCharacters, isStorable } from '../../lib/text.ts'

const ListIds = Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), { maxItems: 1000 })

/** Values by merge tag. */
export const FieldValues = Type.Record(Type.String(), Type.Unknown(), {
  maxProperties: 1000,
  description: 'By merge tag: texts, numbers, booleans, dates as YYYY-MM-DD; null or an empty text unsets.',
})

const common = {
  external_id: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'How another system calls this person; unique in the account.',
    }),
  ),
  fields: Type.Optional(FieldValues),
  tags: Type.Optional(Type.Array(Type.String(), { maxItems: 1000 })),
  unsubscribed: Type.Optional(Type.Boolean()),
  double_opt_in: Type.Optional(
    Type.Boolean({
      description:
        'Of someone new: whether they wait as pending until they confirm, whom a mail then asks to. By default as the account says.',
    }),
  ),
}

export const ContactCreate = Type.Object(
  { email: Type.String(), ...common, list_ids: Type.Optional(ListIds) },
  { additionalProperties: false },
)
export type ContactCreate = Static<typeof ContactCreate>

export const ContactPatch = Type.Object(
  {
    email: Type.Optional(Type.String()),
    ...common,
    list_ids: Type.Optional(ListIds),
    list_ids_included: Type.Optional(ListIds),
    list_ids_excluded: Type.Optional(ListIds),
  },
  { additionalProperties: false },
)
export type ContactPatch = Static<typeof ContactPatch>

/** The address in the one form in which it is stored. Throws `invalid`. */
export function checkEmail(text: string): string {
  const read = normaliseEmail(text)
  if (!read.ok) throw invalid({ email: read.problem })
  return read.email
}

/** null or '' is none. Throws `invalid`. */
export function checkExternalId(text: string | null | undefined): string | null {
  const id = text?.trim() ?? ''
  if (id.length > 255) throw invalid({ external_id: ['is too long (maximum is 255 characters)'] })
  if (!isStorable(id)) throw invalid({ external_id: ['holds a character that text can not have'] })
  return id === '' ? null : id
}

/** Trimmed, each once, in the order given. Throws `invalid`: a tag may hold no comma, as that separates them in files. */
export function checkTags(tags: readonly string[], place = 'tags'): string[] {
  const kept = [...new Set(tags.map((tag) => tag.trim()))]
  for (const tag of kept) {
    if (tag === '') throw invalid({ [place]: ["can't be blank"] })
    if (countCharacters(tag) > 80)
      throw invalid({ [place]: [`is too long (maximum is 80 characters): ${tag.slice(0, 40)}…`] })
    if (tag.includes(',')) throw invalid({ [place]: [`may hold no comma: ${tag}`] })
    if (!isStorable(tag)) throw invalid({ [place]: ['holds a character that text can not have'] })
  }
  return kept
}

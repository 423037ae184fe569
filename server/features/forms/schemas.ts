import { type Static, Type } from 'typebox'
import { Nullable } from '../../http/paging.ts'

const LONGEST = 2000
const text = (description: string) => Nullable(Type.String({ maxLength: LONGEST, description }))
const MOST_FIELDS = 50

/** What a form says in words of its own; null: in those that come with the service, in its reader's language. */
export const Texts = {
  title: text('Above the form.'),
  introduction: text('Below the title; blank lines part paragraphs.'),
  consent: text('What people agree to, above the button. The ledger keeps it.'),
  button: text('On the button.'),
  success: text('After the sign-up: the same whether or not the address was known.'),
}
export const TEXT_NAMES = ['title', 'introduction', 'consent', 'button', 'success'] as const
export type TextName = (typeof TEXT_NAMES)[number]

const FormField = Type.Object(
  {
    field: Type.String({ maxLength: 80, description: 'Its merge tag.' }),
    label: Type.Optional(Nullable(Type.String({ maxLength: 255, description: 'The name of the field unless given.' }))),
    required: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

const settings = {
  name: Type.String({ maxLength: 255, description: 'For yourself; unique.' }),
  active: Type.Boolean({ description: 'Whether it can be filled.' }),
  double_opt_in: Type.Boolean({
    description:
      'Whether people confirm by mail; they do in any case where a list or the account wants it. True unless given.',
  }),
  list_ids: Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
    maxItems: 100,
    description: 'Static lists that people join.',
  }),
  fields: Type.Array(FormField, { maxItems: MOST_FIELDS, description: 'Asked for beside the address, in this order.' }),
  redirect_url: Nullable(Type.String({ maxLength: 2000, description: 'Where people are sent in place of `success`.' })),
  frame_origins: Type.Array(Type.String({ maxLength: 300 }), {
    maxItems: 20,
    description: 'Whose pages may show the form in a frame, such as https://www.example.com.',
  }),
  welcome_template: Nullable(
    Type.String({ pattern: '^[a-z0-9_]{1,64}$', description: 'Mailed to whoever has come by the form.' }),
  ),
}

export const FormPatch = Type.Partial(Type.Object({ ...settings, ...Texts }), { additionalProperties: false })
export type FormPatch = Static<typeof FormPatch>

export const FormInput = Type.Object({ ...FormPatch.properties, name: settings.name }, { additionalProperties: false })

export const FormPreview = Type.Object(
  {
    ...FormPatch.properties,
    shows: Type.Optional(
      Type.Enum(['form', 'success'], { description: 'The page with the form, unless given; or that after it.' }),
    ),
    language: Type.Optional(
      Type.String({ maxLength: 8, description: 'Of its reader; that of the account unless given.' }),
    ),
  },
  { additionalProperties: false },
)
export type FormPreview = Static<typeof FormPreview>

export const Form = Type.Object({
  id: Type.Integer(),
  version: Type.Integer({ description: 'Counts up with each change; the ledger names it.' }),
  url: Type.String({ description: 'The page that shows it.' }),
  ...settings,
  fields: Type.Array(Type.Object({ field: Type.String(), label: Nullable(Type.String()), required: Type.Boolean() })),
  ...Texts,
  created_at: Type.String(),
  updated_at: Type.String(),
})

export const Embed = Type.Object({
  url: Type.String(),
  html: Type.String({ description: 'The form in plain HTML, for a page of your own.' }),
  iframe: Type.String({ description: 'The page in a frame; the origin of yours must stand in frame_origins.' }),
})

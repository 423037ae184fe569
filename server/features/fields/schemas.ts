import { type Static, Type } from 'typebox'
import { Nullable } from '../../http/paging.ts'
import { FIELD_TYPES } from './definition.ts'

const text = (description?: string) =>
  Type.Optional(Type.Union([Type.String(), Type.Null()], description === undefined ? {} : { description }))
const bound = Type.Optional(Type.Union([Type.Number(), Type.Null()]))

/** What a request says of a field. Checked as a whole by `checkDefinition`, so that every fault is told at once. */
export const FieldInput = Type.Object(
  {
    name: text(),
    type: text('text, integer, number, select, date or boolean; data_type is the same.'),
    merge_tag: text('Made from the name when it is not given.'),
    required: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    editable: Type.Optional(
      Type.Union([Type.Boolean(), Type.Null()], {
        description: 'Whether people may change it on their page of preferences.',
      }),
    ),
    min: bound,
    max: bound,
    options: Type.Optional(
      Type.Union([Type.Array(Type.String(), { maxItems: 1000 }), Type.Null()], {
        description:
          'Of a select. One goes only while no contact has it, and comes back if one got it in the same seconds.',
      }),
    ),
    default: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
    format: text('Of dates, such as DD.MM.YYYY; ISO dates are always taken.'),
  },
  { additionalProperties: false },
)
export type FieldInput = Static<typeof FieldInput>

export const ConvertInput = Type.Object(
  {
    type: Type.String(),
    options: Type.Optional(
      Type.Array(Type.String(), { maxItems: 1000, description: 'For a select; the values there are, unless given.' }),
    ),
    discard: Type.Optional(
      Type.Boolean({ description: 'Unset the values that can not be converted instead of refusing.' }),
    ),
    dry_run: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type ConvertInput = Static<typeof ConvertInput>

const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean()])

const field = {
  id: Type.Integer(),
  name: Type.String(),
  data_type: Type.Enum(['text', 'integer', 'float', 'boolean', 'date'], { description: 'The nearest official kind.' }),
  merge_tag: Type.String(),
  type: Type.Enum([...FIELD_TYPES]),
  required: Type.Boolean(),
  editable: Type.Boolean({ description: 'By people, on their page of preferences.' }),
  min: Nullable(Type.Number()),
  max: Nullable(Type.Number()),
  options: Nullable(Type.Array(Type.String())),
  default: Nullable(Value),
  format: Nullable(Type.String()),
  converting_to: Type.Optional(Type.Enum([...FIELD_TYPES])),
  created_at: Type.String(),
  updated_at: Type.String(),
}

/** A field as the API answers it. */
export const Field = Type.Object(field)

/** The same, with how many contacts have a value for it. */
export const CountedField = Type.Object({ ...field, values_count: Type.Integer() })

/** What a conversion would do, or has begun to do. */
export const Conversion = Type.Object({
  dry_run: Type.Optional(Type.Boolean()),
  change_set_id: Type.Optional(Type.Integer()),
  phase: Type.Optional(Type.String()),
  values_count: Type.Integer(),
  convertible: Type.Integer(),
  not_convertible: Type.Integer(),
  examples: Type.Array(Type.Object({ value: Value, count: Type.Integer(), problem: Type.String() })),
  options: Nullable(Type.Array(Type.String())),
})

/** What speaks of fields. */
export const USERS = ['smart_list', 'form', 'webhook', 'view', 'recipe', 'template'] as const

const Looked = {
  looked_at: Type.Integer({ description: 'Contacts that were looked at.' }),
  is_exact: Type.Boolean({ description: 'Whether these are all there are; else the numbers are estimates.' }),
}

export const FieldUsage = Type.Object({
  data: Type.Array(
    Type.Object({
      field_id: Type.Integer(),
      filled: Type.Object({ count: Type.Integer(), share: Type.Number({ description: 'From 0 to 1.' }) }),
      used_by: Type.Array(
        Type.Object({
          kind: Type.Enum([...USERS]),
          id: Type.Union([Type.Integer(), Type.String()]),
          name: Nullable(
            Type.String({ description: "null: of a webhook, and of a view that is somebody else's own." }),
          ),
        }),
      ),
    }),
  ),
  ...Looked,
  margin: Type.Number({ description: 'By how much a share may be off, 95 times in 100.' }),
})

export const FieldValues = Type.Object({
  values: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() })),
  ...Looked,
})

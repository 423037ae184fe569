import { type Static, Type } from 'typebox'

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
    min: bound,
    max: bound,
    options: Type.Optional(Type.Union([Type.Array(Type.String(), { maxItems: 1000 }), Type.Null()])),
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

import { Type } from 'typebox'
import { Nullable, PageOf } from '../../http/paging.ts'

const Count = Type.Integer()

const Cause = Type.Object({
  field: Type.String(),
  column: Nullable(Type.String()),
  message: Type.String(),
  count: Count,
  line: Type.Integer({ description: 'The first line of which it holds.' }),
  values: Type.Array(Type.Object({ value: Type.String(), count: Count }), {
    description: 'What stood there, the most frequent first, where it is a word that value_mapping may mend.',
  }),
})

const Warning = Type.Object({
  kind: Type.String(),
  column: Type.String(),
  count: Count,
  line: Type.Integer(),
  suggestion: Type.Optional(Type.String()),
})

const Column = Type.Object({
  name: Type.String(),
  goes_to: Nullable(Type.String({ description: 'A merge tag, or email, tags, state, …; null: it is left out.' })),
  sure: Type.Optional(Type.Enum(['given', 'exact', 'likely', 'new'])),
  because: Type.Optional(Type.String({ description: 'Why it is left out.' })),
})

const Detected = Type.Object({}, { additionalProperties: true })

/** An import as the API answers it. `status` has official words alone; the exact truth is `phase`. */
export const Import = Type.Object({
  id: Type.Integer(),
  status: Type.Enum(['created', 'started', 'finished', 'failed']),
  phase: Type.Enum([
    'queued',
    'reading',
    'validating',
    'ready',
    'merging',
    'finished',
    'failed',
    'cancelled',
    'reverting',
    'reverted',
  ]),
  problem: Nullable(Type.String({ description: 'Why it failed, or what it waits for.' })),
  change_set_id: Type.Integer(),
  rows_read: Count,
  created_contacts_count: Count,
  updated_contacts_count: Count,
  unchanged_contacts_count: Count,
  duplicate_rows_count: Count,
  rejected_rows_count: Count,
  suppressed_contacts_count: Count,
  contacts_over_limit_count: Count,
  opted_out_contacts_count: Count,
  kept_unsubscribed_contacts_count: Count,
  not_applied_rows_count: Count,
  errors: Type.Array(Cause, { description: 'Why rows were rejected, by cause.' }),
  warnings: Type.Array(Warning),
  progress: Type.Object({
    bytes_total: Count,
    bytes_read: Count,
    rows_read: Count,
    rows_to_merge: Count,
    rows_merged: Count,
  }),
  file: Type.Object({ name: Nullable(Type.String()), bytes: Count, sha256: Type.String(), kept: Type.Boolean() }),
  detected: Nullable(Detected),
  columns: Nullable(Type.Array(Column)),
  options: Type.Object({}, { additionalProperties: true }),
  created_at: Type.String(),
  updated_at: Type.String(),
  finished_at: Nullable(Type.String()),
})

export const ImportPage = PageOf(Import)

/** What a file looks like before anything is imported. */
export const Preview = Type.Object({
  detected: Detected,
  rows_seen: Count,
  is_whole: Type.Boolean({ description: 'Whether those were all rows of what was sent.' }),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      goes_to: Nullable(Type.String()),
      sure: Type.Optional(Type.Enum(['given', 'exact', 'likely', 'new'])),
      confidence: Type.Number({ description: 'Of where it goes, 0 to 1.' }),
      because: Type.Optional(Type.String()),
      kind: Nullable(Type.String({ description: 'Of the values seen: email, text, integer, number, date, boolean.' })),
      samples: Type.Array(Type.String()),
      filled: Count,
      ambiguous: Type.Boolean({ description: 'Whether its dates can be read in two ways: say date_order.' }),
    }),
  ),
  fields_created: Type.Array(
    Type.Object({
      merge_tag: Type.String(),
      name: Type.String(),
      type: Type.String(),
      guessed_kind: Nullable(Type.String()),
    }),
  ),
  problems: Type.Array(Type.String()),
  recipe: Nullable(
    Type.Object({ id: Type.Integer(), name: Type.String(), options: Type.Object({}, { additionalProperties: true }) }),
  ),
})

/** What became of each person of an import. */
export const ImportedContacts = Type.Object({
  data: Type.Array(
    Type.Object({
      line: Type.Integer(),
      email: Nullable(Type.String()),
      id: Nullable(Type.String()),
      action: Type.String(),
    }),
  ),
  per_page: Type.Integer(),
  next_cursor: Nullable(Type.String()),
})

/** A saved mapping with its rules. */
export const Recipe = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  options: Type.Object({}, { additionalProperties: true }),
  created_at: Type.String(),
  updated_at: Type.String(),
})

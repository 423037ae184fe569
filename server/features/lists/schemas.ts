import { Type } from 'typebox'
import { Nullable } from '../../http/paging.ts'
import { Contact } from '../contacts/schemas.ts'
import type { Explained } from '../criteria/explain.ts'

export const ListParams = Type.Object({ list_id: Type.String() })

/** A list as the API answers it. */
export const List = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  description: Nullable(Type.String()),
  type: Type.Enum(['static', 'smart']),
  criteria: Type.Unknown({ description: 'Of a smart list, with the merge tags of now; null: a static list.' }),
  criteria_version: Type.Optional(Type.Integer()),
  track: Type.Optional(Type.Boolean({ description: 'Whether entering and leaving are told.' })),
  public: Type.Boolean({ description: 'Whether its people may leave and join it on their page of preferences.' }),
  public_name: Nullable(Type.String({ description: 'How it is called there; null: its name.' })),
  public_description: Nullable(Type.String()),
  double_opt_in: Type.Boolean({ description: 'Whether who is created into it waits until they confirm.' }),
  contacts_count: Type.Integer(),
  counted_at: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
})

/** What speaks of lists. */
export const USERS = ['smart_list', 'form', 'webhook', 'view', 'recipe'] as const

export const ListUsage = Type.Object({
  used_by: Type.Array(
    Type.Object({
      kind: Type.Enum([...USERS]),
      id: Type.Integer(),
      name: Nullable(Type.String({ description: "null: of a webhook, and of a view that is somebody else's own." })),
    }),
  ),
})

/** What became of the contacts that a request named. */
export const Added = Type.Object({
  change_set_id: Type.Integer(),
  added: Type.Integer(),
  already_members: Type.Integer(),
  opted_out: Type.Integer({ description: 'Who have left this list by their own act.' }),
  not_found: Type.Integer(),
  not_found_ids: Type.Array(Type.String()),
})

export const Removed = Type.Object({
  change_set_id: Type.Integer(),
  removed: Type.Integer(),
  not_members: Type.Integer(),
  not_found: Type.Integer(),
  not_found_ids: Type.Array(Type.String()),
})

export const Converted = Type.Object({
  change_set_id: Type.Integer(),
  added: Type.Integer(),
  already_members: Type.Integer(),
  opted_out: Type.Integer(),
})

export const Merged = Type.Object({
  change_set_id: Type.Integer(),
  added: Type.Integer(),
  already_members: Type.Integer(),
  opted_out: Type.Integer(),
  merged_list_ids: Type.Array(Type.Integer()),
})

export const Preview = Type.Object({
  count: Type.Integer(),
  count_is_capped: Type.Optional(Type.Boolean({ description: 'There are more than `count`.' })),
  count_is_estimated: Type.Optional(
    Type.Boolean({
      description: 'There are about so many, which a sample says, and `sample` is of that; 0: few, if any.',
    }),
  ),
  sample: Type.Array(Contact),
})

/** Why someone is in a list, or is not. */
export const Explanation = Type.Object({
  list_id: Type.Optional(Type.Integer()),
  contact_id: Type.String(),
  matches: Type.Boolean(),
  changes_at: Nullable(
    Type.String({ description: 'When time alone will change it; null: not unless something else happens.' }),
  ),
  explanation: Type.Unsafe<Explained>({
    type: 'object',
    additionalProperties: true,
    description: 'For each part: `is`, `outcome`, `changes_at`; of a condition what it `seen`; its parts under `of`.',
  }),
})

import { Type } from 'typebox'
import { Nullable } from '../../http/paging.ts'

/** A list as the API answers it. */
export const List = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  description: Nullable(Type.String()),
  type: Type.Enum(['static', 'smart']),
  criteria: Type.Unknown(),
  contacts_count: Type.Integer(),
  counted_at: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
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

export const Merged = Type.Object({
  change_set_id: Type.Integer(),
  added: Type.Integer(),
  already_members: Type.Integer(),
  opted_out: Type.Integer(),
  merged_list_ids: Type.Array(Type.Integer()),
})

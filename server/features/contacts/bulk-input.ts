import { type Static, Type } from 'typebox'
import type { Trx } from '../../db/database.ts'
import { invalid } from '../../lib/app-error.ts'
import { takeFields } from '../fields/intake.ts'
import type { Desk } from './desk.ts'
import { checkTags, FieldValues } from './input.ts'
import { holdLists } from './memberships.ts'
import { ContactsSearch } from './selection.ts'

const Tags = Type.Array(Type.String(), { minItems: 1, maxItems: 100 })
const ListId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const one = <
  Name extends string,
  Rest extends Record<string, ReturnType<typeof Type.Array> | typeof ListId | typeof FieldValues>,
>(
  type: Name,
  rest: Rest,
) => Type.Object({ type: Type.Literal(type), ...rest }, { additionalProperties: false })

const { q, criteria, list_id, tag, state, status, subscribed } = ContactsSearch.properties

/** Whom: everything must hold. An empty selection is everyone. */
const Which = Type.Object({ q, criteria, list_id, tag, state, status, subscribed }, { additionalProperties: false })

/** What to do with each of them. */
const Action = Type.Union([
  one('update', { fields: FieldValues }),
  one('add_tags', { tags: Tags }),
  one('remove_tags', { tags: Tags }),
  one('add_to_list', { list_id: ListId }),
  one('remove_from_list', { list_id: ListId }),
  one('unsubscribe', {}),
  one('delete', {}),
])

export const BulkInput = Type.Object(
  {
    selection: Which,
    action: Action,
    dry_run: Type.Optional(
      Type.Boolean({ description: 'Chooses whom and says what would become of each: apply the change set to do it.' }),
    ),
  },
  { additionalProperties: false },
)
export type BulkInput = Static<typeof BulkInput>
export type BulkSelection = Static<typeof Which>

/** An action, checked, in the form in which a worker does it. */
export interface BulkAct {
  type: BulkInput['action']['type']
  set: Record<string, unknown>
  unset: string[]
  added: string[]
  removed: string[]
  joined: number | null
  left: number | null
}

const NOTHING = { set: {}, unset: [], added: [], removed: [], joined: null, left: null }

/** Checks an action as a change of one contact is checked: fields unknown to the account are defined, or refused. Throws `invalid`. */
export async function settleAction(trx: Trx, desk: Desk, action: BulkInput['action']): Promise<BulkAct> {
  const { caller, fieldCache, settings } = desk
  const { type } = action
  switch (action.type) {
    case 'update': {
      if (Object.keys(action.fields).length === 0) throw invalid({ 'action.fields': ["can't be blank"] })
      const intake = await takeFields(trx, fieldCache, action.fields, {
        accountId: caller.accountId,
        unknown: settings.unknown_fields,
        creating: false,
      })
      return { ...NOTHING, type, set: intake.set, unset: intake.unset }
    }
    case 'add_tags':
      return { ...NOTHING, type, added: checkTags(action.tags, 'action.tags') }
    case 'remove_tags':
      return { ...NOTHING, type, removed: checkTags(action.tags, 'action.tags') }
    case 'add_to_list':
    case 'remove_from_list':
      await holdLists(trx, caller.accountId, [action.list_id], 'action.list_id')
      return { ...NOTHING, type, [action.type === 'add_to_list' ? 'joined' : 'left']: action.list_id }
    default:
      return { ...NOTHING, type }
  }
}

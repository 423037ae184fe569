import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import { invalid, together } from '../../lib/app-error.ts'
import type { EventType } from '../activity/event-types.ts'
import { type Change, type EventData, record } from '../activity/record.ts'
import { takeFields } from '../fields/intake.ts'
import { askToConfirm } from '../subscriptions/confirmations.ts'
import { assertConsent } from '../subscriptions/consents.ts'
import type { Standing } from '../subscriptions/states.ts'
import { rulingOn } from '../subscriptions/suppressions.ts'
import { type Entry, enter, type Outcome, type Past } from '../subscriptions/transitions.ts'
import type { ReadRow } from './contact.ts'
import type { Desk } from './desk.ts'
import { type ContactCreate, checkEmail, checkExternalId, checkTags } from './input.ts'
import { enterLists, holdLists } from './memberships.ts'

/** The same official words wherever an address is refused because someone has it. */
export const TAKEN = ['has already been taken']

/**
 * Enters a person. Throws `invalid`: for what is wrong with the input, for an address or external id that another
 * contact has, and for an address that was erased.
 */
export async function createContact(trx: Trx, desk: Desk, input: ContactCreate): Promise<ReadRow> {
  const row = await insertContact(trx, desk, input)
  if (!row) throw invalid({ email: TAKEN })
  return row
}

/** The same; undefined when another contact has the address. */
export async function insertContact(trx: Trx, desk: Desk, input: ContactCreate): Promise<ReadRow | undefined> {
  const { accountId } = desk.caller
  const listIds = [...new Set(input.list_ids ?? [])]
  const [email, tags, externalId, { set }, listsWantIt] = await together(
    () => checkEmail(input.email),
    () => checkTags(input.tags ?? []),
    () => checkExternalId(input.external_id),
    () =>
      takeFields(trx, desk.fieldCache, input.fields ?? {}, {
        accountId,
        unknown: desk.settings.unknown_fields,
        creating: true,
      }),
    () => holdLists(trx, accountId, listIds),
  )
  const entry = entryOf(input.unsubscribed, listsWantIt || (input.double_opt_in ?? desk.settings.double_opt_in))
  let { standing, consent } = entered(entry, 'absent')

  // Both are on their way at once; the second has a snapshot of its own, taken after the first is done.
  const [[inserted], ruling] = await Promise.all([
    trx.query<Pick<ReadRow, 'id' | 'created_at' | 'updated_at'>>(sql`
      insert into contacts (account_id, email, external_id, state, state_reason, state_before, fields, tags, origin)
      values (${accountId}, ${email}, ${externalId}, ${standing.state}, ${standing.state_reason}, ${standing.state_before},
        ${JSON.stringify(set)}, ${tags}, 'api')
      on conflict (account_id, email) do nothing
      returning id, created_at, updated_at`),
    rulingOn(trx, desk.keyring, accountId, email),
  ]).catch((error: unknown) => {
    throw violatedUnique(error) === 'contacts_external_id' ? invalid({ external_id: TAKEN }, error) : error
  })
  if (!inserted) return undefined
  if (ruling.past !== 'absent') {
    ;({ standing, consent } = entered(entry, ruling.past))
    trx.send(sql`
      update contacts set state = ${standing.state}, state_reason = ${standing.state_reason}, state_before = null
      where account_id = ${accountId} and id = ${inserted.id}`)
  }
  const lists = await enterLists(trx, accountId, { id: inserted.id, email }, listIds)
  const row = { ...inserted, email, external_id: externalId, ...standing, fields: set, tags, origin: 'api' }
  record(trx, accountId, [{ contactId: row.id, types: typesOf(standing, lists), data: dataOf(row, lists) }])
  if (consent) assertConsent(trx, desk.caller, row.id, consent)
  if (standing.state === 'pending' && !ruling.suppressed)
    await askToConfirm(trx, desk.asking, accountId, { id: row.id, email }, true)
  return { ...row, list_ids: lists, suppressed: ruling.suppressed }
}

/** How the request wants the person entered. */
function entryOf(unsubscribed: boolean | undefined, doubleOptIn: boolean): Entry {
  if (unsubscribed) return doubleOptIn ? 'create_unsubscribed_double_opt_in' : 'create_unsubscribed'
  return doubleOptIn ? 'create_double_opt_in' : 'create'
}

/** Throws `invalid` for an address that does not come back. */
function entered(entry: Entry, past: Past): Outcome {
  const outcome = enter(entry, past)
  if ('refused' in outcome) throw invalid({ email: [outcome.refused] })
  return outcome
}

function typesOf({ state }: Standing, lists: number[]): EventType[] {
  const types: EventType[] = ['created']
  if (state === 'subscribed' || state === 'unsubscribed') types.push(state)
  if (lists.length > 0) types.push('list_added')
  return types
}

/** Everything a new contact starts with, as changes from nothing. */
function dataOf(
  row: Pick<ReadRow, 'email' | 'external_id' | 'state' | 'fields' | 'tags' | 'origin'>,
  lists: number[],
): EventData {
  const fields = Object.fromEntries(Object.entries(row.fields).map(([key, to]): [string, Change] => [key, { to }]))
  return {
    origin: row.origin,
    email: { to: row.email },
    state: { to: row.state },
    ...(row.external_id === null ? {} : { external_id: { to: row.external_id } }),
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
    ...(row.tags.length > 0 ? { tags: { added: row.tags } } : {}),
    ...(lists.length > 0 ? { lists: { added: lists } } : {}),
  }
}

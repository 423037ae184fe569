import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import { invalid, notFound, together } from '../../lib/app-error.ts'
import { type ContactRef, parseContactRef } from '../../lib/contact-ref.ts'
import type { EventType } from '../activity/event-types.ts'
import { type Change, type EventData, record } from '../activity/record.ts'
import { isReferred } from '../activity/referred.ts'
import type { FieldValue } from '../fields/definition.ts'
import { type Intake, takeFields } from '../fields/intake.ts'
import { askToConfirm, forgetConfirmations } from '../subscriptions/confirmations.ts'
import { assertConsent } from '../subscriptions/consents.ts'
import type { Standing } from '../subscriptions/states.ts'
import { leaveWithdrawn, rulingOn } from '../subscriptions/suppressions.ts'
import { type Act, move, type Outcome } from '../subscriptions/transitions.ts'
import { CONTACT_COLUMNS, type ContactRow, type Precondition, type ReadRow, readContact } from './contact.ts'
import { insertContact, TAKEN } from './create.ts'
import type { Desk } from './desk.ts'
import { type ContactPatch, checkEmail, checkExternalId, checkTags } from './input.ts'
import { enterLists, holdLists, leaveLists, listsOf, moveOptOuts, optOutsOf } from './memberships.ts'

export interface Upserted {
  row: ReadRow
  action: 'created' | 'updated'
}

/**
 * Changes the contact that a path names: what is given is set, the rest stays. An address that nobody has is entered.
 * Throws not_found for an unknown id, `invalid`, and what the precondition throws.
 */
export async function upsertContact(
  trx: Trx,
  desk: Desk,
  named: string,
  patch: ContactPatch,
  precondition?: Precondition,
): Promise<Upserted> {
  const ref = parseContactRef(named)
  if (ref.by === 'none' && named.includes('@')) checkEmail(named) // says what is wrong with the address
  const { list_ids_included = [], list_ids_excluded = [] } = patch
  const both = [...(patch.list_ids ?? []), ...list_ids_included].filter((id) => list_ids_excluded.includes(id))
  if (both.length > 0)
    throw invalid({ base: [`same list_ids ${both.join(', ')} are specified both as included and excluded`] })
  const updated = await updateContact(trx, desk, ref, patch, precondition)
  if (updated) return { row: updated, action: 'updated' }
  if (ref.by !== 'email') throw notFound()
  await precondition?.(undefined)
  const { list_ids_included: _, list_ids_excluded: __, email, ...rest } = patch
  const address = checkEmail(email ?? ref.email)
  const row = await insertContact(trx, desk, {
    ...rest,
    email: address,
    list_ids: [...(patch.list_ids ?? []), ...list_ids_included],
  })
  if (row) return { row, action: 'created' }
  // Someone entered the address since we looked for it: now it is there to be changed. Another address is another's.
  const found = address === ref.email ? await updateContact(trx, desk, ref, patch) : undefined
  if (!found) throw invalid({ email: TAKEN })
  return { row: found, action: 'updated' }
}

/** What a patch gives of these, checked; undefined where it gives none. */
async function checkIdentity({ email, external_id, tags }: ContactPatch) {
  const [address, externalId, kept] = await together(
    () => (email === undefined ? undefined : checkEmail(email)),
    () => (external_id === undefined ? undefined : checkExternalId(external_id)),
    () => (tags === undefined ? undefined : checkTags(tags)),
  )
  return { email: address, externalId, tags: kept }
}

/** undefined when nobody is named by `ref`. */
async function updateContact(
  trx: Trx,
  desk: Desk,
  ref: ContactRef,
  patch: ContactPatch,
  precondition?: Precondition,
): Promise<ReadRow | undefined> {
  const { accountId } = desk.caller
  // Fields and lists before the contact, here and wherever both are needed: who defines a field, or merges lists, and waits
  // for a contact would else meet who holds the contact and waits for them.
  const [intake, given, listsWantIt] = await together(
    () =>
      takeFields(trx, desk.fieldCache, patch.fields ?? {}, {
        accountId,
        unknown: desk.settings.unknown_fields,
        creating: false,
      }),
    () => checkIdentity(patch),
    () => holdLists(trx, accountId, [...new Set([...(patch.list_ids ?? []), ...(patch.list_ids_included ?? [])])]),
  )
  const [before] = await trx.query<ContactRow>(sql`
    select ${CONTACT_COLUMNS} from contacts as c where c.account_id = ${accountId} and ${isReferred(ref)} for update`)
  if (!before) return undefined
  await precondition?.(await readContact(trx, accountId, { by: 'id', id: before.id }))
  const { email = before.email, externalId = before.external_id, tags = before.tags } = given
  const said = patch.unsubscribed === undefined ? null : patch.unsubscribed ? 'caller_excludes' : 'caller_readmits'
  // Whoever was never asked and is put into a list that wants it, is asked now.
  const isAsked = listsWantIt && said === null && before.state === 'none'
  let { standing, consent } = moved(before, isAsked ? 'asked_by_mail' : said)
  // Before the lists, as what was left under the old address stays left under the new one.
  if (email !== before.email && (await moveAddress(trx, desk, before, email)))
    ({ standing, consent } = moved(before, 'address_withdrawn'))
  const left = email === before.email ? [] : await optOutsOf(trx, accountId, email)
  const lists = await moveLists(trx, accountId, { id: before.id, email }, patch, left)
  const data: EventData = {
    ...changed('email', before.email, email),
    ...changed('external_id', before.external_id ?? undefined, externalId ?? undefined),
    ...fieldChanges(before.fields, intake),
    ...tagChanges(before.tags, tags),
    ...lists,
    ...changed('state', before.state, standing.state),
  }
  if (Object.keys(data).length > 0) {
    await trx
      .query(sql`
        update contacts set external_id = ${externalId}, tags = ${tags},
          fields = (fields - ${intake.unset}::text[]) || ${JSON.stringify(intake.set)}::jsonb,
          state = ${standing.state}, state_reason = ${standing.state_reason}, state_before = ${standing.state_before},
          state_at = case when ${standing !== before} then statement_timestamp() else state_at end,
          updated_at = statement_timestamp()
        where account_id = ${accountId} and id = ${before.id}`)
      .catch((error: unknown) => {
        throw violatedUnique(error) === 'contacts_external_id' ? invalid({ external_id: TAKEN }, error) : error
      })
    record(trx, accountId, [{ contactId: before.id, types: typesOf(data, standing), data }])
    if (consent) assertConsent(trx, desk.caller, before.id, consent)
    if (isAsked && standing.state === 'pending' && !(await rulingOn(trx, desk.keyring, accountId, email)).suppressed)
      await askToConfirm(trx, desk.asking, accountId, { id: before.id, email }, true)
  }
  return readContact(trx, accountId, { by: 'id', id: before.id })
}

/** Where an act of a caller leads; it refuses none of theirs. */
function moved(now: ContactRow, act: Act | null): Outcome {
  const outcome = act === null ? undefined : move(now, act)
  return outcome === undefined || 'refused' in outcome ? { standing: now, consent: null } : outcome
}

/** Gives a contact another address; answers whether that has withdrawn in the past, which still counts. */
async function moveAddress(trx: Trx, desk: Desk, before: ContactRow, email: string): Promise<boolean> {
  const { accountId } = desk.caller
  const [, ruling] = await Promise.all([
    trx.query(sql`update contacts set email = ${email} where account_id = ${accountId} and id = ${before.id}`),
    rulingOn(trx, desk.keyring, accountId, email),
  ]).catch((error: unknown) => {
    throw violatedUnique(error) === 'contacts_email' ? invalid({ email: TAKEN }, error) : error
  })
  if (ruling.past === 'erased') throw invalid({ email: ['is suppressed'] })
  moveOptOuts(trx, accountId, before.email, email)
  forgetConfirmations(trx, accountId, [before.id])
  leaveWithdrawn(trx, desk.keyring, accountId, [before], desk.caller.actor) // the old address comes back as it went
  return ruling.past === 'withdrawn'
}

async function moveLists(
  trx: Trx,
  accountId: number,
  contact: { id: string; email: string },
  patch: ContactPatch,
  left: readonly number[],
): Promise<Pick<EventData, 'lists'>> {
  let included = patch.list_ids_included ?? []
  let excluded = [...(patch.list_ids_excluded ?? []), ...left]
  if (patch.list_ids) {
    const wanted = patch.list_ids
    const now = await listsOf(trx, accountId, contact.id)
    included = [...included, ...wanted.filter((id) => !now.includes(id))]
    excluded = [...excluded, ...now.filter((id) => !wanted.includes(id) && !included.includes(id))]
  }
  const added = await enterLists(trx, accountId, contact, included)
  const removed = await leaveLists(trx, accountId, contact.id, excluded)
  if (added.length + removed.length === 0) return {}
  return { lists: { ...(added.length > 0 ? { added } : {}), ...(removed.length > 0 ? { removed } : {}) } }
}

function typesOf(data: EventData, standing: Standing): EventType[] {
  const types: EventType[] = []
  if (
    data.email ||
    data.external_id ||
    data.fields ||
    data.tags ||
    (data.state && standing.state !== 'subscribed' && standing.state !== 'unsubscribed')
  ) {
    types.push('updated')
  }
  if (data.state && (standing.state === 'subscribed' || standing.state === 'unsubscribed')) types.push(standing.state)
  if (data.lists?.added) types.push('list_added')
  if (data.lists?.removed) types.push('list_removed')
  return types
}

function changed(name: string, from: unknown, to: unknown): Record<string, Change> {
  if (from === to) return {}
  return { [name]: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) } }
}

function fieldChanges(before: Record<string, FieldValue>, { set, unset }: Intake): Pick<EventData, 'fields'> {
  const fields: Record<string, Change> = {}
  for (const [key, to] of Object.entries(set)) Object.assign(fields, changed(key, before[key], to))
  for (const key of unset) Object.assign(fields, changed(key, before[key], undefined))
  return Object.keys(fields).length > 0 ? { fields } : {}
}

function tagChanges(before: string[], after: string[]): Pick<EventData, 'tags'> {
  const added = after.filter((tag) => !before.includes(tag))
  const removed = before.filter((tag) => !after.includes(tag))
  if (added.length + removed.length === 0) return {}
  return { tags: { ...(added.length > 0 ? { added } : {}), ...(removed.length > 0 ? { removed } : {}) } }
}

import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { Job } from '../../jobs/queue.ts'
import { AppError } from '../../lib/app-error.ts'
import { findAccount } from '../accounts/accounts.ts'
import type { EventType } from '../activity/event-types.ts'
import { record } from '../activity/record.ts'
import { enterLists } from '../contacts/memberships.ts'
import type { FieldValue } from '../fields/definition.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'
import { type Asking, askToConfirm, type Leads } from '../subscriptions/confirmations.ts'
import { type Evidence, keepWord } from '../subscriptions/evidence.ts'
import { fillFields, storable } from '../subscriptions/fill.ts'
import { countForm } from '../subscriptions/form-counts.ts'
import { welcome } from '../subscriptions/send-template.ts'
import { type Held, holdStandings, setStanding } from '../subscriptions/standing.ts'
import { rulingOn } from '../subscriptions/suppressions.ts'
import { enter, move } from '../subscriptions/transitions.ts'
import { type FormRow, findForm } from './forms.ts'
import { openSignUp, type SignUp, type SignUpPayload, takeSignUp } from './take.ts'

/** Whoever presses twice is not asked twice. */
const ASKED_AGAIN_AFTER_S = 60

export function formJobs(db: Database, asking: Asking): Job[] {
  const job: Job<typeof SignUpPayload> = {
    ...takeSignUp,
    concurrency: 4,
    run: ({ accountId, signUpId }) => db.transaction((trx) => take(trx, asking, accountId, signUpId)),
  }
  return [job]
}

/** All that a sign-up needs, held in the order of everyone: the form, its lists, then the person. */
interface Taking extends SignUp {
  trx: Trx
  asking: Asking
  accountId: number
  form: FormRow
  known: FieldSet
  listIds: readonly number[]
  /** Whether the form, one of its lists or the account wants that people confirm. */
  doubleOptIn: boolean
}

async function take(trx: Trx, asking: Asking, accountId: number, signUpId: string): Promise<void> {
  const [row] = await trx.query<{ form_id: number; content: Buffer }>(sql`
    delete from sign_ups where account_id = ${accountId} and id = ${signUpId}::uuid returning form_id, content`)
  if (!row) return // taken already
  const signUp = openSignUp(asking.room.keyring, row.content)
  const form = await findForm(trx, accountId, row.form_id).catch((error: unknown) => {
    if (error instanceof AppError) return undefined // deleted since
    throw error
  })
  if (!form) return
  const lists = await trx.query<{ id: number; double_opt_in: boolean }>(sql`
    select id, double_opt_in from lists
    where account_id = ${accountId} and id = any(${form.list_ids}::bigint[]) and criteria is null order by id for key share`)
  const [known, { settings }] = await Promise.all([loadFields(trx, accountId), findAccount(trx, accountId)])
  const confirmed = await signUpBy({
    ...signUp,
    ...{ trx, asking, accountId, form, known },
    listIds: lists.map(({ id }) => id),
    doubleOptIn: form.double_opt_in || settings.double_opt_in || lists.some((list) => list.double_opt_in),
  })
  countForm(trx, accountId, form.id, { signUps: 1, confirmed: confirmed ? 1 : 0 })
}

/** Whether they are in at once, without being asked. */
async function signUpBy(taking: Taking): Promise<boolean> {
  const { trx, accountId, email } = taking
  const entered = await enterNew(taking)
  if (entered) return entered.isIn
  const [found] = await trx.query<{ id: string }>(
    sql`select id from contacts where account_id = ${accountId} and email = ${email}`,
  )
  const [person] = found ? await holdStandings(trx, accountId, [found.id]) : []
  if (person?.email === email) return goOn(taking, person)
  return signUpBy(taking) // removed, or moved to another address, since we met them
}

/** Enters somebody; undefined when the address is there. What is not theirs to decide now waits until they confirm. */
async function enterNew(taking: Taking): Promise<{ isIn: boolean } | undefined> {
  const { trx, asking, accountId, form, known, email, evidence } = taking
  const presets = known.active.flatMap(({ key, default: preset }) => (preset === null ? [] : [[key, preset] as const]))
  const fields: Record<string, FieldValue> = { ...Object.fromEntries(presets), ...storable(known, taking.fields) }
  const [[made], ruling] = await Promise.all([
    trx.query<{ id: string }>(sql`
      insert into contacts (account_id, email, state, state_reason, fields, origin)
      values (${accountId}, ${email}, 'pending', 'form', ${JSON.stringify(fields)}, 'form')
      on conflict (account_id, email) do nothing returning id`),
    rulingOn(trx, asking.room.keyring, accountId, email),
  ])
  if (!made) return undefined
  const outcome = enter(taking.doubleOptIn || ruling.suppressed ? 'form_double_opt_in' : 'form', ruling.past)
  if ('refused' in outcome) throw new Error(outcome.refused) // a form refuses nobody
  const { standing, consent } = outcome
  const person = { id: made.id, email, ...standing }
  const isIn = standing.state === 'subscribed'
  if (isIn) trx.send(sql`update contacts set state = 'subscribed' where account_id = ${accountId} and id = ${made.id}`)
  const joined = isIn ? await enterLists(trx, accountId, person, taking.listIds) : []
  const types: EventType[] = ['created']
  if (isIn) types.push('subscribed')
  if (joined.length > 0) types.push('list_added')
  const told = Object.fromEntries(Object.entries(fields).map(([key, to]) => [key, { to }]))
  const data = {
    ...{ origin: 'form', form: shortOf(form), email: { to: email }, state: { to: standing.state } },
    ...(Object.keys(fields).length > 0 ? { fields: told } : {}),
    ...(joined.length > 0 ? { lists: { added: joined } } : {}),
  }
  record(trx, accountId, [{ contactId: made.id, types, data }])
  if (consent) keepWord(trx, accountId, made.id, consent, evidence)
  const left = taking.listIds.filter((id) => !joined.includes(id))
  if (isIn) await welcome(trx, asking.room, accountId, person, form.welcome_template)
  if (!ruling.suppressed && (!isIn || left.length > 0)) await ask(taking, person, { lists: left, welcomes: !isIn })
  return { isIn }
}

/**
 * Somebody who is there fills a form: nothing that they have said is undone by it, and nothing that is known overwritten. Answers
 * whether they came in by it, or into a list, at once.
 */
async function goOn(taking: Taking, person: Held): Promise<boolean> {
  const { trx, asking, accountId, form, known, doubleOptIn, evidence } = taking
  const missing = await missingLists(taking, person.id)
  const { past, suppressed } = await rulingOn(trx, asking.room.keyring, accountId, person.email)
  const canJoin = !doubleOptIn && !suppressed && past === 'absent'
  const outcome = canJoin ? move(person, 'signs_up') : undefined
  const comes = outcome !== undefined && !('refused' in outcome) ? outcome : undefined
  if (comes) {
    setStanding(trx, accountId, person, comes.standing)
    if (comes.consent) keepWord(trx, accountId, person.id, comes.consent, evidence)
  }
  const now: Held = comes ? { ...person, ...comes.standing } : person
  if (now.state !== 'subscribed') {
    if (!suppressed) await askAgain(taking, now, missing)
    return false
  }
  if (!comes && missing.length === 0) return false
  if (!canJoin) {
    if (!suppressed) await ask(taking, now, { lists: missing, welcomes: true })
    return false
  }
  const joined = await enterLists(trx, accountId, now, missing)
  if (joined.length > 0) {
    record(trx, accountId, [
      { contactId: now.id, types: ['list_added'], data: { lists: { added: joined }, form: shortOf(form) } },
    ])
    for (const list_id of joined)
      keepWord(trx, accountId, now.id, 'granted', { ...evidence, data: { ...evidence.data, list_id } })
  }
  await fillFields(trx, accountId, now.id, known, taking.fields)
  if (comes || joined.length > 0) await welcome(trx, asking.room, accountId, now, form.welcome_template)
  const left = missing.filter((id) => !joined.includes(id))
  if (left.length > 0) await ask(taking, now, { lists: left, welcomes: false })
  return comes !== undefined || joined.length > 0
}

/** Somebody who may not be mailed is asked whether they want to be; of whose mailbox refuses mail for good, nothing is asked. */
async function askAgain(taking: Taking, person: Held, lists: readonly number[]): Promise<void> {
  const outcome = move(person, 'asked_by_mail')
  if (outcome !== undefined && 'refused' in outcome) return
  if (outcome) setStanding(taking.trx, taking.accountId, person, outcome.standing)
  await ask(taking, person, { lists, welcomes: true })
}

async function missingLists({ trx, accountId, listIds }: Taking, contactId: string): Promise<number[]> {
  const rows = await trx.query<{ list_id: number }>(sql`
    select list_id from list_members
    where account_id = ${accountId} and contact_id = ${contactId}::uuid and list_id = any(${[...listIds]}::bigint[])`)
  return listIds.filter((id) => !rows.some((row) => row.list_id === id))
}

/** Mails the link by which they confirm, unless they got it a moment ago, or enough of them within the hour. */
async function ask(
  { trx, asking, accountId, form, fields, evidence }: Taking,
  person: { id: string; email: string },
  { lists, welcomes }: { lists: readonly number[]; welcomes: boolean },
): Promise<void> {
  const [recent] = await trx.query(sql`
    select from confirmations
    where account_id = ${accountId} and contact_id = ${person.id}::uuid and mailed and used_at is null
      and created_at > now() - make_interval(secs => ${ASKED_AGAIN_AFTER_S}) and data -> 'form' -> 'id' = to_jsonb(${form.id}::bigint)`)
  if (recent) return
  const leads: Leads = {
    lists,
    fields,
    ...(welcomes && form.welcome_template !== null ? { welcome: form.welcome_template } : {}),
    form: formOf(evidence),
  }
  try {
    await askToConfirm(trx, asking, accountId, person, true, leads)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'rate_limited') throw error
  }
}

/** What the ledger keeps of a form once its link is followed: what it said, when and whence it was sent. */
function formOf({ ip, data = {} }: Evidence): Record<string, unknown> {
  const { form_id: id, form_version: version, ...shown } = data
  return { id, version, ip, ...shown }
}

const shortOf = ({ id, version }: FormRow) => ({ id, version })

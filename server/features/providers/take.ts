import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { EventType } from '../activity/event-types.ts'
import { type Act, record } from '../activity/record.ts'
import { voidConfirmations } from '../subscriptions/confirmations.ts'
import { waitForAddresses } from '../subscriptions/leave-by-link.ts'
import type { Held } from '../subscriptions/standing.ts'
import type { Standing } from '../subscriptions/states.ts'
import { tellFollower } from '../subscriptions/suppression-list.ts'
import { leaveWithdrawn, marksOf } from '../subscriptions/suppressions.ts'
import { type Act as Move, move } from '../subscriptions/transitions.ts'
import { markClicks } from './clicks.ts'
import { type Kind, type ProviderEvent, type Reading, text } from './event.ts'
import { type Counts, count, type OpenHook } from './hooks.ts'
import { keyOf, notTakenYet, OLDEST_DAYS } from './seen.ts'
import { countSoftBounces } from './soft-bounces.ts'

export interface Taking {
  db: Database
  keyring: Keyring
  hook: OpenHook
  /** So many soft bounces in a row make someone bounced. */
  softBounceLimit: number
}

/** Events in one transaction: with what follows from them, few enough that none is a bulk act. */
const CHUNK = 500

const TYPES: Readonly<Record<Kind, EventType>> = {
  sent: 'email_sent',
  delivered: 'email_delivered',
  opened: 'email_opened',
  clicked: 'email_clicked',
  hard_bounce: 'email_bounced',
  soft_bounce: 'email_bounced',
  complained: 'email_complained',
  unsubscribed: 'unsubscribed',
}

/** Where single events lead; soft bounces do so by their number. */
const MOVES: Readonly<Partial<Record<Kind, Move>>> = {
  hard_bounce: 'hard_bounce',
  complained: 'complaint',
  unsubscribed: 'person_leaves',
}

/** Times of providers may be in whole seconds. */
const CLOCKS_WITHIN_MS = 1000

/** Kinds that are the person's own word. */
const PROTESTS: ReadonlySet<Kind> = new Set<Kind>(['complained', 'unsubscribed'])

/**
 * Takes what a provider tells: each event once, in whatever order and however often it comes. What has been taken is
 * committed in chunks, so that a request that failed midway can be sent again as it is.
 */
export async function takeEvents(taking: Taking, reading: Reading): Promise<Counts> {
  const { db, hook } = taking
  const oldest = Date.now() - OLDEST_DAYS * 86_400_000
  const recent = reading.events.filter(({ at }) => at.getTime() >= oldest)
  const tooOld = reading.events.length - recent.length
  if (tooOld > 0) reading.problems.push(`${tooOld} events are older than ${OLDEST_DAYS} days`)
  const total: Counts = {
    received: reading.events.length + reading.ignored + reading.refused,
    ...{ recorded: 0, duplicates: 0, unknown: 0, suppressed: 0 },
    ignored: reading.ignored,
    refused: reading.refused + tooOld,
  }
  const { received, ignored, refused } = total
  await db.transaction(async (trx) => count(trx, hook, { received, ignored, refused }))
  for (let at = 0; at < recent.length; at += CHUNK) {
    const taken = await db.transaction((trx) => takeChunk(trx, taking, recent.slice(at, at + CHUNK)))
    for (const [name, value] of Object.entries(taken)) total[name as keyof typeof taken] += value
  }
  return total
}

type Taken = Pick<Counts, 'recorded' | 'duplicates' | 'unknown' | 'suppressed'>

async function takeChunk(trx: Trx, taking: Taking, events: readonly ProviderEvent[]): Promise<Taken> {
  const { hook, softBounceLimit } = taking
  const { accountId } = hook
  const byKey = new Map(events.map((event) => [keyOf(event.id), event]))
  const fresh = await notTakenYet(trx, hook, [...byKey.keys()])
  const taken = [...byKey].filter(([key]) => fresh.has(key)).map(([, event]) => ({ ...event }))
  const people = await holdByAddress(trx, accountId, [...new Set(taken.map(({ email }) => email))])
  const strangers = taken.filter(({ email }) => !people.has(email))
  const erased = strangers.length > 0 ? await keepOut(trx, taking, strangers, people) : new Set<string>()

  const told = taken.flatMap((event) => {
    const person = people.get(event.email)
    return person ? [{ contactId: person.id, person, event }] : []
  })
  const markedNow = await markClicks(trx, accountId, told)
  const softBounces = await countSoftBounces(trx, accountId, told)
  const confirmed = await confirmedAt(trx, accountId, told)
  const changes: Changes = { standings: [], words: [], protests: [], complaints: [], acts: [] }
  for (const [person, theirs] of Map.groupBy(told, (one) => one.person))
    decide(changes, hook, person, {
      events: theirs.map(({ event }) => event),
      softBounces: softBounces.get(person.id),
      softBounceLimit,
      marked: markedNow.get(person.id) ?? [],
      confirmedAt: confirmed.get(person.id),
    })
  write(trx, hook, changes)
  const suppressed = taken.filter(({ email }) => erased.has(email)).length
  const counts = {
    recorded: told.length,
    duplicates: events.length - taken.length,
    unknown: taken.length - told.length - suppressed,
    suppressed,
  }
  count(trx, hook, counts)
  return counts
}

async function holdByAddress(trx: Trx, accountId: number, emails: readonly string[]): Promise<Map<string, Held>> {
  const rows = await trx.query<Held>(sql`
    select id, email, state, state_reason, state_before from contacts
    where account_id = ${accountId} and email = any(${[...emails]}::text[]) order by id for update`)
  return new Map(rows.map((row) => [row.email, row]))
}

/**
 * When those who left or complained have last confirmed. What else is a yes on a page of ours does not undo a complaint: a
 * form anyone can have filled, and whoever joins a list says nothing of the mail they have complained about.
 */
async function confirmedAt(
  trx: Trx,
  accountId: number,
  told: readonly { contactId: string; event: ProviderEvent }[],
): Promise<Map<string, Date>> {
  const ids = told.filter(({ event }) => PROTESTS.has(event.kind)).map(({ contactId }) => contactId)
  if (ids.length === 0) return new Map()
  const rows = await trx.query<{ contact_id: string; at: Date }>(sql`
    select contact_id, max(at) as at from consents
    where account_id = ${accountId} and contact_id = any(${ids}::uuid[]) and action = 'granted' and source = 'confirm_page'
      and not data ? 'list_id'
    group by contact_id`)
  return new Map(rows.map(({ contact_id, at }) => [contact_id, at]))
}

/**
 * Of addresses that no contact has: nobody is made of them. Who has left or complained is remembered by an HMAC, so that
 * they do not come in as subscribed later; who is being entered at this moment is waited for, and added to `people`.
 * @returns the addresses that were erased
 */
async function keepOut(
  trx: Trx,
  { keyring, hook }: Taking,
  strangers: readonly ProviderEvent[],
  people: Map<string, Held>,
): Promise<Set<string>> {
  const { accountId } = hook
  const emails = [...new Set(strangers.map(({ email }) => email))]
  const marks = await marksOf(trx, keyring, accountId, emails)
  const erased = new Set(emails.filter((email) => marks.get(email) === 'erased'))
  const left = strangers.filter(({ kind, email }) => PROTESTS.has(kind) && !erased.has(email)).map(({ email }) => email)
  if (left.length > 0) {
    const addresses = [...new Set(left)].sort()
    const gone = addresses.map((email) => ({ email, state: 'unsubscribed' as const }))
    leaveWithdrawn(trx, keyring, accountId, gone, sourceOf(hook))
    await waitForAddresses(trx, accountId, addresses)
    for (const [email, person] of await holdByAddress(trx, accountId, addresses)) people.set(email, person)
  }
  return erased
}

interface Changes {
  standings: { id: string; standing: Standing }[]
  /** Withdrawals, for the ledger. */
  words: { contactId: string; event: ProviderEvent }[]
  /** Who has left or complained, also of those who had left already: links that could bring them back are void. */
  protests: string[]
  /** Addresses. */
  complaints: string[]
  acts: Act[]
}

/** What becomes of one person by what is told of them. */
function decide(
  changes: Changes,
  hook: OpenHook,
  person: Held,
  {
    events,
    softBounces,
    softBounceLimit,
    marked,
    confirmedAt,
  }: {
    events: readonly ProviderEvent[]
    /** undefined: nothing was told that could change their number. */
    softBounces: number | undefined
    softBounceLimit: number
    marked: readonly string[]
    confirmedAt: Date | undefined
  },
): void {
  let now: Standing = person
  const go = (act: Move): { from: string; to: string; reason: string | null } | undefined => {
    const outcome = move(now, act)
    if (outcome === undefined || 'refused' in outcome) return undefined
    const from = now.state
    now = outcome.standing
    return { from, to: now.state, reason: now.state_reason }
  }
  for (const event of [...events].sort((a, b) => a.at.getTime() - b.at.getTime())) {
    // Told late: they have said yes since, and that is their last word. In doubt it is the no.
    const isOver =
      PROTESTS.has(event.kind) &&
      confirmedAt !== undefined &&
      confirmedAt.getTime() - event.at.getTime() > CLOCKS_WITHIN_MS
    const act = isOver ? undefined : MOVES[event.kind]
    const step = act && go(act)
    if (step && PROTESTS.has(event.kind)) changes.words.push({ contactId: person.id, event })
    if (act && PROTESTS.has(event.kind)) changes.protests.push(person.id)
    if (act === 'complaint') changes.complaints.push(person.email)
    changes.acts.push(actOf(hook, person.id, event, step))
  }
  const step = softBounces === undefined ? undefined : go(softBounces >= softBounceLimit ? 'soft_bounces' : 'recovers')
  if (step || marked.length > 0)
    changes.acts.push({
      contactId: person.id,
      types: ['updated'],
      data: {
        ...(step ? stateData(step) : {}),
        ...(marked.length > 0 ? { marked_as_machine: marked } : {}),
        hook_id: hook.id,
      },
    })
  if (now !== person) changes.standings.push({ id: person.id, standing: now })
}

const stateData = ({ from, to, reason }: { from: string; to: string; reason: string | null }) => ({
  ...(from === to ? {} : { state: { from, to } }),
  state_reason: { to: reason },
})

function actOf(
  hook: OpenHook,
  contactId: string,
  event: ProviderEvent,
  step: Parameters<typeof stateData>[0] | undefined,
): Act {
  const { kind, at, isMachine, params } = event
  const bounce = kind === 'hard_bounce' ? 'hard' : kind === 'soft_bounce' ? 'soft' : undefined
  const type = TYPES[kind]
  return {
    contactId,
    types: !step ? [type] : kind === 'hard_bounce' ? ['updated', type] : ['unsubscribed', type],
    at,
    data: {
      ...(step ? stateData(step) : {}),
      ...(isMachine ? { machine: true } : {}),
      params: { provider: hook.provider, ...(bounce ? { bounce } : {}), ...params },
      hook_id: hook.id,
    },
  }
}

const sourceOf = ({ provider }: OpenHook) => `provider:${provider}`

/** Sent, not awaited. */
function write(trx: Trx, hook: OpenHook, { standings, words, protests, complaints, acts }: Changes): void {
  const { accountId } = hook
  if (standings.length > 0)
    trx.send(sql`
      update contacts as c set state = n.state, state_reason = n.state_reason, state_before = n.state_before,
        state_at = statement_timestamp(), updated_at = statement_timestamp()
      from jsonb_to_recordset(${JSON.stringify(standings.map(({ id, standing: { state, state_reason, state_before } }) => ({ id, state, state_reason, state_before })))}::jsonb)
        as n (id uuid, state text, state_reason text, state_before text)
      where c.account_id = ${accountId} and c.id = n.id`)
  if (words.length > 0)
    trx.send(sql`
      insert into consents (account_id, contact_id, action, grade, source, actor, data)
      select ${accountId}::bigint, contact_id, 'withdrawn', 'asserted', ${sourceOf(hook)}, ${`hook:${hook.id}`}, data
      from jsonb_to_recordset(${JSON.stringify(
        words.map(({ contactId, event: { kind, id, at } }) => ({
          contact_id: contactId,
          data: { kind, event_id: text(id), told_at: at },
        })),
      )}::jsonb) as w (contact_id uuid, data jsonb)`)
  voidConfirmations(trx, accountId, protests)
  if (complaints.length > 0) {
    const addresses = [...new Set(complaints)].sort()
    trx.send(sql`
      insert into suppressions (account_id, kind, value, reason, source)
      select ${accountId}::bigint, 'address', email, 'complaint', ${sourceOf(hook)} from unnest(${addresses}::text[]) as email
      on conflict (account_id, kind, value) do update set expires_at = null where suppressions.expires_at is not null`)
    tellFollower(
      trx,
      accountId,
      addresses.map((value) => ({ kind: 'address', value })),
    )
  }
  record(trx, accountId, acts)
}

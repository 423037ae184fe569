import sql, { type Sql } from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import type { Contents } from './letter.ts'
import { MOST_OPEN } from './plan.ts'
import { isGood, type Outcome } from './post.ts'
import { delayAfter } from './retries.ts'
import { disableWebhook } from './webhooks.ts'

/** A webhook, by its account. */
export interface Endpoint {
  accountId: number
  webhookId: number
}

/** A delivery that this process is to send. */
export interface Claimed extends Contents {
  id: number
  contact_ids: string[]
  /** Which try this is, from 1. */
  tries: number
}

/** Without a good answer for so long, a webhook is disabled. */
const DISABLED_AFTER = '5 days'
/** A failure so long after the last one begins anew: who is written to once a week has not failed all the week. */
const FORGIVEN_AFTER = '2 days'

/** Tries whose answers are kept. */
const ATTEMPTS_KEPT = 20

/** For how long the log keeps what has ended. */
const KEPT = '14 days'

/** Webhooks that have something to read, with room for it, or to send. A plain read across accounts. */
export async function endpointsWithWork(db: Queryable): Promise<Endpoint[]> {
  return db.query<Endpoint>(sql`
    select w.account_id as "accountId", w.id as "webhookId"
    from webhooks as w join feed_heads as h on h.account_id = w.account_id
    where (w.disabled_at is null and w.position < h.position and ${MOST_OPEN} > (
      select count(*) from deliveries as d
      where d.account_id = w.account_id and d.webhook_id = w.id and d.state = 'pending')) or exists (
      select from deliveries as d
      where d.account_id = w.account_id and d.webhook_id = w.id and d.state = 'pending' and d.due_at <= now()
        and (d.claimed_until is null or d.claimed_until < now()) and (w.disabled_at is null or d.kind = 'test'))`)
}

/** How a webhook stands at the moment of sending. */
export interface Sending {
  url: string
  secret: Buffer
  /** Only while it is valid. */
  previous_secret: Buffer | null
  isEnabled: boolean
  isFailing: boolean
}

export async function readSending(db: Queryable, { accountId, webhookId }: Endpoint): Promise<Sending | undefined> {
  const [row] = await db.query<Sending>(sql`
    select url, secret, case when previous_until > now() then previous_secret end as previous_secret,
      disabled_at is null as "isEnabled", failing_since is not null as "isFailing"
    from webhooks where account_id = ${accountId} and id = ${webhookId}`)
  return row
}

/**
 * Takes up to `limit` deliveries that are due, for `leaseS` seconds: whoever takes them must be done by then, or another
 * process sends them again. Of a webhook that is disabled only tests.
 */
export function claimDeliveries(
  db: Queryable,
  { accountId, webhookId }: Endpoint,
  { limit, leaseS, testsOnly }: { limit: number; leaseS: number; testsOnly: boolean },
): Promise<Claimed[]> {
  return db.query<Claimed>(sql`
    with due as (
      select id from deliveries
      where account_id = ${accountId} and webhook_id = ${webhookId} and state = 'pending' and due_at <= now()
        and (claimed_until is null or claimed_until < now()) and (kind = 'test' or not ${testsOnly}::boolean)
      order by due_at, id limit ${limit} for update skip locked
    )
    update deliveries as d set claimed_until = statement_timestamp() + make_interval(secs => ${leaseS}), tries = d.tries + 1
    from due where d.account_id = ${accountId} and d.id = due.id
    returning d.id, d.message_id, d.kind, d.event_ids, d.contact_ids, d.tries, d.created_at`)
}

/** Gives a delivery back as if it had not been taken: it was cut off before there was an answer. */
export async function releaseDelivery(db: Queryable, { accountId }: Endpoint, { id, tries }: Claimed): Promise<void> {
  await db.query(sql`
    update deliveries set claimed_until = null, tries = tries - 1
    where account_id = ${accountId} and id = ${id} and state = 'pending' and tries = ${tries}`)
}

/** Ends a delivery of which nothing is left to tell. */
export async function dropErased(db: Queryable, { accountId }: Endpoint, { id }: Claimed): Promise<void> {
  await db.query(sql`
    update deliveries set state = 'erased', finished_at = statement_timestamp(), claimed_until = null
    where account_id = ${accountId} and id = ${id} and state = 'pending'`)
}

/**
 * Notes how a message was received: in its delivery, and of a webhook that has begun or ceased to fail. `isFailing` is how
 * the webhook stood when the message was taken; what nobody else is concerned with takes one statement.
 */
export async function noteOutcome(
  db: Database,
  endpoint: Endpoint,
  claimed: Claimed,
  outcome: Outcome,
  isFailing: boolean,
): Promise<void> {
  const { kind, tries, contact_ids } = claimed
  const isDelivered = isGood(outcome.status)
  const delayS = isDelivered || kind === 'test' ? undefined : delayAfter(tries)
  const note = noteOfAttempt(endpoint, claimed, outcome, delayS)
  const quotes = outcome.answer !== '' && contact_ids.length > 0
  if (isDelivered && !isFailing && !quotes) {
    await db.query(note)
    return
  }
  await db.transaction(async (trx) => {
    if (quotes) holdContacts(trx, endpoint, contact_ids)
    trx.send(note)
    if (kind === 'test') return
    if (!isDelivered) await noteFailure(trx, endpoint, outcome)
    else if (isFailing) await noteGoodAnswer(trx, endpoint)
  })
}

/**
 * What was answered may say something of the people that the message was about: it is kept only while all of them are
 * there. They are locked first, so that a removal comes either before, and is seen, or after, and clears it.
 */
function holdContacts(trx: Trx, { accountId }: Endpoint, contactIds: readonly string[]): void {
  trx.send(sql`
    select from contacts where account_id = ${accountId} and id = any(${[...contactIds]}::uuid[]) order by id for key share`)
}

function noteOfAttempt(
  { accountId }: Endpoint,
  { id, tries, contact_ids }: Claimed,
  { status, answer, error, latencyMs }: Outcome,
  delayS: number | undefined,
): Sql {
  const attempt = { at: new Date().toISOString(), status, answer: null, error, latency_ms: latencyMs }
  const state = isGood(status) ? 'delivered' : delayS === undefined ? 'failed' : 'pending'
  const kept = sql`case
    when (select count(*) from contacts as c where c.account_id = ${accountId} and c.id = any(${contact_ids}::uuid[])) = ${contact_ids.length}::int
    then jsonb_build_object('answer', ${answer}::text) else '{}' end`
  // A try whose lease ran out notes what it learned all the same, but for the time of the next one.
  return sql`
    update deliveries as d set
      attempts = (case when jsonb_array_length(d.attempts) >= ${ATTEMPTS_KEPT}::int then d.attempts - 0 else d.attempts end)
        || jsonb_build_array(${JSON.stringify(attempt)}::jsonb || ${kept}),
      state = case when d.state <> 'pending' or (d.tries <> ${tries} and ${state} <> 'delivered') then d.state else ${state} end,
      finished_at = case when d.state <> 'pending' then d.finished_at
        when ${state} = 'delivered' or (d.tries = ${tries} and ${state} = 'failed') then statement_timestamp() end,
      claimed_until = case when d.tries = ${tries} then null else d.claimed_until end,
      due_at = case when d.tries = ${tries} then statement_timestamp() + make_interval(secs => ${delayS ?? 0}) else d.due_at end
    where d.account_id = ${accountId} and d.id = ${id}`
}

/** Once it answers well again, all that waits for its next try is due at once. */
async function noteGoodAnswer(trx: Trx, { accountId, webhookId }: Endpoint): Promise<void> {
  const [recovered] = await trx.query(sql`
    update webhooks set failing_since = null
    where account_id = ${accountId} and id = ${webhookId} and failing_since is not null returning id`)
  if (!recovered) return
  trx.send(sql`
    update deliveries set due_at = statement_timestamp()
    where account_id = ${accountId} and webhook_id = ${webhookId} and state = 'pending' and due_at > now()`)
}

async function noteFailure(trx: Trx, { accountId, webhookId }: Endpoint, { error }: Outcome): Promise<void> {
  const [failing] = await trx.query<{ is_over: boolean }>(sql`
    update webhooks set last_failed_at = statement_timestamp(), failing_since = case
      when failing_since is null or last_failed_at < now() - ${FORGIVEN_AFTER}::interval then statement_timestamp()
      else failing_since end
    where account_id = ${accountId} and id = ${webhookId} and disabled_at is null
    returning failing_since <= now() - ${DISABLED_AFTER}::interval as is_over`)
  if (failing?.is_over)
    await disableWebhook(trx, accountId, webhookId, `no good answer for ${DISABLED_AFTER}, at last: ${error}`)
}

/** Forgets what has ended long ago, account by account. */
export async function forgetDeliveries(db: Database, now = new Date()): Promise<void> {
  const old = sql`finished_at < ${now}::timestamptz - ${KEPT}::interval`
  const accounts = await db.query<{ id: number }>(sql`select distinct account_id as id from deliveries where ${old}`)
  await Promise.all(accounts.map(({ id }) => db.query(sql`delete from deliveries where account_id = ${id} and ${old}`)))
}

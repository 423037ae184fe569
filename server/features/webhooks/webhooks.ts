import sql, { empty, type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import { record } from '../activity/record.ts'
import type { StoredFilter } from './filter.ts'
import { newSigningSecret, sealSigningSecret } from './signature.ts'

export interface WebhookRow {
  id: number
  url: string
  description: string | null
  types: string[] | null
  criteria: unknown
  each: boolean
  position: number
  previous_until: Date | null
  disabled_at: Date | null
  disabled_reason: string | null
  failing_since: Date | null
  created_at: Date
  updated_at: Date
}

/** An account's webhooks at most: each reads the whole feed. */
export const MOST_WEBHOOKS = 100

/** For how long the secret of before signs beside a new one. */
const PREVIOUS_VALID = '1 day'

const COLUMNS = sql`
  id, url, description, types, criteria, each, position, previous_until, disabled_at, disabled_reason, failing_since,
  created_at, updated_at`

export async function listWebhooks(db: Queryable, accountId: number, limit: number, offset: number) {
  const [rows, [total]] = await Promise.all([
    db.query<WebhookRow>(sql`
      select ${COLUMNS} from webhooks where account_id = ${accountId} order by id limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from webhooks where account_id = ${accountId}`),
  ])
  return { rows, total: total!.count }
}

/** Throws not_found. */
export async function findWebhook(db: Queryable, accountId: number, id: number, lock = false): Promise<WebhookRow> {
  const [row] = await db.query<WebhookRow>(sql`
    select ${COLUMNS} from webhooks where account_id = ${accountId} and id = ${id} ${lock ? sql`for update` : empty}`)
  if (!row) throw notFound()
  return row
}

/** What a caller decides; what is undefined stays as it is. */
export interface WebhookInput {
  url?: string | undefined
  description?: string | null | undefined
  types?: string[] | null | undefined
  /** null: everyone. */
  filter?: StoredFilter | null | undefined
  each?: boolean | undefined
}

/** Makes a webhook that begins with what happens next. Answers its secret too: the only time it is seen. */
export async function createWebhook(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  input: WebhookInput & { url: string },
): Promise<{ row: WebhookRow; secret: string }> {
  // The head's row is the account's turnstile: of two that are made at once, the second one counts the first.
  const [head] = await trx.query<{ position: number }>(
    sql`select position from feed_heads where account_id = ${accountId} for update`,
  )
  const [known] = await trx.query<{ count: number }>(
    sql`select count(*) as count from webhooks where account_id = ${accountId}`,
  )
  if (known!.count >= MOST_WEBHOOKS)
    throw invalid({ base: [`there are ${MOST_WEBHOOKS} webhooks already, which is the maximum: delete one first`] })
  const secret = newSigningSecret()
  const { url, description = null, types = null, filter, each = false } = input
  const [row] = await trx.query<WebhookRow>(sql`
    insert into webhooks (account_id, url, description, types, criteria, field_ids, each, secret, position)
    values (${accountId}, ${url}, ${description}, ${types}, ${criteriaOf(filter)}, ${filter?.fieldIds ?? []}, ${each},
      ${sealSigningSecret(keyring, secret)}, ${head!.position})
    returning ${COLUMNS}`)
  return { row: row!, secret }
}

/**
 * Changes what is given. `enabled` true goes on where the webhook stopped, as if nothing had failed. Deliveries that were
 * made already are sent as they are, to the new address. Throws not_found.
 */
export async function updateWebhook(
  trx: Trx,
  accountId: number,
  id: number,
  input: WebhookInput & { enabled?: boolean | undefined },
): Promise<WebhookRow> {
  const { url, description, types, filter, each, enabled } = input
  const sets: Sql[] = [sql`updated_at = statement_timestamp()`]
  if (url !== undefined) sets.push(sql`url = ${url}`)
  if (description !== undefined) sets.push(sql`description = ${description}`)
  if (types !== undefined) sets.push(sql`types = ${types}`)
  if (each !== undefined) sets.push(sql`each = ${each}`)
  if (filter !== undefined) sets.push(sql`criteria = ${criteriaOf(filter)}, field_ids = ${filter?.fieldIds ?? []}`)
  if (enabled === true)
    sets.push(sql`disabled_at = null, disabled_reason = null, failing_since = null, last_failed_at = null`)
  if (enabled === false)
    sets.push(sql`
      disabled_at = coalesce(disabled_at, statement_timestamp()), disabled_reason = coalesce(disabled_reason, 'by request')`)
  const [row] = await trx.query<WebhookRow>(sql`
    update webhooks set ${sets.reduce((all, set) => sql`${all}, ${set}`)}
    where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
  if (!row) throw notFound()
  return row
}

/** With its log. Throws not_found. */
export async function deleteWebhook(trx: Trx, accountId: number, id: number): Promise<void> {
  const [gone] = await trx.query(sql`delete from webhooks where account_id = ${accountId} and id = ${id} returning id`)
  if (!gone) throw notFound()
  trx.send(sql`delete from deliveries where account_id = ${accountId} and webhook_id = ${id}`)
}

/** A new secret; the one of before signs beside it for a day, and is then forgotten. Throws not_found. */
export async function rotateSecret(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  id: number,
): Promise<{ row: WebhookRow; secret: string }> {
  const secret = newSigningSecret()
  const [row] = await trx.query<WebhookRow>(sql`
    update webhooks set previous_secret = secret, previous_until = statement_timestamp() + ${PREVIOUS_VALID}::interval,
      secret = ${sealSigningSecret(keyring, secret)}, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
  if (!row) throw notFound()
  return { row, secret }
}

/** Lets a webhook read the feed on from this position, be it back or ahead. Throws not_found. */
export async function moveWebhook(trx: Trx, accountId: number, id: number, position: number): Promise<WebhookRow> {
  const [row] = await trx.query<WebhookRow>(sql`
    update webhooks set position = ${position}, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id} returning ${COLUMNS}`)
  if (!row) throw notFound()
  return row
}

/** Ends the sending until someone enables it again, and tells the feed. Once, whoever finds the reason first. */
export async function disableWebhook(trx: Trx, accountId: number, id: number, reason: string): Promise<void> {
  const [row] = await trx.query<{ failing_since: Date | null }>(sql`
    update webhooks set disabled_at = statement_timestamp(), disabled_reason = ${reason}
    where account_id = ${accountId} and id = ${id} and disabled_at is null returning failing_since`)
  if (!row) return
  const data = { webhook_id: id, reason, failing_since: row.failing_since?.toISOString() ?? null }
  record(trx, accountId, [{ contactId: null, types: ['webhook_disabled'], data }])
}

function criteriaOf(filter: StoredFilter | null | undefined): string | null {
  return filter ? JSON.stringify(filter.criteria) : null
}

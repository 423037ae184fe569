import { randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import type { Contents } from './letter.ts'

export const DELIVERY_STATES = ['pending', 'delivered', 'failed', 'erased'] as const

/** What was answered to one try. */
export interface Attempt {
  at: string
  status: number | null
  /** null: not kept, as someone it was about has been removed. */
  answer: string | null
  error: string | null
  latency_ms: number
}

export interface DeliveryRow extends Contents {
  id: number
  webhook_id: number
  state: (typeof DELIVERY_STATES)[number]
  tries: number
  due_at: Date
  attempts: Attempt[]
  finished_at: Date | null
}

const COLUMNS = sql`
  id, webhook_id, message_id, kind, event_ids, state, tries, due_at, attempts, created_at, finished_at`

/** A webhook's deliveries, the latest first; `before` is the id of the last one already read. */
export async function listDeliveries(
  db: Queryable,
  accountId: number,
  webhookId: number,
  asked: { state: string | undefined; before: number | undefined; limit: number; offset: number },
): Promise<DeliveryRow[]> {
  const ofState = asked.state === undefined ? sql`` : sql`and state = ${asked.state}`
  const behind = asked.before === undefined ? sql`` : sql`and id < ${asked.before}`
  return db.query<DeliveryRow>(sql`
    select ${COLUMNS} from deliveries where account_id = ${accountId} and webhook_id = ${webhookId} ${ofState} ${behind}
    order by id desc limit ${asked.limit} offset ${asked.offset}`)
}

export async function countDeliveries(
  db: Queryable,
  accountId: number,
  webhookId: number,
  state: string | undefined,
): Promise<number> {
  const ofState = state === undefined ? sql`` : sql`and state = ${state}`
  const [row] = await db.query<{ count: number }>(sql`
    select count(*) as count from deliveries where account_id = ${accountId} and webhook_id = ${webhookId} ${ofState}`)
  return row!.count
}

/** Throws not_found. */
export async function findDelivery(
  db: Queryable,
  accountId: number,
  webhookId: number,
  id: number,
): Promise<DeliveryRow> {
  const [row] = await db.query<DeliveryRow>(sql`
    select ${COLUMNS} from deliveries where account_id = ${accountId} and webhook_id = ${webhookId} and id = ${id}`)
  if (!row) throw notFound()
  return row
}

/** Sends a delivery again, under the same id, with all its tries before it. Throws not_found. */
export async function redeliver(trx: Trx, accountId: number, webhookId: number, id: number): Promise<DeliveryRow> {
  const [row] = await trx.query<DeliveryRow>(sql`
    update deliveries set state = 'pending', tries = 0, due_at = statement_timestamp(), finished_at = null
    where account_id = ${accountId} and webhook_id = ${webhookId} and id = ${id} returning ${COLUMNS}`)
  if (!row) throw notFound()
  return row
}

/** Puts a message into a webhook's deliveries that tells nothing: it is sent once. */
export async function addTest(trx: Trx, accountId: number, webhookId: number): Promise<DeliveryRow> {
  const [row] = await trx.query<DeliveryRow>(sql`
    insert into deliveries (account_id, webhook_id, message_id, kind, event_ids, contact_ids)
    values (${accountId}, ${webhookId}, ${`test-${randomUUID()}`}, 'test', '{}', '{}') returning ${COLUMNS}`)
  return row!
}

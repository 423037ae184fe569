import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import sql from 'sql-template-tag'
import { readConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { Sender } from '../features/webhooks/sender.ts'
import { webhookSender } from '../worker.ts'
import { dispatched, keyring, type TestApp, testApp } from './app.ts'
import { atEnd } from './database.ts'
import { type Receiver, receiver } from './receiver.ts'

/** Who sends to webhooks, as one process has it; to this machine too, and with little patience. */
export function testSender(db: Database, settings: Record<string, string> = {}): Sender {
  const config = readConfig({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_TIMEOUT_S: '1', ...settings })
  return webhookSender({ db, keyring, config, logger: pino({ level: 'silent' }) })
}

/** Sends all that is due now. */
export async function sendAll(db: Database): Promise<void> {
  const sender = testSender(db)
  await sender.look()
  await sender.settled()
  await sender.stop(0)
}

/** An account, a receiver beside it, and who sends to it. */
export interface WithReceiver extends TestApp {
  receiver: Receiver
  /** As another process would have it. */
  sender: (settings?: Record<string, string>) => Sender
  /** Does at once what the workers do shortly: the feed, then all that is due. */
  sent: () => Promise<void>
  hook: (path: string, options?: object) => Promise<{ id: number; secret: string }>
  log: (id: number) => Promise<Logged[]>
}

export interface Logged {
  id: number
  message_id: string
  kind: string
  state: string
  tries: number
  next_try_at: string | null
  event_ids: string[]
  attempts: { status: number | null; answer: string | null; error: string | null; latency_ms: number }[]
}

export async function withReceiver(t: TestContext): Promise<WithReceiver> {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const { db } = made
  const sender = (settings: Record<string, string> = {}) => {
    const begun = testSender(db, settings)
    atEnd(t, () => begun.stop(0))
    return begun
  }
  const there = await receiver(t)
  const first = sender()
  return {
    ...made,
    receiver: there,
    sender,
    async sent() {
      await dispatched(db)
      await first.look()
      await first.settled()
    },
    async hook(path, options = {}) {
      const url = there.at(path, 200)
      const { status, body } = await made.post('/api/webhooks', { url, ...options })
      assert.equal(status, 201, JSON.stringify(body))
      return body
    },
    log: async (id) => (await made.get(`/api/webhooks/${id}/deliveries?per_page=1000`)).body.data,
  }
}

/** Adds someone; answers the id. */
export const add = async (made: TestApp, name: string, more: object = {}): Promise<string> =>
  (await made.post('/api/contacts', { email: `${name}@example.com`, ...more })).body.data.id

/** As if the time until the next try had passed. */
export const makeDue = ({ db }: TestApp) =>
  db.query(sql`update deliveries set due_at = now(), claimed_until = null where state = 'pending'`)

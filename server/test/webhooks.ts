import { pino } from 'pino'
import { readConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { Sender } from '../features/webhooks/sender.ts'
import { webhookSender } from '../worker.ts'
import { keyring } from './app.ts'

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

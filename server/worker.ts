import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import type { Database } from './db/database.ts'
import { Access } from './features/accounts/access.ts'
import { startDispatcher } from './features/activity/dispatcher.ts'
import { startHousekeeping } from './features/activity/housekeeping.ts'
import { FieldCache } from './features/fields/field-set.ts'
import { fieldJobs } from './features/fields/jobs.ts'
import { nameFieldsFor } from './features/fields/naming.ts'
import { Sender } from './features/webhooks/sender.ts'
import { resolverFor } from './features/webhooks/target.ts'
import type { Job, Queue } from './jobs/queue.ts'
import type { Keyring } from './lib/secret.ts'

/** How often the outbox is looked at: what an act waits at most before it stands in the feed. */
const DISPATCH_EVERY_MS = 200

/** Every kind of job that there is. */
export function allJobs(db: Database): Job[] {
  return [...fieldJobs(db)]
}

export interface WorkerParts {
  db: Database
  queue: Queue
  config: Config
  keyring: Keyring
  logger: FastifyBaseLogger
}

/** Who sends to webhooks, not yet begun. */
export function webhookSender({ db, config, keyring, logger }: Omit<WorkerParts, 'queue'>): Sender {
  const access = new Access(db)
  const fieldCache = new FieldCache(db)
  const allowPrivate = config.WEBHOOK_ALLOW_PRIVATE
  return new Sender({
    db,
    keyring,
    timeoutMs: config.WEBHOOK_TIMEOUT_S * 1000,
    allowPrivate,
    resolve: resolverFor({ allowPrivate }),
    fieldsOf: (accountId) => fieldCache.of(accountId),
    settingsOf: (accountId) => access.settingsOf(accountId),
    nameFields: nameFieldsFor(fieldCache),
    onError: (error) => logger.error({ err: error }, 'sending to webhooks failed'),
  })
}

/** All that goes on beside the requests: jobs, the dispatcher, webhooks, housekeeping. */
export async function startWorker(parts: WorkerParts): Promise<{ stop: (timeoutMs: number) => Promise<void> }> {
  const { db, queue, logger } = parts
  const onError = (what: string) => (error: unknown) => logger.error({ err: error }, what)
  await queue.work(allJobs(db))
  const dispatcher = startDispatcher(db, { everyMs: DISPATCH_EVERY_MS, onError: onError('dispatch failed') })
  const housekeeping = startHousekeeping(db, onError('housekeeping failed'))
  const webhooks = webhookSender(parts).start()
  return {
    async stop(timeoutMs) {
      await Promise.all([dispatcher.stop(), housekeeping.stop(), queue.stop(timeoutMs), webhooks.stop(timeoutMs)])
    },
  }
}

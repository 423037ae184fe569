import type { FastifyBaseLogger } from 'fastify'
import type { Config } from './config.ts'
import type { Database } from './db/database.ts'
import { Access } from './features/accounts/access.ts'
import { forgetEnded } from './features/accounts/sessions.ts'
import { startDispatcher } from './features/activity/dispatcher.ts'
import { startHousekeeping } from './features/activity/housekeeping.ts'
import { BULK_JOB_NAMES, bulkJobs } from './features/contacts/bulk.ts'
import { expirePending, forgetConfirmations } from './features/contacts/pending.ts'
import { REVERT_JOB_NAMES, revertJobs } from './features/contacts/revert.ts'
import { sumUpAll } from './features/criteria/before.ts'
import { EXPORT_JOB_NAMES, exportJobs } from './features/exports/jobs.ts'
import { FieldCache } from './features/fields/field-set.ts'
import { FIELD_JOB_NAMES, fieldJobs } from './features/fields/jobs.ts'
import { nameFieldsFor } from './features/fields/naming.ts'
import { formJobs } from './features/forms/sign-up.ts'
import { FORM_JOB_NAMES } from './features/forms/take.ts'
import { IMPORT_JOB_NAMES, importJobs } from './features/imports/jobs.ts'
import { SmartListFollower } from './features/lists/follower.ts'
import { startLooks } from './features/lists/looks.ts'
import { mailJobs } from './features/mail/deliver.ts'
import { MAIL_JOB_NAMES } from './features/mail/jobs.ts'
import { linkBase, mailRoomOf } from './features/mail/mail-room.ts'
import { outboundTo } from './features/mail/outbound.ts'
import { applyRetention } from './features/privacy/retention.ts'
import { renewSamples } from './features/privacy/samples.ts'
import { sweepErasureJob } from './features/privacy/sweep.ts'
import { PRIVACY_JOB_NAMES } from './features/privacy/sweep-job.ts'
import { startWordJournal } from './features/privacy/words.ts'
import { forgetTaken } from './features/providers/seen.ts'
import { maySend } from './features/subscriptions/send-template.ts'
import { Sender } from './features/webhooks/sender.ts'
import { resolverFor } from './features/webhooks/target.ts'
import type { FileStore, FilesAt } from './files/store.ts'
import { Attempts } from './http/attempts.ts'
import type { Job, JobName, Queue } from './jobs/queue.ts'
import type { Keyring } from './lib/secret.ts'

/** How often the outbox is looked at: what an act waits at most before it stands in the feed. */
const DISPATCH_EVERY_MS = 200

/** What jobs are run with. */
export interface JobParts {
  db: Database
  files: FileStore
  /** Where those are, for threads to open them as well. */
  filesAt: FilesAt
  queue: Queue
  keyring: Keyring
  config: Config
}

/** Every kind of job that there is: what the queue's tables are prepared for. */
export const ALL_JOB_NAMES: readonly JobName[] = [
  ...MAIL_JOB_NAMES,
  ...FORM_JOB_NAMES,
  ...FIELD_JOB_NAMES,
  ...BULK_JOB_NAMES,
  ...REVERT_JOB_NAMES,
  ...IMPORT_JOB_NAMES,
  ...EXPORT_JOB_NAMES,
  ...PRIVACY_JOB_NAMES,
]

/** The same, with how each is done. */
export function allJobs({ db, files, filesAt, queue, keyring, config }: JobParts): Job[] {
  const thread = { databaseUrl: db.url, filesAt }
  const { SMTP_URL: url, MAIL_FROM: from, SMTP_TIMEOUT_S } = config
  const outbound = url && from ? outboundTo({ url, from, timeoutMs: SMTP_TIMEOUT_S * 1000 }) : undefined
  const room = mailRoomOf(config, queue, keyring)
  return [
    ...mailJobs({ db, keyring, outbound, maySend: (...whom) => maySend(db, ...whom) }),
    ...formJobs(db, { room, days: config.CONFIRMATION_DAYS }),
    ...fieldJobs(db),
    ...bulkJobs(db, keyring),
    ...revertJobs(db, keyring),
    ...importJobs({ db, files, thread, keyring, keepFileDays: config.UPLOAD_RETENTION_DAYS }, queue),
    ...exportJobs({
      db,
      files,
      mostMinutes: config.EXPORT_MAX_MINUTES,
      keptHours: config.EXPORT_RETENTION_HOURS,
      links: { base: () => linkBase(room), keyring },
    }),
    sweepErasureJob({ db, files, keyring, queue }),
  ]
}

/** What goes on beside the requests. */
export interface WorkerParts extends JobParts {
  logger: FastifyBaseLogger
}

/** Who sends to webhooks, not yet begun. */
export function webhookSender({
  db,
  config,
  keyring,
  logger,
}: Pick<WorkerParts, 'db' | 'config' | 'keyring' | 'logger'>): Sender {
  const access = new Access(db, new Attempts(0, 1)) // nobody shows it a token
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
  const { db, queue, files, logger } = parts
  const onError = (what: string) => (error: unknown) => logger.error({ err: error }, what)
  await queue.work(allJobs(parts))
  const follower = new SmartListFollower({
    onDifferences: (accountId, contacts) =>
      logger.error(
        { accountId, contacts },
        'smart lists: a full comparison found contacts in other lists than was told',
      ),
  })
  const dispatcher = startDispatcher(db, { everyMs: DISPATCH_EVERY_MS, follower, onError: onError('dispatch failed') })
  const looks = startLooks(db, onError('asking for looks at the clock failed'))
  const housekeeping = startHousekeeping(db, onError('housekeeping failed'), [
    () => expirePending({ db, keyring: parts.keyring, days: parts.config.PENDING_RETENTION_DAYS }),
    () => forgetConfirmations(db),
    () => forgetEnded(db),
    () => forgetTaken(db),
    () => applyRetention({ db, files, log: logger }),
    () => sumUpAll(db),
    () => renewSamples(db),
  ])
  const words = startWordJournal(parts, onError('keeping words in the file store failed'))
  const webhooks = webhookSender(parts).start()
  return {
    async stop(timeoutMs) {
      await Promise.all([
        looks.stop(),
        dispatcher.stop(),
        housekeeping.stop(),
        words.stop(),
        queue.stop(timeoutMs),
        webhooks.stop(timeoutMs),
      ])
    },
  }
}

import type { FastifyBaseLogger } from 'fastify'
import type { Database } from './db/database.ts'
import { startDispatcher } from './features/activity/dispatcher.ts'
import { startHousekeeping } from './features/activity/housekeeping.ts'
import { fieldJobs } from './features/fields/jobs.ts'
import { SmartListFollower } from './features/lists/follower.ts'
import { startLooks } from './features/lists/looks.ts'
import type { Job, Queue } from './jobs/queue.ts'

/** How often the outbox is looked at: what an act waits at most before it stands in the feed. */
const DISPATCH_EVERY_MS = 200

/** Every kind of job that there is. */
export function allJobs(db: Database): Job[] {
  return [...fieldJobs(db)]
}

/** All that goes on beside the requests: jobs, the dispatcher, housekeeping. */
export async function startWorker(parts: {
  db: Database
  queue: Queue
  logger: FastifyBaseLogger
}): Promise<{ stop: (timeoutMs: number) => Promise<void> }> {
  const { db, queue, logger } = parts
  const onError = (what: string) => (error: unknown) => logger.error({ err: error }, what)
  await queue.work(allJobs(db))
  const follower = new SmartListFollower({
    onDifferences: (accountId, contacts) =>
      logger.error(
        { accountId, contacts },
        'smart lists: a full comparison found contacts in other lists than was told',
      ),
  })
  const dispatcher = startDispatcher(db, { everyMs: DISPATCH_EVERY_MS, follower, onError: onError('dispatch failed') })
  const looks = startLooks(db, onError('asking for looks at the clock failed'))
  const housekeeping = startHousekeeping(db, onError('housekeeping failed'))
  return {
    async stop(timeoutMs) {
      await Promise.all([looks.stop(), dispatcher.stop(), housekeeping.stop(), queue.stop(timeoutMs)])
    },
  }
}

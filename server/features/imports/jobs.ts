import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import type { Job, JobName, Queue } from '../../jobs/queue.ts'
import { type RunParts, runImport } from './run.ts'

const Payload = Type.Object({ accountId: Type.Integer(), importId: Type.Integer() })

/** A day is more than any file needs; a worker that dies is missed after half a minute. */
const runJob: JobName<typeof Payload> = { name: 'imports.run', payload: Payload, attempts: 100, timeoutS: 86_400 }

export const IMPORT_JOB_NAMES = [runJob]

/** Imports at once in a process: each merges on two connections, which keeps two cores busy. */
const AT_ONCE = 2

/** For how long an account's import goes on while those of others wait. */
const TURN_MS = 20_000

/** Puts an import into the queue, in the caller's transaction. */
export function enqueueImport(trx: Trx, queue: Queue, accountId: number, importId: number): Promise<void> {
  return queue.enqueue(trx, runJob, { accountId, importId })
}

/** @param turnMs For how long an account goes on while others wait. */
export function importJobs(
  parts: Omit<RunParts, 'isOver'>,
  queue: Pick<Queue, 'enqueue' | 'othersWait'>,
  turnMs = TURN_MS,
): Job[] {
  return [
    {
      ...runJob,
      concurrency: AT_ONCE,
      perAccount: 1,
      async run({ accountId, importId }: { accountId: number; importId: number }, signal: AbortSignal) {
        const turnEnds = Date.now() + turnMs
        const isOver = async () => Date.now() > turnEnds && (await queue.othersWait(parts.db, runJob, accountId))
        const isDone = await runImport({ ...parts, isOver }, accountId, importId, signal)
        if (!isDone) await again(parts.db, queue, accountId, importId)
      },
    },
  ]
}

function again(db: Database, queue: Pick<Queue, 'enqueue'>, accountId: number, importId: number): Promise<void> {
  return db.transaction((trx) => queue.enqueue(trx, runJob, { accountId, importId }))
}

import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import { learnSize } from '../../db/learn-size.ts'
import type { Caller } from '../../http/caller.ts'
import type { Job, JobName, Queue } from '../../jobs/queue.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import {
  type ChangeSet,
  type ChangeSetKind,
  findChangeSet,
  lockChangeSet,
  openChangeSet,
} from '../activity/change-sets.ts'
import { record } from '../activity/record.ts'
import { forecastRevert, nextLine, type RevertCounts, type Reverting, revertLines } from './revert-chunk.ts'

const Payload = Type.Object({ accountId: Type.Integer(), changeSetId: Type.Integer(), revertId: Type.Integer() })

/** What has begun must end: three days of attempts. A million people take a few minutes. */
const revertJob: JobName<typeof Payload> = {
  name: 'contacts.revert',
  payload: Payload,
  attempts: 1000,
  timeoutS: 86_400,
}

export const REVERT_JOB_NAMES = [revertJob]

/** Acts whose rows say enough to take them back. Who was removed is gone, and what a removal left is no longer theirs. */
const REVERTIBLE: ReadonlySet<string> = new Set<ChangeSetKind>([
  'import',
  'bulk',
  'batch_update',
  'list_add',
  'list_remove',
])

/** Lines taken back in one transaction. */
const CHUNK = 1000

export interface Reversal {
  dry_run: boolean
  /** The act that was, or would be, taken back. */
  reverts: number
  /** The act of taking it back; none for a dry run. */
  change_set_id: number | null
  phase: string
  counts: RevertCounts
}

/**
 * Begins to take back an act on many people, or with `dryRun` only tells what would come of it. Throws not_found, and
 * `conflict` for an act that can't be taken back, or not any more.
 */
export async function revertChangeSet(
  trx: Trx,
  queue: Queue,
  { accountId, actor }: Caller,
  id: number,
  dryRun: boolean,
): Promise<Reversal> {
  const set = await lockChangeSet(trx, accountId, id)
  refuseUnrevertible(set)
  const counts = await forecastRevert(trx, { accountId, changeSetId: id })
  if (dryRun) return { dry_run: true, reverts: id, change_set_id: null, phase: set.phase, counts }
  const revertId = await openChangeSet(trx, accountId, {
    kind: 'revert',
    actor,
    options: { reverts: id, kind: set.kind, line: 0 },
  })
  trx.send(sql`update change_sets set phase = 'reverting' where account_id = ${accountId} and id = ${id}`)
  await queue.enqueue(trx, revertJob, { accountId, changeSetId: id, revertId })
  return { dry_run: false, reverts: id, change_set_id: revertId, phase: 'running', counts }
}

function refuseUnrevertible({ kind, phase, options }: ChangeSet): void {
  const refuse = (why: string) => new AppError('conflict', `This change set can't be reverted: ${why}`)
  if (!REVERTIBLE.has(kind)) throw refuse(`${kind} is not an act that can be taken back`)
  if ((options.act as { type?: string } | undefined)?.type === 'delete') throw refuse('who was removed is gone')
  if (options.rows_forgotten === true) throw refuse("its rows went by the account's retention")
  if (phase === 'reverting' || phase === 'reverted') throw refuse(`it is ${phase} already`)
  if (phase !== 'finished' && phase !== 'cancelled')
    throw refuse(`it is ${phase}: cancel it first, or wait for its end`)
}

/** Takes back what is left of an act, chunk after chunk; broken off and run again, it goes on after the last one. */
export function revertJobs(db: Database, keyring: Keyring): Job[] {
  return [
    {
      ...revertJob,
      perAccount: 1,
      async run(
        { accountId, changeSetId, revertId }: { accountId: number; changeSetId: number; revertId: number },
        signal: AbortSignal,
      ) {
        const { actor } = await findChangeSet(db, accountId, revertId)
        const act: Reverting = { accountId, changeSetId, revertId, actor, keyring }
        await learnSize(db, accountId)
        for (let more = true; more; ) {
          signal.throwIfAborted()
          more = await db.transaction((trx) => oneChunk(trx, act))
        }
      },
    },
  ]
}

/** Answers whether there may be more. */
async function oneChunk(trx: Trx, act: Reverting): Promise<boolean> {
  const { accountId, revertId } = act
  const { phase, options, counts } = await lockChangeSet(trx, accountId, revertId)
  if (phase !== 'running') return false
  const after = Number(options.line ?? 0)
  const upTo = await nextLine(trx, act, after, CHUNK)
  if (upTo === null) {
    await finish(trx, act, counts)
    return false
  }
  const done = await revertLines(trx, act, after, upTo)
  const sum = Object.fromEntries(
    Object.entries(done).map(([name, count]) => [name, (counts[name] ?? 0) + Number(count)]),
  )
  trx.send(sql`
    update change_sets set counts = ${JSON.stringify(sum)}::jsonb, options = options || jsonb_build_object('line', ${upTo}::bigint)
    where account_id = ${accountId} and id = ${revertId}`)
  return true
}

async function finish(
  trx: Trx,
  { accountId, changeSetId, revertId }: Reverting,
  counts: Record<string, number>,
): Promise<void> {
  const { kind } = await findChangeSet(trx, accountId, changeSetId)
  trx.send(sql`
    update change_sets set phase = 'finished', finished_at = statement_timestamp() where account_id = ${accountId} and id = ${revertId}`)
  trx.send(sql`update change_sets set phase = 'reverted' where account_id = ${accountId} and id = ${changeSetId}`)
  const data = { kind: 'revert', reverts: changeSetId, reverted_kind: kind, counts }
  record(trx, accountId, [{ contactId: null, types: ['change_set_finished', 'change_set_reverted'], data }], revertId)
}

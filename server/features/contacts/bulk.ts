import sql, { type Sql } from 'sql-template-tag'
import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import { learnSize } from '../../db/learn-size.ts'
import type { Job, JobName, Queue } from '../../jobs/queue.ts'
import { AppError, invalid } from '../../lib/app-error.ts'
import { isObject } from '../../lib/json.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import {
  type ChangeSet,
  findChangeSet,
  finishChangeSet,
  lockChangeSet,
  openChangeSet,
} from '../activity/change-sets.ts'
import { record } from '../activity/record.ts'
import { loadFields } from '../fields/field-set.ts'
import { applyLines, type Bulk, type BulkCounts, planLines } from './bulk-chunk.ts'
import { type BulkAct, type BulkInput, type BulkSelection, settleAction } from './bulk-input.ts'
import type { Desk } from './desk.ts'
import { compileSelection, selectionFromBody } from './selection.ts'

const Payload = Type.Object({ accountId: Type.Integer(), changeSetId: Type.Integer() })

/** What has begun must end: three days of attempts. */
const bulkJob: JobName<typeof Payload> = { name: 'contacts.bulk', payload: Payload, attempts: 1000, timeoutS: 86_400 }

export const BULK_JOB_NAMES = [bulkJob]

/** People changed in one transaction: a quarter of a second, in which those among them wait. */
const CHUNK = 2000

/** What a bulk act keeps in its change set's options. `line`: up to which it has come. */
interface BulkOptions {
  selection: BulkSelection
  act: BulkAct
  dry_run: boolean
  line: number
}

/**
 * Begins an act on everyone selected: a worker chooses them all at one moment, then does it chunk after chunk, or with
 * `dry_run` says what would become of each and waits to be applied. Throws `invalid`.
 */
export async function startBulk(trx: Trx, queue: Queue, desk: Desk, input: BulkInput): Promise<ChangeSet> {
  const { accountId, actor } = desk.caller
  if (input.action.type === 'delete' && input.dry_run !== true && isEveryone(input.selection)) throw everyoneAtOnce()
  const act = await settleAction(trx, desk, input.action)
  await whomOf(trx, accountId, input.selection)
  const options: BulkOptions = { selection: input.selection, act, dry_run: input.dry_run === true, line: 0 }
  const id = await openChangeSet(trx, accountId, { kind: 'bulk', actor, phase: 'queued', options: { ...options } })
  await queue.enqueue(trx, bulkJob, { accountId, changeSetId: id })
  return findChangeSet(trx, accountId, id)
}

/** Whether a selection says nothing at all: so it comes out, too, when what it was to say was undefined. */
function isEveryone(selection: BulkSelection): boolean {
  return Object.values(selection).every((value) => value === '' || (isObject(value) && Object.keys(value).length === 0))
}

/** A removal can't be taken back, and an empty selection is more often a mistake than meant. */
function everyoneAtOnce(): AppError {
  return invalid({
    selection: ['is empty, which is everyone: to remove everyone try it with dry_run, and apply the change set'],
  })
}

/** Does what a trial has planned, to whom it has chosen. Throws not_found and `conflict`. */
export async function applyBulk(trx: Trx, queue: Queue, accountId: number, id: number): Promise<ChangeSet> {
  const set = await lockBulk(trx, accountId, id)
  if (set.phase !== 'ready') throw notNow(set, 'only one that is ready can be applied')
  const counts = { selected: set.counts.selected ?? 0 }
  trx.send(sql`
    update change_sets set phase = 'running', counts = ${JSON.stringify(counts)}::jsonb,
      options = options || '{"dry_run": false, "line": 0}'
    where account_id = ${accountId} and id = ${id}`)
  await queue.enqueue(trx, bulkJob, { accountId, changeSetId: id })
  return findChangeSet(trx, accountId, id)
}

/** Ends an act where it is, within a chunk; what was done stays, and can be taken back. Throws not_found and `conflict`. */
export async function cancelBulk(trx: Trx, accountId: number, id: number): Promise<ChangeSet> {
  const set = await lockBulk(trx, accountId, id)
  if (!['queued', 'planning', 'ready', 'running'].includes(set.phase))
    throw notNow(set, 'there is nothing left to cancel')
  const hasBegun = set.phase === 'running' && !optionsOf(set).dry_run && optionsOf(set).line > 0
  const {
    selected = 0,
    updated = 0,
    unchanged = 0,
    deleted = 0,
    gone = 0,
  } = hasBegun ? set.counts : { selected: set.counts.selected ?? 0 }
  const counts = {
    ...(hasBegun ? set.counts : { selected }),
    not_applied: selected - updated - unchanged - deleted - gone,
  }
  // Rows of people to whom nothing was done say what was only planned.
  trx.send(sql`
    delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and line > ${hasBegun ? optionsOf(set).line : 0}`)
  trx.send(sql`
    update change_sets set phase = 'cancelled', finished_at = statement_timestamp(), counts = ${JSON.stringify(counts)}::jsonb
    where account_id = ${accountId} and id = ${id}`)
  if (hasBegun)
    record(
      trx,
      accountId,
      [{ contactId: null, types: ['change_set_finished'], data: { kind: 'bulk', cancelled: true, counts } }],
      id,
    )
  return findChangeSet(trx, accountId, id)
}

async function lockBulk(trx: Trx, accountId: number, id: number): Promise<ChangeSet> {
  const set = await lockChangeSet(trx, accountId, id)
  if (set.kind !== 'bulk') throw new AppError('conflict', `Change set ${id} is no bulk act, but ${set.kind}`)
  return set
}

function notNow({ phase }: ChangeSet, why: string): AppError {
  return new AppError('conflict', `This act is ${phase}: ${why}`)
}

function optionsOf(set: ChangeSet): BulkOptions {
  return set.options as unknown as BulkOptions
}

/** Does bulk acts; broken off and run again, one goes on after its last chunk. */
export function bulkJobs(db: Database, keyring: Keyring): Job[] {
  return [
    {
      ...bulkJob,
      perAccount: 1,
      async run({ accountId, changeSetId }: { accountId: number; changeSetId: number }, signal: AbortSignal) {
        try {
          await learnSize(db, accountId)
          for (let more = true; more; ) {
            signal.throwIfAborted()
            more = await db.transaction((trx) => proceed(trx, accountId, changeSetId, keyring))
          }
        } catch (error) {
          if (!(error instanceof AppError) || error.code === 'unavailable') throw error
          await fail(db, accountId, changeSetId, error)
        }
      },
    },
  ]
}

/** One step of an act; answers whether there is another. */
async function proceed(trx: Trx, accountId: number, id: number, keyring: Keyring): Promise<boolean> {
  const set = await lockChangeSet(trx, accountId, id)
  if (set.phase === 'queued') return choose(trx, accountId, set)
  if (set.phase !== 'planning' && set.phase !== 'running') return false
  const { act, dry_run, line } = optionsOf(set)
  const bulk: Bulk = { accountId, changeSetId: id, actor: set.actor, keyring, act }
  const [next] = await trx.query<{ upTo: number | null }>(sql`
    select max(line) as "upTo" from (
      select line from change_rows where account_id = ${accountId} and change_set_id = ${id} and line > ${line} order by line limit ${CHUNK}) as next`)
  const { upTo } = next!
  if (upTo === null) {
    if (dry_run) trx.send(sql`update change_sets set phase = 'ready' where account_id = ${accountId} and id = ${id}`)
    else finishChangeSet(trx, accountId, id, 'bulk', set.counts)
    return false
  }
  const done = dry_run ? await planLines(trx, bulk, line, upTo) : await applyLines(trx, bulk, line, upTo)
  trx.send(sql`
    update change_sets set counts = ${JSON.stringify(sum(set.counts, done))}::jsonb, options = options || jsonb_build_object('line', ${upTo}::bigint)
    where account_id = ${accountId} and id = ${id}`)
  return true
}

function sum(counts: Record<string, number>, more: BulkCounts): Record<string, number> {
  const all = { ...counts }
  for (const [name, count] of Object.entries(more)) all[name] = (all[name] ?? 0) + Number(count)
  return all
}

/** The condition of a selection over `contacts as c`, undefined for everyone. Throws `invalid`, also for a list that is not there. */
async function whomOf(trx: Trx, accountId: number, selection: BulkSelection): Promise<Sql | undefined> {
  const [{ settings }, fields] = await Promise.all([findAccount(trx, accountId), loadFields(trx, accountId)])
  return compileSelection(trx, accountId, selectionFromBody(selection, fields), {
    timeZone: settings.time_zone,
    fields,
  })
}

/** Writes down whom the act is about: all of them at one moment, in the order of their ids. */
async function choose(trx: Trx, accountId: number, set: ChangeSet): Promise<boolean> {
  const { selection, dry_run } = optionsOf(set)
  const filter = await whomOf(trx, accountId, selection)
  const [chosen] = await trx.query<{ selected: number }>(sql`
    with chosen as (
      insert into change_rows (account_id, change_set_id, line, action, contact_id)
      select ${accountId}::bigint, ${set.id}::bigint, row_number() over (order by c.id), 'waiting', c.id
      from contacts as c where c.account_id = ${accountId} ${filter ? sql`and ${filter}` : sql``}
      returning 1
    ) select count(*) as selected from chosen`)
  trx.send(sql`
    update change_sets set phase = ${dry_run ? 'planning' : 'running'}, counts = ${JSON.stringify(chosen)}::jsonb
    where account_id = ${accountId} and id = ${set.id}`)
  return true
}

async function fail(db: Database, accountId: number, id: number, error: AppError): Promise<void> {
  const reason = error.messages
    ? Object.entries(error.messages)
        .map(([place, texts]) => `${place} ${texts.join(', ')}`)
        .join('; ')
    : error.message
  await db.query(sql`
    update change_sets set phase = 'failed', finished_at = statement_timestamp(), options = options || jsonb_build_object('problem', ${reason}::text)
    where account_id = ${accountId} and id = ${id} and phase in ('queued', 'planning', 'running')`)
}

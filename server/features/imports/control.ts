import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { Queue } from '../../jobs/queue.ts'
import { invalid } from '../../lib/app-error.ts'
import { record } from '../activity/record.ts'
import { holdLists } from '../contacts/memberships.ts'
import { AT_WORK, type Counts, findImport, type ImportRow, moveImport, notNow } from './imports.ts'
import { enqueueImport } from './jobs.ts'
import type { ImportOptions } from './options.ts'
import { settleOptions } from './start.ts'

/** Options that can be changed once contacts have been changed: they don't touch how rows were read. */
const CHANGEABLE_LATE: ReadonlySet<string> = new Set(['list_ids'])

/**
 * Applies a trial, answers what a file waits for, mends what was wrong with it, or goes on with an import that failed: with
 * the options given in place of the earlier ones, and without a new upload. Throws not_found, `conflict` and `invalid`.
 */
export async function applyImport(
  trx: Trx,
  queue: Queue,
  accountId: number,
  id: number,
  given: ImportOptions,
): Promise<ImportRow> {
  const row = await findImport(trx, accountId, id, sql`for update of s`)
  if (row.phase !== 'ready' && row.phase !== 'failed')
    throw notNow(row.phase, 'only one that is ready or failed can be applied')
  if (row.file_key === null) throw notNow(row.phase, 'its file is no longer kept: upload it again')
  if (row.merging) {
    const late = Object.keys(given).filter((name) => !CHANGEABLE_LATE.has(name))
    if (late.length > 0)
      throw invalid(
        Object.fromEntries(
          late.map((name) => [name, ['can not be changed any more: contacts have been changed already']]),
        ),
      )
  }
  const options = { ...row.options, dry_run: false, ...(await settleOptions(trx, accountId, given)) }
  await holdLists(trx, accountId, [...new Set(options.list_ids ?? [])], 'list_id')
  const isReadAnew = Object.keys(given).some(
    (name) => !['dry_run', 'skip_invalid', 'list_ids', 'tags', 'update_existing', 'state', 'consent'].includes(name),
  )
  if (row.phase === 'ready' && row.problem !== null && !isReadAnew) throw invalid({ date_order: [row.problem] })
  await moveImport(
    trx,
    accountId,
    id,
    { from: [row.phase], to: row.merging ? 'merging' : 'queued' },
    {
      options,
      attempts: 0,
      problem: null,
      ...(isReadAnew ? { staged: null } : {}),
    },
  )
  await enqueueImport(trx, queue, accountId, id)
  return findImport(trx, accountId, id)
}

/**
 * Ends an import where it is: the chunk that is being merged is undone, those before it stay, and the counts say how many.
 * Throws not_found and `conflict`.
 */
export async function cancelImport(
  db: Database,
  accountId: number,
  id: number,
  keepFileDays: number,
): Promise<ImportRow> {
  const row = await findImport(db, accountId, id)
  const from = [...AT_WORK, 'ready', 'failed'] as const
  if (!(await moveImport(db, accountId, id, { from, to: 'cancelled' }, { keepFileDays, problem: null }))) {
    throw notNow(row.phase, 'there is nothing left to cancel')
  }
  // No chunk commits from here on. Not in the same transaction, as one that is about to find that out holds these rows.
  await db.transaction(async (trx) => {
    const { counts, merging, progress } = await findImport(trx, accountId, id, sql`for update of s`)
    trx.send(sql`delete from import_rows where account_id = ${accountId} and import_id = ${id}`)
    if (!merging) {
      // What a trial has said of the rows was not done.
      trx.send(
        sql`delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and (action <> 'rejected' or input is null)`,
      )
    }
    const final = merging
      ? remaining(counts, progress.rows_read ?? 0)
      : { rows_read: progress.rows_read ?? 0, not_applied: progress.rows_read ?? 0 }
    await moveImport(trx, accountId, id, { from: ['cancelled'] }, { counts: final })
    if (merging) {
      record(
        trx,
        accountId,
        [
          {
            contactId: null,
            types: ['change_set_finished'],
            data: { kind: 'import', cancelled: true, counts: final as Record<string, number> },
          },
        ],
        id,
      )
    }
  })
  return findImport(db, accountId, id)
}

function remaining(counts: Counts, rowsRead: number): Counts {
  const { created = 0, updated = 0, unchanged = 0, duplicate = 0, rejected = 0, suppressed = 0 } = counts
  return {
    ...counts,
    rows_read: rowsRead,
    not_applied: rowsRead - created - updated - unchanged - duplicate - rejected - suppressed,
  }
}

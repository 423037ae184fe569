import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { isConnectionLoss } from '../../db/sqlstate.ts'
import type { FileStore } from '../../files/store.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import { finishChangeSet } from '../activity/change-sets.ts'
import { loadFields } from '../fields/field-set.ts'
import { defineFields } from '../fields/intake.ts'
import { planChunk } from './dry-run.ts'
import { AT_WORK, type Counts, findImport, type ImportRow, moveImport } from './imports.ts'
import { mergeAll, rangesOf, Stopped } from './merge.ts'
import { fingerprintOf } from './plan.ts'
import { UnreadableFile } from './reading/unreadable.ts'
import { recount } from './recount.ts'
import { ReadAnew, targetsNow, termsFor, termsOf } from './terms.ts'
import { stageInThread, type ThreadParts } from './thread.ts'

export interface RunParts {
  db: Database
  files: FileStore
  thread: ThreadParts
  keyring: Keyring
  /** For how many days the file of an import that did not finish is kept. */
  keepFileDays: number
  /** Rows merged in one transaction; as many as are fast unless given. */
  chunkRows?: number
  /** Asked between chunks: whether others wait, so that the rest is left for the account's next turn. */
  isOver: () => Promise<boolean>
}

/** Begun so often without getting any further, an import has failed. */
const MOST_ATTEMPTS = 10

/** Files whose fields are changed while they are read are read again, so often at most. */
const MOST_READINGS = 5

/** Rows of a dry run planned in one transaction. */
const PLANNED_AT_ONCE = 20_000

/**
 * Does whatever an import still needs: reads its file, tries or merges its rows, ends it. Goes on where an earlier run was
 * cut off. Answers false when the rest is left for another turn. A lost database is thrown, for the queue to try again.
 */
export async function runImport(
  parts: RunParts,
  accountId: number,
  importId: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { db } = parts
  const row = await findImport(db, accountId, importId)
  if (!AT_WORK.includes(row.phase)) return true
  if (row.attempts >= MOST_ATTEMPTS) {
    await fail(parts, row, row.problem ?? 'the worker ended again and again while it was at this import')
    return true
  }
  await moveImport(db, accountId, importId, { from: AT_WORK }, { attempts: row.attempts + 1 })
  try {
    return await proceed(parts, row, signal)
  } catch (error) {
    if (error instanceof Stopped) return true
    if (error instanceof UnreadableFile || error instanceof AppError) {
      if (error instanceof AppError && error.code === 'unavailable') throw error
      await fail(parts, row, reasonOf(error))
      return true
    }
    if (!signal.aborted && !isConnectionLoss(error))
      await moveImport(db, accountId, importId, { from: AT_WORK }, { problem: 'an unexpected error' })
    throw error
  }
}

function reasonOf(error: UnreadableFile | AppError): string {
  if (error instanceof UnreadableFile || !error.messages) return error.message
  return Object.entries(error.messages)
    .map(([place, messages]) => `${place} ${messages.join(', ')}`)
    .join('; ')
}

async function proceed(parts: RunParts, given: ImportRow, signal: AbortSignal): Promise<boolean> {
  const { db } = parts
  const { accountId, id } = given
  for (let reading = 1; reading <= MOST_READINGS; reading++) {
    signal.throwIfAborted()
    let row = await findImport(db, accountId, id)
    if (row.staged === null) {
      row = await read(parts, row, signal)
      if (!AT_WORK.includes(row.phase)) return true
    }
    try {
      if (row.phase !== 'merging') {
        if (await tryOut(parts, row, signal)) return true
        await beginMerging(parts, row)
      }
      return await merge(parts, await findImport(db, accountId, id), signal)
    } catch (error) {
      if (!(error instanceof ReadAnew)) throw error
      await must(moveImport(db, accountId, id, { from: AT_WORK }, { staged: null }))
    }
  }
  throw new AppError(
    'conflict',
    'the fields that the file goes to are being changed again and again: try again when they stay as they are',
  )
}

/** Who finds an import in another phase than it left it has nothing more to do. */
async function must(moved: Promise<boolean>): Promise<void> {
  if (!(await moved)) throw new Stopped()
}

async function read(parts: RunParts, row: ImportRow, signal: AbortSignal): Promise<ImportRow> {
  const { db } = parts
  const { accountId, id, merging } = row
  if (!merging) await must(moveImport(db, accountId, id, { from: AT_WORK, to: 'reading' }))
  const cancelled = new AbortController()
  const result = await stageInThread(parts.thread, accountId, id, {
    signal: AbortSignal.any([signal, cancelled.signal]),
    onProgress: (progress) => {
      void moveImport(db, accountId, id, { from: AT_WORK }, { progress })
        .then((goesOn) => {
          if (!goesOn) cancelled.abort(new Stopped())
        })
        .catch(() => {}) // the next word of progress will do
    },
  })
  cancelled.signal.throwIfAborted()
  const { rowsRead, rejected, questions, columns, detected, report, warnings, fingerprint, listIds } = result
  const notes = {
    detected,
    columns,
    report,
    warnings,
    staged: fingerprint,
    list_ids: listIds,
    progress: { bytes_read: row.file_bytes, rows_read: rowsRead, rows_to_merge: rowsRead - rejected },
    ...(merging ? {} : { counts: { rows_read: rowsRead, rejected } }),
  }
  await db.query(sql`analyze import_rows`)
  if (questions.length > 0 && !merging) {
    await must(
      moveImport(
        db,
        accountId,
        id,
        { from: AT_WORK, to: 'ready' },
        { ...notes, problem: questions.map(({ question }) => question).join(' '), keepFileDays: parts.keepFileDays },
      ),
    )
  } else {
    await must(
      moveImport(
        db,
        accountId,
        id,
        { from: AT_WORK, ...(merging ? {} : { to: 'validating' as const }) },
        { ...notes, attempts: 0 },
      ),
    )
  }
  return findImport(db, accountId, id)
}

/** A dry run, or the look before anything changes that `skip_invalid: false` asks for. Answers whether it ends here. */
async function tryOut(parts: RunParts, row: ImportRow, signal: AbortSignal): Promise<boolean> {
  const { db, keyring, keepFileDays } = parts
  const { accountId, id, options } = row
  const mustBeValid = options.skip_invalid === false
  if (!options.dry_run && !mustBeValid) return false
  await db.query(
    sql`delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and (action <> 'rejected' or input is null)`,
  )
  for await (const range of rangesOf(db, accountId, id, PLANNED_AT_ONCE)) {
    signal.throwIfAborted()
    await db.transaction(async (trx) => planChunk(trx, await termsOf(trx, row, keyring), range))
    await must(moveImport(db, accountId, id, { from: AT_WORK }))
  }
  const counts = await recount(db, accountId, id)
  if (mustBeValid && (counts.rejected ?? 0) > 0) {
    const rows = counts.rejected === 1 ? '1 row is invalid' : `${counts.rejected} rows are invalid`
    await fail(
      parts,
      row,
      `${rows}, and nothing was imported: mend what the errors name, or apply it with skip_invalid: true`,
      counts,
    )
    return true
  }
  if (!options.dry_run) return false
  await must(moveImport(db, accountId, id, { from: AT_WORK, to: 'ready' }, { counts, keepFileDays }))
  return true
}

/** Defines the fields that the file brings, and does away with what a trial has said of its rows. Throws ReadAnew. */
async function beginMerging({ db }: RunParts, row: ImportRow): Promise<void> {
  const { accountId, id, options } = row
  const wanted = (row.columns ?? []).flatMap(({ target }) =>
    target.to === 'field' && target.field.isNew ? [target.field] : [],
  )
  await db.transaction(async (trx) => {
    const { settings } = await findAccount(trx, accountId)
    const fields = await defineFields(
      trx,
      accountId,
      await loadFields(trx, accountId),
      wanted.map(({ mergeTag, name, rules }) => ({ tag: mergeTag, name, type: rules.type })),
    )
    if (row.staged !== fingerprintOf(options, targetsNow(row, fields, settings.unknown_fields))) throw new ReadAnew()
    trx.send(sql`
      delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and (action <> 'rejected' or input is null)`)
    const [staged] = await trx.query<{ rejected: number }>(sql`
      select count(*) as rejected from change_rows where account_id = ${accountId} and change_set_id = ${id}`)
    await must(
      moveImport(
        trx,
        accountId,
        id,
        { from: AT_WORK, to: 'merging' },
        {
          merging: true,
          attempts: 0,
          problem: null,
          counts: { rows_read: row.progress.rows_read ?? 0, rejected: staged!.rejected },
        },
      ),
    )
  })
}

async function merge(parts: RunParts, row: ImportRow, signal: AbortSignal): Promise<boolean> {
  const { db, keyring } = parts
  const { accountId, id } = row
  let isOver = false
  const done = await mergeAll({
    db,
    accountId,
    importId: id,
    signal,
    termsFor: (trx: Trx) => termsFor(trx, row, row.list_ids, keyring),
    isOver: () => isOver,
    chunkRows: parts.chunkRows,
    onChunk: async () => {
      isOver ||= await parts.isOver()
    },
  })
  await moveImport(db, accountId, id, { from: AT_WORK }, { attempts: 0 })
  if (done) await finish(parts, row)
  return done
}

/** Ends it with counts taken from its rows, so that they add up whatever happened on the way. */
async function finish({ db, files }: RunParts, { accountId, id, file_key, progress }: ImportRow): Promise<void> {
  await db.transaction(async (trx) => {
    const counts = { ...(await recount(trx, accountId, id)), rows_read: progress.rows_read ?? 0 }
    await must(moveImport(trx, accountId, id, { from: ['merging'] }, { problem: null }))
    finishChangeSet(trx, accountId, id, 'import', counts as Record<string, number>)
  })
  await removeFile(db, files, accountId, id, file_key)
}

async function fail(
  { db, keepFileDays }: RunParts,
  { accountId, id }: ImportRow,
  problem: string,
  counts?: Counts,
): Promise<void> {
  await moveImport(
    db,
    accountId,
    id,
    { from: AT_WORK, to: 'failed' },
    { problem, keepFileDays, ...(counts && { counts }) },
  )
}

/** The file first: should the second step fail, housekeeping finds the row again, and a file that is gone is removed already. */
export async function removeFile(
  db: Database,
  files: FileStore,
  accountId: number,
  id: number,
  key: string | null,
): Promise<void> {
  if (key === null) return
  await files.remove(key)
  await db.query(
    sql`update imports set file_key = null, updated_at = statement_timestamp() where account_id = ${accountId} and id = ${id}`,
  )
}

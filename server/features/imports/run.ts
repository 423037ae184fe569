import { randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { learnSize } from '../../db/learn-size.ts'
import { isConnectionLoss } from '../../db/sqlstate.ts'
import type { FileStore } from '../../files/store.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import { finishChangeSet } from '../activity/change-sets.ts'
import { loadFields } from '../fields/field-set.ts'
import { defineFields, MOST_FIELDS } from '../fields/intake.ts'
import { planChunk } from './dry-run.ts'
import { AT_WORK, type Counts, findImport, holdImport, type ImportRow, moveImport, Stopped } from './imports.ts'
import { mergeAll, rangesOf } from './merge.ts'
import { fingerprintOf, tooManyFields } from './plan.ts'
import { UnreadableFile } from './reading/unreadable.ts'
import { allOf, keptOf, recount } from './recount.ts'
import { assertNoneLost, ReadAnew, targetsNow, termsFor, termsOf } from './terms.ts'
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

/** One go at an import. Whoever begins a later one takes it over, and all that this one would still change is undone. */
interface Run extends RunParts {
  runner: string
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
  const run: Run = { ...parts, runner: randomUUID() }
  const { runner } = run
  const row = await findImport(db, accountId, importId)
  const moved = moveImport(db, accountId, importId, { from: AT_WORK, takenBy: runner }, { attempts: row.attempts + 1 })
  if (!(await moved)) return true
  if (row.attempts >= MOST_ATTEMPTS) {
    await fail(run, row, row.problem ?? 'the worker ended again and again while it was at this import')
    return true
  }
  try {
    return await proceed(run, row, signal)
  } catch (error) {
    if (error instanceof Stopped) return true
    if (error instanceof UnreadableFile || error instanceof AppError) {
      if (error instanceof AppError && error.code === 'unavailable') {
        await moveImport(db, accountId, importId, { from: AT_WORK, runner }, { problem: error.message })
        throw error // for the queue to try again
      }
      await fail(run, row, reasonOf(error))
      return true
    }
    if (!signal.aborted && !isConnectionLoss(error))
      await moveImport(db, accountId, importId, { from: AT_WORK, runner }, { problem: 'an unexpected error' })
    throw error
  }
}

function reasonOf(error: UnreadableFile | AppError): string {
  if (error instanceof UnreadableFile || !error.messages) return error.message
  return Object.entries(error.messages)
    .map(([place, messages]) => `${place} ${messages.join(', ')}`)
    .join('; ')
}

async function proceed(run: Run, given: ImportRow, signal: AbortSignal): Promise<boolean> {
  const { db, runner } = run
  const { accountId, id } = given
  let reason = ''
  for (let reading = 1; reading <= MOST_READINGS; reading++) {
    signal.throwIfAborted()
    let row = await findImport(db, accountId, id)
    if (row.staged === null) {
      row = await read(run, row, signal)
      if (!AT_WORK.includes(row.phase)) return true
    }
    try {
      if (row.phase !== 'merging') {
        if (await tryOut(run, row, signal)) return true
        await beginMerging(run, row)
      }
      return await merge(run, await findImport(db, accountId, id), signal)
    } catch (error) {
      if (!(error instanceof ReadAnew)) throw error
      reason = error.message
      await must(moveImport(db, accountId, id, { from: AT_WORK, runner }, { staged: null }))
    }
  }
  throw new AppError('conflict', reason)
}

/** Who finds an import in another phase than it left it has nothing more to do. */
async function must(moved: Promise<boolean>): Promise<void> {
  if (!(await moved)) throw new Stopped()
}

async function read(run: Run, row: ImportRow, signal: AbortSignal): Promise<ImportRow> {
  const { db, runner } = run
  const { accountId, id, merging } = row
  if (!merging) await must(moveImport(db, accountId, id, { from: AT_WORK, runner, to: 'reading' }))
  const cancelled = new AbortController()
  let told = Promise.resolve()
  const tell = async (progress: ImportRow['progress']) => {
    if (!(await moveImport(db, accountId, id, { from: AT_WORK, runner }, { progress }))) cancelled.abort(new Stopped())
  }
  const result = await stageInThread(run.thread, accountId, id, runner, {
    signal: AbortSignal.any([signal, cancelled.signal]),
    onProgress: (progress) => {
      told = told.then(() => tell(progress)).catch(() => {}) // the next word of progress will do
    },
  })
  await told // so that it does not come after what stands below
  const { rowsRead, rejected, questions, columns, detected, report, warnings, fingerprint, listIds } = result
  const notes = {
    detected,
    columns,
    report,
    warnings,
    staged: fingerprint,
    list_ids: listIds,
    progress: { bytes_read: row.file_bytes, rows_read: rowsRead, rows_to_merge: rowsRead - rejected },
    // Of a file that is read again, other rows may have been refused: what is merged from here on is added to what was kept so far.
    counts: merging
      ? { ...(await recount(db, accountId, id)), rows_read: rowsRead }
      : { rows_read: rowsRead, rejected },
  }
  // Where rows are is all that a plan depends on: nothing is found by what they hold.
  await db.query(sql`analyze import_rows (account_id, import_id, key, line)`)
  if (questions.length > 0 && !merging) {
    await must(
      moveImport(
        db,
        accountId,
        id,
        { from: AT_WORK, runner, to: 'ready' },
        { ...notes, problem: questions.map(({ question }) => question).join(' '), keepFileDays: run.keepFileDays },
      ),
    )
  } else {
    await must(
      moveImport(
        db,
        accountId,
        id,
        { from: AT_WORK, runner, ...(merging ? {} : { to: 'validating' as const }) },
        { ...notes, attempts: 0 },
      ),
    )
  }
  return findImport(db, accountId, id)
}

/** A dry run, or the look before anything changes that `skip_invalid: false` asks for. Answers whether it ends here. */
async function tryOut(run: Run, row: ImportRow, signal: AbortSignal): Promise<boolean> {
  const { db, keyring, keepFileDays, runner } = run
  const { accountId, id, options } = row
  const mustBeValid = options.skip_invalid === false
  if (!options.dry_run && !mustBeValid) return false
  await db.transaction(async (trx) => {
    await holdImport(trx, accountId, id, runner)
    trx.send(sql`delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and input is null`)
  })
  for await (const range of rangesOf(db, accountId, id, PLANNED_AT_ONCE)) {
    signal.throwIfAborted()
    await db.transaction(async (trx) => {
      await planChunk(trx, await termsOf(trx, row, keyring), range)
      await holdImport(trx, accountId, id, runner)
    })
  }
  const counts = await recount(db, accountId, id)
  assertNoneLost(counts.rows_read, row)
  if (mustBeValid && (counts.rejected ?? 0) > 0) {
    const rows = counts.rejected === 1 ? '1 row is invalid' : `${counts.rejected} rows are invalid`
    await fail(
      run,
      row,
      `${rows}, and nothing was imported: mend what the errors name, or apply it with skip_invalid: true`,
      counts,
    )
    return true
  }
  if (!options.dry_run) return false
  await must(moveImport(db, accountId, id, { from: AT_WORK, runner, to: 'ready' }, { counts, keepFileDays }))
  return true
}

/** Defines the fields that the file brings, and does away with what a trial has said of its rows. Throws ReadAnew. */
async function beginMerging({ db, runner }: Run, row: ImportRow): Promise<void> {
  const { accountId, id, options } = row
  const wanted = (row.columns ?? []).flatMap(({ target }) =>
    target.to === 'field' && target.field.isNew ? [target.field] : [],
  )
  await db.transaction(async (trx) => {
    const { settings } = await findAccount(trx, accountId)
    const known = await loadFields(trx, accountId)
    const more = wanted.filter(({ mergeTag }) => !known.tagged(mergeTag)).length
    if (more > 0 && known.active.length + more > MOST_FIELDS) throw new AppError('conflict', tooManyFields(more))
    const fields = await defineFields(
      trx,
      accountId,
      known,
      wanted.map(({ mergeTag, name, rules }) => ({ tag: mergeTag, name, type: rules.type })),
    )
    if (row.staged !== fingerprintOf(options, targetsNow(row, fields, settings.unknown_fields))) throw new ReadAnew()
    trx.send(sql`
      delete from change_rows where account_id = ${accountId} and change_set_id = ${id} and input is null`)
    // Besides rows that were refused, those of people who were erased since the file was read.
    const [staged] = await trx.query<{ rejected: number; suppressed: number }>(sql`
      select count(*) filter (where action = 'rejected') as rejected, count(*) filter (where action = 'suppressed') as suppressed
      from change_rows where account_id = ${accountId} and change_set_id = ${id}`)
    await must(
      moveImport(
        trx,
        accountId,
        id,
        { from: AT_WORK, runner, to: 'merging' },
        {
          merging: true,
          attempts: 0,
          problem: null,
          counts: { rows_read: row.progress.rows_read ?? 0, ...staged! },
        },
      ),
    )
  })
}

async function merge(run: Run, row: ImportRow, signal: AbortSignal): Promise<boolean> {
  const { db, keyring, runner } = run
  const { accountId, id } = row
  let isOver = false
  let chunks = 0
  await learnSize(db, accountId)
  const done = await mergeAll({
    db,
    accountId,
    importId: id,
    runner,
    signal,
    termsFor: (trx: Trx) => termsFor(trx, row, row.list_ids, keyring),
    isOver: () => isOver,
    chunkRows: run.chunkRows,
    onChunk: async () => {
      isOver ||= await run.isOver()
      if (Number.isInteger(Math.log2(++chunks))) await learnSize(db, accountId) // as the people it enters double
    },
  })
  await moveImport(db, accountId, id, { from: AT_WORK, runner }, { attempts: 0 })
  if (done) await finish(run, row)
  return done
}

/**
 * Ends it. Each chunk has counted what it did; only where that does not add up to the rows read, as some were lost, or kept by an
 * erasure, are the rows themselves counted: a million take one to two seconds, in which nothing else of it goes on.
 */
async function finish({ db, files, runner }: Run, row: ImportRow): Promise<void> {
  const { accountId, id, file_key, progress } = row
  await db.transaction(async (trx) => {
    let { counts } = await findImport(trx, accountId, id)
    if (keptOf(counts) !== progress.rows_read) {
      counts = await recount(trx, accountId, id)
      assertNoneLost(counts.rows_read, row)
    }
    await must(moveImport(trx, accountId, id, { from: ['merging'], runner }, { problem: null }))
    finishChangeSet(trx, accountId, id, 'import', allOf(counts))
  })
  await removeFile(db, files, accountId, id, file_key)
}

async function fail(
  { db, keepFileDays, runner }: Run,
  { accountId, id }: ImportRow,
  problem: string,
  counts?: Counts,
): Promise<void> {
  await moveImport(
    db,
    accountId,
    id,
    { from: AT_WORK, runner, to: 'failed' },
    { problem, keepFileDays, ...(counts && { counts }) },
  )
}

/**
 * Removes the file of an import, and whatever of its rows still waits. The file first: should the second step fail,
 * housekeeping finds the row again, and a file that is gone is removed already.
 */
export async function removeFile(
  db: Database,
  files: FileStore,
  accountId: number,
  id: number,
  key: string | null,
): Promise<void> {
  if (key === null) return
  await files.remove(key)
  await db.query(sql`
    with gone as (delete from import_rows where account_id = ${accountId} and import_id = ${id})
    update imports set file_key = null, updated_at = statement_timestamp() where account_id = ${accountId} and id = ${id}`)
}

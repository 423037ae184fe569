import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { clearExports, fileKey } from './exports.ts'

/** How long it can still be looked up that there was an export: what it asked for may name people. */
const ROWS_KEPT = '30 days'
/** Longer than an export may take and wait: one without a sign of life for so long has no job any more. */
const FORGOTTEN = '2 days'

interface Due {
  account_id: number
  id: number
  phase: string
  file: string | null
}

/**
 * Removes the files of exports that have expired, all of those that were taken away or are long past, and ends those whose
 * worker has ended too often. By account, as every statement that writes has one.
 * @returns how many files of which account had expired
 */
export async function expireExports(db: Database, files: FileStore, now = new Date()): Promise<Map<number, number>> {
  const at = sql`${now}::timestamptz`
  const due = await db.query<Due>(sql`
    select account_id, id, phase, file from exports
    where phase = 'removed' or (phase = 'finished' and expires_at <= ${at})
      or (phase in ('queued', 'running') and updated_at < ${at} - ${FORGOTTEN}::interval)
      or (phase in ('failed', 'expired') and updated_at < ${at} - ${ROWS_KEPT}::interval)`)
  const accounts = Map.groupBy(due, (row) => row.account_id)
  await Promise.all([...accounts].map(([accountId, rows]) => expireIn(db, files, accountId, rows)))
  const expired = due.filter(({ phase }) => phase === 'finished')
  return new Map(
    [...Map.groupBy(expired, (row) => row.account_id)].map(([accountId, rows]) => [accountId, rows.length]),
  )
}

async function expireIn(db: Database, files: FileStore, accountId: number, rows: Due[]): Promise<void> {
  const those = (...phases: string[]) => rows.filter(({ phase }) => phases.includes(phase))
  const ids = (of: Due[]) => of.map(({ id }) => id)
  await Promise.all(rows.map(({ file }) => file !== null && files.remove(fileKey(accountId, file))))
  await db.query(sql`
    update exports set phase = 'expired', file = null, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = any(${ids(those('finished'))}) and phase = 'finished'`)
  await db.query(sql`
    update exports set phase = 'failed', file = null, error = 'It was broken off too often', updated_at = statement_timestamp(),
      finished_at = statement_timestamp()
    where account_id = ${accountId} and id = any(${ids(those('queued', 'running'))}) and phase in ('queued', 'running')`)
  await db.query(sql`
    delete from exports where account_id = ${accountId} and id = any(${ids(those('failed', 'expired'))})`)
  await clearExports(db, files, accountId, those('removed'))
}

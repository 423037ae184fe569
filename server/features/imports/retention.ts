import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { removeFile } from './run.ts'

/** Files removed in one go. */
const AT_ONCE = 1000

/**
 * Removes the uploads of imports that did not finish and whose time is over. What they did stays known.
 * @returns how many of which account
 */
export async function removeOldUploads(db: Database, files: FileStore): Promise<Map<number, number>> {
  // A plain read across accounts: it locks nothing, and each file then goes with a statement of its own account.
  const old = await db.query<{ account_id: number; id: number; file_key: string }>(sql`
    select account_id, id, file_key from imports where file_key is not null and keep_file_until < now() limit ${AT_ONCE}`)
  await Promise.all(old.map(({ account_id, id, file_key }) => removeFile(db, files, account_id, id, file_key)))
  return new Map([...Map.groupBy(old, (row) => row.account_id)].map(([accountId, rows]) => [accountId, rows.length]))
}

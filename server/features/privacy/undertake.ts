import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { isConnectionLoss } from '../../db/sqlstate.ts'
import type { FileStore } from '../../files/store.ts'
import { journalKey } from './journal-entry.ts'

interface Parts {
  db: Database
  files: FileStore
}

/**
 * Runs `work`, which erases in a transaction of its own under the id that it is given, however often that is tried. What has
 * failed for certain leaves no entry of the journal: the next start would do it, when nobody expects it any more. Where it can
 * not be known whether the commit came through, the entry stays.
 */
export async function undertake<T>(parts: Parts, accountId: number, work: (id: string) => Promise<T>): Promise<T> {
  const [made] = await parts.db.query<{ id: string }>(sql`select new_id() as id`)
  const { id } = made!
  try {
    return await work(id)
  } catch (error) {
    if (!isConnectionLoss(error)) await takeBack(parts, accountId, id).catch(() => {})
    throw error
  }
}

async function takeBack({ db, files }: Parts, accountId: number, id: string): Promise<void> {
  const [done] = await db.query(sql`select from erasures where account_id = ${accountId} and id = ${id}`)
  if (!done) await files.remove(journalKey(accountId, id))
}

import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { Refusal } from '../../lib/refusal.ts'
import type { Keyring } from '../../lib/secret.ts'

/**
 * Throws a Refusal when an HMAC of a suppression was made by a key that is not in the ring: an address that was erased
 * or that withdrew would no longer be known, and could come back with the next import.
 */
export async function requireKeysInUse(db: Queryable, keyring: Keyring): Promise<void> {
  await requireMarksOf(
    db,
    keyring.map(({ id }) => id),
  )
}

/** The same before there is any key, in a database that may have no tables yet. */
export async function requireNoMarks(db: Queryable): Promise<void> {
  const [found] = await db.query<{ exists: boolean }>(sql`select to_regclass('suppressions') is not null as exists`)
  if (found!.exists) await requireMarksOf(db, [])
}

async function requireMarksOf(db: Queryable, keyIds: string[]): Promise<void> {
  const [missing] = await db.query<{ key_id: string }>(sql`
    select key_id from suppressions where key_id <> all(${keyIds}::text[]) limit 1`)
  if (!missing) return
  throw new Refusal(
    `the database holds marks made with key ${missing.key_id}, which ROLLCALL_SECRET (or ROLLCALL_HOME/secret) lacks: ` +
      'add that key behind the others, or put the file back from your backup',
  )
}

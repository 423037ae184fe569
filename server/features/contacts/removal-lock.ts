import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'

/** So many may be at it at once in an account, by their numbers from 0: one of each number. */
const NUMBERS = 2

/**
 * Keeps an account's contacts from being removed until the transaction ends, of `read committed`: for whoever notes something of
 * thousands whom they read and do not change, as to lock each of them writes their pages. What comes after sees who has been
 * removed, and whoever is removed later finds what was noted. Answers false, and keeps nobody, while somebody is being removed: to wait for
 * that here would keep all others from removing anybody.
 */
export async function holdRemovals(trx: Trx, accountId: number, number: number): Promise<boolean> {
  const [held] = await trx.query<{ is_held: boolean }>(
    sql`select pg_try_advisory_xact_lock(${keyOf(accountId)} # ${number % NUMBERS}) as is_held`,
  )
  return held!.is_held
}

/** For a removal, which goes beside others, before it looks for what was noted of those it removes. */
export function awaitNotes(trx: Trx, accountId: number): void {
  trx.send(
    sql`select pg_advisory_xact_lock_shared(${keyOf(accountId)} # number) from generate_series(0, ${NUMBERS - 1}) as number`,
  )
}

function keyOf(accountId: number) {
  return sql`hashtextextended('removal', ${accountId}::bigint)`
}

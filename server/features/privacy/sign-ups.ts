import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import { openSignUp } from '../forms/take.ts'

/**
 * Takes away what someone has sent by a form and nobody has taken yet: they asked before they were erased. Who is being
 * entered by it at this moment is waited for. Of `before` and earlier where it is given; answers how many there were.
 */
export async function forgetSignUps(
  trx: Trx,
  keyring: Keyring,
  accountId: number,
  emails: readonly string[],
  before: Date | null = null,
): Promise<number> {
  const rows = await trx.query<{ id: string; content: Buffer }>(sql`
    select id, content from sign_ups
    where account_id = ${accountId} and (${before}::timestamptz is null or at <= ${before}::timestamptz)`)
  const theirs = rows.filter(({ content }) => emails.includes(openSignUp(keyring, content).email)).map(({ id }) => id)
  if (theirs.length === 0) return 0
  const gone = await trx.query(
    sql`delete from sign_ups where account_id = ${accountId} and id = any(${theirs}::uuid[]) returning id`,
  )
  return gone.length
}

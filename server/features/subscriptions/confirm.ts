import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import { readToken } from './confirmations.ts'
import { type Evidence, keepWord } from './evidence.ts'
import { holdStandings, setStanding } from './standing.ts'
import { forgiveWithdrawal } from './suppressions.ts'
import { move } from './transitions.ts'

/** `open`: it can confirm. `used`: it has, and the person is subscribed. */
export type TokenState = 'open' | 'used'

interface TokenRow {
  contact_id: string
  is_used: boolean
  is_expired: boolean
}

const COLUMNS = sql`contact_id, used_at is not null as is_used, expires_at <= now() as is_expired`

/** What a link is good for, without using it; undefined: nothing. */
export async function lookAtToken(
  db: Queryable,
  token: string,
): Promise<{ accountId: number; is: TokenState } | undefined> {
  const named = readToken(token)
  if (!named) return undefined
  const { accountId, hash } = named
  const [row] = await db.query<TokenRow & { is_subscribed: boolean }>(sql`
    select ${COLUMNS}, exists (
      select from contacts as c where c.account_id = ${accountId} and c.id = contact_id and c.state = 'subscribed') as is_subscribed
    from confirmations where account_id = ${accountId} and hash = ${hash}`)
  if (!row) return undefined
  if (row.is_used) return row.is_subscribed ? { accountId, is: 'used' } : undefined
  return row.is_expired ? undefined : { accountId, is: 'open' }
}

/**
 * A person confirms: they are subscribed, whatever they or others have said before, and their earlier withdrawals are over.
 * All their links are used up by it. undefined: the link is good for nothing. Following it twice is no mistake.
 */
export async function confirm(
  trx: Trx,
  keyring: Keyring,
  token: string,
  evidence: Evidence,
): Promise<{ accountId: number } | undefined> {
  const named = readToken(token)
  if (!named) return undefined
  const { accountId, hash } = named
  const find = () =>
    trx.query<TokenRow>(sql`select ${COLUMNS} from confirmations where account_id = ${accountId} and hash = ${hash}`)
  const [before] = await find()
  const [person] = before ? await holdStandings(trx, accountId, [before.contact_id]) : []
  // Again, now that nobody else can use or void it: whoever did so while we waited for the contact has done so.
  const [row] = person ? await find() : []
  if (!person || !row) return undefined
  if (row.is_used) return person.state === 'subscribed' ? { accountId } : undefined
  if (row.is_expired) return undefined
  const outcome = move(person, 'confirms')
  if (outcome !== undefined && !('refused' in outcome)) setStanding(trx, accountId, person, outcome.standing)
  keepWord(trx, accountId, person.id, 'granted', evidence)
  trx.send(sql`
    update confirmations set used_at = statement_timestamp()
    where account_id = ${accountId} and contact_id = ${person.id} and used_at is null and expires_at > now()`)
  forgiveWithdrawal(trx, keyring, accountId, person.email)
  return { accountId }
}

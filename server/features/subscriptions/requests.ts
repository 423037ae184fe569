import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { readToken } from './confirmations.ts'

/** What somebody has asked for of their own data, by a link that was mailed to them. */
export interface DataRequest {
  accountId: number
  contactId: string
  what: 'export' | 'erase'
}

/** What a link is good for; undefined: nothing, be it too old, made up, or of someone who is gone. Its row is locked when `lock` is set. */
export async function lookAtRequest(db: Queryable, token: string, lock = false): Promise<DataRequest | undefined> {
  const named = readToken(token)
  if (!named) return undefined
  const { accountId, hash } = named
  const [row] = await db.query<{ contact_id: string; purpose: DataRequest['what'] }>(sql`
    select contact_id, purpose from confirmations
    where account_id = ${accountId} and hash = ${hash} and purpose in ('export', 'erase') and expires_at > now()
    ${lock ? sql`for update` : sql``}`)
  return row && { accountId, contactId: row.contact_id, what: row.purpose }
}

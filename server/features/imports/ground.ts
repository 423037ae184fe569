import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { findAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import type { Ground } from './plan.ts'

/** What an import's rows are measured against, as the account has it now. */
export async function readGround(db: Queryable, accountId: number): Promise<Ground> {
  const [account, fields, lists] = await Promise.all([
    findAccount(db, accountId),
    loadFields(db, accountId),
    db.query<Ground['lists'][number]>(
      sql`select id, name, criteria is not null as smart from lists where account_id = ${accountId} order by id`,
    ),
  ])
  return { settings: account.settings, fields, lists }
}

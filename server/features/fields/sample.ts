import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'

/** Below so many contacts an account is read whole. */
const SMALL = 20_000
/** Of a larger one so many at most: a share among them is within 1.6 points of that of all, 95 times in 100. */
export const LOOKED_AT = 4000
/** The sample's index, `contacts_sample`, holds one contact in so many. */
const ONE_IN = 256
/** A byte of the id that has nothing to do with the contact: the order in which the sample is looked at. Over `contacts as c`. */
export const SLICE = sql`get_byte(uuid_send(c.id), 14)`
const SLICES = 256

/** `from …`: at most so many of an account's sample, in the words of its index. */
export function sampleOf(accountId: number, most: number): Sql {
  return sql`from contacts as c where c.account_id = ${accountId} and get_byte(uuid_send(c.id), 15) = 0 order by ${SLICE} limit ${most}`
}

/**
 * Contacts of the account for each that was looked at.
 * @param last The slice of the last one: with as many as are looked at, that was read in part only.
 */
export function scaleOf(seen: number, last: number | null, most: number): number {
  return seen < most ? ONE_IN : (ONE_IN * SLICES) / (last! + 1)
}

/** What was learnt from some contacts of an account about all of them. */
export interface Learnt<Row> {
  rows: Row[]
  /** Contacts that were looked at. */
  seen: number
  /** Whether these were all there are. */
  isExact: boolean
  /** Contacts of the account for each that was looked at. */
  scale: number
}

/**
 * Asks something of all contacts of a small account, or of a uniform sample of a large one: those that
 * `contacts_sample` holds, in an order that has nothing to do with them. `ask` is given `select email, tags, fields, origin` of
 * the contacts to ask. By the planner's choice a table without statistics would be scanned whole.
 */
export async function learn<Row>(db: Database, accountId: number, ask: (contacts: Sql) => Sql): Promise<Learnt<Row>> {
  return db.transaction(async (trx) => {
    trx.send(sql`
      select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)`)
    const sampled = sampleOf(accountId, LOOKED_AT)
    const [sample] = await trx.query<{ seen: number; last: number | null }>(sql`
      select count(*) as seen, max(slice) as last from (select ${SLICE} as slice ${sampled}) as sampled`)
    const { seen, last } = sample!
    const isExact = seen * ONE_IN < SMALL
    const everyone = sql`from contacts as c where c.account_id = ${accountId}`
    const [rows, [counted]] = await Promise.all([
      trx.query<Row>(ask(sql`select c.email, c.tags, c.fields, c.origin ${isExact ? everyone : sampled}`)),
      isExact ? trx.query<{ count: number }>(sql`select count(*) as count ${everyone}`) : [{ count: seen }],
    ])
    const scale = isExact ? 1 : scaleOf(seen, last, LOOKED_AT)
    return { rows, seen: counted!.count, isExact, scale }
  })
}

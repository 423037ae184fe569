import { LRUCache } from 'lru-cache'
import sql, { raw } from 'sql-template-tag'
import type { Database } from './database.ts'
import { isLockTimeout } from './sqlstate.ts'

/** Tables in which the rows of an account are found by arrays of thousands of keys, and the columns that lead the indexes for it. */
const TABLES = { contacts: 'account_id', list_members: 'account_id, list_id' }

/** Rows of an account from which on it matters, and what PostgreSQL must take them for at least. */
const [MANY, FEW] = [2000, 100]

/** How long nobody looks again at what still looks the same: an account may be too small a part of a table to be met by chance. */
const AGAIN_MS = 60_000
const looked = new WeakMap<Database, LRUCache<string, Promise<void>>>()

/** To wait for a vacuum that gives way after a second, and for nobody who does not. */
const PATIENCE = '3s'

/**
 * Has PostgreSQL look at its statistics anew where it takes an account of many rows for one of few. It does so from when they come until
 * autovacuum has been there: minutes, or for good where they are less than a tenth of a table of many accounts. It then reads all of the account
 * to find some of its rows by an array of keys: to lock 5,000 of 100,000 people took 6 s in place of 0.03. Takes 3 ms, or up to a second where it has to look.
 */
export async function learnSize(db: Database, accountId: number): Promise<void> {
  const recent = recentOf(db)
  for (const [table, columns] of Object.entries(TABLES)) {
    const which = `${table} ${accountId}`
    const looking = recent.get(which)
    if (looking) {
      await looking // who comes while somebody looks would still find it as it was
      continue
    }
    const rows = sql`from ${raw(table)} where account_id = ${accountId}`
    const [many] = await db.query(sql`select ${rows} offset ${MANY - 1} limit 1`)
    if (!many) continue
    const [plan] = await db.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
      sql`explain (format json) select ${rows}`,
    )
    if (plan!['QUERY PLAN'][0].Plan['Plan Rows'] >= FEW) continue
    const analysis = analyze(db, `${table} (${columns})`)
    recent.set(which, analysis)
    analysis.catch(() => recent.delete(which))
    await analysis
  }
}

function recentOf(db: Database): LRUCache<string, Promise<void>> {
  const known = looked.get(db) ?? new LRUCache<string, Promise<void>>({ max: 10_000, ttl: AGAIN_MS })
  looked.set(db, known)
  return known
}

async function analyze(db: Database, what: string): Promise<void> {
  try {
    await db.transaction(async (trx) => {
      trx.send(sql`select set_config('lock_timeout', ${PATIENCE}, true)`)
      trx.send(`analyze ${what}`)
    })
  } catch (error) {
    if (!isLockTimeout(error)) throw error // whoever looks at it now brings the same
  }
}

import { createInterface } from 'node:readline'
import pg from 'pg'
import { to } from 'pg-copy-streams'
import type { Database } from '../../db/database.ts'

/**
 * Every address under which an account knows somebody, as it is stored, in no order and perhaps more than once: of contacts,
 * and of what outlives them or is not yet one. Read in one pass, however many there are.
 */
export async function* knownAddresses(db: Database, accountId: number): AsyncGenerator<string> {
  if (!Number.isSafeInteger(accountId)) throw new RangeError(`not an account: ${accountId}`)
  const of = `account_id = ${accountId}` // COPY takes no bound values
  // A stream of rows can't share a connection with statements that travel together.
  const client = new pg.Client({ connectionString: db.url })
  client.on('error', () => {}) // reported by the statement that fails
  await client.connect()
  try {
    const rows = client.query(
      to(`copy (
        select email from contacts where ${of}
        union all select email from change_rows where ${of} and email is not null
        union all select email from list_opt_outs where ${of}
        union all select value from suppressions where ${of} and kind = 'address'
        union all select coalesce(email, key) from import_rows where ${of} and coalesce(email, key) like '%@%'
      ) to stdout`),
    )
    for await (const line of createInterface({ input: rows, crlfDelay: Number.POSITIVE_INFINITY })) yield line
  } finally {
    await client.end()
  }
}

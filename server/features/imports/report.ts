import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import { csvLine } from '../../lib/spreadsheet-cell.ts'
import { type Place, readKept } from '../activity/kept-rows.ts'
import { textOf } from './cells.ts'
import type { Cell } from './reading/table.ts'

/** Rows read at once. */
const PAGE = 2000

interface RejectedRow {
  line: number
  email: string | null
  input: Cell[] | null
  problem: { errors?: Record<string, string[]> } | null
}

/**
 * The rejected rows of an import as CSV: its own columns, and behind them `error`, so that they can be mended and come again.
 * Of people who were removed since, nothing is left.
 */
export async function* rejectedAsCsv(
  db: Queryable,
  accountId: number,
  importId: number,
  columns: readonly string[],
): AsyncGenerator<string> {
  yield csvLine([...columns, 'error'])
  const emailAt = columns.findIndex((name) => /e-?mail/i.test(name))
  for (let after = 0; ; ) {
    const rows = await db.query<RejectedRow>(sql`
      select line, email, input, problem from change_rows
      where account_id = ${accountId} and change_set_id = ${importId} and line > ${after} and action = 'rejected' and problem is not null
      order by line limit ${PAGE}`)
    if (rows.length === 0) return
    after = rows.at(-1)!.line
    yield rows
      .map(({ input, email, problem }) => {
        const cells = columns.map((_, at) => (input ? textOf(input[at]) : at === emailAt ? (email ?? '') : ''))
        return csvLine([...cells, errorText(problem?.errors ?? {})])
      })
      .join('')
  }
}

function errorText(errors: Record<string, string[]>): string {
  return Object.entries(errors)
    .map(([field, messages]) => (field === 'base' ? messages.join(', ') : `${field}: ${messages.join(', ')}`))
    .join('; ')
}

/** Whom the rows of an import were about, all of them, as CSV: in the order of `readKept`. */
export async function* peopleAsCsv(db: Queryable, accountId: number, importId: number): AsyncGenerator<string> {
  yield csvLine(['email', 'id', 'action', 'line'])
  for (let after: Place | undefined; ; ) {
    const { rows, next } = await readKept(db, accountId, importId, {
      after,
      limit: PAGE,
      ofSomebody: true,
      isBrief: true,
    })
    yield rows
      .map(({ email, contact_id, action, line }) =>
        csvLine([email ?? '', contact_id ?? '', action ?? '', String(line)]),
      )
      .join('')
    if (!next) return
    after = next
  }
}

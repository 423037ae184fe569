import type { TableRow } from './table.ts'

const ROWS_PER_BATCH = 1000
/** So that a batch of a wide table takes no more memory than one of a narrow table. */
const CELLS_PER_BATCH = 100_000

/** Rows as they come, in batches that are alike. */
export async function* inBatches(rows: AsyncIterable<TableRow[]>, columns: number): AsyncGenerator<TableRow[]> {
  const most = Math.max(1, Math.min(ROWS_PER_BATCH, Math.floor(CELLS_PER_BATCH / Math.max(columns, 1))))
  let batch: TableRow[] = []
  for await (const some of rows) {
    for (const row of some) {
      batch.push(row)
      if (batch.length < most) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

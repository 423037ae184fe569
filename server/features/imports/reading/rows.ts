import type { Cell, TableRow } from './table.ts'

const MOST_ROWS = 1000
/** In characters and cells, roughly: a batch of wide or long rows takes no more memory than one of short rows. */
const MOST_SIZE = 2 ** 21

/**
 * Rows as they come, in batches that are alike. The first has MOST_ROWS, as columns are judged by it; those after it `later`.
 */
export async function* inBatches(rows: AsyncIterable<TableRow[]>, later = MOST_ROWS): AsyncGenerator<TableRow[]> {
  let most = MOST_ROWS
  let batch: TableRow[] = []
  let size = 0
  for await (const some of rows) {
    for (const row of some) {
      batch.push(row)
      size += sizeOf(row.cells)
      if (batch.length < most && size < MOST_SIZE) continue
      yield batch
      most = later
      batch = []
      size = 0
    }
  }
  if (batch.length > 0) yield batch
}

function sizeOf(cells: readonly Cell[]): number {
  let size = cells.length * 8
  for (const cell of cells) {
    if (typeof cell === 'string') size += cell.length
    else if (typeof cell === 'object' && cell !== null) size += JSON.stringify(cell).length
  }
  return size
}

import { restore } from '../../../lib/spreadsheet-cell.ts'
import { type Archive, inflateAll, openArchive, withArchive } from './archive.ts'
import { layOut } from './header.ts'
import { inBatches } from './rows.ts'
import { type CellContext, readSheetRows, type SheetRow } from './sheet-rows.ts'
import type { Bytes } from './source-bytes.ts'
import type { FormatAsked, OpenedTable, TableRow } from './table.ts'
import {
  chooseSheet,
  readSharedStrings,
  readStyles,
  readWorkbook,
  type Sheet,
  visibleNames,
  type Workbook,
} from './workbook.ts'

/** How many rows are looked at for the header and, without one, for the number of columns. */
const FIRST_ROWS = 100

export interface XlsxLimits {
  inflatedBytes: number
  /** Where the workbook is copied to while it is read. */
  spoolFolder: string
}

/** Checks all of the workbook's zip, and reads its first rows. */
export async function openXlsx(bytes: Bytes, asked: FormatAsked, limits: XlsxLimits): Promise<OpenedTable> {
  return withArchive(bytes, limits.spoolFolder, limits.inflatedBytes, async (archive) => {
    await inflateAll(archive)
    const workbook = await readWorkbook(archive)
    const sheet = chooseSheet(workbook.sheets, asked.sheet)
    const first = await firstRows(archive, workbook, sheet)
    const layout = layOut(first.map(restored), asked.header)
    const width = layout.columns.length
    return {
      detected: {
        format: 'xlsx',
        encoding: null,
        encoding_guess: null,
        delimiter: null,
        header: layout.header,
        header_line: layout.headerLine,
        sheet: sheet.name,
        sheets: visibleNames(workbook.sheets),
        columns: width,
      },
      columns: layout.columns,
      rows: () => inBatches(readRows(bytes, sheet.name, limits, layout.skipped, width)),
    }
  })
}

async function firstRows(archive: Archive, workbook: Workbook, sheet: Sheet): Promise<SheetRow[]> {
  const first: SheetRow[] = []
  for await (const rows of readSheetRows(archive.read(sheet.part), await readContext(archive, workbook))) {
    for (const row of rows) first.push(row)
    if (first.length >= FIRST_ROWS) break
  }
  return first
}

async function* readRows(
  bytes: Bytes,
  sheetName: string,
  limits: XlsxLimits,
  skipped: number,
  columns: number,
): AsyncGenerator<TableRow[]> {
  const { archive, close } = await openArchive(bytes, limits.spoolFolder, limits.inflatedBytes)
  try {
    const workbook = await readWorkbook(archive)
    const { part } = chooseSheet(workbook.sheets, sheetName)
    let above = skipped
    for await (const rows of readSheetRows(archive.read(part), await readContext(archive, workbook))) {
      const body = rows.slice(above)
      above = Math.max(0, above - rows.length)
      yield body.map((row) => toTableRow(row, columns))
    }
  } finally {
    await close()
  }
}

async function readContext(
  archive: Archive,
  { is1904, sharedStringsPart, stylesPart }: Workbook,
): Promise<CellContext> {
  return {
    is1904,
    meanings: stylesPart === null ? [] : await readStyles(archive, stylesPart),
    strings: sharedStringsPart === null ? [] : await readSharedStrings(archive, sharedStringsPart),
  }
}

function toTableRow(row: SheetRow, columns: number): TableRow {
  const { line, cells, width } = restored(row)
  if (width <= columns) return { line, cells }
  return { line, cells, problem: `has ${width} cells, but there are ${columns} columns` }
}

/** The same row, its texts as they were before a spreadsheet was kept from them. */
function restored(row: SheetRow): SheetRow {
  const { cells } = row
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at]
    if (typeof cell === 'string' && cell.charCodeAt(0) === 0x27) cells[at] = restore(cell)
  }
  return row
}

import { restore } from '../../../lib/spreadsheet-cell.ts'
import { type Archive, inflateAll, openArchive, withArchive } from './archive.ts'
import { checkWidth, looksLikeHeader, nameColumns, numberColumns } from './header.ts'
import { inBatches } from './rows.ts'
import { type CellContext, readSheetRows, type SheetRow } from './sheet-rows.ts'
import type { Bytes } from './source-bytes.ts'
import type { Cell, FormatAsked, OpenedTable, TableRow } from './table.ts'
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
    const header = asked.header ?? looksLikeHeader(first[0]?.cells ?? [])
    const width = header ? (first[0]?.width ?? 0) : first.reduce((most, row) => Math.max(most, row.width), 0)
    checkWidth(width)
    const columns = header ? nameColumns((first[0]?.cells ?? []).map(restored)) : numberColumns(width)
    return {
      detected: {
        format: 'xlsx',
        encoding: null,
        encoding_guess: null,
        delimiter: null,
        header,
        sheet: sheet.name,
        sheets: visibleNames(workbook.sheets),
        columns: width,
      },
      columns,
      rows: () => inBatches(readRows(bytes, sheet.name, limits, header, width), width),
    }
  })
}

async function firstRows(archive: Archive, workbook: Workbook, sheet: Sheet): Promise<SheetRow[]> {
  const first: SheetRow[] = []
  for await (const rows of readSheetRows(archive.read(sheet.part), await readContext(archive, workbook))) {
    first.push(...rows)
    if (first.length >= FIRST_ROWS) break
  }
  return first
}

async function* readRows(
  bytes: Bytes,
  sheetName: string,
  limits: XlsxLimits,
  header: boolean,
  width: number,
): AsyncGenerator<TableRow[]> {
  const { archive, close } = await openArchive(bytes, limits.spoolFolder, limits.inflatedBytes)
  try {
    const workbook = await readWorkbook(archive)
    const { part } = chooseSheet(workbook.sheets, sheetName)
    let isHeader = header
    for await (const rows of readSheetRows(archive.read(part), await readContext(archive, workbook))) {
      const body = isHeader ? rows.slice(1) : rows
      isHeader = false
      yield body.map((row) => toTableRow(row, width))
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

function toTableRow({ line, cells, width }: SheetRow, columns: number): TableRow {
  for (let at = 0; at < cells.length; at++) cells[at] = restored(cells[at]!)
  if (width <= columns) return { line, cells }
  return { line, cells, problem: `has ${width} cells, but there are ${columns} columns` }
}

function restored(cell: Cell): Cell {
  return typeof cell === 'string' && cell.charCodeAt(0) === 0x27 ? restore(cell) : cell
}

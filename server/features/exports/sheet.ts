import { PassThrough, Readable } from 'node:stream'
import yazl from 'yazl'
import { AppError } from '../../lib/app-error.ts'
import { defuse } from '../../lib/spreadsheet-cell.ts'
import type { Kind } from './columns.ts'

/** Of a sheet, the header included. */
export const MOST_ROWS = 1_048_576
const LONGEST_CELL = 32_767

interface SheetColumn {
  name: string
  kind: Kind
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'

/** Style 0 is for all, 1 for days, 2 for moments, 3 for the header. */
const [DAY, MOMENT, HEADER] = [1, 2, 3]

const PARTS: Record<string, string> = {
  '[Content_Types].xml': `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`,
  '_rels/.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  'xl/workbook.xml': `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="Contacts" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  'xl/_rels/workbook.xml.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${OFFICE}/styles" Target="styles.xml"/></Relationships>`,
  'xl/styles.xml': `${XML}<styleSheet xmlns="${MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>`,
}

/** An XLSX file of one sheet, written as its rows come: JSON arrays of typed values, one a line. */
export function sheetOf(lines: AsyncIterable<Buffer>, columns: readonly SheetColumn[], raw: boolean): Readable {
  const zip = new yazl.ZipFile()
  const output = new PassThrough()
  const fail = (error: Error) => output.destroy(error)
  zip.on('error', fail)
  for (const [name, text] of Object.entries(PARTS)) zip.addBuffer(Buffer.from(text), name)
  const sheet = Readable.from(sheetXml(lines, columns, raw), { objectMode: false })
  sheet.on('error', fail)
  zip.addReadStream(sheet, 'xl/worksheets/sheet1.xml', { compressionLevel: 1 })
  zip.outputStream.on('error', fail).pipe(output)
  zip.end()
  output.on('close', () => sheet.destroy())
  return output
}

async function* sheetXml(lines: AsyncIterable<Buffer>, columns: readonly SheetColumn[], raw: boolean) {
  // The first row stays in sight.
  yield `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
  yield `<row>${columns.map(({ name }) => textCell(name, HEADER)).join('')}</row>`
  for await (const batch of linesOf(lines))
    if (batch.length > 0) yield batch.map((line) => rowOf(JSON.parse(line), columns, raw)).join('')
  yield '</sheetData></worksheet>'
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    yield lines
  }
}

type Value = string | number | boolean | number[] | null

function rowOf(values: Value[], columns: readonly SheetColumn[], raw: boolean): string {
  return `<row>${values.map((value, at) => cellOf(value, columns[at]!, raw)).join('')}</row>`
}

function cellOf(value: Value, { name, kind }: SheetColumn, raw: boolean): string {
  if (value === null) return '<c/>'
  if (typeof value === 'number') return `<c><v>${value}</v></c>`
  if (typeof value === 'boolean') return `<c t="b"><v>${value ? 1 : 0}</v></c>`
  if (Array.isArray(value)) return textCell(value.join(','))
  const serial = kind === 'date' || kind === 'moment' ? serialOf(value) : undefined
  if (serial !== undefined) return `<c s="${kind === 'date' ? DAY : MOMENT}"><v>${serial}</v></c>`
  const text = raw ? value : defuse(value)
  if (text.length > LONGEST_CELL)
    throw new AppError(
      'conflict',
      `a cell in ${name} is longer than the ${LONGEST_CELL} characters that XLSX takes: choose csv`,
    )
  return textCell(text)
}

const DAY_MS = 86_400_000
/** 1 March 1900, where a sheet's days begin to be those of the calendar: it holds 1900 for a leap year. */
const FIRST_DAY_MS = Date.UTC(1900, 2, 1)
const EPOCH_MS = Date.UTC(1899, 11, 30)

/** Days since the end of 1899, as a sheet counts them; undefined for days before those that it knows, which stay text. */
function serialOf(iso: string): number | undefined {
  const ms = Date.parse(iso)
  return ms >= FIRST_DAY_MS ? (ms - EPOCH_MS) / DAY_MS : undefined
}

function textCell(text: string, style?: number): string {
  return `<c t="inlineStr"${style === undefined ? '' : ` s="${style}"`}><is><t xml:space="preserve">${escaped(text)}</t></is></c>`
}

const SPECIAL: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** XML holds no control characters; a sheet writes them, and line ends that XML would change, as `_x000D_`. */
function escaped(text: string): string {
  return text
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replace(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      /[\x00-\x08\x0b-\x1f\ufffe\uffff]/g,
      (found) => `_x${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`,
    )
    .replace(/[&<>]/g, (found) => SPECIAL[found]!)
}

import type { TableFormat } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

const SAVE_AS = 'save the table as CSV or XLSX'

/** Signatures in latin1, of what people upload by mistake. */
const FOREIGN: readonly (readonly [signature: RegExp, what: string])[] = [
  [/^\x89PNG\r\n/, 'a PNG picture'],
  [/^\xff\xd8\xff/, 'a JPEG picture'],
  [/^GIF8[79]a/, 'a GIF picture'],
  [/^%PDF-/, 'a PDF document'],
  [/^\{\\rtf/, 'an RTF document'],
  [/^Rar![^\w\s,;|"]/, 'a RAR archive'],
  [/^7z\xbc\xaf/, 'a 7-Zip archive'],
  [/^BZh[1-9]1AY&SY/, 'a bzip2 archive'],
  [/^\xfd7zXZ/, 'an xz archive'],
  [/^\x28\xb5\x2f\xfd/, 'a Zstandard archive'],
  [/^PAR1[^\w\s,;|"]/, 'a Parquet file'],
  [/^SQLite format 3\0/, 'a SQLite database'],
  [/^\x7fELF|^MZ[\x90\0]/, 'a program'],
  [/^BEGIN:VCARD/i, 'a vCard file'],
]

const OLE = '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'

/** A text has tabs and line ends, rarely a form feed; more than this share of other control characters is no text. */
const MOST_CONTROL = 0.02

/**
 * What a file is, by its first bytes after any gzip. Throws UnreadableFile for what can't be a table, by what it is.
 *
 * @param isWhole The head is the whole file.
 */
export function identify(head: Buffer, isWhole: boolean): TableFormat {
  if (head.length === 0) throw new UnreadableFile('The file is empty')
  const start = head.toString('latin1')
  const known = FOREIGN.find(([signature]) => signature.test(start))
  if (known) throw new UnreadableFile(`The file is ${known[1]}, not a table; ${SAVE_AS}`)
  if (start.startsWith('\x1f\x8b')) throw new UnreadableFile('The file is compressed twice; compress it once')
  if (start.startsWith(OLE)) throw oleFailure(start)
  if (start.startsWith('PK\x03\x04') || start.startsWith('PK\x05\x06')) return 'xlsx'
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|table|\?xml)/i.test(start)) {
    throw new UnreadableFile(`The file is a page of HTML or XML, whatever its name says; ${SAVE_AS}`)
  }
  return jsonFormat(head, isWhole) ?? 'csv'
}

/** Old .xls files, and encrypted .xlsx ones, share a container, whose streams are named in UTF-16. */
function oleFailure(start: string): UnreadableFile {
  const isEncrypted = start.includes('E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0')
  return isEncrypted
    ? new UnreadableFile('The workbook is encrypted; save it without a password')
    : new UnreadableFile(
        'The file is in the format of Excel before 2007 (.xls) or another old document; save it as XLSX',
      )
}

/**
 * Whether bytes that are in an encoding of one byte for ASCII are something else than text. NULs by themselves don't count:
 * some programs pad with them, and each row that has one says so.
 */
export function looksBinary(head: Buffer): boolean {
  let control = 0
  let nul = 0
  for (const byte of head) {
    if (byte === 0) nul++
    else if (byte < 32 && (byte < 9 || byte > 13) && byte !== 0x1a) control++
  }
  return control > head.length * MOST_CONTROL || nul > head.length / 4
}

/** JSON begins with a brace or bracket and something that only JSON has behind it; a CSV's first name may be `[id]`. */
function jsonFormat(head: Buffer, isWhole: boolean): 'json' | 'ndjson' | null {
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  if (/^\[\s*([{\]]|$)/.test(text)) return 'json'
  if (!/^\{\s*("|\}|$)/.test(text)) return null
  const end = text.indexOf('\n')
  const firstLine = end === -1 ? text : text.slice(0, end)
  const isOneLine = text.slice(firstLine.length).trim() === ''
  if (isOneLine && (!isWhole || /"contacts"\s*:\s*\[/.test(firstLine))) return 'json'
  // An object over many lines is a document; one that ends with its line is the first of many.
  return isOneLine || /\}\s*$/.test(firstLine) ? 'ndjson' : 'json'
}

import { posix } from 'node:path'
import type { Archive } from './archive.ts'
import { meaningOf, type NumberMeaning } from './number-formats.ts'
import { UnreadableFile } from './unreadable.ts'
import { attribute, readXml } from './xml.ts'

export interface Sheet {
  name: string
  isHidden: boolean
  part: string
}

export interface Workbook {
  sheets: readonly Sheet[]
  is1904: boolean
  sharedStringsPart: string | null
  stylesPart: string | null
}

/** Texts that cells refer to by number. A million people with five columns of texts that differ have this many. */
const MOST_SHARED = 5_000_000
/** In characters, so that they fit into the memory of a worker. */
const MOST_SHARED_TEXT = 128 * 2 ** 20
const MOST_STYLES = 100_000
/** In characters; Excel's cells hold 32,767. */
const LONGEST_TEXT = 2 ** 20

/** Which sheets there are, in their order, and where the parts of a workbook are. Throws UnreadableFile when it is none. */
export async function readWorkbook(archive: Archive): Promise<Workbook> {
  const root = await readRelations(archive, '')
  const part = root.find(({ type }) => type === 'officeDocument')?.target
  if (part === undefined || !archive.has(part)) throw notWorkbook(archive)
  if (/\.bin$/i.test(part)) throw new UnreadableFile('The workbook is in the binary format (.xlsb); save it as XLSX')

  const relations = await readRelations(archive, part)
  const partOf = new Map(relations.map(({ id, target }) => [id, target]))
  const sheetIds = new Set(relations.filter(({ type }) => type === 'worksheet').map(({ id }) => id))
  const find = (type: string) => relations.find((relation) => relation.type === type)?.target
  const existing = (target: string | undefined) => (target !== undefined && archive.has(target) ? target : null)

  const sheets: Sheet[] = []
  let is1904 = false
  let isWorkbook = false
  await readXml(archive.read(part), {
    open: (name, attributes) => {
      if (name === 'workbook') isWorkbook = true
      if (name === 'workbookPr') is1904 = isTrue(attributes.date1904)
      if (name !== 'sheet' || attributes.name === undefined) return
      const id = attribute(attributes, 'id') ?? ''
      const isHidden = attributes.state === 'hidden' || attributes.state === 'veryHidden'
      if (sheetIds.has(id)) sheets.push({ name: attributes.name, isHidden, part: partOf.get(id) ?? '' })
    },
  })
  if (!isWorkbook) throw notWorkbook(archive)
  return {
    sheets,
    is1904,
    sharedStringsPart: existing(find('sharedStrings')),
    stylesPart: existing(find('styles')),
  }
}

/** The sheet asked for by name, else the first that can be seen. Throws UnreadableFile, with the names there are. */
export function chooseSheet(sheets: readonly Sheet[], asked: string | undefined): Sheet {
  if (asked !== undefined) {
    const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase()
    const found = sheets.find(({ name }) => name === asked) ?? sheets.find(({ name }) => same(name, asked))
    if (found) return found
    const names = visibleNames(sheets)
      .slice(0, 20)
      .map((name) => `'${name}'`)
    throw new UnreadableFile(`The workbook has no sheet '${asked.slice(0, 100)}'; it has ${names.join(', ')}`)
  }
  const first = sheets.find(({ isHidden }) => !isHidden) ?? sheets[0]
  if (!first) throw new UnreadableFile('The workbook has no sheet with cells')
  return first
}

export function visibleNames(sheets: readonly Sheet[]): string[] {
  return sheets.filter(({ isHidden }) => !isHidden).map(({ name }) => name)
}

/** What numbers stand for, by the style of their cell. */
export async function readStyles(archive: Archive, part: string): Promise<NumberMeaning[]> {
  const codes = new Map<number, string>()
  const meanings: NumberMeaning[] = []
  let isInCells = false
  await readXml(archive.read(part), {
    open: (name, attributes) => {
      if (name === 'numFmt' && codes.size < MOST_STYLES)
        codes.set(Number(attributes.numFmtId), attributes.formatCode ?? '')
      else if (name === 'cellXfs') isInCells = true
      else if (name === 'xf' && isInCells && meanings.length < MOST_STYLES) {
        const id = Number(attributes.numFmtId ?? 0)
        meanings.push(meaningOf(id, codes.get(id)))
      }
    },
    close: (name) => {
      if (name === 'cellXfs') isInCells = false
    },
  })
  return meanings
}

/** The texts that cells refer to, without their formatting and without the readings of Japanese names beside them. */
export async function readSharedStrings(archive: Archive, part: string): Promise<string[]> {
  const strings: string[] = []
  let text = ''
  let total = 0
  let isText = false
  let isReading = false
  await readXml(archive.read(part), {
    open: (name) => {
      if (name === 'si') text = ''
      else if (name === 'rPh') isReading = true
      else if (name === 't') isText = !isReading
    },
    text: (more) => {
      if (isText) text = addText(text, more)
    },
    close: (name) => {
      if (name === 't') isText = false
      else if (name === 'rPh') isReading = false
      else if (name === 'si') {
        total += text.length
        if (strings.length >= MOST_SHARED || total > MOST_SHARED_TEXT) {
          throw new UnreadableFile('The workbook has more different texts than fit into memory; save it as CSV')
        }
        strings.push(unescapeText(text))
      }
    },
  })
  return strings
}

/** A cell's text with more of it. Throws UnreadableFile when it is longer than any spreadsheet's can be. */
export function addText(text: string, more: string): string {
  if (text.length + more.length > LONGEST_TEXT) {
    throw new UnreadableFile('A cell of the workbook is far too long; save it as CSV')
  }
  return text + more
}

/** Characters that XML can't hold stand in a workbook as `_x000D_`. Those that a text can't hold either stay so. */
export function unescapeText(text: string): string {
  if (!text.includes('_x')) return text
  return text.replace(/_x([0-9a-f]{4})_/gi, (escaped, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code === 0 || (code >= 0xd800 && code <= 0xdfff) ? escaped : String.fromCharCode(code)
  })
}

interface Relation {
  id: string
  /** The last word of its address, which Transitional and Strict have in common. */
  type: string
  target: string
}

async function readRelations(archive: Archive, part: string): Promise<Relation[]> {
  const folder = posix.dirname(part === '' ? 'x' : part)
  const path = posix.join(folder, '_rels', `${posix.basename(part)}.rels`)
  if (!archive.has(path)) {
    if (part === '') throw notWorkbook(archive)
    return []
  }
  const relations: Relation[] = []
  await readXml(archive.read(path), {
    open: (name, attributes) => {
      if (name !== 'Relationship' || attributes.TargetMode === 'External') return
      const target = attributes.Target ?? ''
      relations.push({
        id: attributes.Id ?? '',
        type: (attributes.Type ?? '').split('/').at(-1) ?? '',
        target: target.startsWith('/') ? target.slice(1) : posix.join(folder, target),
      })
    },
  })
  return relations
}

function notWorkbook(archive: Archive): UnreadableFile {
  const names = archive.names()
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name))
  const what = has(/^word\//)
    ? 'a document of Word'
    : has(/^ppt\//)
      ? 'a presentation'
      : has(/\.iwa$|^Index\.zip$/)
        ? 'a document of Numbers or Pages'
        : has(/^content\.xml$/)
          ? 'an OpenDocument file'
          : null
  return what === null
    ? new UnreadableFile('The file is a ZIP archive, not a workbook; unpack it and upload the file inside')
    : new UnreadableFile(`The file is ${what}, not an XLSX workbook; save the table as CSV or XLSX`)
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true'
}

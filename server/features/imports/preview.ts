import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { guessType } from '../fields/coerce.ts'
import { MOST_FIELDS } from '../fields/intake.ts'
import { textOf } from './cells.ts'
import { isAmbiguous } from './column-styles.ts'
import { readGround } from './ground.ts'
import type { ImportOptions } from './options.ts'
import { tooManyFields } from './plan.ts'
import { guessKind, type Kind } from './reading/kinds.ts'
import { type Cell, type Detected, openTable, type TableRow } from './reading/table.ts'
import { mappingFaults, type Target, Targets } from './targets.ts'

/** Rows looked at. */
const LOOKED_AT = 1000
const SAMPLES = 5
const LONGEST_SAMPLE = 120

export interface PreviewAsked {
  fileKey: string
  fileName: string | null
  options: ImportOptions
}

export interface PreviewColumn {
  name: string
  target: Target
  /** Of the values that were looked at. */
  kind: Kind | null
  samples: string[]
  filled: number
  /** Whether its dates could be read in two ways. */
  ambiguous: boolean
}

export interface FilePreview {
  detected: Detected
  columns: PreviewColumn[]
  rowsSeen: number
  /** Whether those were all. */
  isWhole: boolean
  /** What is wrong with the options, now that the columns are known. */
  mappingFaults: string[]
}

/** Looks at the beginning of a file: what it is, its columns, and where each would go. Throws UnreadableFile. */
export async function previewFile({
  db,
  files,
  accountId,
  fileKey,
  fileName,
  options,
}: PreviewAsked & {
  db: Database
  files: FileStore
  accountId: number
}): Promise<FilePreview> {
  const ground = await readGround(db, accountId)
  const table = await openTable({ open: () => files.read(fileKey), name: fileName }, options)
  const rows: TableRow[] = []
  let isWhole = true
  for await (const batch of table.rows()) {
    rows.push(...batch.slice(0, LOOKED_AT - rows.length))
    if (rows.length < LOOKED_AT) continue
    isWhole = false
    break
  }
  const mapping = options.field_mapping ?? {}
  const targets = new Targets({ fields: ground.fields, unknown: ground.settings.unknown_fields, mapping })
  const isTyped = table.detected.format === 'ndjson' || table.detected.format === 'json'
  const columns = table.columns.map((name, at): PreviewColumn => {
    const cells = rows.map((row) => row.cells[at] ?? null).filter((cell) => cell !== null && cell !== '')
    const isNameless = /^Column \d+$/.test(name) && table.detected.header && cells.length === 0
    const target = targets.of(name, isTyped ? (guessType(cells[0]) ?? 'text') : 'text', isNameless)
    const kind = guessKind(cells)
    return {
      name,
      target,
      kind,
      samples: [...new Set(cells.map(shown))].slice(0, SAMPLES),
      filled: cells.length,
      ambiguous: options.date_order === undefined && isAmbiguous(target, cells),
    }
  })
  const known = new Set(table.columns.map((name) => name.trim().toLowerCase()))
  const unknown = Object.keys(mapping).filter((name) => !known.has(name.trim().toLowerCase()))
  const faults = mappingFaults(mapping, ground.fields)
  if (unknown.length > 0)
    faults.push(
      `${unknown.join(', ')}: not a column of the file, which has ${[...table.columns].slice(0, 30).join(', ')}`,
    )
  if (targets.newFields.length > 0 && ground.fields.active.length + targets.newFields.length > MOST_FIELDS)
    faults.push(tooManyFields(targets.newFields.length))
  return { detected: table.detected, columns, rowsSeen: rows.length, isWhole, mappingFaults: faults }
}

function shown(cell: Cell): string {
  const text = textOf(cell)
  return text.length > LONGEST_SAMPLE ? `${text.slice(0, LONGEST_SAMPLE).toWellFormed()}…` : text
}

import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { invalid, type Messages } from '../../lib/app-error.ts'
import { isObject } from '../../lib/json.ts'
import { guessType } from '../fields/coerce.ts'
import { ColumnStyles } from './column-styles.ts'
import { readGround } from './ground.ts'
import { RowReader } from './row-reader.ts'
import { Targets } from './targets.ts'

export const MOST_CONTACTS = 50_000

/** Checked between two looks at other requests. */
const AT_ONCE = 1000

/** Faults told: whoever sends 50,000 wrong rows mends a kind of fault at a time. */
const MOST_TOLD = 1000

const KEYS = [
  'email',
  'external_id',
  'fields',
  'tags',
  'list_ids',
  'list_ids_included',
  'list_ids_excluded',
  'unsubscribed',
  'state',
]

/** What is wrong with contacts of a JSON body: as official clients expect it, one entry for each. */
export class RowErrors extends Error {
  readonly rows: { email: string; errors: Messages }[]

  constructor(rows: { email: string; errors: Messages }[]) {
    super('invalid contacts')
    this.rows = rows
  }
}

/**
 * Checks the contacts of a JSON body, all of them, as the import itself will; keeps them as a file of one JSON object a
 * line. Throws RowErrors, and `invalid` for what are no contacts.
 */
export async function receiveContacts(db: Database, files: FileStore, accountId: number, body: unknown) {
  const contacts = contactsIn(body)
  const ground = await readGround(db, accountId)
  const options = { match_by: 'email' as const }
  const targets = new Targets({ fields: ground.fields, unknown: ground.settings.unknown_fields, mapping: {} })
  const reader = new RowReader(
    options,
    ground,
    new ColumnStyles({}, new Map()),
    ground.settings.unknown_fields === 'reject',
  )
  const columns = new Map<string, number>()
  const wrong: { email: string; errors: Messages }[] = []
  const lines: string[] = []
  for (let at = 0; at < contacts.length && wrong.length < MOST_TOLD; at++) {
    if (at % AT_ONCE === 0) await setImmediate()
    const contact = contacts[at]
    const row = isObject(contact) ? rowOf(contact) : { problem: 'must be an object' }
    if ('problem' in row) {
      wrong.push({ email: emailOf(contact), errors: { base: [row.problem] } })
      continue
    }
    for (const [name, value] of row.cells) {
      if (columns.has(name)) continue
      columns.set(name, columns.size)
      reader.addColumn(name, targets.of(name, guessType(value) ?? 'text'))
    }
    const cells: (string | number | boolean | null | unknown[])[] = Array(columns.size).fill(null)
    for (const [name, value] of row.cells) cells[columns.get(name)!] = value as string
    const outcome = reader.read({ line: at + 1, cells })
    if ('errors' in outcome) wrong.push({ email: emailOf(contact), errors: officialErrors(outcome.errors) })
    else lines.push(`${JSON.stringify(contact)}\n`)
  }
  if (wrong.length > 0) throw new RowErrors(wrong)
  return keep(files, accountId, lines)
}

function contactsIn(body: unknown): unknown[] {
  const contacts = isObject(body) ? body.contacts : body
  if (!Array.isArray(contacts))
    throw invalid({ contacts: ['must be an array of contacts: {"contacts": [{"email": …}]}'] })
  if (contacts.length === 0) throw invalid({ contacts: ["can't be blank"] })
  if (contacts.length > MOST_CONTACTS)
    throw invalid({ base: ['contacts limit reached', `cannot import more than ${MOST_CONTACTS} contacts at once`] })
  return contacts
}

/** A contact as cells by name: the keys of `fields` beside its own. */
function rowOf(contact: Record<string, unknown>): { cells: [string, unknown][] } | { problem: string } {
  const { fields = {}, ...own } = contact
  const unknown = Object.keys(own).find((key) => !KEYS.includes(key))
  if (unknown !== undefined)
    return { problem: `${unknown.slice(0, 80)} is not a known key: there are ${KEYS.join(', ')}` }
  const values = Array.isArray(fields) && fields.length === 0 ? {} : (fields ?? {})
  if (!isObject(values)) return { problem: 'fields must be an object' }
  const given = Object.entries(values)
  const clash = given.find(([key]) => KEYS.includes(key))
  if (clash) return { problem: `fields can't have ${clash[0]}, which is a key of the contact itself` }
  return { cells: [...Object.entries(own), ...given] }
}

function emailOf(contact: unknown): string {
  return isObject(contact) && typeof contact.email === 'string' ? contact.email : ''
}

/** Where the official API says `list_ids`. */
function officialErrors({ lists, lists_left, ...errors }: Messages): Messages {
  const named = [...(lists ?? []), ...(lists_left ?? [])]
  return named.length > 0 ? { ...errors, list_ids: named } : errors
}

async function keep(files: FileStore, accountId: number, lines: string[]) {
  const fileKey = `${accountId}/uploads/${randomUUID()}`
  const hash = createHash('sha256')
  const fileBytes = await files.write(
    fileKey,
    Readable.from(
      (function* () {
        for (const line of lines) {
          hash.update(line)
          yield line
        }
      })(),
    ),
  )
  return { fileKey, fileName: null, fileBytes, fileSha256: hash.digest('hex') }
}

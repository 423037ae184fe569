import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { invalid, type Messages } from '../../lib/app-error.ts'
import { isObject } from '../../lib/json.ts'
import { guessType } from '../fields/coerce.ts'
import { MOST_FIELDS, tagProblem } from '../fields/intake.ts'
import { isEmpty } from './cells.ts'
import { ColumnStyles } from './column-styles.ts'
import { readGround } from './ground.ts'
import type { Ground } from './plan.ts'
import type { Cell } from './reading/table.ts'
import { RowReader } from './row-reader.ts'
import { OFFICIAL_KEYS, Targets } from './targets.ts'

export const MOST_CONTACTS = 50_000

/** Checked between two looks at other requests. */
const AT_ONCE = 1000

/** Faults told: whoever sends 50,000 wrong rows mends a kind of fault at a time. */
const MOST_TOLD = 1000

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
  const unknown = ground.settings.unknown_fields
  const targets = new Targets({ fields: ground.fields, unknown, mapping: {}, official: true })
  const spelt = new Spelling(ground)
  const reader = new RowReader(options, ground, new ColumnStyles({}, new Map()), unknown === 'reject')
  const columns = new Map<string, number>()
  const wrong: { email: string; errors: Messages }[] = []
  const lines: string[] = []
  for (let at = 0; at < contacts.length && wrong.length < MOST_TOLD; at++) {
    if (at % AT_ONCE === 0) await setImmediate()
    const contact = contacts[at]
    const row = isObject(contact) ? spelt.rowOf(contact) : { errors: { base: ['must be an object'] } }
    if ('errors' in row) {
      wrong.push({ email: emailOf(contact), errors: row.errors })
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
    else lines.push(`${JSON.stringify(row.kept)}\n`)
  }
  if (wrong.length > 0) throw new RowErrors(wrong)
  const { newFields } = targets
  if (newFields.length > 0 && ground.fields.active.length + newFields.length > MOST_FIELDS)
    throw invalid({ fields: [`would become more than ${MOST_FIELDS}, the most an account can have`] })
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

/** Brings contacts into one form, as the API would take them one by one. */
class Spelling {
  readonly #ground: Ground
  readonly #listIds: ReadonlySet<unknown>
  readonly #tags = new Map<string, string>()

  constructor(ground: Ground) {
    this.#ground = ground
    this.#listIds = new Set(ground.lists.map(({ id }) => id))
  }

  /**
   * A contact as cells by name, the keys of `fields` beside its own, and as it is kept: what is empty changes nothing and is
   * left out, as are lists that are not there and nobody is to be in.
   */
  rowOf(
    contact: Record<string, unknown>,
  ): { cells: [string, unknown][]; kept: Record<string, unknown> } | { errors: Messages } {
    const { fields: given = {}, ...own } = contact
    const stray = Object.keys(own).find((key) => !OFFICIAL_KEYS.includes(key))
    if (stray !== undefined)
      return { errors: { base: [`${stray.slice(0, 80)} is not a known key: there are ${OFFICIAL_KEYS.join(', ')}`] } }
    const values = Array.isArray(given) && given.length === 0 ? {} : (given ?? {})
    if (!isObject(values)) return { errors: { base: ['fields must be an object'] } }
    const { list_ids_excluded: excluded } = own
    if (Array.isArray(excluded))
      own.list_ids_excluded = excluded.filter((id) => typeof id !== 'number' || this.#listIds.has(id))
    const both = [own.list_ids, own.list_ids_included]
      .flat()
      .filter((id) => id !== undefined && [own.list_ids_excluded].flat().includes(id))
    if (both.length > 0)
      return { errors: { base: [`same list_ids ${both.join(', ')} are specified both as included and excluded`] } }
    const errors: Messages = {}
    const fields = new Map<string, unknown>()
    for (const [key, value] of Object.entries(values)) {
      if (isEmpty(value as Cell) && this.#ground.settings.unknown_fields !== 'reject') continue
      const tag = this.#tagOf(key)
      const problem = fields.has(tag) ? 'is given twice, in different letter case' : this.#problemOf(tag)
      if (problem !== null) errors[key] = [problem]
      else fields.set(tag, value)
    }
    if (Object.keys(errors).length > 0) return { errors }
    const settled = Object.entries(own).filter(([, value]) => !isEmpty(value as Cell))
    return {
      cells: [...settled, ...fields],
      kept: { ...Object.fromEntries(settled), fields: Object.fromEntries(fields) },
    }
  }

  /** Letter case makes no other field: all contacts have the one in which it is defined, or stands first. */
  #tagOf(key: string): string {
    const field = this.#ground.fields.tagged(key)
    if (field) return field.mergeTag
    const lower = key.toLowerCase()
    const known = this.#tags.get(lower)
    if (known !== undefined) return known
    this.#tags.set(lower, key)
    return key
  }

  #problemOf(tag: string): string | null {
    const { fields, settings } = this.#ground
    return fields.tagged(tag) || settings.unknown_fields !== 'create' ? null : tagProblem(tag)
  }
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

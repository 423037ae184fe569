import { type Messages, tell } from '../../lib/app-error.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { copyOf } from '../../lib/text.ts'
import { coerceValue } from '../fields/coerce.ts'
import type { FieldValue } from '../fields/definition.ts'
import type { State } from '../subscriptions/states.ts'
import {
  isEmpty,
  itemsOf,
  type Read,
  readExternalId,
  readIp,
  readSource,
  readState,
  readTags,
  textOf,
} from './cells.ts'
import type { ColumnStyles } from './column-styles.ts'
import { readMoment } from './moments.ts'
import type { ImportOptions, Rule } from './options.ts'
import type { Ground } from './plan.ts'
import { firstAddress, readMailbox, splitName, trimCell } from './reading/cell-rules.ts'
import type { Cell, TableRow } from './reading/table.ts'
import type { Attribute, FieldTarget, Target } from './targets.ts'

/** A row that can be merged. */
export interface Staged {
  line: number
  /** By what the person is found: their address, or the external id where people are matched by that. */
  key: string
  /** Where the key is not the address. */
  email: string | null
  /** Under the fields' keys; null unsets. */
  fields: Record<string, FieldValue | null>
  tags: readonly string[] | null
  /** By list id: true to be in it, false to be out of it. */
  lists: Record<string, boolean> | null
  more: More | null
}

/** What few files say. */
export interface More {
  external_id?: string
  state?: State
  created_at?: string
  consent?: { at?: string; ip?: string; source?: string }
}

export type Outcome = { staged: Staged } | { errors: Messages }

/** What values stand for: as they are written, else without regard to case and outer spaces. */
type Mending = ReadonlyMap<string, string | null>

function mendingFrom(mapping: Readonly<Record<string, string | null>>): Mending {
  const entries = Object.entries(mapping)
  return new Map([...entries.map(([value, becomes]) => [plainOf(value), becomes] as const), ...entries])
}

function plainOf(text: string): string {
  return text.trim().toLowerCase()
}

function mended(mapping: Mending, cell: Cell): Cell {
  if (cell === null || typeof cell === 'object') return cell
  const text = String(cell)
  const becomes = mapping.get(text) ?? mapping.get(plainOf(text))
  return becomes === undefined && !mapping.has(text) && !mapping.has(plainOf(text)) ? cell : (becomes ?? null)
}

interface Column {
  name: string
  target: Target
  mending: Mending | undefined
  rules: readonly Rule[]
}

/** Cells of tags remembered. */
const MOST_TAGS = 1000

/** Turns rows of a file into what can be merged, or into everything that is wrong with them. Pure: knows no database. */
export class RowReader {
  readonly #options: ImportOptions
  readonly #lists: ReadonlyMap<string, { id: number; smart: boolean }>
  readonly #listIds: ReadonlyMap<number, { id: number; smart: boolean }>
  readonly #columns: Column[] = []
  /** Of the columns, in which they are read; undefined where one has come since the last row. */
  #order: readonly number[] | undefined
  readonly #tags = new Map<string, Read<readonly string[]>>()
  readonly #firstNameKey: string | undefined
  readonly #lastNameKey: string | undefined
  readonly #unknownIsAFault: boolean
  readonly styles: ColumnStyles

  /** @param ground What is measured against; `rejectUnknown`: whether a value without a field is a fault of its row. */
  constructor(options: ImportOptions, ground: Ground, styles: ColumnStyles, rejectUnknown: boolean) {
    this.#options = options
    this.#unknownIsAFault = rejectUnknown
    this.styles = styles
    this.#lists = new Map(ground.lists.map((list) => [list.name.toLowerCase(), list]))
    this.#listIds = new Map(ground.lists.map((list) => [list.id, list]))
    this.#firstNameKey = ground.fields.tagged('first_name')?.key
    this.#lastNameKey = ground.fields.tagged('last_name')?.key
  }

  /** Says where the next column goes; those of JSON come to be known while rows are read. */
  addColumn(name: string, target: Target): void {
    const { value_mapping = {}, rules = {} } = this.#options
    const tag = target.to === 'field' ? target.field.mergeTag : target.to
    // Both ways of naming a column may be in use at once; what is said by its own name goes before.
    const mapping = { ...ownOf(value_mapping, tag), ...ownOf(value_mapping, name) }
    this.#columns.push({
      name,
      target,
      mending: Object.keys(mapping).length > 0 ? mendingFrom(mapping) : undefined,
      rules: [...new Set([...(ownOf(rules, name) ?? []), ...(ownOf(rules, tag) ?? [])])],
    })
    this.#order = undefined
  }

  /**
   * Fields in the order in which `jsonb` keeps their keys: else PostgreSQL sorts those of each row, a fourteenth of the time of its COPY.
   * In the file's order where a column speaks for others, as a full name does: of two the later counts.
   */
  #inOrder(): readonly number[] {
    const all = this.#columns.map((_, at) => at)
    if (this.#columns.some(({ target, rules }) => target.to === 'full_name' || rules.length > 0)) return all
    const keys = this.#columns.map(({ target }) => (target.to === 'field' ? target.field.key : ''))
    const byKey = (one: string, other: string) => one.length - other.length || (one < other ? -1 : one > other ? 1 : 0)
    return all.sort((a, b) => byKey(keys[a]!, keys[b]!) || a - b)
  }

  get columns(): readonly { name: string; target: Target }[] {
    return this.#columns
  }

  /** The file's column that an error is about. */
  columnOf(field: string): number {
    return this.#columns.findIndex(({ name, target }) =>
      target.to === 'field'
        ? target.field.mergeTag === field
        : target.to === field || (target.to === 'nothing' && name === field),
    )
  }

  read(row: TableRow): Outcome {
    const errors: Messages = {}
    if (row.problem !== undefined) return { errors: { base: [row.problem] } }
    const found: Found = {
      fields: {},
      email: undefined,
      externalId: undefined,
      tags: null,
      lists: null,
      more: {},
      name: undefined,
    }
    this.#order ??= this.#inOrder()
    for (const at of this.#order) {
      const column = this.#columns[at]!
      if (column.target.to === 'nothing' && !this.#unknownIsAFault) continue
      this.#cell(column, at, row.cells[at] ?? null, found, errors)
    }
    if (found.name) this.#name(found.name, found, errors)
    const { email, externalId } = found
    const byId = this.#options.match_by === 'external_id'
    if (!byId && email === undefined && !errors.email) errors.email = ["can't be blank"]
    if (byId && externalId === undefined && !errors.external_id) errors.external_id = ["can't be blank"]
    if (Object.keys(errors).length > 0) return { errors }
    if (externalId !== undefined && !byId) found.more.external_id = externalId
    return {
      staged: {
        line: row.line,
        key: byId ? externalId! : email!,
        email: byId ? (email ?? null) : null,
        fields: found.fields,
        tags: found.tags,
        lists: found.lists,
        more: isBare(found.more) ? null : found.more,
      },
    }
  }

  #cell({ name, target, mending, rules }: Column, at: number, given: Cell, found: Found, errors: Messages): void {
    let cell = mending ? mended(mending, given) : given
    if (rules.length > 0) cell = this.#ruled(cell, rules, found)
    if (target.to === 'field') {
      this.#field(target.field, at, cell, found, errors)
    } else if (!isEmpty(cell)) {
      const problems =
        target.to !== 'nothing'
          ? this.#attribute(target.to, at, cell, found)
          : target.because === 'no_field'
            ? [`contains invalid values: ${name}`]
            : []
      if (problems.length > 0) tell(errors, target.to === 'nothing' ? 'fields' : target.to, ...problems)
    }
  }

  /** Takes what is no field's value; answers what is wrong with it. */
  #attribute(to: Attribute, at: number, cell: Cell, found: Found): readonly string[] {
    switch (to) {
      case 'email': {
        const read = normaliseEmail(textOf(cell))
        if (!read.ok) return read.problem
        found.email = read.email
        return []
      }
      case 'external_id':
        return keep(readExternalId(cell), found, 'externalId')
      case 'tags': {
        const read = this.#tagsIn(cell)
        if ('problems' in read) return read.problems
        found.tags = found.tags === null ? read.value : [...new Set([...found.tags, ...read.value])]
        return []
      }
      case 'state':
        return keep(readState(cell), found.more, 'state')
      case 'unsubscribed': {
        const read = coerceValue(A_BOOLEAN, cell)
        if (!read.ok) return read.problems
        if (read.value === true) found.more.state = 'unsubscribed'
        return []
      }
      case 'lists':
      case 'lists_left': {
        const read = this.#listsIn(cell)
        if ('problems' in read) return read.problems
        found.lists ??= {}
        for (const id of read.value) found.lists[id] = to === 'lists'
        return []
      }
      case 'full_name':
        found.name = textOf(cell)
        return []
      case 'created_at':
        return keep(this.#moment(at, cell), found.more, 'created_at')
      case 'consent_at':
        return keep(this.#moment(at, cell), consentOf(found), 'at')
      case 'consent_ip':
        return keep(readIp(cell), consentOf(found), 'ip')
      case 'consent_source':
        return keep(readSource(cell), consentOf(found), 'source')
    }
  }

  #moment(at: number, cell: Cell): Read<string> {
    const moment = readMoment(cell, this.styles.orderOf(at, cell))
    return moment === null
      ? { problems: ['is not a date: write YYYY-MM-DD, or a moment such as 2026-01-31T09:00:00Z'] }
      : { value: moment }
  }

  #field(field: FieldTarget, at: number, given: Cell, found: Found, errors: Messages): void {
    if (isEmpty(given)) {
      if (!this.#options.clear_empty) return
      if (field.required) tell(errors, field.mergeTag, "can't be blank")
      else found.fields[field.key] = null
      return
    }
    const cell = this.styles.plain(at, field.rules, given)
    const read = coerceValue(field.rules, cell)
    if (!read.ok) tell(errors, field.mergeTag, ...read.problems)
    else if (read.value !== null) found.fields[field.key] = read.value
  }

  #ruled(given: Cell, rules: readonly Rule[], found: Found): Cell {
    let cell = given
    for (const rule of rules) {
      if (typeof cell !== 'string') break
      if (rule === 'trim') cell = trimCell(cell)
      else if (rule === 'first_address') cell = firstAddress(cell)
      else if (rule === 'full_name') found.name = cell
      else {
        const mailbox = readMailbox(cell)
        if (!mailbox) continue
        cell = mailbox.address
        if (mailbox.name !== null) found.name ??= mailbox.name
      }
    }
    return cell
  }

  /** A name as one goes to first and last name, where the row has no others. */
  #name(name: string, found: Found, errors: Messages): void {
    const { first, last } = splitName(name)
    const put = (key: string | undefined, part: string | null) => {
      if (key === undefined || (found.fields[key] ?? null) !== null) return
      const read = coerceValue(A_TEXT, part)
      if (!read.ok) tell(errors, 'full_name', ...read.problems)
      else if (read.value !== null) found.fields[key] = read.value
    }
    put(this.#firstNameKey, first)
    put(this.#lastNameKey, last)
  }

  /** Few cells of tags differ, and to take one apart takes as long as all else that is done with a row's address. */
  #tagsIn(cell: Cell): Read<readonly string[]> {
    if (typeof cell !== 'string') return readTags(cell)
    const known = this.#tags.get(cell)
    if (known) return known
    if (this.#tags.size >= MOST_TAGS) this.#tags.clear()
    const text = copyOf(cell)
    const read = readTags(text)
    this.#tags.set(text, read)
    return read
  }

  /** By name, or by number where no list is called so. */
  #listsIn(cell: Cell): { value: number[] } | { problems: string[] } {
    const ids: number[] = []
    for (const item of itemsOf(typeof cell === 'number' ? [cell] : cell)) {
      const list =
        this.#lists.get(item.toLowerCase()) ?? (/^\d{1,15}$/.test(item) ? this.#listIds.get(Number(item)) : undefined)
      if (!list) return { problems: [`not found: ${item.slice(0, 80)}`] }
      if (list.smart)
        return { problems: [`can't be changed by hand, as its members follow from criteria: ${item.slice(0, 80)}`] }
      ids.push(list.id)
    }
    return { value: ids }
  }
}

const A_TEXT = { type: 'text', min: null, max: null, options: null, format: null } as const
const A_BOOLEAN = { ...A_TEXT, type: 'boolean' } as const

interface Found {
  fields: Record<string, FieldValue | null>
  email: string | undefined
  externalId: string | undefined
  tags: readonly string[] | null
  lists: Record<string, boolean> | null
  more: More
  /** First and last name in one. */
  name: string | undefined
}

/** Puts what was read where it belongs; answers what is wrong with it. */
function keep<Key extends string, Value>(
  read: Read<Value>,
  into: { [K in Key]?: Value | undefined },
  key: Key,
): readonly string[] {
  if ('problems' in read) return read.problems
  into[key] = read.value
  return []
}

function consentOf(found: Found) {
  found.more.consent ??= {}
  return found.more.consent
}

function isBare(more: More): boolean {
  for (const name in more) if (name !== 'consent') return false
  for (const _ in more.consent) return false
  return true
}

function ownOf<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { invalid, type Messages } from '../../lib/app-error.ts'
import { isMergeTag, isReservedMergeTag } from '../../lib/merge-tag.ts'
import type { AccountSettings } from '../accounts/settings.ts'
import { coerceValue, guessType } from './coerce.ts'
import type { FieldDefinition, FieldType, FieldValue } from './definition.ts'
import { type FieldCache, type FieldSet, loadFields } from './field-set.ts'

/** Fields an account may have, unless the operator says otherwise. */
export const MOST_FIELDS = 500

/** Values ready to be stored, under the fields' keys. */
export interface Intake {
  set: Record<string, FieldValue>
  unset: string[]
  fields: FieldSet
}

interface Circumstances {
  accountId: number
  /** What becomes of a key that no field has. */
  unknown: AccountSettings['unknown_fields']
  /** On creation, defaults apply and what is required must be there. */
  creating: boolean
}

/**
 * Takes the `fields` of a request: coerces each value to its field's type, defines what is unknown where the account
 * says so, and checks what is required. Throws `invalid` with every fault at once, each under its field's name.
 */
export async function takeFields(
  trx: Trx,
  cache: FieldCache,
  input: Record<string, unknown>,
  given: Circumstances,
): Promise<Intake> {
  const { accountId } = given
  const unknownTo = (fields: FieldSet) => Object.entries(input).filter(([tag]) => !fields.tagged(tag))
  const faults: Messages = {}
  let fields = await cache.of(accountId)
  const unknown = unknownTo(fields)
  if (unknown.length > 0) {
    // Another process may have defined it within the time that definitions are cached.
    fields = await loadFields(trx, accountId)
    const missing = unknownTo(fields)
    if (missing.length > 0 && given.unknown === 'reject')
      faults.fields = missing.map(([tag]) => `contains invalid values: ${tag}`)
    if (given.unknown === 'create') fields = await defineUnknown(trx, accountId, fields, missing, faults)
    if (unknownTo(fields).length < unknown.length) trx.afterCommit(() => cache.forget(accountId))
  }
  return checkValues(fields, input, given.creating, faults)
}

/** The pure part: values against definitions. Keys that no field has are passed over. */
export function checkValues(
  fields: FieldSet,
  input: Record<string, unknown>,
  creating: boolean,
  faults: Messages = {},
): Intake {
  const set: Record<string, FieldValue> = {}
  const unset: string[] = []
  const seen = new Set<string>()
  for (const [tag, value] of Object.entries(input)) {
    const field = fields.tagged(tag)
    if (!field) continue
    if (seen.has(field.key)) faults[tag] = ['is given twice, in different letter case']
    seen.add(field.key)
    const read = coerceValue(asWritten(field), value)
    if (!read.ok) faults[field.mergeTag] = read.problems
    else if (read.value !== null) set[field.key] = read.value
    else if (field.required) faults[field.mergeTag] = ["can't be blank"]
    else unset.push(field.key)
  }
  if (creating) {
    for (const field of fields.active) {
      if (seen.has(field.key)) continue
      if (field.default !== null) set[field.key] = field.default
      else if (field.required) faults[field.mergeTag] = ["can't be blank"]
    }
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return { set, unset, fields }
}

/** While a field's values are being converted, new ones come in as what it will be. */
function asWritten(field: FieldDefinition): FieldDefinition {
  return field.convertingTo ? { ...field, type: field.convertingTo } : field
}

/** Defines a field for each key that has a value, of the kind the value has; answers the fields there then are. */
async function defineUnknown(
  trx: Trx,
  accountId: number,
  fields: FieldSet,
  unknown: [string, unknown][],
  faults: Messages,
): Promise<FieldSet> {
  const wanted = new Map<string, { tag: string; type: FieldType }>()
  for (const [tag, value] of unknown) {
    if (value === null || (typeof value === 'string' && value.trim() === '')) continue
    const guess = guessType(value)
    const problem = tagProblem(tag)
    if (problem !== null) faults[tag] = [problem]
    else if (guess === null) faults[tag] = ['must be a text, a number or a boolean']
    else wanted.set(tag.toLowerCase(), { tag, type: guess })
  }
  if (fields.active.length + wanted.size > MOST_FIELDS)
    faults.fields = [`would become more than ${MOST_FIELDS}, the most an account can have`]
  if (Object.keys(faults).length > 0) return fields
  return defineFields(trx, accountId, fields, [...wanted.values()])
}

/** Why a new field can't have a merge tag; null when it can. */
export function tagProblem(tag: string): string | null {
  if (!isMergeTag(tag))
    return 'is not a merge tag: it may have letters, digits and _, at most 80, and starts with a letter or _'
  return isReservedMergeTag(tag) ? 'is reserved: choose another merge tag' : null
}

/** A field that is to be: `name` is its merge tag unless given. */
export interface WantedField {
  tag: string
  type: FieldType
  name?: string
}

/** Defines fields that are not there yet, whoever else defines the same at this moment; answers the fields there then are. */
export async function defineFields(
  trx: Trx,
  accountId: number,
  fields: FieldSet,
  wanted: readonly WantedField[],
): Promise<FieldSet> {
  // In one order, so that two writers who define the same fields wait for each other instead of deadlocking.
  const inOrder = wanted.toSorted((a, b) => (a.tag.toLowerCase() < b.tag.toLowerCase() ? -1 : 1))
  // Again, as long as one meets another's key: that of a field of another tag, defined by a writer beside us or just here.
  let known = fields
  for (let round = 1; ; round++) {
    const rows = inOrder.filter(({ tag }) => !known.tagged(tag))
    if (rows.length === 0) return known
    if (round > MOST_ROUNDS) throw new Error(`could not define ${rows.length} fields in ${MOST_ROUNDS} rounds`)
    const names = unusedNames(known, rows, round)
    await trx.query(sql`
      insert into fields (account_id, name, merge_tag, key, type)
      select ${accountId}, name, tag, key, type
      from unnest(${names}::text[], ${rows.map((row) => row.tag)}::text[], ${rows.map((row) => unusedKey(known, row.tag))}::text[],
        ${rows.map((row) => row.type)}::text[]) as wanted (name, tag, key, type)
      on conflict do nothing`)
    known = await loadFields(trx, accountId)
  }
}

/** A writer beside us is met once or twice at most; more would be a fault of ours, which must not turn for ever. */
const MOST_ROUNDS = 8

/**
 * Their names, with a number behind one that another field has. From the second round on each has one:
 * PostgreSQL takes more letters for the same than JavaScript does (I and İ), and so knows names as taken that we do not.
 */
function unusedNames(fields: FieldSet, rows: readonly WantedField[], round: number): string[] {
  const taken = new Set(fields.active.map((field) => field.name.toLowerCase()))
  return rows.map(({ tag, name: given = tag }) => {
    let name = round === 1 ? given : `${given.slice(0, 76)}_${round}`
    for (let nth = round + 1; taken.has(name.toLowerCase()); nth++) name = `${given.slice(0, 76)}_${nth}`
    taken.add(name.toLowerCase())
    return name
  })
}

/** The key for a new field: its merge tag, with a number behind it if a field ever had that one. */
export function unusedKey(fields: FieldSet, mergeTag: string): string {
  const base = mergeTag.toLowerCase()
  if (!fields.keyed(base)) return base
  for (let nth = 2; ; nth++) if (!fields.keyed(`${base}_${nth}`)) return `${base}_${nth}`
}

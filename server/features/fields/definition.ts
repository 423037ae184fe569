import type { Messages } from '../../lib/app-error.ts'
import { formatProblem } from '../../lib/dates.ts'
import { isMergeTag, LONGEST_MERGE_TAG } from '../../lib/merge-tag.ts'
import { countCharacters, foldCase, isStorable } from '../../lib/text.ts'
import { coerceValue } from './coerce.ts'

export const FIELD_TYPES = ['text', 'integer', 'number', 'select', 'date', 'boolean'] as const
export type FieldType = (typeof FIELD_TYPES)[number]

/** A value as it is stored and answered: of a date YYYY-MM-DD, of a select the option as it is defined. */
export type FieldValue = string | number | boolean

export interface FieldDefinition {
  id: number
  accountId: number
  name: string
  /** How requests and mails call the field; can be changed. */
  mergeTag: string
  /** Under which values are stored; never changed. */
  key: string
  type: FieldType
  required: boolean
  /** Whether people may change it on their page of preferences. */
  editable: boolean
  /** Bounds of an integer or number, themselves allowed; null: none. */
  min: number | null
  max: number | null
  /** Of a select; null for all other types. */
  options: string[] | null
  default: FieldValue | null
  /** In which dates are shown, and taken beside ISO; null: ISO only. */
  format: string | null
  /** Set while the values are being converted to another type. */
  convertingTo: FieldType | null
  removedAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** What a request can say of a field, and as much of what the field is already as it leaves out. */
export interface DefinitionInput {
  name?: unknown
  merge_tag?: unknown
  type?: unknown
  required?: unknown
  editable?: unknown
  min?: unknown
  max?: unknown
  options?: unknown
  default?: unknown
  format?: unknown
}

/** The checked part of a definition; `mergeTag` is null when none was given. */
export type CheckedDefinition = Pick<
  FieldDefinition,
  'name' | 'type' | 'required' | 'editable' | 'min' | 'max' | 'options' | 'default' | 'format'
> & {
  mergeTag: string | null
}

export const LONGEST_NAME = 80
export const MOST_OPTIONS = 1000
export const LONGEST_OPTION = 255

/** The nearest type that the official API has: clients know `text`, `integer`, `float`, `boolean` and `date` only. */
export function officialDataType(type: FieldType): 'text' | 'integer' | 'float' | 'boolean' | 'date' {
  if (type === 'select') return 'text'
  return type === 'number' ? 'float' : type
}

/** A type by its own or its official name: `float` is `number`. null for all else. */
export function parseFieldType(text: unknown): FieldType | null {
  if (text === 'float') return 'number'
  return FIELD_TYPES.find((type) => type === text) ?? null
}

/**
 * Checks what a definition says, on its own and together, and brings it to the form in which it is stored: texts trimmed,
 * the default coerced. null, '' and [] count as not given. Whether name and merge tag are free, and whether the tag is
 * reserved, is the caller's to see: a tag that a field has already may stay.
 *
 * @returns `faults`: every violation at once, under the key it is about.
 */
export function checkDefinition(
  input: DefinitionInput,
): { ok: true; definition: CheckedDefinition } | { ok: false; faults: Messages } {
  const faults: Messages = {}
  const fault = (key: keyof DefinitionInput, ...problems: string[]) => {
    if (problems.length > 0) faults[key] = [...(faults[key] ?? []), ...problems]
  }
  const type = parseFieldType(input.type)
  if (!type)
    fault(
      'type',
      isGiven(input.type) ? `is not included in the list: ${FIELD_TYPES.join(', ')}, float` : "can't be blank",
    )
  fault('name', ...nameProblems(input.name))
  fault('merge_tag', ...mergeTagProblems(input.merge_tag))
  if (isGiven(input.required) && typeof input.required !== 'boolean') fault('required', 'must be true or false')

  if (isGiven(input.editable) && typeof input.editable !== 'boolean') fault('editable', 'must be true or false')

  const [min, max] = (['min', 'max'] as const).map((key) => {
    const read = readBound(type, input[key])
    if ('problem' in read) fault(key, read.problem)
    return 'problem' in read ? null : read.bound
  }) as [number | null, number | null]
  if (min !== null && max !== null && min > max) fault('max', `must be at least ${min}, which is the min`)

  const options = readOptions(type, input.options)
  if ('problems' in options) fault('options', ...options.problems)
  const format = readFormat(type, input.format)
  if ('problem' in format) fault('format', format.problem)

  const rules = {
    type: type ?? 'text',
    min,
    max,
    options: 'options' in options ? options.options : null,
    format: 'format' in format ? format.format : null,
  }
  // A default is measured against these, so only where they stand.
  const isMeasurable = !(['type', 'min', 'max', 'options', 'format'] as const).some((key) => faults[key])
  const preset = coerceValue(rules, isMeasurable && isGiven(input.default) ? input.default : null)
  if (!preset.ok) fault('default', ...preset.problems)
  if (!preset.ok || Object.keys(faults).length > 0) return { ok: false, faults }
  const mergeTag = textOf(input.merge_tag) || null
  return {
    ok: true,
    definition: {
      ...rules,
      name: textOf(input.name),
      mergeTag,
      required: input.required === true,
      editable: input.editable === true,
      default: preset.value,
    },
  }
}

/** The options of a select, trimmed, or what is wrong with them: at most 20 problems, each naming its item, from 1. */
export function checkOptions(input: unknown): { options: string[] } | { problems: string[] } {
  if (!Array.isArray(input)) return { problems: ['must be a list of texts'] }
  if (input.length === 0) return { problems: ["can't be blank"] }
  if (input.length > MOST_OPTIONS) return { problems: [`has too many items (maximum is ${MOST_OPTIONS})`] }
  const options: string[] = []
  const seen = new Map<string, number>()
  const problems: string[] = []
  for (const [at, item] of input.entries()) {
    const problem = optionProblem(item)
    const option = textOf(item)
    const twin = seen.get(foldCase(option))
    if (problem) problems.push(`item ${at + 1} ${problem}`)
    else if (twin !== undefined) problems.push(`item ${at + 1} is the same as item ${twin + 1}: ${option}`)
    else seen.set(foldCase(option), at)
    options.push(option)
  }
  return problems.length > 0 ? { problems: problems.slice(0, 20) } : { options }
}

function optionProblem(item: unknown): string | undefined {
  if (typeof item !== 'string') return 'must be a string'
  if (item.trim() === '') return "can't be blank"
  if (!isStorable(item)) return UNSTORABLE
  if (countCharacters(item.trim()) > LONGEST_OPTION) return `is too long (maximum is ${LONGEST_OPTION} characters)`
}

const UNSTORABLE = 'holds a character that text can not have (NUL, or half of a surrogate pair)'

/** PHP writes an empty list where it has none. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

function nameProblems(name: unknown): string[] {
  if (!isGiven(name)) return ["can't be blank"]
  if (typeof name !== 'string') return ['must be a string']
  if (name.trim() === '') return ["can't be blank"]
  if (!isStorable(name)) return [UNSTORABLE]
  return countCharacters(name.trim()) > LONGEST_NAME ? [`is too long (maximum is ${LONGEST_NAME} characters)`] : []
}

function mergeTagProblems(tag: unknown): string[] {
  if (!isGiven(tag)) return []
  if (typeof tag !== 'string') return ['must be a string']
  const trimmed = tag.trim()
  if (trimmed === '' || isMergeTag(trimmed)) return []
  if (trimmed.length > LONGEST_MERGE_TAG) return [`is too long (maximum is ${LONGEST_MERGE_TAG} characters)`]
  return ['is invalid', 'may have letters (a to z), digits and _, and starts with a letter or _']
}

function readBound(type: FieldType | null, input: unknown): { bound: number | null } | { problem: string } {
  if (!isGiven(input)) return { bound: null }
  if (type && type !== 'integer' && type !== 'number')
    return { problem: `is for integer and number fields only, and this one is ${type}` }
  if (typeof input !== 'number' || !Number.isFinite(input)) return { problem: 'must be a number' }
  if (type === 'integer' && !Number.isSafeInteger(input)) return { problem: 'must be an integer' }
  return { bound: input + 0 } // -0 becomes 0
}

function readOptions(type: FieldType | null, input: unknown): { options: string[] | null } | { problems: string[] } {
  if (type === 'select') return isGiven(input) ? checkOptions(input) : { problems: ["can't be blank"] }
  if (!isGiven(input)) return { options: null }
  return type ? { problems: [`are for select fields only, and this one is ${type}`] } : checkOptions(input)
}

function readFormat(type: FieldType | null, input: unknown): { format: string | null } | { problem: string } {
  if (!isGiven(input)) return { format: null }
  if (type && type !== 'date') return { problem: `is for date fields only, and this one is ${type}` }
  if (typeof input !== 'string') return { problem: 'must be a string' }
  const format = input.trim()
  const problem = formatProblem(format)
  return problem ? { problem } : { format }
}

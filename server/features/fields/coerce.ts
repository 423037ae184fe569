import { formatDate, isFullIsoDate, parseDate } from '../../lib/dates.ts'
import { countCharacters, foldCase, isStorable } from '../../lib/text.ts'
import type { FieldDefinition, FieldType, FieldValue } from './definition.ts'

/** The part of a definition that values are measured against. */
export type ValueRules = Pick<FieldDefinition, 'type' | 'min' | 'max' | 'options' | 'format'>

export interface CoerceOptions {
  /** Longest text, in code points: 255 as in the official API, unless a caller has room for more (8192 at most). */
  textMax?: number
}

type Coerced<Value extends FieldValue> = { ok: true; value: Value } | { ok: false; problems: string[] }

const LONGEST_TEXT = 255

/** A number as JSON writes it, with a sign or without a digit before or after its point. Linear for any input. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
const INTEGER = /^[+-]?\d+(?:\.0*)?$/

const TRUE_WORDS = ['true', 'yes', 'on', '1']
const FALSE_WORDS = ['false', 'no', 'off', '0']

const OPTIONS_NAMED = 20

/**
 * Brings a value, from JSON or as the text of a file or form, to its field's type. null, '' and blank text unset it:
 * value null. Whether the field may be unset, and its default, is the caller's to see. Never throws.
 *
 * - text: kept as it is, at most `textMax` code points; numbers and booleans as their text.
 * - integer, number: JSON numbers, or text in the same notation (`12.0`, `1e3`; no separators of thousands), within min
 *   and max. Integers are at most 2^53 - 1 either way; -0 is 0.
 * - select: without regard to case and outer spaces, stored as the option is defined.
 * - date: YYYY-MM-DD, an ISO timestamp's date as written, or the field's format; stored as YYYY-MM-DD.
 * - boolean: true and false, 1 and 0, and in text true, yes, on, 1 and false, no, off, 0 in any letter case.
 */
export function coerceValue(
  rules: ValueRules,
  input: unknown,
  { textMax = LONGEST_TEXT }: CoerceOptions = {},
): { ok: true; value: FieldValue | null } | { ok: false; problems: string[] } {
  if (input === null || input === undefined) return { ok: true, value: null }
  if (typeof input === 'string' && !isStorable(input)) {
    return refused('holds a character that text can not have (NUL, or half of a surrogate pair)')
  }
  if (typeof input === 'string' && input.trim() === '') return { ok: true, value: null }
  switch (rules.type) {
    case 'text':
      return coerceText(input, textMax)
    case 'integer':
      return withinBounds(rules, coerceInteger(input))
    case 'number':
      return withinBounds(rules, coerceNumber(input))
    case 'select':
      return coerceSelect(rules.options ?? [], input)
    case 'date':
      return coerceDate(rules.format, input)
    case 'boolean':
      return coerceBoolean(input)
  }
}

/**
 * A stored value as people read it, in files, forms and mails: dates in the field's format (the API answers them as ISO
 * instead), booleans as true and false, '' for none. `coerceValue` reads it back as the same value.
 */
export function displayValue(rules: ValueRules, value: FieldValue | null): string {
  if (value === null) return ''
  return rules.type === 'date' && typeof value === 'string' ? formatDate(value, rules.format) : String(value)
}

/**
 * The type of a field that is defined from its first value: YYYY-MM-DD is a date, all other text is text; every JSON
 * number makes a number, as the 5 that comes first may be followed by 5.5. null for what no field can hold.
 */
export function guessType(value: unknown): FieldType | null {
  if (typeof value === 'string') return isFullIsoDate(value.trim()) ? 'date' : 'text'
  if (typeof value === 'boolean') return 'boolean'
  return typeof value === 'number' && Number.isFinite(value) ? 'number' : null
}

function refused(...problems: string[]): { ok: false; problems: string[] } {
  return { ok: false, problems }
}

/** Text, and what has one obvious text: a form or a file could not have sent it otherwise. */
function textFrom(input: unknown): string | undefined {
  if (typeof input === 'string') return input
  return typeof input === 'boolean' || (typeof input === 'number' && Number.isFinite(input)) ? String(input) : undefined
}

function coerceText(input: unknown, longest: number): Coerced<string> {
  const text = textFrom(input)
  if (text === undefined) return refused('must be a string')
  return text.length > longest && countCharacters(text) > longest
    ? refused(`is too long (maximum is ${longest} characters)`)
    : { ok: true, value: text }
}

function coerceInteger(input: unknown): Coerced<number> {
  const text = typeof input === 'string' ? input.trim() : undefined
  const value = text === undefined ? input : INTEGER.test(text) ? Number(text) : Number.NaN
  if (typeof value !== 'number' || !(Number.isInteger(value) || Math.abs(value) === Infinity))
    return refused('must be an integer', ...separatorHint(text))
  if (!Number.isSafeInteger(value))
    return refused(`must be an integer between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}`)
  return { ok: true, value: value + 0 } // -0 becomes 0
}

function coerceNumber(input: unknown): Coerced<number> {
  const text = typeof input === 'string' ? input.trim() : undefined
  const value = text === undefined ? input : NUMBER.test(text) ? Number(text) : Number.NaN
  if (typeof value !== 'number' || !Number.isFinite(value)) return refused('must be a number', ...separatorHint(text))
  return { ok: true, value: value + 0 }
}

/** 1,234 is a thousand here and hardly more than one there: guessing would store wrong numbers without a word. */
function separatorHint(text: string | undefined): string[] {
  const isGrouped =
    text !== undefined && text.length <= 40 && /^[+-]?\d[\d.,'’_\s]*$/.test(text) && /[,'’_\s]|\..*\./.test(text)
  return isGrouped ? ['may have a point before its decimals, and no separators of thousands'] : []
}

function withinBounds({ min, max }: ValueRules, read: Coerced<number>): Coerced<number> {
  if (!read.ok) return read
  if (min !== null && read.value < min) return refused(`must be at least ${min}`)
  if (max !== null && read.value > max) return refused(`must be at most ${max}`)
  return read
}

/** By a select's options, which are never changed in place: folding 1,000 of them for each value would dwarf all else. */
const spellings = new WeakMap<readonly string[], ReadonlyMap<string, string>>()

/**
 * The option for each text that names one. As it is written comes before its folded form, and of two that fold to the
 * same the first: the options of a converted field are told apart by the database, for which Straße is not Strasse.
 */
function spellingsOf(options: readonly string[]): ReadonlyMap<string, string> {
  const known = spellings.get(options)
  if (known) return known
  const byFold = options.toReversed().map((option) => [foldCase(option.trim()), option] as const)
  const made = new Map([...byFold, ...options.map((option) => [option, option] as const)])
  spellings.set(options, made)
  return made
}

function coerceSelect(options: readonly string[], input: unknown): Coerced<string> {
  const text = textFrom(input)
  const known = spellingsOf(options)
  const option = text === undefined ? undefined : (known.get(text) ?? known.get(foldCase(text.trim())))
  if (option !== undefined) return { ok: true, value: option }
  const more = options.length > OPTIONS_NAMED ? `, … (${options.length} in all)` : ''
  return refused(`is not one of ${options.slice(0, OPTIONS_NAMED).join(', ')}${more}`)
}

function coerceDate(format: string | null, input: unknown): Coerced<string> {
  const value = typeof input === 'string' ? parseDate(input, format) : null
  if (value !== null) return { ok: true, value }
  return refused(`is not a date: write YYYY-MM-DD${format === null || format === 'YYYY-MM-DD' ? '' : ` or ${format}`}`)
}

function coerceBoolean(input: unknown): Coerced<boolean> {
  const word = typeof input === 'string' ? input.trim().toLowerCase() : textFrom(input)
  if (word !== undefined && TRUE_WORDS.includes(word)) return { ok: true, value: true }
  if (word !== undefined && FALSE_WORDS.includes(word)) return { ok: true, value: false }
  return refused('must be true or false')
}

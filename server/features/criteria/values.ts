import { normaliseEmail } from '../../lib/email.ts'
import { isStorable } from '../../lib/text.ts'
import { coerceValue } from '../fields/coerce.ts'
import { OPERATORS, type Operator } from './operators.ts'
import type { Subject } from './subjects.ts'

/** A value as the compiler takes it: text, a number, a boolean; dates as YYYY-MM-DD, moments as ISO 8601. */
export type Value = string | number | boolean

type Read = { value: Value } | { problem: string }

/** An operator's value in the type of what it is compared with, or what is wrong with it. */
export function valueFrom(subject: Subject, op: Operator, input: unknown): Read {
  if (OPERATORS[op] === 'days') return daysFrom(input, op === 'anniversary_within' ? 365 : MOST_DAYS)
  if (input === null || input === undefined || input === '')
    return { problem: 'needs a value: to find contacts without one, use is_not_set' }
  switch (subject.kind) {
    case 'text': {
      const read = textFrom(input)
      return 'value' in read && WHOLE.has(op) ? { value: storedForm(subject.name, String(read.value)) } : read
    }
    case 'moment':
      return momentFrom(input)
    case 'boolean':
      return booleanFrom(input)
    case 'number':
      return numberFrom(input)
    case 'date':
    case 'select':
      return subject.source === 'field'
        ? fieldValueFrom(subject.field, input)
        : wordFrom((subject.source === 'column' && subject.words) || [], input)
  }
}

/** Operators that compare a text as a whole. */
const WHOLE: ReadonlySet<Operator> = new Set(['eq', 'ne', 'in', 'not_in'])

/** An address or a domain as it is stored, so that `ann@münchen.de` finds whom `ann@xn--mnchen-3ya.de` finds. */
function storedForm(name: string, text: string): string {
  const address = name === 'email' ? text : name === 'email_domain' ? `x@${text}` : ''
  const read = normaliseEmail(address)
  if (!read.ok) return text
  return name === 'email' ? read.email : read.domain
}

function textFrom(input: unknown): Read {
  if (typeof input === 'object') return { problem: 'must be a text' }
  const text = String(input)
  if (text.length > 8192) return { problem: 'is too long (maximum is 8192 characters)' }
  return isStorable(text) ? { value: text } : { problem: 'holds a character that text can not have' }
}

function numberFrom(input: unknown): Read {
  const text = typeof input === 'number' ? String(input) : typeof input === 'string' ? input.trim() : ''
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? { value } : { problem: 'must be a number' }
}

/** What was given as one word, in lower case; '' for what is none, such as an object with a `toString` of its own. */
function wordOf(input: unknown): string {
  return typeof input === 'object' ? '' : String(input).toLowerCase()
}

function booleanFrom(input: unknown): Read {
  const word = wordOf(input)
  if (word === 'true' || word === '1') return { value: true }
  if (word === 'false' || word === '0') return { value: false }
  return { problem: 'must be true or false' }
}

function wordFrom(words: readonly string[], input: unknown): Read {
  const word = wordOf(input)
  return words.includes(word) ? { value: word } : { problem: `is not one of ${words.join(', ')}` }
}

function fieldValueFrom(field: Parameters<typeof coerceValue>[0], input: unknown): Read {
  // Bounds and `required` say what may be stored, not what may be asked for.
  const read = coerceValue({ ...field, min: null, max: null }, input)
  if (!read.ok) return { problem: read.problems.join('; ') }
  return read.value === null ? { problem: 'needs a value' } : { value: read.value }
}

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** A day, which stands for all of it in the account's time zone, or a moment; epoch milliseconds, as the API answers them, too. */
function momentFrom(input: unknown): Read {
  const moment = typeof input === 'number' ? momentFromEpoch(input) : momentFromText(input)
  // The years that are written with four digits here and in PostgreSQL alike.
  if (moment && /^(?!0000)\d{4}-/.test(moment)) return { value: moment }
  return { problem: 'is not a date: write YYYY-MM-DD, or a moment such as 2026-01-31T09:00:00Z' }
}

function momentFromEpoch(ms: number): string | undefined {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined
}

function momentFromText(input: unknown): string | undefined {
  const text = typeof input === 'string' ? input.trim() : ''
  if (!MOMENT.test(text) || Number.isNaN(Date.parse(text))) return undefined
  const day = text.slice(0, 10)
  if (!new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) return undefined
  return text === day ? day : new Date(/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`).toISOString()
}

const MOST_DAYS = 36_500

/** Whole days: `30`, or `30d`. */
function daysFrom(input: unknown, most: number): Read {
  const days =
    typeof input === 'number'
      ? input
      : /^\d{1,5}d?$/.test(wordOf(input))
        ? Number.parseInt(wordOf(input), 10)
        : Number.NaN
  if (!Number.isInteger(days) || days < 0 || days > most)
    return { problem: `must be a number of days from 0 to ${most}, such as 30d` }
  return { value: days }
}

import type { FieldValue } from '../fields/definition.ts'
import type { State } from '../subscriptions/states.ts'

/** A contact as a test knows it: values by merge tag. */
export interface Person {
  email: string
  external_id: string | null
  state: State
  fields: Record<string, FieldValue>
  tags: string[]
  lists: number[]
  created_at: Date
}

/**
 * What criteria mean, in plain words and without a database: the tests compare the compiler with it, so it shares no code
 * with it. Days are those of UTC.
 */
// biome-ignore lint/suspicious/noExplicitAny: it reads criteria as they come
export function accepts(criteria: any, person: Person): boolean {
  const keys = Object.keys(criteria)
  if ('field' in criteria) return holds(valueUnder(criteria.field, person), criteria.op ?? 'eq', criteria.value)
  if (keys.length === 1 && keys[0] === 'all') return criteria.all.every((part: unknown) => accepts(part, person))
  if (keys.length === 1 && keys[0] === 'any') return criteria.any.some((part: unknown) => accepts(part, person))
  if (keys.length === 1 && keys[0] === 'not') return !accepts(criteria.not, person)
  return keys.every((key) => [criteria[key]].flat().some((value) => entry(key, value, person)))
}

function entry(key: string, value: unknown, person: Person): boolean {
  if (key === 'tag') return person.tags.includes(value as string)
  if (key === 'list') return person.lists.includes(value as number)
  return value === null ? valueUnder(key, person) === undefined : holds(valueUnder(key, person), 'eq', value)
}

function valueUnder(name: string, person: Person): FieldValue | Date | undefined {
  if (name === 'email') return person.email
  if (name === 'email_domain') return person.email.split('@')[1]
  if (name === 'external_id') return person.external_id ?? undefined
  if (name === 'state') return person.state
  if (name === 'status') return person.state === 'subscribed' ? 'subscribed' : 'unsubscribed'
  if (name === 'subscribed') return person.state === 'subscribed'
  if (name === 'created_at') return person.created_at
  return person.fields[name]
}

// biome-ignore lint/suspicious/noExplicitAny: operands come in every type
function holds(value: FieldValue | Date | undefined, op: string, operand: any): boolean {
  if (op === 'is_set') return value !== undefined
  if (op === 'is_not_set') return value === undefined
  if (op === 'ne') return !holds(value, 'eq', operand)
  if (op === 'not_in') return !holds(value, 'in', operand)
  if (op === 'not_contains') return !holds(value, 'contains', operand)
  if (value === undefined) return false
  if (op === 'in') return operand.some((one: unknown) => holds(value, 'eq', one))
  if (value instanceof Date) return aboutDay(value.toISOString().slice(0, 10), op, operand)
  if (/^(gt|gte|lt|lte|between|before|after|on)$/.test(op)) {
    // A value of another kind is one that a conversion has not come to yet: it is neither more nor less.
    if (typeof value !== typeof [operand].flat()[0]) return false
    if (typeof value === 'string') return aboutDay(value, op, operand)
  }
  if (typeof value === 'number') return aboutNumber(value, op, operand)
  const [have, want] = [String(value).toLowerCase(), String(operand).toLowerCase()]
  if (op === 'eq') return have === want
  if (op === 'contains') return have.includes(want)
  if (op === 'starts_with') return have.startsWith(want)
  if (op === 'ends_with') return have.endsWith(want)
  throw new Error(`no such operator here: ${op}`)
}

// biome-ignore lint/suspicious/noExplicitAny: see above
function aboutNumber(value: number, op: string, operand: any): boolean {
  if (op === 'eq') return value === operand
  if (op === 'gt') return value > operand
  if (op === 'gte') return value >= operand
  if (op === 'lt') return value < operand
  if (op === 'lte') return value <= operand
  if (op === 'between') return value >= operand[0] && value <= operand[1]
  throw new Error(`no such operator here: ${op}`)
}

// biome-ignore lint/suspicious/noExplicitAny: see above
function aboutDay(day: string, op: string, operand: any): boolean {
  if (op === 'eq' || op === 'on') return day === operand
  if (op === 'gt' || op === 'after') return day > operand
  if (op === 'gte') return day >= operand
  if (op === 'lt' || op === 'before') return day < operand
  if (op === 'lte') return day <= operand
  if (op === 'between') return day >= operand[0] && day <= operand[1]
  throw new Error(`no such operator here: ${op}`)
}

import type { FieldValue } from '../fields/definition.ts'
import type { State } from '../subscriptions/states.ts'

/** Something that happened to a contact. */
export interface Happening {
  type: string
  name?: string | null
  at: Date
  params: Record<string, string | number | boolean | null>
  machine: boolean
}

/** A contact as a test knows it: values by merge tag. */
export interface Person {
  email: string
  external_id: string | null
  state: State
  /** Until when the address may not be mailed; `always`: for good. */
  suppressed: Date | 'always' | null
  fields: Record<string, FieldValue>
  tags: string[]
  /** Static lists. */
  lists: number[]
  /** Smart lists that they have left. */
  left: number[]
  events: Happening[]
  created_at: Date
}

/** What criteria depend on besides the person. */
export interface World {
  now: Date
  timeZone: string
  /** Criteria of the smart lists by id. */
  smart: Record<number, unknown>
}

/**
 * What criteria mean, in plain words and without a database: the tests compare the compiler with it, so it shares no code
 * with it.
 */
// biome-ignore lint/suspicious/noExplicitAny: it reads criteria as they come
export function accepts(criteria: any, person: Person, world: World): boolean {
  const keys = Object.keys(criteria)
  if ('field' in criteria)
    return holds(valueUnder(criteria.field, person, world), criteria.op ?? 'eq', criteria.value, world)
  if ('event' in criteria) return happened(criteria, person, world)
  if (keys.length === 1 && keys[0] === 'all') return criteria.all.every((part: unknown) => accepts(part, person, world))
  if (keys.length === 1 && keys[0] === 'any') return criteria.any.some((part: unknown) => accepts(part, person, world))
  if (keys.length === 1 && keys[0] === 'not') return !accepts(criteria.not, person, world)
  return keys.every((key) => [criteria[key]].flat().some((value) => entry(key, value, person, world)))
}

function entry(key: string, value: unknown, person: Person, world: World): boolean {
  if (key === 'tag') return person.tags.includes(value as string)
  if (key === 'list') return isIn(value as number, person, world)
  const found = valueUnder(key, person, world)
  return value === null ? found === undefined : holds(found, 'eq', value, world)
}

/** Whether someone is in a list, static or smart. */
export function isIn(list: number, person: Person, world: World): boolean {
  if (!(list in world.smart)) return person.lists.includes(list)
  return accepts(world.smart[list], person, world) && !person.left.includes(list)
}

// biome-ignore lint/suspicious/noExplicitAny: it reads criteria as they come
function happened({ event, within, count = { gte: 1 }, params = {}, machine }: any, person: Person, world: World) {
  const wanted = [event].flat()
  const inTime = (at: Date) => {
    if (within === undefined) return true
    const [, size, unit] = /^(\d+)(h|d|w)?$/.exec(String(within))!
    if (unit === 'h') return at.getTime() > world.now.getTime() - Number(size) * 3_600_000
    return dayOf(at, world) >= daysAfter(dayOf(world.now, world), -Number(size) * (unit === 'w' ? 7 : 1))
  }
  const tests = Array.isArray(params)
    ? params
    : Object.entries(params).map(([param, value]) =>
        value === null ? { param, op: 'is_not_set' } : { param, op: Array.isArray(value) ? 'in' : 'eq', value },
      )
  const number = person.events.filter(
    (one) =>
      wanted.includes(one.type === 'custom' && !wanted.includes('custom') ? one.name : one.type) &&
      inTime(one.at) &&
      (machine === true ||
        !one.machine ||
        !wanted.some((name) => name === 'email_opened' || name === 'email_clicked')) &&
      tests.every(({ param, op = 'eq', value }) => aboutParam(one.params[param], op, value, world)),
  ).length
  const bounds: Record<string, (bound: number) => boolean> = {
    eq: (bound) => number === bound,
    gt: (bound) => number > bound,
    gte: (bound) => number >= bound,
    lt: (bound) => number < bound,
    lte: (bound) => number <= bound,
  }
  return Object.entries(count).every(([bound, value]) => bounds[bound]!(value as number))
}

function aboutParam(
  value: Happening['params'][string] | undefined,
  op: string,
  operand: unknown,
  world: World,
): boolean {
  if (op === 'is_set' || op === 'is_not_set') return ((value ?? null) !== null) === (op === 'is_set')
  const negated = { ne: 'eq', not_in: 'in', not_contains: 'contains' }[op]
  if (negated) return !aboutParam(value, negated, operand, world)
  const isComparable = [operand].flat().every((one) => typeof one === typeof value)
  return isComparable && value !== null && holds(value, op, operand, world)
}

function valueUnder(name: string, person: Person, world: World): FieldValue | Date | undefined {
  if (name === 'email') return person.email
  if (name === 'email_domain') return person.email.split('@')[1]
  if (name === 'external_id') return person.external_id ?? undefined
  if (name === 'state') return person.state
  if (name === 'status') return person.state === 'subscribed' ? 'subscribed' : 'unsubscribed'
  if (name === 'subscribed') return person.state === 'subscribed'
  if (name === 'sendable') {
    const { suppressed } = person
    const isSuppressed = suppressed === 'always' || (suppressed !== null && suppressed.getTime() > world.now.getTime())
    return person.state === 'subscribed' && !isSuppressed
  }
  if (name === 'created_at') return person.created_at
  return person.fields[name]
}

// biome-ignore lint/suspicious/noExplicitAny: operands come in every type
function holds(value: FieldValue | Date | undefined, op: string, operand: any, world: World): boolean {
  if (op === 'is_set') return value !== undefined
  if (op === 'is_not_set') return value === undefined
  if (op === 'ne') return !holds(value, 'eq', operand, world)
  if (op === 'not_in') return !holds(value, 'in', operand, world)
  if (op === 'not_contains') return !holds(value, 'contains', operand, world)
  if (value === undefined) return false
  if (op === 'in') return operand.some((one: unknown) => holds(value, 'eq', one, world))
  if (value instanceof Date) return aboutDay(dayOf(value, world), op, operand, world)
  // A value of another kind is one that a conversion has not come to yet: it is neither more nor less.
  if (/^(gt|gte|lt|lte|between|before|after|on)$/.test(op) && typeof value !== typeof [operand].flat()[0]) return false
  if (
    typeof value === 'string' &&
    /^(gt|gte|lt|lte|between|before|after|on|within_last|older_than|within_next|anniversary_within)$/.test(op)
  )
    return aboutDay(value, op, operand, world)
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
function aboutDay(day: string, op: string, operand: any, world: World): boolean {
  const today = dayOf(world.now, world)
  if (op === 'eq' || op === 'on') return day === operand
  if (op === 'gt' || op === 'after') return day > operand
  if (op === 'gte') return day >= operand
  if (op === 'lt' || op === 'before') return day < operand
  if (op === 'lte') return day <= operand
  if (op === 'between') return day >= operand[0] && day <= operand[1]
  const days = Number.parseInt(operand, 10)
  if (op === 'within_last') return day >= daysAfter(today, -days) && day <= today
  if (op === 'older_than') return day < daysAfter(today, -days)
  if (op === 'within_next') return day >= today && day <= daysAfter(today, days)
  if (op === 'anniversary_within')
    return Array.from({ length: days + 1 }, (_, ahead) => daysAfter(today, ahead)).some((one) => comesRound(day, one))
  throw new Error(`no such operator here: ${op}`)
}

/** 29 February is kept on the 28th in years without one; a day's own year has no anniversary of it. */
function comesRound(day: string, on: string): boolean {
  if (day.slice(0, 4) >= on.slice(0, 4)) return false
  const isLastOfFebruary = on.slice(5) === '02-28' && daysAfter(on, 1).slice(5) === '03-01'
  return day.slice(5) === on.slice(5) || (day.slice(5) === '02-29' && isLastOfFebruary)
}

/** The day of a moment where the account is. */
function dayOf(moment: Date, { timeZone }: World): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
    .formatToParts(moment)
    .map(({ type, value }) => [type, value])
  const { year, month, day } = Object.fromEntries(parts)
  return `${year.padStart(4, '0')}-${month}-${day}`
}

function daysAfter(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString().slice(0, 10)
}

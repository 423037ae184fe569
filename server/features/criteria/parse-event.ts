import { isObject } from '../../lib/json.ts'
import { isStorable } from '../../lib/text.ts'
import { ACCOUNT_EVENT_TYPES, CONTACT_EVENT_TYPES, type EventType } from '../activity/event-types.ts'
import type { Parser, Path, Test } from './parse.ts'
import type { Subject } from './subjects.ts'

/** How far back an event counts: so many hours from now, or whole days of the account's calendar, today and those before. */
export interface Window {
  unit: 'h' | 'd'
  size: number
}

const BOUNDS = ['eq', 'gt', 'gte', 'lt', 'lte'] as const
/** Every bound holds. */
export type Count = Partial<Record<(typeof BOUNDS)[number], number>>

/** So many events of any of these types or names, in the window, that meet every test on their parameters. */
export interface EventCondition {
  is: 'event'
  types: EventType[]
  /** Of custom events. */
  names: string[]
  within: Window | null
  count: Count
  params: Test[]
  /** Whether opens and clicks by machines count, which a delivery marks with `machine: true` in the event's data. */
  machine: boolean
}

const KEYS = ['event', 'within', 'count', 'params', 'machine']
const MOST_COUNTED = 1_000_000
const MOST_HOURS = 8760
const MOST_DAYS = 36_500
const LONGEST_NAME = 255

const NOT_HERE: ReadonlySet<string> = new Set(['list_entered', 'list_left', ...ACCOUNT_EVENT_TYPES])
const TYPES: ReadonlySet<string> = new Set(CONTACT_EVENT_TYPES.filter((type) => !NOT_HERE.has(type)))

/** `{event, within, count, params, machine}`, where only the event is needed. Faults go to the parser. */
export function parseEvent(parser: Parser, input: Record<string, unknown>, path: Path): EventCondition {
  for (const key of Object.keys(input).filter((key) => !KEYS.includes(key)))
    parser.fault([...path, key], `is not a known key: there are ${KEYS.join(', ')}`)
  const { types, names } = eventsFrom(parser, input.event, [...path, 'event'])
  const { machine = false } = input
  if (typeof machine !== 'boolean') parser.fault([...path, 'machine'], 'must be true or false')
  return {
    is: 'event',
    types,
    names,
    within: windowFrom(parser, input.within, [...path, 'within']),
    count: countFrom(parser, input.count, [...path, 'count']),
    params: paramsFrom(parser, input.params, [...path, 'params']),
    machine: machine === true,
  }
}

function eventsFrom(parser: Parser, given: unknown, path: Path): Pick<EventCondition, 'types' | 'names'> {
  const types: EventType[] = []
  const names: string[] = []
  const all = [given].flat()
  if (all.length === 0) parser.fault(path, 'must be the name or type of an event')
  if (parser.takes(all.length, path)) {
    for (const name of all) {
      if (typeof name !== 'string' || name.trim() === '' || name.length > LONGEST_NAME || !isStorable(name))
        parser.fault(path, 'must be the name or type of an event')
      else if (NOT_HERE.has(name))
        parser.fault(
          path,
          `can't be ${name}: to ask who is in a list, write {"list": …}; there are ${[...TYPES].join(', ')}, and the names of custom events`,
        )
      else if (TYPES.has(name)) types.push(name as EventType)
      else names.push(name)
    }
  }
  return { types: [...new Set(types)], names: [...new Set(names)] }
}

function windowFrom(parser: Parser, given: unknown, path: Path): Window | null {
  if (given === undefined || given === null) return null
  const [, digits, unit = 'd'] = /^(\d{1,5})([hdw])?$/.exec(typeof given === 'object' ? '' : String(given)) ?? []
  const size = Number(digits) * (unit === 'w' ? 7 : 1)
  const most = unit === 'h' ? MOST_HOURS : MOST_DAYS
  if (size >= 1 && size <= most) return { unit: unit === 'h' ? 'h' : 'd', size }
  parser.fault(
    path,
    `must be a number of hours, days or weeks, such as 12h (at most ${MOST_HOURS}), 30d (at most ${MOST_DAYS}) or 4w`,
  )
  return null
}

function countFrom(parser: Parser, given: unknown, path: Path): Count {
  if (given === undefined) return { gte: 1 }
  const bounds = isObject(given) ? Object.entries(given) : []
  if (bounds.length === 0) parser.fault(path, `must be an object such as {"gte": 2}: there are ${BOUNDS.join(', ')}`)
  const count: Count = {}
  for (const [bound, value] of bounds) {
    if (!(BOUNDS as readonly string[]).includes(bound))
      parser.fault([...path, bound], `is not a bound of a count: there are ${BOUNDS.join(', ')}`)
    else if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MOST_COUNTED)
      parser.fault([...path, bound], `must be a whole number from 0 to ${MOST_COUNTED}`)
    else count[bound as keyof Count] = value
  }
  return count
}

/** A map of values as in the shorthand, or an array of `{param, op, value}`. */
function paramsFrom(parser: Parser, given: unknown, path: Path): Test[] {
  if (given === undefined) return []
  if (Array.isArray(given)) {
    if (!parser.takes(given.length, path)) return []
    return given.flatMap((one, at) => paramFrom(parser, one, [...path, at]))
  }
  if (!isObject(given)) {
    parser.fault(path, 'must be an object of values, or an array of {"param": …, "op": …, "value": …}')
    return []
  }
  const entries = Object.entries(given)
  if (!parser.takes(entries.length, path)) return []
  return entries.flatMap(([param, value]) => {
    const at = [...path, param]
    const op = value === null ? 'is_not_set' : Array.isArray(value) ? 'in' : 'eq'
    return testParam(parser, param, op, value, { subject: at, op: at, value: at })
  })
}

function paramFrom(parser: Parser, given: unknown, path: Path): Test[] {
  const keys = ['param', 'op', 'value']
  if (!isObject(given) || typeof given.param !== 'string') {
    parser.fault(path, 'must be an object {"param": …, "op": …, "value": …}')
    return []
  }
  for (const key of Object.keys(given).filter((key) => !keys.includes(key)))
    parser.fault([...path, key], `is not a known key: there are ${keys.join(', ')}`)
  const op = given.op ?? 'eq'
  const at = { subject: [...path, 'param'], op: [...path, 'op'], value: [...path, 'value'] }
  return testParam(parser, given.param, typeof op === 'string' ? op : '', given.value, at)
}

/** Compared as what its value is: a text with texts, a number with numbers. */
function testParam(
  parser: Parser,
  param: string,
  op: string,
  value: unknown,
  at: { subject: Path; op: Path; value: Path },
): Test[] {
  if (param === '' || param.length > LONGEST_NAME || !isStorable(param)) {
    parser.fault(at.subject, 'must be the name of a parameter')
    return []
  }
  const kinds = new Set([value].flat().map((one) => typeof one))
  const kind = kinds.size === 1 && (kinds.has('number') || kinds.has('boolean')) ? [...kinds][0]! : 'text'
  if (kinds.size > 1) parser.fault(at.value, 'must have values of one kind: texts, or numbers')
  const subject: Subject = { name: param, kind: kind as 'text' | 'number' | 'boolean', source: 'param', key: param }
  const condition = parser.counts(at.subject) ? parser.about(subject, op, value, at) : undefined
  return condition?.is === 'test' ? [condition] : []
}

import { createHash } from 'node:crypto'
import type { Sql } from 'sql-template-tag'
import type { Condition } from './parse.ts'
import type { EventCondition } from './parse-event.ts'

/** What a statement knows of the events of its contacts, so that it need not read them. */
export interface Remembered {
  /** Whether it knows what this condition says. */
  has: (condition: EventCondition) => boolean
  /** The `happeningId`s of the conditions of which their events say something else than no events would. */
  column: Sql
}

/**
 * Names a condition on events by what it says, whoever says it: 48 bits of a hash. Kept in the database: whoever changes what
 * goes in sets `smart_counts.happened` to false in a migration.
 */
export function happeningId(condition: EventCondition): number {
  return happening(condition).id
}

/** Each is written once, as the dispatcher asks it of all conditions, several times for each batch. */
const HAPPENINGS = new WeakMap<EventCondition, { id: number; text: string }>()

function happening(condition: EventCondition): { id: number; text: string } {
  const known = HAPPENINGS.get(condition)
  if (known) return known
  const { types, names, within, count, params, machine } = condition
  const tests = params.map(({ subject, op, values }) => [subject.name, subject.kind, op, values])
  const parts = [types, names, within && [within.size, within.unit], Object.entries(count), tests, machine]
  const text = JSON.stringify(parts)
  const made = { id: createHash('sha256').update(text).digest().readUIntBE(0, 6), text }
  HAPPENINGS.set(condition, made)
  return made
}

/** The conditions on events in criteria. */
export function happeningsIn(condition: Condition): EventCondition[] {
  switch (condition.is) {
    case 'all':
    case 'any':
      return condition.of.flatMap(happeningsIn)
    case 'not':
    case 'smart':
      return happeningsIn(condition.of)
    case 'event':
      return [condition]
    case 'test':
    case 'tag':
    case 'list':
      return []
  }
}

/**
 * What it costs to look up the events that criteria speak of for one contact, in µs: an index in each month that a window
 * reaches into, and in the months that are made ahead. Of two conditions over a year 80.
 */
export function lookingUp(condition: Condition): number {
  return happeningsIn(condition).reduce((sum, { within }) => {
    const days = within ? within.size / (within.unit === 'h' ? 24 : 1) : 365
    return sum + 4 + 3 * Math.min(12, Math.ceil(days / 30))
  }, 0)
}

/** Tells of conditions whether they are among these. Of two different ones with one id, none is. */
export function among(conditions: readonly EventCondition[]): (condition: EventCondition) => boolean {
  const texts = new Map<number, string>()
  const clashing = new Set<number>()
  for (const condition of conditions) {
    const { id, text } = happening(condition)
    if ((texts.get(id) ?? text) !== text) clashing.add(id)
    texts.set(id, text)
  }
  return (condition) => {
    const { id, text } = happening(condition)
    return texts.get(id) === text && !clashing.has(id)
  }
}

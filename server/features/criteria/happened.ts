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
  return createHash('sha256').update(written(condition)).digest().readUIntBE(0, 6)
}

function written({ types, names, within, count, params, machine }: EventCondition): string {
  const tests = params.map(({ subject, op, values }) => [subject.name, subject.kind, op, values])
  return JSON.stringify([types, names, within && [within.size, within.unit], Object.entries(count), tests, machine])
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

/** Tells of conditions whether they are among these. Of two different ones with one id, none is. */
export function among(conditions: readonly EventCondition[]): (condition: EventCondition) => boolean {
  const texts = new Map<number, string>()
  const clashing = new Set<number>()
  for (const condition of conditions) {
    const [id, text] = [happeningId(condition), written(condition)]
    if ((texts.get(id) ?? text) !== text) clashing.add(id)
    texts.set(id, text)
  }
  return (condition) => {
    const id = happeningId(condition)
    return texts.get(id) === written(condition) && !clashing.has(id)
  }
}

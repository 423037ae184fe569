import { ALONE, type EventType } from '../activity/event-types.ts'
import type { Condition, Test } from './parse.ts'
import type { EventCondition } from './parse-event.ts'

/** What some acts were about. */
export interface Touched {
  types: ReadonlySet<EventType>
  /** What their data says has changed: `state`, `tags`, `fields.KEY`, …; `?` for an act that does not say. */
  parts: ReadonlySet<string>
}

/** Acts whose data names all that they changed. After others anything may be different: someone is new, gone, or has left. */
export const TELLING: readonly EventType[] = ['updated', 'list_added']

/** Parts that change nothing else. An address is none of them: who has left a list has left it by their address. */
const PLAIN = /^(external_id|state|tags|lists|fields\.\w+)$/

/**
 * Whether acts may change what a condition says of their contacts. An open or a custom event changes nothing of the contact
 * itself, only what is counted of its events; an update nothing of its events.
 */
export function concerns(condition: Condition, { types, parts }: Touched): boolean {
  const others = [...types].filter((type) => !ALONE.has(type))
  if (others.some((type) => !TELLING.includes(type)) || [...parts].some((part) => !PLAIN.test(part))) return true
  const within = (one: Condition): boolean => {
    switch (one.is) {
      case 'all':
      case 'any':
        return one.of.some(within)
      case 'not':
      case 'smart':
        return within(one.of)
      case 'event':
        return counts(one, types)
      case 'tag':
        return parts.has('tags')
      case 'list':
        return parts.has('lists')
      case 'test':
        return others.length > 0 && sees(one, parts)
    }
  }
  return within(condition)
}

/** The types of the events that conditions count. */
export function countedTypes(conditions: readonly EventCondition[]): EventType[] {
  return [
    ...new Set(conditions.flatMap(({ types, names }) => (names.length > 0 ? [...types, 'custom' as const] : types))),
  ]
}

/** Whether a condition may count events of these types. */
export function counts({ types, names }: EventCondition, happened: ReadonlySet<EventType>): boolean {
  return types.some((type) => happened.has(type)) || (names.length > 0 && happened.has('custom'))
}

function sees({ subject }: Test, parts: ReadonlySet<string>): boolean {
  if (subject.source === 'field') return parts.has(`fields.${subject.field.key}`)
  switch (subject.name) {
    case 'external_id':
      return parts.has('external_id')
    case 'state':
    case 'status':
    case 'subscribed':
    case 'sendable':
      return parts.has('state')
    default:
      return subject.name === 'updated_at' // the rest goes with the address, or never changes
  }
}

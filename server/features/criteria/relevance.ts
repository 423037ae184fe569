import { ALONE, type EventType } from '../activity/event-types.ts'
import type { Condition } from './parse.ts'

/** After these anything may be different: a contact is new or gone, has left a list by its own act, or has come back. */
const EVERYTHING: readonly EventType[] = ['created', 'deleted', 'list_removed', 'unsubscribed', 'subscribed']

/**
 * Whether acts of these types may change what a condition says of their contacts. An open or a custom event changes nothing
 * of the contact itself, only what is counted of its events; an update nothing of its events.
 */
export function concerns(condition: Condition, types: ReadonlySet<EventType>): boolean {
  if (EVERYTHING.some((type) => types.has(type))) return true
  const changesContacts = [...types].some((type) => !ALONE.has(type))
  const part = (one: Condition): boolean => {
    switch (one.is) {
      case 'all':
      case 'any':
        return one.of.some(part)
      case 'not':
      case 'smart':
        return part(one.of)
      case 'event':
        return one.types.some((type) => types.has(type)) || (one.names.length > 0 && types.has('custom'))
      default:
        return changesContacts
    }
  }
  return part(condition)
}

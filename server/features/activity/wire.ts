import { momentOf } from '../../lib/ids.ts'
import type { FeedRow } from './feed.ts'
import type { EventRow } from './timeline.ts'

/** Names what stands in an event under fields' keys: by their merge tags of now. */
export type Naming = (data: Record<string, unknown>) => Record<string, unknown>

export function eventOnWire(row: EventRow, name: Naming) {
  return {
    id: row.id,
    type: row.type,
    types: row.types,
    ...(row.name === null ? {} : { name: row.name }),
    at: row.at.toISOString(),
    data: name(row.data),
    contact_id: row.contact_id,
    ...(row.change_set_id === null ? {} : { change_set_id: row.change_set_id }),
  }
}

/**
 * An event in its place. Of one that is gone nothing is left but its id, which holds the moment it was made.
 * @param emails Addresses of the contacts, where they are to be told.
 */
export function feedEventOnWire(row: FeedRow, name: Naming, emails?: ReadonlyMap<string, string>) {
  const { position, id, type, contact_id } = row
  if (type !== null) {
    const email = emails && { contact_email: (contact_id !== null && emails.get(contact_id)) || null }
    return { ...eventOnWire({ ...row, type }, name), ...email, position }
  }
  return {
    id,
    type: 'erased' as const,
    types: ['erased' as const],
    at: momentOf(id).toISOString(),
    data: {},
    contact_id: null,
    position,
  }
}

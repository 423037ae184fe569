import { Badge } from '@mantine/core'
import type { Contact } from '../api/queries.ts'
import * as en from '../strings/en.ts'

const COLORS: Record<Contact['state'], string> = {
  none: 'gray',
  pending: 'yellow',
  subscribed: 'teal',
  unsubscribed: 'orange',
  bounced: 'red',
}

export function StateBadge({ state }: { state: Contact['state'] }) {
  return (
    <Badge variant="light" color={COLORS[state]} radius="sm" tt="none" fw={600}>
      {en.contacts.states[state]}
    </Badge>
  )
}

import { Badge, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAccount } from '../../api/client.ts'
import type { Contact } from '../../api/queries.ts'
import { Changes } from '../../components/changes.tsx'
import { EventList } from '../../components/events.tsx'
import { Loaded } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { useVocabulary } from '../../criteria/vocabulary.ts'
import * as en from '../../strings/en.ts'

/** A token or a user by its number: who may read this may not know the others' names. */
function actorName(actor: string): string {
  const [kind, id = ''] = actor.split(':')
  if (kind === 'token') return en.changes.token(id)
  return kind === 'user' ? en.changes.user(id) : actor
}

/** What someone has allowed and taken back, with its evidence. */
export function Consents({ contact }: { contact: Contact }) {
  const account = useAccount()
  const vocabulary = useVocabulary()
  const query = useQuery({
    queryKey: [account.id, 'timeline', contact.id, 'consents'],
    queryFn: ({ signal }) =>
      account.api.call('listConsents', { path: { contact: contact.id }, query: { per_page: 100 } }, { signal }),
  })
  return (
    <Loaded query={query}>
      {({ data }) =>
        data.length === 0 ? (
          <Text size="sm" c="dimmed">
            {en.contact.consentsEmpty}
          </Text>
        ) : (
          <EventList label={en.contact.consents}>
            {data.map(({ id, action, grade, list_id: list, source, actor, ip, data: evidence, at }) => (
              <li key={id}>
                <Group justify="space-between" gap="xs">
                  <Group gap={6}>
                    <Badge
                      variant="light"
                      color={action === 'granted' ? 'teal' : 'orange'}
                      radius="sm"
                      tt="none"
                      fw={600}
                    >
                      {en.contact[action]}
                    </Badge>
                    <Text size="sm">{list === null ? en.contact.everything : vocabulary.list(list)}</Text>
                    <Text size="xs" c="dimmed">
                      {en.contact[grade]}
                    </Text>
                  </Group>
                  <Text size="xs" c="dimmed" component="span">
                    <Time at={at} />
                  </Text>
                </Group>
                <Changes
                  data={{ source, actor: actorName(actor), ...(ip ? { ip } : {}), ...evidence }}
                  label={en.contact.evidenceOf}
                />
              </li>
            ))}
          </EventList>
        )
      }
    </Loaded>
  )
}

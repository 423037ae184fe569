import { Select, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { Contact } from '../../api/queries.ts'
import { EventItem, EventList } from '../../components/events.tsx'
import { ShowMore } from '../../components/show-more.tsx'
import { Loaded } from '../../components/states.tsx'
import { EVENT_TYPES } from '../../criteria/table.ts'
import { useVocabulary } from '../../criteria/vocabulary.ts'
import * as en from '../../strings/en.ts'

const TYPES = [...EVENT_TYPES.filter((type) => type !== 'deleted'), 'list_entered', 'list_left']
const ALL = 'all'

/** What happened to someone and what they did, the latest first. */
export function Timeline({ contact }: { contact: Contact }) {
  const account = useAccount()
  const vocabulary = useVocabulary()
  const [type, setType] = useState(ALL)
  const query = useInfiniteQuery({
    queryKey: [account.id, 'timeline', contact.id, type],
    queryFn: ({ signal, pageParam }) =>
      account.api.call(
        'listContactEvents',
        {
          path: { contact: contact.id },
          query: {
            per_page: 50,
            ...(pageParam ? { cursor: pageParam } : {}),
            ...(type === ALL ? {} : { types: type }),
          },
        },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
  return (
    <Stack gap="md">
      <Select
        w={260}
        aria-label={en.contact.timelineFilter}
        allowDeselect={false}
        data={[
          { value: ALL, label: en.contact.timelineAll },
          ...TYPES.map((value) => ({ value, label: en.events.types[value] ?? value })),
        ]}
        value={type}
        onChange={(next) => setType(next ?? ALL)}
      />
      <Loaded query={query}>
        {({ pages }) => {
          const events = pages.flatMap((page) => page.data)
          if (events.length === 0)
            return (
              <Text size="sm" c="dimmed">
                {en.contact.timelineEmpty}
              </Text>
            )
          return (
            <EventList label={en.contact.tabs.timeline}>
              {events.map((event) => (
                <EventItem key={event.id} event={event} vocabulary={vocabulary} />
              ))}
            </EventList>
          )
        }}
      </Loaded>
      <ShowMore query={query} words={en.contact.older} size="sm" />
    </Stack>
  )
}

import { Alert, Button, Group, MultiSelect, Stack, Text } from '@mantine/core'
import { useDocumentVisibility } from '@mantine/hooks'
import { useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Activity, Pause, Play } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import type { FeedEvent } from '../../api/queries.ts'
import { EventItem, EventList } from '../../components/events.tsx'
import { Page } from '../../components/page.tsx'
import { Empty, Failed, Loading } from '../../components/states.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { type Tone, Toned } from '../../components/tone.tsx'
import { useVocabulary } from '../../criteria/vocabulary.ts'
import * as en from '../../strings/en.ts'
import { MOST_EVENTS, type Standing, useFeed } from './use-feed.ts'

const route = getRouteApi('/accounts/$account/activity')
const TYPES = Object.entries(en.events.types).map(([value, label]) => ({ value, label }))
const TONES: Record<Standing, Tone> = { connecting: 'busy', live: 'good', broken: 'warning', paused: 'quiet' }

/** All that happens, as it happens. It stands still while nobody looks: of connections a browser has six for all its pages. */
export function ActivityPage() {
  const { types = [] } = route.useSearch()
  const navigate = route.useNavigate()
  const isVisible = useDocumentVisibility() !== 'hidden'
  const vocabulary = useVocabulary()
  const [runs, setRuns] = useState({ on: true, nth: 1 })
  const resume = () => setRuns(({ nth }) => ({ on: true, nth: nth + 1 }))
  const pause = () => setRuns(({ nth }) => ({ on: false, nth }))
  const feed = useFeed(types.join(','), runs.on && isVisible ? runs.nth : 0)
  const { events, error, hasOlder, leftOut } = feed
  const older = useMutation({ mutationFn: feed.readOlder, onMutate: pause })
  const standing = runs.on && feed.standing === 'paused' ? 'connecting' : feed.standing
  return (
    <Page
      title={en.activity.title}
      about={en.activity.about}
      actions={
        runs.on ? (
          <Button variant="default" leftSection={<Pause size={16} aria-hidden />} onClick={pause}>
            {en.activity.pause}
          </Button>
        ) : (
          <Button leftSection={<Play size={16} aria-hidden />} onClick={resume}>
            {en.activity.resume}
          </Button>
        )
      }
    >
      <Group align="center" gap="sm">
        <MultiSelect
          flex="0 1 32rem"
          aria-label={en.activity.types}
          placeholder={types.length === 0 ? en.activity.typesAll : ''}
          searchable
          clearable
          data={TYPES}
          value={types}
          onChange={(chosen) => {
            resume()
            void navigate({ search: chosen.length > 0 ? { types: chosen } : {}, replace: true })
          }}
        />
        <div role="status">
          <Toned tone={TONES[standing]}>{en.activity[standing]}</Toned>
        </div>
      </Group>
      {error !== null && <Failed error={error} retry={resume} />}
      {events === undefined ? (
        error === null && <Loading />
      ) : events.length === 0 && !hasOlder ? (
        <Empty icon={Activity} title={types.length > 0 ? en.activity.noneOfKind : en.activity.none}>
          {types.length > 0 ? en.activity.noneOfKindText : en.activity.noneText}
        </Empty>
      ) : (
        <Stack gap="md">
          {leftOut !== 0 && <Alert color="yellow">{en.activity.leftOut(leftOut)}</Alert>}
          {events.length > 0 ? (
            <EventList label={en.activity.list}>
              {events.map((event) => (
                <EventItem key={event.position} event={event} vocabulary={vocabulary} who={<Who event={event} />} />
              ))}
            </EventList>
          ) : (
            <Text c="dimmed">{en.activity.noneOfKind}</Text>
          )}
          {older.error && <Failed error={older.error} retry={() => older.mutate()} />}
          {hasOlder && (
            <Group justify="center">
              <Button variant="default" loading={older.isPending} onClick={() => older.mutate()}>
                {en.activity.older}
              </Button>
            </Group>
          )}
          {events.length === MOST_EVENTS && (
            <Text size="sm" c="dimmed" ta="center">
              {en.activity.most(MOST_EVENTS)}
            </Text>
          )}
        </Stack>
      )}
    </Page>
  )
}

/** Whom an event is about, leading there; nothing for what happened to the account. */
function Who({ event: { contact_id: contact, contact_email: email, type } }: { event: FeedEvent }) {
  const { id } = useAccount()
  if (contact === null && type !== 'erased') return null
  if (contact === null || email == null)
    return (
      <Text size="sm" c="dimmed" component="span">
        {en.activity.someone}
      </Text>
    )
  return (
    <TextLink fw={600} to="/accounts/$account/contacts/$contact" params={{ account: String(id), contact }}>
      {email}
    </TextLink>
  )
}

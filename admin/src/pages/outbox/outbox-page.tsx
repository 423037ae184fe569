import { Group, Select, Text } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { SearchX, Send } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { Page } from '../../components/page.tsx'
import { ShowMore } from '../../components/show-more.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import { ContactSelect } from '../../contacts/contact-select.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { MessagePhase } from './message-phase.tsx'
import { isPhase, PHASES } from './phases.ts'
import { RetryButton } from './retry-button.tsx'

type Message = Answer<'listMessages'>['data'][number]

const route = getRouteApi('/accounts/$account/outbox')
const PER_PAGE = 50
/** While a mail waits it is looked again whether it has gone. */
const POLL_MS = 3000

/** Mails that have gone and that wait; which of them is in the address. */
export function OutboxPage() {
  const { id: accountId, api, canWrite } = useAccount()
  const { phase, contact } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useInfiniteQuery({
    queryKey: [accountId, 'messages', phase ?? null, contact ?? null],
    queryFn: ({ pageParam, signal }) =>
      api.mail.messages(
        {
          per_page: PER_PAGE,
          ...(phase ? { phase } : {}),
          ...(contact ? { contact } : {}),
          ...(pageParam === null ? {} : { cursor: pageParam }),
        },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ data }) => data.some((message) => message.phase === 'queued')) ? POLL_MS : false,
  })
  const isFiltered = phase !== undefined || contact !== undefined
  const isEmpty = !isFiltered && query.data?.pages[0]?.total === 0
  return (
    <Page
      title={en.outbox.title}
      about={
        <>
          {en.outbox.about}
          {!canWrite && <div>{en.outbox.forEditors}</div>}
        </>
      }
    >
      {!isEmpty && (
        <Group gap="sm">
          <Select
            w={180}
            aria-label={en.outbox.state}
            allowDeselect={false}
            data={[
              { value: '', label: en.outbox.anyState },
              ...PHASES.map((value) => ({ value, label: en.outbox.phases[value] })),
            ]}
            value={phase ?? ''}
            onChange={(chosen) =>
              void navigate({
                search: { ...(isPhase(chosen) ? { phase: chosen } : {}), ...(contact ? { contact } : {}) },
                replace: true,
              })
            }
          />
          <ContactSelect
            label={en.outbox.contact}
            isLabelHidden
            w={280}
            nobody={en.outbox.everybody}
            value={contact ?? null}
            onChange={(chosen) =>
              void navigate({
                search: { ...(phase ? { phase } : {}), ...(chosen === null ? {} : { contact: chosen }) },
                replace: true,
              })
            }
          />
        </Group>
      )}
      <Loaded query={query}>
        {({ pages }) => {
          const messages = pages.flatMap(({ data }) => data)
          if (messages.length === 0)
            return isFiltered ? (
              <Empty icon={SearchX} title={en.outbox.noneFound}>
                {en.outbox.noneFoundText}
              </Empty>
            ) : (
              <Empty icon={Send} title={en.outbox.none}>
                {en.outbox.noneText}
              </Empty>
            )
          return (
            <>
              <Messages messages={messages} />
              <Group justify="space-between">
                <Text size="sm" c="dimmed" className="figures" aria-live="polite">
                  {en.outbox.total(number(messages.length), number(pages[0]?.total ?? 0))}
                </Text>
                <ShowMore query={query} />
              </Group>
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

function Messages({ messages }: { messages: readonly Message[] }) {
  const { id: accountId, canWrite } = useAccount()
  const account = String(accountId)
  return (
    <Rows
      label={en.outbox.title}
      rows={messages}
      keyOf={({ id }) => id}
      columns={[
        {
          title: en.outbox.mail,
          cell: ({ id, template }) =>
            canWrite ? (
              <TextLink fw={600} to="/accounts/$account/outbox/$message" params={{ account, message: id }}>
                {template}
              </TextLink>
            ) : (
              <Text size="sm" fw={600}>
                {template}
              </Text>
            ),
        },
        {
          title: en.outbox.to,
          cell: ({ contact_id: contact, email }) => (
            <TextLink to="/accounts/$account/contacts/$contact" params={{ account, contact }}>
              {email}
            </TextLink>
          ),
        },
        {
          title: en.outbox.state,
          cell: ({ phase, error }) => (
            <>
              <MessagePhase phase={phase} />
              {error && <Text size="xs">{error}</Text>}
            </>
          ),
        },
        { title: en.outbox.tries, isFigure: true, cell: ({ attempts }) => attempts },
        { title: en.outbox.made, cell: ({ created_at: at }) => <Time at={at} withClock /> },
        {
          title: en.outbox.sent,
          // A column of its own for what few mails have would push the others out of sight.
          cell: (message) =>
            message.phase === 'sent' && message.sent_at ? (
              <Time at={message.sent_at} withClock />
            ) : (
              canWrite && message.phase === 'failed' && <RetryButton message={message} size="xs" />
            ),
        },
      ]}
    />
  )
}

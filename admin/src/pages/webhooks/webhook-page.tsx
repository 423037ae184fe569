import { Alert, Button, Text } from '@mantine/core'
import type { Webhook } from '@rollcall/sdk'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Page } from '../../components/page.tsx'
import { Panel } from '../../components/panel.tsx'
import { SecretDialog } from '../../components/secret-dialog.tsx'
import { ShowMore } from '../../components/show-more.tsx'
import { Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'
import { WebhookState } from './webhook-state.tsx'

const route = getRouteApi('/accounts/$account/webhooks/$webhook')
const POLL_MS = 3000

export function WebhookPage() {
  const id = Number(route.useParams().webhook)
  const { id: accountId, api } = useAccount()
  const query = useQuery({
    queryKey: [accountId, 'webhooks', id],
    queryFn: ({ signal }) => api.call('getWebhook', { path: { id } }, { signal }),
  })
  return (
    <Page
      title={query.data?.url ?? en.webhooks.title}
      about={query.data && <WebhookState webhook={query.data} />}
      actions={query.data && <Acts webhook={query.data} />}
    >
      <Loaded query={query}>
        {(webhook) => (
          <>
            {webhook.failing_since && (
              <Alert color="red">
                {en.webhooks.failingSince} <Time at={webhook.failing_since} />
              </Alert>
            )}
            {webhook.disabled_reason && <Alert color="yellow">{webhook.disabled_reason}</Alert>}
            <Deliveries webhook={webhook} />
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Acts({ webhook }: { webhook: Webhook }) {
  const { id: accountId, api } = useAccount()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [isLeaving, setLeaving] = useState(false)
  const [secret, setSecret] = useState<string>()
  const path = { id: webhook.id }
  const again = () => client.invalidateQueries({ queryKey: [accountId, 'webhooks'] })
  const act = useMutation({
    mutationFn: async (what: 'test' | 'switch' | 'rotate') => {
      if (what === 'test') {
        await api.call('testWebhook', { path })
        done(en.webhooks.tested)
      } else if (what === 'switch') await api.call('updateWebhook', { path, body: { enabled: !webhook.enabled } })
      else setSecret((await api.call('rotateWebhookSecret', { path })).secret)
    },
    onSuccess: again,
    onError: (error) => failed(error),
  })
  return (
    <>
      <Button variant="default" disabled={!webhook.enabled} onClick={() => act.mutate('test')}>
        {en.webhooks.test}
      </Button>
      <Button variant="default" onClick={() => act.mutate('rotate')}>
        {en.webhooks.rotate}
      </Button>
      <Button variant="default" onClick={() => act.mutate('switch')}>
        {webhook.enabled ? en.webhooks.disable : en.webhooks.enable}
      </Button>
      <Button variant="default" onClick={() => setLeaving(true)}>
        {en.webhooks.remove}
      </Button>
      <SecretDialog
        secret={secret}
        title={en.webhooks.secretTitle}
        text={en.webhooks.secretText}
        onClose={() => setSecret(undefined)}
      />
      <Confirm
        opened={isLeaving}
        onClose={() => setLeaving(false)}
        title={en.webhooks.removeTitle}
        action={en.webhooks.remove}
        isDangerous
        act={async () => {
          await api.call('deleteWebhook', { path })
          await navigate({ to: '/accounts/$account/webhooks', params: { account: String(accountId) } })
          await again()
          done(en.webhooks.removed)
        }}
      >
        <Text size="sm">{en.webhooks.removeText}</Text>
      </Confirm>
    </>
  )
}

function Deliveries({ webhook: { id } }: { webhook: Webhook }) {
  const { id: accountId, api } = useAccount()
  const client = useQueryClient()
  const query = useInfiniteQuery({
    queryKey: [accountId, 'webhooks', id, 'deliveries'],
    queryFn: ({ pageParam, signal }) =>
      api.call(
        'listDeliveries',
        { path: { id }, query: { per_page: 50, ...(pageParam === null ? {} : { cursor: pageParam }) } },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: POLL_MS,
  })
  const redeliver = useMutation({
    mutationFn: (delivery: number) => api.call('redeliver', { path: { id, delivery } }),
    onSuccess: async () => {
      done(en.webhooks.sentAgain)
      await client.invalidateQueries({ queryKey: [accountId, 'webhooks', id] })
    },
    onError: (error) => failed(error),
  })
  return (
    <Panel title={en.webhooks.deliveries}>
      <Loaded query={query}>
        {({ pages }) => {
          const deliveries = pages.flatMap(({ data }) => data)
          if (deliveries.length === 0)
            return (
              <Text c="dimmed" size="sm">
                {en.webhooks.noDeliveries}
              </Text>
            )
          return (
            <>
              <Rows
                label={en.webhooks.deliveries}
                rows={deliveries}
                keyOf={(delivery) => delivery.id}
                columns={[
                  { title: en.webhooks.when, cell: ({ created_at }) => <Time at={created_at} withClock /> },
                  { title: en.webhooks.message, cell: ({ kind }) => en.webhooks.kinds[kind] },
                  { title: en.webhooks.state, cell: ({ state }) => en.webhooks.deliveryStates[state] ?? state },
                  { title: en.webhooks.tries, isFigure: true, cell: ({ tries }) => tries },
                  {
                    title: en.webhooks.lastAnswer,
                    cell: ({ attempts }) => {
                      const last = attempts.at(-1)
                      return last && en.webhooks.answer(last.status, last.error, last.latency_ms)
                    },
                  },
                  {
                    title: en.webhooks.actions,
                    isTitleHidden: true,
                    cell: ({ id: delivery }) => (
                      <Button
                        size="xs"
                        variant="default"
                        aria-label={en.webhooks.againOf(delivery)}
                        onClick={() => redeliver.mutate(delivery)}
                      >
                        {en.webhooks.again}
                      </Button>
                    ),
                  },
                ]}
              />
              <ShowMore query={query} />
            </>
          )
        }}
      </Loaded>
    </Panel>
  )
}

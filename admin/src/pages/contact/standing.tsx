import { Badge, Button, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { MailCheck, MailX } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { type Contact, listsQuery } from '../../api/queries.ts'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import { done, failed } from '../../components/toast.tsx'
import { StateBadge } from '../../contacts/state-badge.tsx'
import * as en from '../../strings/en.ts'
import classes from './contact.module.css'

/** Whether someone may be mailed and why not, in which lists they are, where they come from. */
export function Standing({ contact }: { contact: Contact }) {
  const account = useAccount()
  const client = useQueryClient()
  const { data: lists = [] } = useQuery(listsQuery(account))
  const { state, sendable, smart_lists: smartLists = [] } = contact
  const refresh = () => void client.invalidateQueries({ queryKey: [account.id] })
  const options = { onSuccess: refresh, onError: (error: unknown) => failed(error) }
  const path = { contact: contact.id }
  const unsubscribe = useMutation({
    mutationFn: () => account.api.call('unsubscribeContact', { path, body: {} }),
    ...options,
  })
  const ask = useMutation({
    mutationFn: () => account.api.call('resubscribeContact', { path, body: { send_confirmation: true } }),
    onError: options.onError,
    onSuccess: () => {
      refresh()
      done(en.contact.asked)
    },
  })

  return (
    <aside className={classes.side}>
      <Paper withBorder p="md" radius="md">
        <Stack gap="xs">
          <Title order={2} size="h3">
            {en.contact.standing}
          </Title>
          <Group gap="xs">
            {sendable.allowed ? <MailCheck size={18} aria-hidden /> : <MailX size={18} aria-hidden />}
            <Text size="sm" fw={600}>
              {sendable.allowed ? en.contact.mailable : en.contact.notMailable}
            </Text>
          </Group>
          {sendable.reason && (
            <Text size="sm" c="dimmed">
              {en.contact.reasons[sendable.reason] ?? sendable.reason}
            </Text>
          )}
          <div>
            <StateBadge state={state} />
            <Text size="sm" c="dimmed" mt={4}>
              {en.contact.stateTexts[state]}
            </Text>
          </div>
          {account.canWrite && (
            <Group gap="xs">
              {(state === 'subscribed' || state === 'pending') && (
                <Button
                  size="xs"
                  variant="default"
                  loading={unsubscribe.isPending}
                  title={en.contact.unsubscribeText}
                  onClick={() => unsubscribe.mutate()}
                >
                  {en.contact.unsubscribe}
                </Button>
              )}
              {state !== 'subscribed' && (
                <Button size="xs" variant="default" loading={ask.isPending} onClick={() => ask.mutate()}>
                  {en.contact.askAgain}
                </Button>
              )}
            </Group>
          )}
        </Stack>
      </Paper>
      <Paper withBorder p="md" radius="md">
        <Title order={2} size="h3" mb="xs">
          {en.contact.smartLists}
        </Title>
        {smartLists.length === 0 ? (
          <Text size="sm" c="dimmed">
            {en.contact.noSmartLists}
          </Text>
        ) : (
          <Group gap={6}>
            {smartLists.map((id) => (
              <TextLink
                key={id}
                to="/accounts/$account/lists/$list"
                params={{ account: String(account.id), list: String(id) }}
                underline="never"
              >
                <Badge variant="light" radius="sm" tt="none">
                  {lists.find((list) => list.id === id)?.name ?? id}
                </Badge>
              </TextLink>
            ))}
          </Group>
        )}
      </Paper>
      <Paper withBorder p="md" radius="md">
        <Title order={2} size="h3" mb="xs">
          {en.contact.facts}
        </Title>
        <dl className={classes.facts}>
          <dt>{en.contact.origin}</dt>
          <dd>{en.home.origins[contact.origin] ?? contact.origin}</dd>
          <dt>{en.contact.added}</dt>
          <dd>
            <Time at={contact.created_at} />
          </dd>
          <dt>{en.contact.changed}</dt>
          <dd>
            <Time at={contact.updated_at} />
          </dd>
          <dt>{en.contact.id}</dt>
          <dd>{contact.id}</dd>
        </dl>
      </Paper>
    </aside>
  )
}

import { Alert, Group, Tabs, Text } from '@mantine/core'
import type { Message } from '@rollcall/sdk'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { useAccount } from '../../api/client.ts'
import { HtmlFrame } from '../../components/html-frame.tsx'
import { Page } from '../../components/page.tsx'
import { Panel } from '../../components/panel.tsx'
import { PlainMail } from '../../components/plain-mail.tsx'
import { Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { TextLink } from '../../components/text-link.tsx'
import { Time } from '../../components/time.tsx'
import * as en from '../../strings/en.ts'
import { MessagePhase } from './message-phase.tsx'
import classes from './outbox.module.css'
import { RetryButton } from './retry-button.tsx'

const route = getRouteApi('/accounts/$account/outbox/$message')
const POLL_MS = 3000

/** One mail: how far it has come, and what it says. */
export function MessagePage() {
  const { id: accountId, api } = useAccount()
  const { message: id } = route.useParams()
  const query = useQuery({
    queryKey: [accountId, 'messages', id],
    queryFn: ({ signal }) => api.mail.message(id, { signal }),
    refetchInterval: ({ state }) => (state.data?.phase === 'queued' ? POLL_MS : false),
  })
  return (
    <Page
      title={query.data?.subject ?? en.outbox.untitled}
      about={
        <Group gap="sm">
          <TextLink to="/accounts/$account/outbox" params={{ account: String(accountId) }}>
            <Group gap={4}>
              <ArrowLeft size={14} aria-hidden />
              {en.outbox.all}
            </Group>
          </TextLink>
          {query.data && <MessagePhase phase={query.data.phase} />}
        </Group>
      }
      actions={query.data?.phase === 'failed' && <RetryButton message={query.data} />}
    >
      <Loaded query={query}>
        {(message) => (
          <>
            <Facts message={message} />
            {message.html === null ? (
              <Alert color="yellow">{message.to === null ? en.outbox.gone : en.outbox.forAdministrators}</Alert>
            ) : (
              <Parts message={message} html={message.html} />
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Facts({ message }: { message: Message }) {
  const account = String(useAccount().id)
  const { contact_id: contact, email, to, template, template_version: version, phase, attempts } = message
  return (
    <Panel>
      <dl className={classes.facts}>
        <dt>{en.outbox.to}</dt>
        <dd>
          <TextLink to="/accounts/$account/contacts/$contact" params={{ account, contact }}>
            {to ?? email}
          </TextLink>
        </dd>
        <dt>{en.outbox.template}</dt>
        <dd>
          <TextLink to="/accounts/$account/templates/$template" params={{ account, template }}>
            {template}
          </TextLink>
          , {en.outbox.version(version)}
        </dd>
        <dt>{en.outbox.state}</dt>
        <dd>{en.outbox.meanings[phase]}</dd>
        <dt>{en.outbox.tries}</dt>
        <dd className="figures">{attempts}</dd>
        {message.error && (
          <>
            <dt>{en.outbox.error}</dt>
            <dd>{message.error}</dd>
          </>
        )}
        <dt>{en.outbox.made}</dt>
        <dd>
          <Time at={message.created_at} withClock />
        </dd>
        {message.sent_at && phase === 'sent' && (
          <>
            <dt>{en.outbox.sent}</dt>
            <dd>
              <Time at={message.sent_at} withClock />
            </dd>
          </>
        )}
      </dl>
    </Panel>
  )
}

function Parts({ message, html }: { message: Message; html: string }) {
  return (
    <Tabs defaultValue="html" keepMounted={false}>
      <Tabs.List mb="md" aria-label={en.outbox.part}>
        {Object.entries(en.outbox.parts).map(([value, label]) => (
          <Tabs.Tab key={value} value={value}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="html">
        <HtmlFrame title={en.outbox.frame} html={html} />
      </Tabs.Panel>
      <Tabs.Panel value="text">
        <PlainMail label={en.outbox.parts.text} text={message.text ?? ''} />
      </Tabs.Panel>
      <Tabs.Panel value="headers">
        <Text size="sm" c="dimmed" mb="xs">
          {en.outbox.headersAbout}
        </Text>
        <Rows
          label={en.outbox.parts.headers}
          rows={message.headers}
          keyOf={({ name }) => name}
          columns={[
            { title: en.outbox.header, cell: ({ name }) => name },
            { title: en.outbox.value, cell: ({ value }) => <span className={classes.value}>{value}</span> },
          ]}
        />
      </Tabs.Panel>
    </Tabs>
  )
}

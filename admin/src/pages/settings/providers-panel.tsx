import { ActionIcon, Button, Group, Menu, Modal, Stack, Text } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Ellipsis, MailCheck } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Confirm } from '../../components/confirm.tsx'
import { SecretDialog } from '../../components/secret-dialog.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { done } from '../../components/toast.tsx'
import { Toned } from '../../components/tone.tsx'
import { number } from '../../strings/en/common.ts'
import * as en from '../../strings/en.ts'
import { ProviderForm } from './provider-form.tsx'

export type Hook = Answer<'listProviderHooks'>['data'][number]

/** More than an account can have. */
const ALL = 1000
const POLL_MS = 10_000

const nameOf = ({ name, provider }: Hook) => name || en.providers.providers[provider]

type Asked = { act: 'rotate' | 'remove'; hook: Hook }

/** Where mail providers tell what becomes of mails, and what has come. */
export function ProvidersPanel() {
  const { id, api, canWrite } = useAccount()
  const client = useQueryClient()
  const query = useQuery({
    queryKey: [id, 'provider-hooks'],
    queryFn: ({ signal }) => api.call('listProviderHooks', { query: { per_page: ALL } }, { signal }),
    refetchInterval: POLL_MS,
  })
  const [form, setForm] = useState<{ hook?: Hook }>()
  const [url, setUrl] = useState<string>()
  const [asked, setAsked] = useState<Asked>()
  const again = () => client.invalidateQueries({ queryKey: [id, 'provider-hooks'] })
  const start = canWrite && <Button onClick={() => setForm({})}>{en.providers.start}</Button>
  return (
    <Loaded query={query}>
      {({ data }) => (
        <Stack>
          {data.length === 0 ? (
            <Empty icon={MailCheck} title={en.providers.none} action={start}>
              {en.providers.noneText}
            </Empty>
          ) : (
            <>
              <Group justify="space-between">
                <Text c="dimmed" size="sm" maw={640}>
                  {en.providers.about}
                </Text>
                {start}
              </Group>
              <Rows
                label={en.settings.tabs.providers}
                rows={data}
                keyOf={(hook) => hook.id}
                columns={[
                  { title: en.providers.provider, cell: (hook) => <Named hook={hook} /> },
                  {
                    title: en.providers.proof,
                    cell: ({ is_verified }) => (
                      <Toned tone={is_verified ? 'good' : 'warning'}>
                        {is_verified ? en.providers.verified : en.providers.unverified}
                      </Toned>
                    ),
                  },
                  { title: en.providers.received, cell: ({ counts }) => <Received counts={counts} />, isFigure: true },
                  { title: en.providers.recorded, cell: ({ counts }) => number(counts.recorded), isFigure: true },
                  { title: en.providers.unknown, cell: ({ counts }) => number(counts.unknown), isFigure: true },
                  {
                    title: en.providers.last,
                    cell: ({ last_received_at: at }) => (at ? <Time at={at} /> : en.providers.never),
                  },
                  {
                    title: en.providers.actions,
                    isTitleHidden: true,
                    cell: (hook) =>
                      canWrite && (
                        <Menu position="bottom-end">
                          <Menu.Target>
                            <ActionIcon variant="default" aria-label={en.providers.moreOf(nameOf(hook))}>
                              <Ellipsis size={16} />
                            </ActionIcon>
                          </Menu.Target>
                          <Menu.Dropdown>
                            <Menu.Item onClick={() => setForm({ hook })}>{en.providers.change}</Menu.Item>
                            <Menu.Item onClick={() => setAsked({ act: 'rotate', hook })}>
                              {en.providers.rotate}
                            </Menu.Item>
                            <Menu.Item c="var(--mantine-color-error)" onClick={() => setAsked({ act: 'remove', hook })}>
                              {en.providers.remove}
                            </Menu.Item>
                          </Menu.Dropdown>
                        </Menu>
                      ),
                  },
                ]}
              />
            </>
          )}
          <Modal
            opened={form !== undefined}
            onClose={() => setForm(undefined)}
            title={form?.hook ? nameOf(form.hook) : en.providers.start}
            closeButtonProps={{ 'aria-label': en.common.close }}
          >
            {form && (
              <ProviderForm
                {...(form.hook ? { hook: form.hook } : {})}
                onClose={() => setForm(undefined)}
                onDone={(made) => {
                  setForm(undefined)
                  setUrl(made)
                  if (!made) done(en.providers.changed)
                  void again()
                }}
              />
            )}
          </Modal>
          <SecretDialog
            secret={url}
            title={en.providers.urlTitle}
            text={en.providers.urlText}
            onClose={() => setUrl(undefined)}
          />
          <Confirm
            opened={asked?.act === 'rotate'}
            onClose={() => setAsked(undefined)}
            title={asked ? en.providers.rotateTitle(nameOf(asked.hook)) : ''}
            action={en.providers.rotate}
            act={async () => {
              const rotated = await api.call('rotateProviderHook', { path: { id: asked!.hook.id } })
              setUrl(rotated.url)
              await again()
            }}
          >
            <Text size="sm">{en.providers.rotateText}</Text>
          </Confirm>
          <Confirm
            opened={asked?.act === 'remove'}
            onClose={() => setAsked(undefined)}
            title={asked ? en.providers.removeTitle(nameOf(asked.hook)) : ''}
            action={en.providers.remove}
            isDangerous
            act={async () => {
              await api.call('deleteProviderHook', { path: { id: asked!.hook.id } })
              await again()
              done(en.providers.removed)
            }}
          >
            {asked && <Text size="sm">{en.providers.removeText(asked.hook.counts.recorded)}</Text>}
          </Confirm>
        </Stack>
      )}
    </Loaded>
  )
}

function Named({ hook }: { hook: Hook }) {
  return (
    <>
      <Text fw={600} size="sm">
        {nameOf(hook)}
      </Text>
      {hook.name && (
        <Text size="xs" c="dimmed">
          {en.providers.providers[hook.provider]}
        </Text>
      )}
      {hook.previous_url_until && (
        <Text size="xs" c="dimmed">
          {en.providers.previous} <Time at={hook.previous_url_until} withClock />
        </Text>
      )}
    </>
  )
}

/** How much has come, and what of it was not recorded, and why. */
function Received({ counts }: { counts: Hook['counts'] }) {
  const others = Object.entries(en.providers.others)
    .filter(([key]) => counts[key as keyof typeof counts] > 0)
    .map(([key, say]) => say(counts[key as keyof typeof counts]))
  return (
    <>
      {number(counts.received)}
      {others.map((other) => (
        <Text key={other} size="xs" c="dimmed">
          {other}
        </Text>
      ))}
    </>
  )
}

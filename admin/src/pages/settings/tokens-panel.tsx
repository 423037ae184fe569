import { Button, Group, Modal, Radio, Select, Stack, Text, TextInput } from '@mantine/core'
import type { Answer } from '@rollcall/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { Confirm } from '../../components/confirm.tsx'
import { DialogForm } from '../../components/dialog-form.tsx'
import { problemText } from '../../components/problem.ts'
import { SecretDialog } from '../../components/secret-dialog.tsx'
import { Empty, Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { done } from '../../components/toast.tsx'
import { Toned } from '../../components/tone.tsx'
import * as en from '../../strings/en.ts'

type Token = Answer<'listTokens'>[number]
type Scope = keyof typeof en.settings.scopes

const DAY_MS = 86_400_000

export function TokensPanel() {
  const { id, api } = useAccount()
  const client = useQueryClient()
  const query = useQuery({ queryKey: [id, 'tokens'], queryFn: ({ signal }) => api.call('listTokens', {}, { signal }) })
  const [isMaking, setMaking] = useState(false)
  const [secret, setSecret] = useState<string>()
  const [ending, setEnding] = useState<Token>()
  const again = () => client.invalidateQueries({ queryKey: [id, 'tokens'] })
  const make = <Button onClick={() => setMaking(true)}>{en.settings.newToken}</Button>
  return (
    <Loaded query={query}>
      {(tokens) => (
        <Stack>
          {tokens.length === 0 ? (
            <Empty icon={KeyRound} title={en.settings.noTokens} action={make}>
              {en.settings.noTokensText}
            </Empty>
          ) : (
            <>
              <Group justify="space-between">
                <Text c="dimmed" size="sm">
                  {en.settings.tokensAbout}
                </Text>
                {make}
              </Group>
              <Rows
                label={en.settings.tabs.tokens}
                rows={tokens}
                keyOf={(token) => token.id}
                columns={[
                  {
                    title: en.settings.tokenName,
                    cell: ({ name, hint }) => (
                      <>
                        <Text fw={600} size="sm">
                          {name}
                        </Text>
                        <Text size="xs" c="dimmed" ff="monospace">
                          {en.settings.hint(hint)}
                        </Text>
                      </>
                    ),
                  },
                  { title: en.settings.status, cell: (token) => <Status token={token} /> },
                  { title: en.settings.scope, cell: ({ scopes }) => en.settings.scopes[widest(scopes)] },
                  {
                    title: en.settings.lastUsed,
                    cell: ({ last_used_at: at }) => (at ? <Time at={at} /> : en.settings.notUsed),
                  },
                  {
                    title: en.settings.expires,
                    cell: ({ expires_at: at }) => (at ? <Time at={at} /> : en.settings.never),
                  },
                  { title: en.settings.made, cell: ({ created_at }) => <Time at={created_at} /> },
                  {
                    title: en.settings.actions,
                    isTitleHidden: true,
                    cell: (token) =>
                      token.revoked_at === null && (
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={en.settings.revokeOf(token.name)}
                          onClick={() => setEnding(token)}
                        >
                          {en.settings.revoke}
                        </Button>
                      ),
                  },
                ]}
              />
            </>
          )}
          <Modal
            opened={isMaking}
            onClose={() => setMaking(false)}
            title={en.settings.newToken}
            closeButtonProps={{ 'aria-label': en.common.close }}
          >
            <TokenForm
              onClose={() => setMaking(false)}
              onMade={(token) => {
                setMaking(false)
                setSecret(token)
                void again()
              }}
            />
          </Modal>
          <SecretDialog
            secret={secret}
            title={en.settings.secretTitle}
            text={en.settings.secretText}
            onClose={() => setSecret(undefined)}
          />
          <Confirm
            opened={ending !== undefined}
            onClose={() => setEnding(undefined)}
            title={en.settings.revokeTitle(ending?.name ?? '')}
            action={en.settings.revoke}
            isDangerous
            act={async () => {
              await api.call('revokeToken', { path: { id: ending!.id } })
              await again()
              done(en.settings.revokeDone)
            }}
          >
            <Text size="sm">{en.settings.revokeText}</Text>
          </Confirm>
        </Stack>
      )}
    </Loaded>
  )
}

function widest(scopes: readonly Scope[]): Scope {
  return scopes.includes('admin') ? 'admin' : scopes.includes('write') ? 'write' : 'read'
}

function Status({ token: { revoked_at, expires_at } }: { token: Token }) {
  if (revoked_at) return <Toned tone="quiet">{en.settings.revoked}</Toned>
  if (expires_at && Date.parse(expires_at) < Date.now()) return <Toned tone="warning">{en.settings.expired}</Toned>
  return <Toned tone="good">{en.settings.active}</Toned>
}

function TokenForm({ onClose, onMade }: { onClose: () => void; onMade: (token: string) => void }) {
  const { api } = useAccount()
  const [name, setName] = useState('')
  const [scope, setScope] = useState<Scope>('read')
  const [days, setDays] = useState('')
  const make = useMutation({
    mutationFn: () =>
      api.call('createToken', {
        body: {
          name,
          scopes: [scope],
          ...(days ? { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() } : {}),
        },
      }),
    onSuccess: ({ token }) => onMade(token),
  })
  return (
    <DialogForm
      act={make}
      problem={make.error ? problemText(make.error) : undefined}
      submit={en.settings.createToken}
      onClose={onClose}
    >
      <TextInput
        label={en.settings.tokenName}
        description={en.settings.tokenNameHint}
        data-autofocus
        required
        withAsterisk={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Radio.Group label={en.settings.scope} value={scope} onChange={(value) => setScope(value as Scope)}>
        <Stack gap="xs" mt="xs">
          {Object.entries(en.settings.scopes).map(([value, label]) => (
            <Radio key={value} value={value} label={label} />
          ))}
        </Stack>
      </Radio.Group>
      <Select
        label={en.settings.expires}
        data={Object.entries(en.settings.lifetimes).map(([value, label]) => ({ value, label }))}
        value={days}
        allowDeselect={false}
        onChange={(value) => setDays(value ?? '')}
      />
    </DialogForm>
  )
}

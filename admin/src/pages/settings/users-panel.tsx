import { Button, Group, Modal, Select, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useAccount } from '../../api/client.ts'
import { type Role, sessionQuery } from '../../api/session.ts'
import { usersQuery } from '../../components/actor.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { DialogForm } from '../../components/dialog-form.tsx'
import { problemText } from '../../components/problem.ts'
import { SecretDialog } from '../../components/secret-dialog.tsx'
import { Loaded } from '../../components/states.tsx'
import { Rows } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { done, failed } from '../../components/toast.tsx'
import * as en from '../../strings/en.ts'

const ROLES = Object.entries(en.shell.role).map(([value, label]) => ({ value, label }))

interface Person {
  id: number
  name: string
}

export function UsersPanel() {
  const account = useAccount()
  const { id, api } = account
  const client = useQueryClient()
  const session = useQuery(sessionQuery)
  const query = useQuery(usersQuery(account))
  const [isInviting, setInviting] = useState(false)
  const [link, setLink] = useState<string>()
  const [leaving, setLeaving] = useState<Person>()
  const again = () => client.invalidateQueries({ queryKey: [id, 'users'] })

  const changeRole = useMutation({
    mutationFn: ({ user, role }: { user: Person; role: Role }) =>
      api.call('updateUser', { path: { id: user.id }, body: { role } }),
    onSuccess: async (_, { user }) => {
      await again()
      done(en.settings.roleDone(user.name))
    },
    onError: (error) => failed(error),
  })
  const reset = useMutation({
    mutationFn: (user: number) => api.call('makeResetLink', { path: { id: user } }),
    onSuccess: (made) => setLink(made.link),
    onError: (error) => failed(error),
  })

  return (
    <Loaded query={query}>
      {(users) => (
        <Stack>
          <Group justify="space-between">
            <Text c="dimmed" size="sm">
              {en.settings.usersAbout}
            </Text>
            <Button onClick={() => setInviting(true)}>{en.settings.invite}</Button>
          </Group>
          <Rows
            label={en.settings.tabs.users}
            rows={users}
            keyOf={(user) => user.id}
            columns={[
              {
                title: en.settings.user,
                cell: ({ name, email }) => (
                  <>
                    <Text fw={600} size="sm">
                      {name}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {email}
                    </Text>
                  </>
                ),
              },
              {
                title: en.settings.role,
                cell: ({ id: user, name, role }) =>
                  user === session.data?.user.id ? (
                    <Text size="sm">
                      {en.shell.role[role]} ({en.settings.you})
                    </Text>
                  ) : (
                    <Select
                      size="xs"
                      w={150}
                      aria-label={en.settings.roleOf(name)}
                      data={ROLES}
                      value={role}
                      allowDeselect={false}
                      disabled={changeRole.isPending}
                      onChange={(value) =>
                        value && changeRole.mutate({ user: { id: user, name }, role: value as Role })
                      }
                    />
                  ),
              },
              {
                title: en.settings.lastSeen,
                cell: ({ last_seen_at: at }) => (at ? <Time at={at} /> : en.settings.notSeen),
              },
              { title: en.settings.since, cell: ({ created_at }) => <Time at={created_at} /> },
              {
                title: en.settings.actions,
                isTitleHidden: true,
                cell: ({ id: user, name }) =>
                  user !== session.data?.user.id && (
                    <Group gap="xs" wrap="nowrap">
                      <Button
                        size="xs"
                        variant="default"
                        aria-label={en.settings.resetOf(name)}
                        disabled={reset.isPending}
                        onClick={() => reset.mutate(user)}
                      >
                        {en.settings.reset}
                      </Button>
                      <Button
                        size="xs"
                        variant="default"
                        aria-label={en.settings.removeOf(name)}
                        onClick={() => setLeaving({ id: user, name })}
                      >
                        {en.settings.removeUser}
                      </Button>
                    </Group>
                  ),
              },
            ]}
          />
          <Invitations />
          <Modal
            opened={isInviting}
            onClose={() => setInviting(false)}
            title={en.settings.invite}
            closeButtonProps={{ 'aria-label': en.common.close }}
          >
            <InviteForm
              onClose={() => setInviting(false)}
              onMade={(made) => {
                setInviting(false)
                setLink(made)
                void client.invalidateQueries({ queryKey: [id, 'invitations'] })
              }}
            />
          </Modal>
          <SecretDialog
            secret={link}
            title={en.settings.linkTitle}
            text={en.settings.linkText}
            onClose={() => setLink(undefined)}
          />
          <Confirm
            opened={leaving !== undefined}
            onClose={() => setLeaving(undefined)}
            title={en.settings.removeTitle(leaving?.name ?? '')}
            action={en.settings.removeUser}
            isDangerous
            act={async () => {
              await api.call('removeUser', { path: { id: leaving!.id } })
              await again()
              done(en.settings.removeDone(leaving!.name))
            }}
          >
            <Text size="sm">{en.settings.removeText}</Text>
          </Confirm>
        </Stack>
      )}
    </Loaded>
  )
}

/** Those that wait for their person; nothing where there is none. */
function Invitations() {
  const { id, api } = useAccount()
  const client = useQueryClient()
  const query = useQuery({
    queryKey: [id, 'invitations'],
    queryFn: ({ signal }) => api.call('listInvitations', {}, { signal }),
  })
  const withdraw = useMutation({
    mutationFn: (invitation: number) => api.call('withdrawInvitation', { path: { id: invitation } }),
    onSuccess: () => client.invalidateQueries({ queryKey: [id, 'invitations'] }),
    onError: (error) => failed(error),
  })
  return (
    <Loaded query={query} loading={null}>
      {(invitations) =>
        invitations.length > 0 && (
          <>
            <Title order={2} mt="md">
              {en.settings.invitations}
            </Title>
            <Rows
              label={en.settings.invitations}
              rows={invitations}
              keyOf={(invitation) => invitation.id}
              columns={[
                { title: en.settings.email, cell: ({ email }) => email },
                { title: en.settings.role, cell: ({ role }) => en.shell.role[role] },
                { title: en.settings.expires, cell: ({ expires_at }) => <Time at={expires_at} /> },
                {
                  title: en.settings.actions,
                  isTitleHidden: true,
                  cell: ({ id: invitation, email }) => (
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={en.settings.withdrawOf(email)}
                      onClick={() => withdraw.mutate(invitation)}
                    >
                      {en.settings.withdraw}
                    </Button>
                  ),
                },
              ]}
            />
          </>
        )
      }
    </Loaded>
  )
}

function InviteForm({ onClose, onMade }: { onClose: () => void; onMade: (link: string) => void }) {
  const { api } = useAccount()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<Role>('editor')
  const invite = useMutation({
    mutationFn: () => api.call('inviteUser', { body: { email, role } }),
    onSuccess: ({ link }) => onMade(link),
  })
  return (
    <DialogForm
      act={invite}
      problem={invite.error ? problemText(invite.error) : undefined}
      submit={en.settings.makeInvitation}
      onClose={onClose}
    >
      <Text size="sm" c="dimmed">
        {en.settings.inviteText}
      </Text>
      <TextInput
        type="email"
        label={en.settings.email}
        data-autofocus
        required
        withAsterisk={false}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <Select
        label={en.settings.role}
        data={Object.entries(en.settings.roles).map(([value, label]) => ({ value, label }))}
        value={role}
        allowDeselect={false}
        onChange={(value) => value && setRole(value as Role)}
      />
    </DialogForm>
  )
}

import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { type Answer, NotFoundError } from '@rollcall/sdk'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useRouter } from '@tanstack/react-router'
import { type ChangeEvent, useState } from 'react'
import { service } from '../../api/session.ts'
import { faultsByInput } from '../../components/problem.ts'
import { Loaded } from '../../components/states.tsx'
import * as en from '../../strings/en.ts'
import { Outside } from './outside.tsx'

type LinkSeen = Answer<'checkLink'>

/** Where links that work once lead: the first administrator's, an invitation, a new password. */
export function SetupPage() {
  // Behind the #, which no server is sent and no log has.
  const token = location.hash.slice(1)
  const link = useQuery({
    queryKey: ['link', token],
    queryFn: () => service.call('checkLink', { body: { token } }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (link.error && !(link.error instanceof TypeError) && isGone(link.error)) return <Gone />
  return <Loaded query={link}>{(seen) => <UseLink token={token} seen={seen} />}</Loaded>
}

function isGone(error: Error): boolean {
  return error instanceof NotFoundError || ('status' in error && error.status === 410)
}

function Gone() {
  return (
    <Outside title={en.session.linkGone} heading={en.session.linkGone} text={en.session.linkGoneText}>
      <Anchor component={Link} to="/login">
        {en.session.toSignIn}
      </Anchor>
    </Outside>
  )
}

function UseLink({ token, seen }: { token: string; seen: LinkSeen }) {
  const { purpose, email, is_user: isUser, account, role } = seen
  const router = useRouter()
  const client = useQueryClient()
  const [given, setGiven] = useState({ name: '', email: '', password: '' })
  const [faults, setFaults] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const [isGoneNow, setGone] = useState(false)
  const texts = en.session.link[purpose]
  const wanted = { email: purpose === 'setup', name: purpose !== 'reset' && !isUser, password: true }

  const submit = async () => {
    setBusy(true)
    try {
      const { password } = given
      await service.call('useLink', {
        body: {
          token,
          password,
          ...(wanted.email ? { email: given.email } : {}),
          ...(wanted.name ? { name: given.name } : {}),
        },
      })
      client.clear()
      router.history.push('/')
    } catch (error) {
      setGone(error instanceof Error && isGone(error))
      setFaults(faultsByInput(error, Object.keys(given)))
      setBusy(false)
    }
  }

  const input = (name: keyof typeof given) => ({
    value: given[name],
    error: faults[name],
    required: true,
    withAsterisk: false,
    onChange: (event: ChangeEvent<HTMLInputElement>) => {
      const { value } = event.currentTarget
      setGiven((before) => ({ ...before, [name]: value }))
    },
  })

  if (isGoneNow) return <Gone />
  const text = typeof texts.text === 'string' ? texts.text : texts.text(account ?? '', role ? en.shell.role[role] : '')
  return (
    <Outside title={texts.title} heading={texts.title} text={text}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Stack>
          {faults.base && (
            <Alert color="red" role="alert">
              {faults.base}
            </Alert>
          )}
          {wanted.email ? (
            <TextInput label={en.session.email} type="email" autoComplete="username" autoFocus {...input('email')} />
          ) : (
            <TextInput label={en.session.email} type="email" autoComplete="username" readOnly value={email ?? ''} />
          )}
          {wanted.name && <TextInput label={en.session.name} autoComplete="name" {...input('name')} />}
          {isUser && (
            <Text size="sm" c="dimmed">
              {en.session.knownPassword}
            </Text>
          )}
          <PasswordInput
            label={en.session.password}
            description={isUser ? undefined : en.session.passwordHint}
            autoComplete={isUser ? 'current-password' : 'new-password'}
            {...input('password')}
          />
          <Button type="submit" loading={busy} fullWidth mt="xs">
            {texts.submit}
          </Button>
        </Stack>
      </form>
    </Outside>
  )
}

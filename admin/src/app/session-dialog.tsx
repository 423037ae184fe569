import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState, useSyncExternalStore } from 'react'
import { gate } from '../api/gate.ts'
import { type Session, sessionQuery, signIn } from '../api/session.ts'
import * as en from '../strings/en.ts'
import { signInProblem } from './sign-in-problem.ts'

/** Over whatever page is open once a request finds the session ended: signing in again lets the request go on. */
export function SessionDialog() {
  const closed = useSyncExternalStore(gate.subscribe, gate.isClosed)
  const client = useQueryClient()
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  // What was known of the user stays known while nobody is signed in.
  const email = client.getQueryData<Session>(sessionQuery.queryKey)?.user.email
  const [address, setAddress] = useState('')

  const submit = async () => {
    setBusy(true)
    try {
      await signIn(email ?? address, password)
      setPassword('')
      setProblem(undefined)
      gate.open()
    } catch (error) {
      setProblem(signInProblem(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal
      opened={closed}
      onClose={() => {}}
      withCloseButton={false}
      closeOnClickOutside={false}
      title={en.session.expired}
      zIndex={1000}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Stack>
          <Text size="sm">{en.session.expiredText}</Text>
          <TextInput
            label={en.session.email}
            type="email"
            autoComplete="username"
            value={email ?? address}
            readOnly={email !== undefined}
            onChange={(event) => setAddress(event.currentTarget.value)}
          />
          <PasswordInput
            label={en.session.password}
            autoComplete="current-password"
            data-autofocus
            required
            withAsterisk={false}
            value={password}
            error={problem}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Group justify="space-between">
            <Button
              variant="subtle"
              onClick={() => {
                gate.refuse()
                location.assign('/login')
              }}
            >
              {en.session.leave}
            </Button>
            <Button type="submit" loading={busy}>
              {en.session.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { Failure } from '../../api/send.ts'
import { setUp } from '../../api/session.ts'
import { faultsByInput } from '../../components/problem.ts'
import { en } from '../../strings/en.ts'
import { Outside } from './outside.tsx'

const route = getRouteApi('/setup')
const LEAST_PASSWORD = 10

/** Opened by the one-time link that the first start prints. The token stands behind `#`, which no log ever sees. */
export function SetupPage() {
  const { token = location.hash.slice(1) } = route.useSearch()
  const router = useRouter()
  const client = useQueryClient()
  const [given, setGiven] = useState({ name: '', email: '', password: '' })
  const [faults, setFaults] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)

  const submit = async () => {
    if (given.password.length < LEAST_PASSWORD) return setFaults({ password: en.session.tooShort(LEAST_PASSWORD) })
    setBusy(true)
    try {
      await setUp({ token, ...given })
      client.clear()
      router.history.push('/')
    } catch (error) {
      const gone = error instanceof Failure && [401, 403, 404, 410].includes(error.status)
      setFaults(gone ? { base: en.session.setupGone } : faultsByInput(error, Object.keys(given)))
      setBusy(false)
    }
  }

  const input = (name: keyof typeof given) => ({
    value: given[name],
    error: faults[name],
    required: true,
    withAsterisk: false,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => {
      const { value } = event.currentTarget
      setGiven((before) => ({ ...before, [name]: value }))
    },
  })

  return (
    <Outside title={en.session.setupTitle} heading={en.session.setupTitle} text={en.session.setupText}>
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
          <TextInput label={en.session.name} autoComplete="name" autoFocus {...input('name')} />
          <TextInput label={en.session.email} type="email" autoComplete="username" {...input('email')} />
          <PasswordInput
            label={en.session.password}
            description={en.session.passwordHint(LEAST_PASSWORD)}
            autoComplete="new-password"
            {...input('password')}
          />
          <Button type="submit" loading={busy} fullWidth mt="xs">
            {en.session.setupSubmit}
          </Button>
        </Stack>
      </form>
    </Outside>
  )
}

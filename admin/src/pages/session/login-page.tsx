import { Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { signIn } from '../../api/session.ts'
import { signInProblem } from '../../app/sign-in-problem.ts'
import * as en from '../../strings/en.ts'
import { Outside } from './outside.tsx'

const route = getRouteApi('/login')

export function LoginPage() {
  const { next } = route.useSearch()
  const router = useRouter()
  const client = useQueryClient()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)

  const submit = async () => {
    setBusy(true)
    try {
      await signIn(email, password)
      client.clear()
      router.history.push(next ?? '/')
    } catch (error) {
      setProblem(signInProblem(error))
      setBusy(false)
    }
  }

  return (
    <Outside title={en.session.title} heading={en.session.welcome}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Stack>
          <TextInput
            label={en.session.email}
            type="email"
            autoComplete="username"
            required
            withAsterisk={false}
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label={en.session.password}
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            error={problem}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" loading={busy} fullWidth mt="xs">
            {en.session.submit}
          </Button>
        </Stack>
      </form>
    </Outside>
  )
}

import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { signOut } from '../../api/session.ts'
import * as en from '../../strings/en.ts'
import { Outside } from './outside.tsx'

export function NoAccountPage() {
  const client = useQueryClient()
  const router = useRouter()
  return (
    <Outside title={en.shell.product} heading={en.shell.product} text={en.session.noAccount}>
      <Button
        variant="default"
        onClick={async () => {
          await signOut(client)
          router.history.push('/login')
        }}
      >
        {en.session.signOut}
      </Button>
    </Outside>
  )
}

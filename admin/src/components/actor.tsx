import { useQuery } from '@tanstack/react-query'
import { type OpenAccount, useAccount } from '../api/client.ts'
import { sessionQuery } from '../api/session.ts'
import * as en from '../strings/en.ts'

export const usersQuery = ({ id, api }: OpenAccount) => ({
  queryKey: [id, 'users'],
  queryFn: ({ signal }: { signal: AbortSignal }) => api.call('listUsers', {}, { signal }),
})

/** Who did something, by name where the viewer may know the others. Takes `user:3`, `token:5`, `system`, …. */
export function Actor({ actor }: { actor: string }) {
  const account = useAccount()
  const session = useQuery(sessionQuery)
  const users = useQuery({ ...usersQuery(account), enabled: account.canAdminister, staleTime: 60_000 })
  const [kind, id = ''] = actor.split(':')
  if (kind === 'user' && String(session.data?.user.id) === id) return en.changes.you
  if (kind === 'user') {
    const user = users.data?.find((one) => String(one.id) === id)
    return user ? user.name || user.email : en.changes.user(id)
  }
  return kind === 'token' ? en.changes.token(id) : actor
}

import type { QueryClient } from '@tanstack/react-query'
import { queryOptions } from '@tanstack/react-query'
import { type Failure, failureOf, send } from './send.ts'

export type Role = 'admin' | 'editor' | 'viewer'

export interface Membership {
  id: number
  name: string
  role: Role
}

/** Who is signed in, and the accounts they may open. */
export interface Session {
  user: { id: number; email: string; name: string }
  accounts: Membership[]
}

/** The session; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session | null> => {
    const response = await send('/api/session', { signal })
    if (response.status === 401) return null
    if (!response.ok) throw await failureOf(response)
    return response.json()
  },
  staleTime: 60_000,
})

/** Opens a session: the cookie comes with the answer. Throws a Failure. */
export async function signIn(email: string, password: string): Promise<void> {
  await post('/api/session', { email, password })
}

/** Creates the first administrator, whom the answer signs in. Throws a Failure. */
export async function setUp(given: { token: string; email: string; password: string; name: string }): Promise<void> {
  await post('/api/setup', given)
}

export async function signOut(client: QueryClient): Promise<void> {
  await send('/api/session', { method: 'DELETE' })
  client.clear()
}

async function post(path: string, body: object): Promise<void> {
  const response = await send(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  if (!response.ok) throw (await failureOf(response)) satisfies Failure
}

import { type Answer, rollcall, UnauthorizedError } from '@rollcall/sdk'
import { type QueryClient, queryOptions } from '@tanstack/react-query'
import { patientFetch } from './patient-fetch.ts'

/** What marks a request as the page's own: no other site can send it. */
export const OWN_PAGE = { 'x-rollcall-ui': '1' }

/** Who is signed in, and the accounts they may open. */
export type Session = Answer<'getSession'>
export type Membership = Session['accounts'][number]
export type Role = Membership['role']

/** The client of what stands before all accounts. A 401 is an answer here: nobody is asked to sign in again. */
export const service = rollcall({
  url: location.origin,
  headers: OWN_PAGE,
  timeoutMs: 0,
  retries: 1,
  fetch: (input, init) => patientFetch(input, init),
})

/** The session; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await service.call('getSession', {}, { signal })
    } catch (error) {
      if (error instanceof UnauthorizedError) return null
      throw error
    }
  },
  staleTime: 60_000,
})

/** Opens a session: the cookie comes with the answer. */
export async function signIn(email: string, password: string): Promise<Session> {
  return service.call('signIn', { body: { email, password } }, { retries: 0 })
}

export async function signOut(client: QueryClient): Promise<void> {
  await service.call('signOut', {})
  client.clear()
}

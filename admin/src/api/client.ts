import { type Rollcall, rollcall } from '@rollcall/sdk'
import { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { gate } from './gate.ts'
import { patientFetch, type Sent } from './patient-fetch.ts'
import { type Membership, OWN_PAGE } from './session.ts'

/** Sends a request again when its session had ended and the user has signed in anew; the clock stands still meanwhile. */
async function sessionFetch(input: string | URL | Request, init: RequestInit = {}, onSent?: Sent): Promise<Response> {
  for (;;) {
    const response = await patientFetch(input, init, onSent)
    if (response.status !== 401) return response
    await gate.pass()
    init.signal?.throwIfAborted()
  }
}

/** The client of an account, for whoever is signed in. The SDK's own clock would run while a user types a password. `onSent` hears of uploads. */
export function clientOf(accountId: number, onSent?: Sent): Rollcall {
  return rollcall({
    url: location.origin,
    accountId,
    headers: OWN_PAGE,
    timeoutMs: 0,
    retries: 1,
    fetch: (input, init) => sessionFetch(input, init, onSent),
  })
}

/** The account that is open: its client, and what its user may do in it. */
export interface OpenAccount extends Membership {
  api: Rollcall
  /** Whether the user may change people, lists, forms, templates, webhooks and what goes with them. */
  canWrite: boolean
  /** Whether the user may change tokens, users and settings, and erase people. */
  canAdminister: boolean
}

export const AccountContext = createContext<OpenAccount | undefined>(undefined)

/** The account whose pages these are. */
export function useAccount(): OpenAccount {
  const account = useContext(AccountContext)
  if (!account) throw new Error('useAccount outside the pages of an account')
  return account
}

export function openAccount(membership: Membership): OpenAccount {
  const { role } = membership
  return { ...membership, api: clientOf(membership.id), canWrite: role !== 'viewer', canAdminister: role === 'admin' }
}

export const queryClient = new QueryClient({
  defaultOptions: {
    // The SDK has tried again already. `always`: that there is no network says nothing of a service on this very machine, and what
    // waits for one shows nothing but that it waits.
    queries: { retry: false, staleTime: 5_000, networkMode: 'always', refetchOnReconnect: true },
    mutations: { retry: false, networkMode: 'always' },
  },
})

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { openAccount, queryClient } from '../api/client.ts'
import { type Session, sessionQuery } from '../api/session.ts'
import { Crashed, Missing } from '../components/states.tsx'
import { lastAccount, rememberAccount } from './last-account.ts'

/** Who is signed in. Sends everyone else to the sign-in page, from where they come back. */
async function requireSession(href: string): Promise<Session> {
  const session = await queryClient.fetchQuery(sessionQuery)
  if (session) return session
  throw redirect({ to: '/login', search: href === '/' ? {} : { next: href } })
}

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing, errorComponent: Crashed })

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    // Only a page of ours: `//elsewhere` and `https:…` would lead away.
    typeof search.next === 'string' && /^\/(?![/\\])/.test(search.next) ? { next: search.next } : {},
  component: lazyRouteComponent(() => import('../pages/session/login-page.tsx'), 'LoginPage'),
})

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('../pages/session/setup-page.tsx'), 'SetupPage'),
})

const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async ({ location }) => {
    const { accounts } = await requireSession(location.href)
    const account = accounts.find(({ id }) => id === lastAccount()) ?? accounts[0]
    if (account) throw redirect({ to: '/accounts/$account', params: { account: String(account.id) } })
  },
  component: lazyRouteComponent(() => import('../pages/session/no-account-page.tsx'), 'NoAccountPage'),
})

const account = createRoute({
  getParentRoute: () => root,
  path: '/accounts/$account',
  beforeLoad: async ({ params, location }) => {
    const session = await requireSession(location.href)
    const membership = session.accounts.find(({ id }) => String(id) === params.account)
    if (!membership) throw redirect({ to: '/' })
    rememberAccount(membership.id)
    return { session, open: openAccount(membership) }
  },
  component: lazyRouteComponent(() => import('./shell.tsx'), 'Shell'),
})

const home = createRoute({
  getParentRoute: () => account,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/home/home-page.tsx'), 'HomePage'),
})

const routeTree = root.addChildren([login, setup, start, account.addChildren([home])])

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: Missing,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

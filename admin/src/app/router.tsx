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
import { Crashed, Missing, Pending } from '../components/states.tsx'
import { isPhase, type Phase } from '../pages/outbox/phases.ts'
import { isSettingsTab, type SettingsTab } from '../pages/settings/tabs.ts'
import { lastAccount, rememberAccount } from './last-account.ts'

/** Who is signed in. Sends everyone else to the sign-in page, from where they come back. */
async function requireSession(href: string): Promise<Session> {
  const session = await queryClient.fetchQuery(sessionQuery)
  if (session) return session
  throw redirect({ to: '/login', search: href === '/' ? {} : { next: href } })
}

const root = createRootRoute({
  component: Outlet,
  pendingComponent: Pending,
  notFoundComponent: Missing,
  errorComponent: Crashed,
})

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

/** What the page of contacts shows, as its address says it. */
interface ContactsSearch {
  q?: string | undefined
  criteria?: unknown
  sort?: string | undefined
  cols?: string[] | undefined
}

const contacts = createRoute({
  getParentRoute: () => account,
  path: '/contacts',
  validateSearch: ({ q, criteria, sort, cols }: Record<string, unknown>): ContactsSearch => ({
    ...(q === undefined || q === '' ? {} : { q: String(q) }),
    ...(typeof criteria === 'object' && criteria !== null ? { criteria } : {}),
    ...(typeof sort === 'string' ? { sort } : {}),
    ...(Array.isArray(cols) ? { cols: cols.map(String) } : {}),
  }),
  component: lazyRouteComponent(() => import('../pages/contacts/contacts-page.tsx'), 'ContactsPage'),
})

const contact = createRoute({
  getParentRoute: () => account,
  path: '/contacts/$contact',
  validateSearch: ({ tab }: Record<string, unknown>): { tab?: 'profile' | 'timeline' | 'consents' | 'why' } =>
    tab === 'timeline' || tab === 'consents' || tab === 'why' ? { tab } : {},
  component: lazyRouteComponent(() => import('../pages/contact/contact-page.tsx'), 'ContactPage'),
})

const imports = createRoute({
  getParentRoute: () => account,
  path: '/imports',
  component: lazyRouteComponent(() => import('../pages/imports/imports-page.tsx'), 'ImportsPage'),
})

const newImport = createRoute({
  getParentRoute: () => account,
  path: '/imports/new',
  component: lazyRouteComponent(() => import('../pages/imports/new-import-page.tsx'), 'NewImportPage'),
})

const oneImport = createRoute({
  getParentRoute: () => account,
  path: '/imports/$import',
  component: lazyRouteComponent(() => import('../pages/imports/import-page.tsx'), 'ImportPage'),
})

const changes = createRoute({
  getParentRoute: () => account,
  path: '/changes',
  component: lazyRouteComponent(() => import('../pages/changes/changes-page.tsx'), 'ChangesPage'),
})

const oneChange = createRoute({
  getParentRoute: () => account,
  path: '/changes/$change',
  component: lazyRouteComponent(() => import('../pages/changes/change-page.tsx'), 'ChangePage'),
})

const settings = createRoute({
  getParentRoute: () => account,
  path: '/settings',
  validateSearch: (search: Record<string, unknown>): { tab?: SettingsTab } =>
    isSettingsTab(search.tab) ? { tab: search.tab } : {},
  component: lazyRouteComponent(() => import('../pages/settings/settings-page.tsx'), 'SettingsPage'),
})

const exports = createRoute({
  getParentRoute: () => account,
  path: '/exports',
  component: lazyRouteComponent(() => import('../pages/exports/exports-page.tsx'), 'ExportsPage'),
})

const fields = createRoute({
  getParentRoute: () => account,
  path: '/fields',
  component: lazyRouteComponent(() => import('../pages/fields/fields-page.tsx'), 'FieldsPage'),
})

const suppressions = createRoute({
  getParentRoute: () => account,
  path: '/suppressions',
  component: lazyRouteComponent(() => import('../pages/suppressions/suppressions-page.tsx'), 'SuppressionsPage'),
})

const webhooks = createRoute({
  getParentRoute: () => account,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('../pages/webhooks/webhooks-page.tsx'), 'WebhooksPage'),
})

const webhook = createRoute({
  getParentRoute: () => account,
  path: '/webhooks/$webhook',
  component: lazyRouteComponent(() => import('../pages/webhooks/webhook-page.tsx'), 'WebhookPage'),
})

const activity = createRoute({
  getParentRoute: () => account,
  path: '/activity',
  validateSearch: ({ types }: Record<string, unknown>): { types?: string[] } =>
    Array.isArray(types) && types.length > 0 ? { types: types.map(String) } : {},
  component: lazyRouteComponent(() => import('../pages/activity/activity-page.tsx'), 'ActivityPage'),
})

const forms = createRoute({
  getParentRoute: () => account,
  path: '/forms',
  component: lazyRouteComponent(() => import('../pages/forms/forms-page.tsx'), 'FormsPage'),
})

const newForm = createRoute({
  getParentRoute: () => account,
  path: '/forms/new',
  component: lazyRouteComponent(() => import('../pages/forms/new-form-page.tsx'), 'NewFormPage'),
})

const form = createRoute({
  getParentRoute: () => account,
  path: '/forms/$form',
  component: lazyRouteComponent(() => import('../pages/forms/form-page.tsx'), 'FormPage'),
})

const templates = createRoute({
  getParentRoute: () => account,
  path: '/templates',
  component: lazyRouteComponent(() => import('../pages/templates/templates-page.tsx'), 'TemplatesPage'),
})

// With a hyphen, which no name of a template has.
const newTemplate = createRoute({
  getParentRoute: () => account,
  path: '/templates/new-template',
  component: lazyRouteComponent(() => import('../pages/templates/new-template-page.tsx'), 'NewTemplatePage'),
})

const template = createRoute({
  getParentRoute: () => account,
  path: '/templates/$template',
  component: lazyRouteComponent(() => import('../pages/templates/template-page.tsx'), 'TemplatePage'),
})

const outbox = createRoute({
  getParentRoute: () => account,
  path: '/outbox',
  validateSearch: ({ phase, contact }: Record<string, unknown>): { phase?: Phase; contact?: string } => ({
    ...(isPhase(phase) ? { phase } : {}),
    ...(typeof contact === 'string' ? { contact } : {}),
  }),
  component: lazyRouteComponent(() => import('../pages/outbox/outbox-page.tsx'), 'OutboxPage'),
})

const message = createRoute({
  getParentRoute: () => account,
  path: '/outbox/$message',
  component: lazyRouteComponent(() => import('../pages/outbox/message-page.tsx'), 'MessagePage'),
})

const reachPages = [forms, newForm, form, templates, newTemplate, template, outbox, message] as const

const dataPages = [
  activity,
  exports,
  fields,
  suppressions,
  webhooks,
  webhook,
  imports,
  newImport,
  oneImport,
  changes,
  oneChange,
  settings,
] as const

const lists = createRoute({
  getParentRoute: () => account,
  path: '/lists',
  component: lazyRouteComponent(() => import('../pages/lists/lists-page.tsx'), 'ListsPage'),
})

const newSmart = createRoute({
  getParentRoute: () => account,
  path: '/lists/new',
  validateSearch: ({ criteria }: Record<string, unknown>): { criteria?: unknown } =>
    typeof criteria === 'object' && criteria !== null ? { criteria } : {},
  component: lazyRouteComponent(() => import('../pages/lists/new-smart-page.tsx'), 'NewSmartPage'),
})

const list = createRoute({
  getParentRoute: () => account,
  path: '/lists/$list',
  validateSearch: ({ tab }: Record<string, unknown>): { tab?: 'criteria' | 'history' } =>
    tab === 'criteria' || tab === 'history' ? { tab } : {},
  component: lazyRouteComponent(() => import('../pages/lists/list-page.tsx'), 'ListPage'),
})

const routeTree = root.addChildren([
  login,
  setup,
  start,
  account.addChildren([home, contacts, contact, lists, newSmart, list, ...reachPages, ...dataPages]),
])

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultPendingComponent: Pending,
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: Missing,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

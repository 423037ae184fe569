import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from './app.ts'
import { signedIn, userIn } from './browser.ts'

const SOURCE = { subject: 'Hello', html: '<p>Hello</p>', text: 'Hello' }

/** Acts that leave no entry: each stands in a log of its own, or changes nothing. */
const ELSEWHERE = [
  'POST /api/templates/:name/send',
  'POST /api/webhooks/:id/test',
  'POST /api/webhooks/:id/deliveries/:delivery/redeliver',
]

/** What editors may do as well, and what leads people's data or mail elsewhere by itself. */
const NOTED = /^\/api\/(templates|webhooks|provider_hooks)\b/

test('every act of administrators, and on templates and webhooks, leaves one entry in the audit log, from what to what, and names nobody', async (t) => {
  const routes: string[] = []
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' }, undefined, (route) => {
    const { scope } = (route.config ?? {}) as { scope?: string }
    if (scope === 'admin' || (scope === 'write' && NOTED.test(route.url)))
      for (const method of [route.method].flat()) if (!/GET|HEAD/.test(method)) routes.push(`${method} ${route.url}`)
  })
  const { db, accountId } = made
  const { call: as, userId } = await signedIn(made, 'ann@example.com', { [accountId]: 'admin' })
  const other = await userIn(db, 'ben@example.com', { [accountId]: 'editor' })
  await made.post('/api/contacts', { email: 'cat@example.com' })
  const done = new Set<string>()
  const act = async (
    route: string,
    ids: (number | string)[],
    body: object | undefined,
    action: string,
    data: object,
  ) => {
    const [method = '', path = ''] = route.split(' ')
    let at = 0
    const url = path
      .replace(/:\w+/g, () => String(ids[at++]))
      .replace(/^\/api(\/account$)?/, `/api/accounts/${accountId}`)
    const answer = await as(method, url, body)
    assert.ok(answer.status < 300, `${route}: ${answer.status} ${JSON.stringify(answer.body)}`)
    const { data: entries } = (await as('GET', `/api/accounts/${accountId}/audit?per_page=1`)).body
    const { id: _, at: __, ip: ___, ...entry } = entries[0]
    const known = action === 'contact_erased' ? { ...entry, data: {} } : entry // whose receipt has an id of its own
    assert.deepEqual(known, { actor: `user:${userId}`, action, data }, route)
    done.add(route)
    return answer.body
  }

  await act(
    'PATCH /api/account',
    [],
    { time_zone: 'Europe/Oslo', retention: { mails_days: 30 }, color: '#2563eb' },
    'account_updated',
    {
      time_zone: { from: 'UTC', to: 'Europe/Oslo' },
      retention: { mails_days: { from: null, to: 30 } },
    },
  )
  const token = await act('POST /api/tokens', [], { name: 'Shop', scopes: ['read'] }, 'token_created', {
    token_id: 2,
    scopes: ['read'],
  })
  await act('DELETE /api/tokens/:id', [token.id], undefined, 'token_revoked', { token_id: token.id })
  const invited = await act('POST /api/invitations', [], { email: 'dan@example.com', role: 'viewer' }, 'user_invited', {
    invitation_id: 1,
    role: 'viewer',
  })
  await act('DELETE /api/invitations/:id', [invited.id], undefined, 'invitation_withdrawn', {
    invitation_id: invited.id,
  })
  await act('PATCH /api/users/:id', [other], { role: 'viewer' }, 'user_role_changed', {
    user_id: other,
    role: { from: 'editor', to: 'viewer' },
  })
  await act('POST /api/users/:id/reset_link', [other], undefined, 'password_reset_link_made', { user_id: other })
  await act('DELETE /api/users/:id', [other], undefined, 'user_removed', { user_id: other, role: 'viewer' })
  await act('POST /api/templates', [], { name: 'hello', ...SOURCE }, 'template_created', { template: 'hello' })
  await act('PATCH /api/templates/:name', ['hello'], { subject: 'Hi' }, 'template_updated', {
    template: 'hello',
    version: { from: 1, to: 2 },
    changed: ['subject'],
  })
  await act('DELETE /api/templates/:name', ['hello'], undefined, 'template_deleted', { template: 'hello', versions: 2 })
  const url = 'http://127.0.0.1:9/secret'
  const { id: webhook } = await act('POST /api/webhooks', [], { url }, 'webhook_created', { webhook_id: 1 })
  await act(
    'PATCH /api/webhooks/:id',
    [webhook],
    { enabled: false, each: false, types: ['created'], url },
    'webhook_updated',
    {
      webhook_id: webhook,
      types: { from: null, to: ['created'] },
      enabled: { from: true, to: false },
      changed: ['url'],
    },
  )
  await act('POST /api/webhooks/:id/rotate_secret', [webhook], undefined, 'webhook_secret_rotated', {
    webhook_id: webhook,
  })
  await db.query(sql`update webhooks set position = 7 where account_id = ${accountId}`)
  await act('POST /api/webhooks/:id/replay', [webhook], { after: 'start' }, 'webhook_replayed', {
    webhook_id: webhook,
    position: { from: 7, to: 0 },
  })
  await act('DELETE /api/webhooks/:id', [webhook], undefined, 'webhook_deleted', { webhook_id: webhook })
  const { id: hook } = await act('POST /api/provider_hooks', [], { provider: 'ses' }, 'provider_hook_created', {
    id: 1,
    provider: 'ses',
  })
  await act('PATCH /api/provider_hooks/:id', [hook], { name: 'News' }, 'provider_hook_updated', {
    id: hook,
    changed: ['name'],
  })
  await act('POST /api/provider_hooks/:id/rotate', [hook], undefined, 'provider_hook_rotated', { id: hook })
  await act('DELETE /api/provider_hooks/:id', [hook], undefined, 'provider_hook_deleted', { id: hook })
  await act('DELETE /api/contacts/:contact/gdpr_delete', ['cat@example.com'], undefined, 'contact_erased', {})

  assert.deepEqual(
    routes.filter((route) => !done.has(route) && !ELSEWHERE.includes(route)),
    [],
    'a route without an entry',
  )
  const log = JSON.stringify((await made.get('/api/audit?per_page=1000')).body.data)
  assert.doesNotMatch(log, /@|secret\b/, 'it names neither people nor addresses that may hold a secret')
})

test('what changes nothing, or fails, leaves no entry', async (t) => {
  const { patch, post, get } = await testApp(t)

  assert.equal((await patch('/api/account', { time_zone: 'UTC', retention: {} })).status, 200)
  assert.equal((await patch('/api/account', { time_zone: 'Nowhere' })).status, 422)
  assert.equal((await post('/api/templates', { name: 'confirm', ...SOURCE, html: '{{' })).status, 422)

  assert.deepEqual((await get('/api/audit')).body.data, [])
})

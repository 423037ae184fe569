import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { createToken } from '../features/accounts/tokens.ts'
import { ROLES } from '../http/caller.ts'
import { caller, testApp } from './app.ts'
import { signedIn, TestBrowser } from './browser.ts'
import { pathOf, press } from './permission.ts'

interface Route {
  method: string
  url: string
  scope: string | undefined
  session: string | undefined
}

/** Every route that the API has, read from what was registered: a new one is covered by itself. */
async function routesOf(t: Parameters<typeof testApp>[0]) {
  const routes: Route[] = []
  const made = await testApp(t, {}, undefined, (route) => {
    for (const method of [route.method].flat()) {
      const { scope, session } = (route.config ?? {}) as { scope?: string; session?: string }
      if (method !== 'HEAD') routes.push({ method, url: route.url, scope, session })
    }
  })
  const ofApi = routes.filter((route) => route.url.startsWith('/api'))
  return {
    ...made,
    routes: ofApi.filter(({ session }) => session === undefined),
    personal: ofApi.filter(({ session }) => session !== undefined),
  }
}

const filled = (url: string) => url.replace(/:(contact)\b/g, 'someone@example.com').replace(/:\w+/g, '1')

test('every route refuses a request without a token, and with a wrong one', async (t) => {
  const { app, routes } = await routesOf(t)

  assert.ok(routes.length > 25, `${routes.length} routes`)
  for (const { method, url } of routes) {
    for (const token of [undefined, 'rc_wrong', '']) {
      const answer = await caller(app, token)(method, filled(url))
      assert.equal(answer.status, 401, `${method} ${url}`)
      assert.equal(answer.body.error, 'Incorrect API token')
      assert.equal(/^No token was sent: it goes into Api-Token/.test(answer.body.hint), !token)
      assert.deepEqual(Object.keys(answer.body), token ? ['error'] : ['error', 'hint'])
    }
  }
})

test("every route refuses another account's token where the path names the account", async (t) => {
  const { routes, accountId, another } = await routesOf(t)
  const { call } = await another()

  for (const { method, url } of routes) {
    const named = filled(url).replace(/^\/api(\/account$)?/, `/api/accounts/${accountId}`)
    const answer = await call(method, named, method === 'GET' ? undefined : {})
    assert.equal(answer.status, 403, `${method} ${named}`)
    assert.deepEqual(answer.body, { errors: 'Account access forbidden' })
  }
})

test('routes without an account are for a person at a browser, and these few need no session', async (t) => {
  const { app, personal } = await routesOf(t)

  const open = personal.filter(({ session }) => session === 'optional').map(({ method, url }) => `${method} ${url}`)
  assert.deepEqual(open.sort(), [
    'DELETE /api/session',
    'POST /api/session',
    'POST /api/setup',
    'POST /api/setup/check',
  ])
  for (const { method, url, session } of personal) {
    if (session === 'optional') continue
    const answer = await new TestBrowser(app).call(method, filled(url), method === 'GET' ? undefined : {})
    assert.deepEqual([answer.status, answer.body.code], [401, 'session_ended'], `${method} ${url}`)
  }
})

test('every role may do in every route what its scope says, and in no account but its own', async (t) => {
  const made = await routesOf(t)
  const { routes, accountId, another } = made
  const { accountId: foreign } = await another()
  const inAccount = (url: string, id: number) => filled(url).replace(/^\/api(\/account$)?/, `/api/accounts/${id}`)
  const allowed = { viewer: ['read'], editor: ['read', 'write'], admin: ['read', 'write', 'admin'] }

  for (const role of ROLES) {
    const { call } = await signedIn(made, `${role}@example.com`, { [accountId]: role })
    for (const { method, url, scope } of routes) {
      if (url === '/api/events/stream') continue // has no end; it is of the same kind as /api/events
      const named = inAccount(url, accountId)
      const body = method === 'GET' ? undefined : {}
      if (allowed[role].includes(scope!)) {
        // What follows refuses or not for its own reasons: the last routes would remove what the others look at.
        if (method !== 'GET') continue
        const answer = await call(method, named)
        assert.ok(![401, 403].includes(answer.status), `${role} ${method} ${named}: ${answer.status}`)
      } else {
        const answer = await call(method, named, body)
        assert.equal(answer.status, 403, `${role} ${method} ${named}`)
        assert.match(answer.body.errors, /Ask an administrator of the account$/)
      }
      const other = await call(method, inAccount(url, foreign), body)
      assert.deepEqual([other.status, other.body], [403, { errors: 'Account access forbidden' }], `${method} ${url}`)
      const nowhere = await call(method, filled(url), body)
      assert.equal(nowhere.status, 400, `${method} ${url} without an account`)
    }
  }
})

test('only tokens, users, settings, the audit log and erasure are for administrators', async (t) => {
  const { routes } = await routesOf(t)

  const theirs = routes.filter(({ scope }) => scope === 'admin').map(({ method, url }) => `${method} ${url}`)
  assert.deepEqual(theirs.sort(), [
    'DELETE /api/contacts/:contact/gdpr_delete',
    'DELETE /api/invitations/:id',
    'DELETE /api/tokens/:id',
    'DELETE /api/users/:id',
    'GET /api/audit',
    'GET /api/invitations',
    'GET /api/tokens',
    'GET /api/users',
    'PATCH /api/account',
    'PATCH /api/users/:id',
    'POST /api/invitations',
    'POST /api/tokens',
    'POST /api/users/:id/reset_link',
  ])
})

test('an editor works with forms, templates and webhooks; a viewer looks, and changes nothing', async (t) => {
  const made = await testApp(t, { WEBHOOK_ALLOW_PRIVATE: 'true' })
  const base = `/api/accounts/${made.accountId}`
  const editor = await signedIn(made, 'editor@example.com', { [made.accountId]: 'editor' })
  const viewer = await signedIn(made, 'viewer@example.com', { [made.accountId]: 'viewer' })
  const source = { subject: 's', html: 'h', text: 't' }
  const acts: [string, string, object | undefined, number][] = [
    ['POST', '/forms', { name: 'Newsletter' }, 201],
    ['PATCH', '/forms/1', { title: 'Hello' }, 200],
    ['POST', '/templates', { name: 'offer', ...source }, 201],
    ['PATCH', '/templates/offer', { subject: 'Hello' }, 200],
    ['POST', '/webhooks', { url: 'http://127.0.0.1:1/x' }, 201],
    ['PATCH', '/webhooks/1', { enabled: false }, 200],
    ['POST', '/provider_hooks', { provider: 'mailtrap', name: 'News' }, 201],
  ]

  for (const [method, path, body, status] of acts) {
    assert.equal((await viewer.call(method, base + path, body)).status, 403, `viewer ${method} ${path}`)
    const answer = await editor.call(method, base + path, body)
    assert.equal(answer.status, status, `editor ${method} ${path}: ${JSON.stringify(answer.body)}`)
  }
  for (const path of ['/forms', '/forms/1', '/templates', '/templates/offer', '/provider_hooks', '/messages'])
    assert.equal((await viewer.call('GET', base + path)).status, 200, path)
  for (const path of ['/webhooks', '/webhooks/1', '/webhooks/1/deliveries'])
    assert.equal((await viewer.call('GET', base + path)).status, 403, path)
  for (const path of ['/forms/1', '/templates/offer', '/webhooks/1', '/provider_hooks/1']) {
    assert.equal((await viewer.call('DELETE', base + path)).status, 403, path)
    assert.equal((await editor.call('DELETE', base + path)).status, 204, path)
  }
})

test('who only looks gets nothing by which a person acts, and an editor nothing by which one is erased', async (t) => {
  const made = await testApp(t)
  const base = `/api/accounts/${made.accountId}`
  const editor = await signedIn(made, 'editor@example.com', { [made.accountId]: 'editor' })
  const viewer = await signedIn(made, 'viewer@example.com', { [made.accountId]: 'viewer' })
  const email = 'ann@example.com'
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  await made.post('/api/contacts', { email, double_opt_in: true, list_ids: [list] })
  const { preferences_url } = (await made.get(`/api/contacts/${email}/links`)).body
  await press(made, pathOf(preferences_url), 'erase')
  const asks = [
    ['GET', `/contacts/${email}/links`],
    ['GET', `/contacts/${email}?include=links`],
    ['GET', '/contacts?include=smart_lists,links'],
    ['POST', '/contacts/search', { include: 'links' }],
    ['GET', `/contact_lists/${list}/contacts?include=links`],
  ] as const
  for (const [method, path, body] of asks) {
    assert.equal((await viewer.call(method, base + path, body)).status, 403, path)
    assert.equal((await editor.call(method, base + path, body)).status, 200, path)
  }

  // A file with links is for those who could make it; one without is for all.
  for (const fields of [['email', 'preferences_url'], ['email']]) {
    const { id } = (await made.post('/api/contact_exports', { format: 'csv', fields })).body
    await made.runJobs()
    const sees = fields.length === 1
    const shown = (await viewer.call('GET', `${base}/contact_exports/${id}`)).body
    assert.deepEqual([shown.phase, shown.url !== null], ['finished', sees])
    assert.equal((await viewer.call('GET', `${base}/contact_exports/${id}/download`)).status, sees ? 200 : 403)
    assert.equal((await editor.call('GET', `${base}/contact_exports/${id}/download`)).status, 200)
  }

  const held = await viewer.call('GET', `${base}/contacts/${email}/export`)
  const { mails } = held.body as { mails: { template: string; text?: string }[] }
  assert.deepEqual(
    mails.map(({ template, text }) => [template, text?.match(/\/(?:confirm|request)\/\d+-\S*/)?.[0] ?? null]),
    [
      ['confirm_subscription', `/confirm/${made.accountId}-…`],
      ['confirm_request', null],
    ],
  )
  const [request, confirmation] = (await made.get(`/api/messages?contact=${email}`)).body.data as { id: string }[]
  const read = async (who: typeof editor, id: string) => (await who.call('GET', `${base}/messages/${id}`)).body.data
  assert.match((await read(editor, confirmation!.id)).text, /\/confirm\/\d+-[\w-]{43}/)
  const { to, subject, html, text, headers } = await read(editor, request!.id)
  assert.deepEqual(
    { to, subject, html, text, headers },
    { to: email, subject: null, html: null, text: null, headers: [] },
  )
  assert.match((await made.get(`/api/messages/${request!.id}`)).body.data.text, /\/request\/\d+-[\w-]{43}/)
})

test('every route asks for a scope, and refuses a token that lacks it', async (t) => {
  const { app, db, accountId, routes } = await routesOf(t)
  const reader = caller(app, (await createToken(db, accountId, { name: 'reader', scopes: ['read'] })).token)

  for (const { method, url, scope } of routes) {
    assert.ok(scope, `${method} ${url} names a scope`)
    if (scope === 'read') continue
    const answer = await reader(method, filled(url), {})
    assert.equal(answer.status, 403, `${method} ${url}`)
    assert.match(answer.body.errors, /^Access forbidden/)
  }
})

test('nothing of one account can be read, changed or named by another', async (t) => {
  const first = await testApp(t)
  const other = await first.another()
  await first.post('/api/contacts', { email: 'ann@example.com', fields: { plan: 'Pro' } })
  const list = (await first.post('/api/contact_lists', { name: 'Members' })).body
  await first.post(`/api/contact_lists/${list.id}/contacts`, { contact_ids: ['ann@example.com'] })
  const contact = (await first.get('/api/contacts/ann@example.com')).body.data
  const exported = (await first.post('/api/contact_exports', {})).body
  const field = (await first.get('/api/contact_fields')).body.find(
    (known: { merge_tag: string }) => known.merge_tag === 'plan',
  )

  const reads = [
    `/api/contacts/${contact.id}`,
    '/api/contacts/ann@example.com',
    `/api/contacts/${contact.id}/events`,
    `/api/contact_lists/${list.id}`,
    `/api/contact_lists/${list.id}/contacts`,
    `/api/contact_fields/${field.id}`,
    '/api/change_sets/1',
    '/api/change_sets/1/diff',
    `/api/contact_exports/${exported.id}`,
    `/api/contact_exports/${exported.id}/download`,
  ]
  for (const url of reads) assert.equal((await other.call('GET', url)).status, 404, url)
  assert.equal((await other.call('GET', '/api/contacts?q=ann')).body.total, 0)
  assert.equal((await other.call('GET', '/api/contact_lists')).body.length, 0)
  assert.equal((await other.call('DELETE', `/api/contacts/${contact.id}`)).status, 404)
  assert.equal((await other.call('PATCH', `/api/contact_fields/${field.id}`, { name: 'Mine' })).status, 404)
  assert.equal((await other.call('DELETE', `/api/contact_lists/${list.id}`)).status, 404)
  const batch = await other.call('PATCH', '/api/contacts/batch', { contact_ids: [contact.id], tags_added: ['x'] })
  assert.deepEqual(batch.body.not_found_ids, [contact.id])
  const created = await other.call('POST', '/api/contacts', { email: 'bob@example.com', list_ids: [list.id] })
  assert.deepEqual([created.status, created.body], [422, { errors: { list_ids: [`not found: ${list.id}`] } }])

  const kept = await first.get(`/api/contacts/${contact.id}`)
  assert.deepEqual(contact.list_ids, [list.id])
  assert.deepEqual(kept.body.data, contact)
})

test('a revoked, an expired and an unknown token open nothing', async (t) => {
  const { app, db, accountId } = await testApp(t)
  const { token, id } = await createToken(db, accountId, {
    name: 'short',
    scopes: ['read'],
    expiresAt: new Date(Date.now() - 1000),
  })
  const revoked = await createToken(db, accountId, { name: 'revoked', scopes: ['read'] })
  await db.query(sql`update api_tokens set revoked_at = now() where id = ${revoked.id}`)

  assert.equal((await caller(app, token)('GET', '/api/account')).status, 401)
  assert.equal((await caller(app, revoked.token)('GET', '/api/account')).status, 401)
  const [stored] = await db.query<{ row: string }>(
    sql`select row_to_json(t)::text as row from api_tokens as t where id = ${id}`,
  )
  assert.ok(!stored!.row.includes(token), 'the token itself is kept nowhere')
})

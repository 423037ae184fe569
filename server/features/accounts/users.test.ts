import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { caller, testApp } from '../../test/app.ts'
import { PASSWORD, signedIn, TestBrowser, userIn } from '../../test/browser.ts'
import { waitsForLocks } from '../../test/locks.ts'

const tokenOf = (link: string) => link.split('/setup#')[1]

test('an invitation makes a user with its role, once; the last one sent counts', async (t) => {
  const made = await testApp(t)
  const { app, accountId } = made
  const admin = await signedIn(made, 'ada@example.com', { [accountId]: 'admin' })
  const users = `/api/accounts/${accountId}/users`
  const invitations = `/api/accounts/${accountId}/invitations`

  const first = await admin.call('POST', invitations, { email: 'Bob@Example.com', role: 'viewer' })
  const second = await admin.call('POST', invitations, { email: 'bob@example.com', role: 'editor' })
  assert.deepEqual([first.status, second.status], [201, 201])
  const listed = (await admin.call('GET', invitations)).body
  assert.deepEqual(
    listed.map(({ email, role }: { email: string; role: string }) => [email, role]),
    [['bob@example.com', 'editor']],
  )
  assert.ok(!JSON.stringify(listed).includes(tokenOf(second.body.link)!), 'a link is shown once')

  const bob = new TestBrowser(app)
  const use = (link: string) =>
    bob.call('POST', '/api/setup', { token: tokenOf(link), name: 'Bob', password: PASSWORD })
  assert.equal((await use(first.body.link)).status, 410)
  const checked = await bob.call('POST', '/api/setup/check', { token: tokenOf(second.body.link) })
  assert.deepEqual(checked.body, {
    ...{ purpose: 'invitation', email: 'bob@example.com', is_user: false, account: 'First', role: 'editor' },
  })
  assert.equal((await use(second.body.link)).status, 201)
  assert.equal((await use(second.body.link)).status, 410)
  assert.deepEqual((await admin.call('GET', invitations)).body, [])
  assert.deepEqual(
    (await admin.call('GET', users)).body.map(({ name, role }: { name: string; role: string }) => [name, role]),
    [
      ['ada', 'admin'],
      ['Bob', 'editor'],
    ],
  )
  const known = await admin.call('POST', invitations, { email: 'bob@example.com', role: 'admin' })
  assert.deepEqual(known.body.errors, { email: ['is a user of this account already'] })

  const third = await admin.call('POST', invitations, { email: 'cat@example.com', role: 'viewer' })
  assert.equal((await admin.call('DELETE', `${invitations}/${third.body.id}`)).status, 204)
  assert.equal((await use(third.body.link)).status, 410)
  const audit = (await admin.call('GET', `/api/accounts/${accountId}/audit`)).body.data
  const actions = audit.map(({ action }: { action: string }) => action)
  for (const action of ['user_invited', 'user_joined', 'signed_in', 'invitation_withdrawn'])
    assert.ok(actions.includes(action), action)
  assert.ok(!JSON.stringify(audit).includes('@'), 'the audit names no person')
})

test('an address that someone has taken in one account opens no other without their password', async (t) => {
  const made = await testApp(t)
  const { app, db, accountId } = made
  const other = await made.another()
  await userIn(db, 'bob@example.com', { [other.accountId]: 'viewer' })
  const admin = await signedIn(made, 'ada@example.com', { [accountId]: 'admin' })
  const invite = await admin.call('POST', `/api/accounts/${accountId}/invitations`, {
    email: 'bob@example.com',
    role: 'admin',
  })
  const given = { token: tokenOf(invite.body.link), name: 'Not Bob' }
  const browser = new TestBrowser(app)

  const guessed = await browser.call('POST', '/api/setup', { ...given, password: 'another few words' })
  assert.deepEqual([guessed.status, guessed.body.code], [401, 'wrong_password'])
  const joined = await browser.call('POST', '/api/setup', { ...given, password: PASSWORD })

  assert.equal(joined.status, 201)
  assert.equal(joined.body.user.name, 'bob')
  assert.deepEqual(joined.body.accounts.map(({ id, role }: { id: number; role: string }) => [id, role]).sort(), [
    [accountId, 'admin'],
    [other.accountId, 'viewer'],
  ])
})

test('a link for a new password is for who administers all accounts of the user, and joining one more voids it', async (t) => {
  const made = await testApp(t)
  const { app, accountId } = made
  const other = await made.another()
  const admin = await signedIn(made, 'ada@example.com', { [accountId]: 'admin' })
  const owner = await signedIn(made, 'olga@example.com', { [accountId]: 'admin', [other.accountId]: 'admin' })
  const bob = await signedIn(made, 'bob@example.com', { [accountId]: 'editor' })
  const reset = `/api/accounts/${accountId}/users/${bob.userId}/reset_link`
  const use = (link: string, password: string) =>
    new TestBrowser(app).call('POST', '/api/setup', { token: tokenOf(link), password })

  const link = (await admin.call('POST', reset)).body.link
  assert.equal((await use(link, 'a second few words')).status, 201)
  assert.equal((await bob.call('GET', '/api/session')).status, 401, 'all sessions end')
  assert.equal((await bob.signIn('bob@example.com')).status, 401)
  assert.equal((await bob.signIn('bob@example.com', 'a second few words')).status, 201)

  const held = (await admin.call('POST', reset)).body.link
  const invited = { email: 'bob@example.com', role: 'editor' }
  const invite = (await owner.call('POST', `/api/accounts/${other.accountId}/invitations`, invited)).body.link
  assert.equal((await use(invite, 'a second few words')).status, 201)
  assert.equal((await use(held, 'words of somebody else')).status, 410)
  assert.equal((await admin.call('POST', reset)).status, 403)
  assert.equal((await caller(app, made.token)('POST', reset)).status, 403)
  assert.equal((await owner.call('POST', reset)).status, 201)
})

test('who is removed is out at once, and an account keeps an administrator whatever two of them do at once', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const other = await made.another()
  const [ann, ben] = [
    await signedIn(made, 'ann@example.com', { [accountId]: 'admin' }),
    await signedIn(made, 'ben@example.com', { [accountId]: 'admin', [other.accountId]: 'viewer' }),
  ]
  const eve = await signedIn(made, 'eve@example.com', { [accountId]: 'editor' })
  const user = (id: number) => `/api/accounts/${accountId}/users/${id}`

  assert.equal((await ann.call('DELETE', user(eve.userId))).status, 204)
  assert.equal((await eve.call('GET', '/api/session')).status, 401)
  assert.equal((await eve.signIn('eve@example.com')).status, 401, 'who is in no account is no user')

  const asked = await db.transaction(async (trx) => {
    await trx.query(sql`select from account_users where account_id = ${accountId} for update`)
    const requests = [ann.call('DELETE', user(ben.userId)), ben.call('DELETE', user(ann.userId))]
    await waitsForLocks(db, 2) // both have been let in, and neither is out
    return { requests }
  })
  const both = await Promise.all(asked.requests)
  assert.deepEqual(
    both.map(({ status }) => status).sort((a, b) => a - b),
    [204, 409],
  )
  const [left, gone] = both[0]!.status === 204 ? [ann, ben] : [ben, ann]
  assert.equal((await gone.call('GET', `/api/accounts/${accountId}/contacts`)).status, gone === ben ? 403 : 401)
  const alone = [
    await left.call('DELETE', user(left.userId)),
    await left.call('PATCH', user(left.userId), { role: 'viewer' }),
  ]
  assert.deepEqual(
    alone.map(({ status }) => status),
    [409, 409],
  )
  assert.match(alone[0]!.body.errors, /^The account must keep an administrator/)

  const viewer = await userIn(db, 'vera@example.com', { [other.accountId]: 'viewer' })
  assert.equal((await left.call('DELETE', user(viewer))).status, 404, "another account's user")
  assert.equal((await left.call('PATCH', user(viewer), { role: 'admin' })).status, 404)
})

test('API tokens are made with scopes, shown once, and revoked', async (t) => {
  const made = await testApp(t)
  const { app, accountId } = made
  const admin = await signedIn(made, 'ada@example.com', { [accountId]: 'admin' })
  const tokens = `/api/accounts/${accountId}/tokens`

  const late = await admin.call('POST', tokens, { name: 'x', scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' })
  assert.deepEqual(late.body.errors, { expires_at: ['must lie in the future'] })
  const { body: token } = await admin.call('POST', tokens, { name: 'Website', scopes: ['read'] })
  const call = caller(app, token.token)
  assert.equal((await call('GET', '/api/contacts')).status, 200)
  assert.equal((await call('POST', '/api/contacts', { email: 'x@example.com' })).status, 403)
  const listed = (await admin.call('GET', tokens)).body
  assert.deepEqual([listed[0].name, listed[0].hint, listed[0].scopes], ['Website', token.token.slice(-4), ['read']])
  assert.ok(!JSON.stringify(listed).includes(token.token))

  assert.equal((await admin.call('DELETE', `${tokens}/${token.id}`)).status, 204)
  assert.equal((await admin.call('DELETE', `${tokens}/${token.id}`)).status, 404)
  assert.notEqual((await admin.call('GET', tokens)).body[0].revoked_at, null)
})

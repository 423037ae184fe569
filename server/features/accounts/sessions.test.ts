import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { PASSWORD, signedIn, TestBrowser, userIn } from '../../test/browser.ts'
import { touchSession } from './sessions.ts'
import { makeSetupLink } from './user-links.ts'

const ENDED = { error: 'Your session has ended: sign in again', code: 'session_ended' }

test('the first user comes by the link that a start prints, once, and is an administrator of all accounts', async (t) => {
  const made = await testApp(t)
  const { db, app, accountId } = made
  const other = await made.another('Another')
  const [token, second] = [await db.transaction(makeSetupLink), await db.transaction(makeSetupLink)]
  const browser = new TestBrowser(app)
  const given = { email: 'Ada@Example.com', name: ' Ada ', password: PASSWORD }

  const checked = await browser.call('POST', '/api/setup/check', { token })
  assert.deepEqual(checked.body, { purpose: 'setup', email: null, is_user: false, account: null, role: null })
  const short = await browser.call('POST', '/api/setup', { token, email: 'x', name: '', password: 'short' })
  assert.equal(short.status, 422)
  assert.deepEqual(Object.keys(short.body.errors).sort(), ['email', 'name', 'password'])

  const both = await Promise.all(
    [token, second].map((each) => new TestBrowser(app).call('POST', '/api/setup', { token: each, ...given })),
  )
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 410], 'of two at once one is the first')
  const { body, headers } = both.find(({ status }) => status === 201)!
  assert.match(String(headers['set-cookie']), /^rollcall=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
  assert.deepEqual(body, {
    user: { id: body.user.id, email: 'ada@example.com', name: 'Ada' },
    accounts: [
      { id: other.accountId, name: 'Another', role: 'admin', time_zone: 'UTC', color: '#2563eb' },
      { id: accountId, name: 'First', role: 'admin', time_zone: 'UTC', color: '#2563eb' },
    ],
  })

  assert.equal((await browser.call('POST', '/api/setup', { token, ...given })).status, 410)
  assert.equal((await browser.call('POST', '/api/setup/check', { token: second })).status, 410)
  assert.equal(await db.transaction(makeSetupLink), undefined, 'no further link once there is a user')
  const stored = await db.query(sql`select row_to_json(s)::text as row from sessions as s`)
  const [cookie = ''] = String(headers['set-cookie']).split(';')
  assert.ok(!JSON.stringify(stored).includes(cookie.slice('rollcall='.length)), 'the cookie itself is kept nowhere')
})

test('signing in takes the right password, and signing out ends the session', async (t) => {
  const { db, app, accountId } = await testApp(t)
  const userId = await userIn(db, 'ada@example.com', { [accountId]: 'editor' })
  const browser = new TestBrowser(app)

  for (const [email, password] of [
    ['ada@example.com', 'another password'],
    ['nobody@example.com', PASSWORD],
    ['ada', ''],
  ])
    assert.deepEqual((await browser.signIn(email!, password)).body, {
      error: 'That address and password do not belong together',
      code: 'wrong_password',
    })
  assert.equal(browser.cookie, undefined)

  const signed = await browser.signIn(' ADA@example.com ')
  assert.deepEqual([signed.status, signed.body.user.id], [201, userId])
  const [{ password }] = (await db.query(sql`select password from users`)) as [{ password: string }]
  assert.match(password, /m=19456,/, 'a hash of another cost is made anew')
  assert.deepEqual((await browser.call('GET', '/api/session')).body, signed.body)
  assert.equal((await browser.call('GET', `/api/accounts/${accountId}/contacts`)).status, 200)
  const { cookie } = browser

  assert.equal((await browser.call('DELETE', '/api/session')).status, 204)
  assert.equal(browser.cookie, undefined)
  for (const url of ['/api/session', `/api/accounts/${accountId}/contacts`]) {
    const gone = await new TestBrowser(app, { cookie: cookie! }).call('GET', url)
    assert.deepEqual([gone.status, gone.body], [401, ENDED], url)
    assert.deepEqual((await browser.call('GET', url)).body, ENDED, 'also without any cookie, for a page of ours')
  }
  assert.equal((await browser.call('DELETE', '/api/session')).status, 204, 'nor is it wrong to sign out twice')
})

test('a cookie that was there before is never the session that begins', async (t) => {
  const { db, app, accountId } = await testApp(t)
  await userIn(db, 'ada@example.com', { [accountId]: 'editor' })
  const mallory = await signedIn({ app, db }, 'mallory@example.com', { [accountId]: 'viewer' })
  const planted = mallory.cookie!
  const made = `rollcall=${'A'.repeat(43)}`

  for (const cookie of [planted, made]) {
    const victim = new TestBrowser(app, { cookie })
    assert.equal((await victim.signIn('ada@example.com')).status, 201)
    assert.notEqual(victim.cookie, cookie)
    assert.equal((await new TestBrowser(app, { cookie }).call('GET', '/api/session')).status, 401)
  }
})

test('what another site sends with the cookie does nothing', async (t) => {
  const made = await testApp(t)
  const { db, accountId, app } = made
  const browser = await signedIn(made, 'ada@example.com', { [accountId]: 'admin' })
  const contacts = `/api/accounts/${accountId}/contacts`
  const create = (headers: Record<string, string | undefined>) =>
    browser.call('POST', contacts, { email: 'eve@example.com' }, headers)

  for (const headers of [
    { 'x-rollcall-ui': undefined },
    { 'x-rollcall-ui': undefined, origin: undefined },
    { 'x-rollcall-ui': undefined, 'sec-fetch-site': 'same-origin' },
    { origin: 'https://evil.example.com' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
  ]) {
    const answer = await create(headers)
    assert.equal(answer.status, 403, JSON.stringify(headers))
    assert.match(answer.body.errors, /^Another site|^A request with a session/)
  }
  assert.deepEqual(await db.query(sql`select from contacts`), [])
  for (const [method, url, body] of [
    ['POST', '/api/session', { email: 'ada@example.com', password: PASSWORD }],
    ['POST', '/api/setup', { token: 'x', password: PASSWORD }],
    ['DELETE', '/api/session'],
    ['DELETE', '/api/sessions'],
    ['PATCH', '/api/session/password', { current_password: PASSWORD, password: `${PASSWORD}!` }],
  ] as const)
    assert.equal((await browser.call(method, url, body, { origin: 'https://evil.example.com' })).status, 403, url)
  assert.equal((await browser.call('GET', contacts, undefined, { 'sec-fetch-site': 'cross-site' })).status, 403)

  assert.equal((await browser.call('GET', contacts, undefined, { 'sec-fetch-site': 'none' })).status, 200)
  assert.equal((await create({})).status, 201)
  assert.equal((await create({ 'sec-fetch-site': 'same-origin' })).status, 422)
  const text = await app.inject({
    method: 'POST',
    url: contacts,
    headers: { cookie: browser.cookie!, 'content-type': 'text/plain' },
    payload: '{"email":"form@example.com"}',
  })
  assert.equal(text.statusCode, 403, 'a form that passes for JSON')
})

test('over https the cookie is for https and this host alone, and no other is looked at', async (t) => {
  const made = await testApp(t, { PUBLIC_URL: 'https://rollcall.example.com' })
  const { db, accountId, app } = made
  await userIn(db, 'ada@example.com', { [accountId]: 'viewer' })
  const browser = new TestBrowser(app)

  const { headers } = await browser.signIn('ada@example.com')
  assert.equal(
    (await browser.call('GET', '/api/session', undefined, { origin: 'https://rollcall.example.com' })).status,
    200,
  )

  assert.match(String(headers['set-cookie']), /^__Host-rollcall=.*; Secure$/)
  const bare = browser.cookie!.replace('__Host-', '')
  assert.equal((await new TestBrowser(app, { cookie: bare }).call('GET', '/api/session')).status, 401)
})

test('a session ends when it is not used, moves on with use, and never lasts beyond its longest', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const browser = await signedIn(made, 'ada@example.com', { [accountId]: 'viewer' })
  const other = await signedIn(made, 'bob@example.com', { [accountId]: 'viewer' })
  const ends = async () => {
    const [row] = await db.query<{ days: number }>(sql`
      select extract(epoch from expires_at - now()) / 86400 as days from sessions where user_id = ${browser.userId}`)
    return Math.round(Number(row!.days))
  }
  const used = async () => {
    await browser.call('GET', '/api/session')
    for (;;) {
      const [row] = await db.query(sql`
        select from sessions where user_id = ${browser.userId} and seen_at > now() - interval '1 minute'`)
      if (row) return
    }
  }

  await db.query(sql`
    update sessions set seen_at = now() - interval '5 days', expires_at = now() + interval '9 days' where user_id = ${browser.userId}`)
  await used()
  assert.equal(await ends(), 14)
  /** Used again, when it began so long ago: a process notes that once a minute at most, hence without a request. */
  const usedAfter = async (age: string) => {
    const [session] = await db.query<{ id: number }>(sql`
      update sessions set created_at = now() - ${age}::interval, seen_at = now() - interval '1 day'
      where user_id = ${browser.userId} returning id`)
    await touchSession(db, session!.id)
  }
  await usedAfter('85 days')
  assert.equal(await ends(), 5, 'the 90th day after it began is its last')
  assert.equal((await browser.call('GET', '/api/session')).status, 200)
  await usedAfter('90 days 1 second')
  assert.deepEqual((await browser.call('GET', '/api/session')).body, ENDED, 'then no use moves it on')
  await usedAfter('0 days')
  assert.equal((await browser.call('GET', '/api/session')).status, 200)
  await db.query(sql`update sessions set expires_at = now() - interval '1 second' where user_id = ${browser.userId}`)
  assert.deepEqual((await browser.call('GET', '/api/session')).body, ENDED)
  assert.equal((await other.call('GET', '/api/session')).status, 200)
})

test('where a user is signed in can be seen and ended; a new password ends all the others', async (t) => {
  const made = await testApp(t)
  const { db, app, accountId } = made
  await userIn(db, 'ada@example.com', { [accountId]: 'viewer' })
  const [here, there, third] = [
    new TestBrowser(app),
    new TestBrowser(app, { ip: '198.51.100.7' }),
    new TestBrowser(app),
  ]
  for (const each of [here, there, third]) await each.signIn('ada@example.com')
  const stranger = await signedIn(made, 'bob@example.com', { [accountId]: 'admin' })

  const { body: sessions } = await here.call('GET', '/api/sessions')
  assert.deepEqual(sessions.map(({ is_current }: { is_current: boolean }) => is_current).filter(Boolean), [true])
  const theirs = sessions.find(({ ip }: { ip: string }) => ip === '198.51.100.7')
  assert.equal((await stranger.call('DELETE', `/api/sessions/${theirs.id}`)).status, 404)
  assert.equal((await here.call('DELETE', `/api/sessions/${theirs.id}`)).status, 204)
  assert.deepEqual((await there.call('GET', '/api/session')).body, ENDED)

  const wrong = { current_password: 'not this one', password: 'another few words' }
  assert.deepEqual((await here.call('PATCH', '/api/session/password', wrong)).body.errors, {
    current_password: ['is not your password'],
  })
  const right = { ...wrong, current_password: PASSWORD }
  assert.equal((await here.call('PATCH', '/api/session/password', right)).status, 204)
  assert.equal((await here.call('GET', '/api/session')).status, 200)
  assert.equal((await third.call('GET', '/api/session')).status, 401)
  assert.equal((await third.signIn('ada@example.com')).status, 401)
  assert.equal((await third.signIn('ada@example.com', 'another few words')).status, 201)
  assert.equal((await here.call('DELETE', '/api/sessions')).status, 204)
  assert.equal((await third.call('GET', '/api/session')).status, 401)
  assert.equal((await here.call('PATCH', '/api/session', { name: 'Ada L.' })).body.user.name, 'Ada L.')
})

test('so many wrong passwords are looked at for a user from a network, and as many from any other', async (t) => {
  const { db, app, accountId } = await testApp(t, { SIGN_IN_ATTEMPTS: '2' })
  await userIn(db, 'ada@example.com', { [accountId]: 'viewer' })
  const guesser = new TestBrowser(app)
  const statuses = await Promise.all([1, 2, 3, 4].map((n) => guesser.signIn('Ada@example.com', `guess ${n}`)))

  assert.deepEqual(statuses.map(({ status }) => status).sort(), [401, 401, 429, 429])
  const refused = await guesser.signIn('ada@example.com')
  assert.deepEqual([refused.status, refused.body.errors], [429, 'Too many wrong passwords: try again in 15 minutes'])
  assert.ok(Number(refused.headers['retry-after']) > 800)
  const elsewhere = new TestBrowser(app, { ip: '198.51.100.7' })
  for (let n = 0; n < 4; n++)
    assert.equal((await elsewhere.signIn('ada@example.com')).status, 201, 'right ones do not count')

  const everyone = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      new TestBrowser(app, { ip: '203.0.113.9' }).signIn(`p${n}@example.com`, 'guess'),
    ),
  )
  assert.equal(everyone.filter(({ status }) => status === 401).length, 10, 'a network has five times as many')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, type TestApp, testApp } from '../../test/app.ts'
import { person, took } from '../../test/imports.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { confirmationLink, latestMail, linkIn, press } from '../../test/permission.ts'

const ANN = 'ann@example.com'

const consentsOf = async ({ get }: TestApp, contact = ANN) =>
  (await get(`/api/contacts/${contact}/consents`)).body.data as Record<string, unknown>[]

test('who has left is asked by mail, and comes back by their own confirmation alone', async (t) => {
  const made = await testApp(t)
  const { app, post, patch, get } = made
  await patch('/api/account', { name: 'Bäcker & <Söhne>', color: '#ffcc00' })
  await post('/api/contacts', { email: ANN, fields: { first_name: '<b>Ann</b>\r\nBcc: all@example.com' } })
  await post(`/api/contacts/${ANN}/unsubscribe`)

  const asked = await post(`/api/contacts/${ANN}/resubscribe`, { send_confirmation: true })

  assert.equal(asked.status, 200)
  assert.deepEqual(Object.keys(asked.body), ['data'])
  assert.equal(asked.body.data.state, 'unsubscribed', 'asking gives nothing')
  const mail = await latestMail(made, ANN)
  assert.deepEqual([mail.phase, mail.to, mail.template], ['kept', ANN, 'confirm_subscription'])
  assert.equal(mail.subject, 'Please confirm: news from Bäcker & <Söhne>')
  assert.match(mail.html, /Hello &lt;b&gt;Ann&lt;\/b&gt;/)
  assert.match(mail.html, /Bäcker &amp; &lt;Söhne&gt; would like/)
  const link = linkIn(mail)

  const page = await app.inject({ url: link, headers: { 'accept-language': 'fr, de-AT;q=0.8, en;q=0.5' } })
  assert.equal(page.statusCode, 200)
  assert.match(page.body, /<html lang="de">[\s\S]*Möchten Sie Nachrichten von Bäcker &amp; &lt;Söhne&gt; erhalten\?/)
  assert.match(page.body, /border-top:\.5rem solid #ffcc00/)
  assert.doesNotMatch(page.body, /<script|ann@/i)
  assert.match(
    String(page.headers['content-security-policy']),
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  )
  assert.equal(page.headers['cache-control'], 'no-store')
  assert.equal((await person(made, ANN)).state, 'unsubscribed', 'looking confirms nothing')

  const done = await press(made, link, 'confirm', { 'user-agent': 'Browser 1' })
  assert.equal(done.status, 200)
  assert.match(done.body, /Thank you\./)
  const now = await person(made, ANN)
  assert.deepEqual([now.state, now.sendable], ['subscribed', { allowed: true, reason: null }])
  const [given, taken, first] = await consentsOf(made)
  assert.deepEqual(
    [given!.action, given!.grade, given!.source, given!.actor],
    ['granted', 'observed', 'confirm_page', 'person'],
  )
  assert.deepEqual(given!.data, {
    wording: 'Do you want to get mail from Bäcker & <Söhne>?',
    language: 'en',
    user_agent: 'Browser 1',
  })
  assert.deepEqual([taken!.action, taken!.grade, taken!.source], ['withdrawn', 'asserted', 'api'])
  assert.deepEqual([first!.action, first!.grade], ['granted', 'asserted'])
  const events = (await get(`/api/contacts/${ANN}/events`)).body.data as { types: string[] }[]
  assert.deepEqual(
    events.map(({ types }) => types),
    [['subscribed'], ['confirmation_sent', 'email_sent'], ['unsubscribed'], ['created', 'subscribed']],
  )

  assert.match((await press(made, link, 'confirm')).body, /Thank you\./, 'a second click')
  assert.match((await app.inject(link)).body, /Thank you\./)
  assert.equal((await consentsOf(made)).length, 3)
})

test('the link can be handed over by the caller, and nothing changes for who is subscribed', async (t) => {
  const made = await testApp(t)
  const { post, get } = made
  await post('/api/contacts', { email: ANN })
  const before = await person(made, ANN)

  for (const send_confirmation of [true, false]) {
    const answer = await post(`/api/contacts/${ANN}/resubscribe`, { send_confirmation })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body.data, before)
    if (!send_confirmation) assert.deepEqual([answer.body.confirmation_url, answer.body.expires_at], [null, null])
  }
  assert.equal((await get('/api/messages')).body.total, 0)

  await post(`/api/contacts/${ANN}/unsubscribe`)
  const answer = await post(`/api/contacts/${ANN}/resubscribe`, { send_confirmation: false })
  const days = (Date.parse(answer.body.expires_at) - Date.now()) / 86_400_000
  assert.ok(days > 6.9 && days <= 7, String(days))
  assert.equal((await get('/api/messages')).body.total, 0)
  assert.match((await press(made, await confirmationLink(made, ANN))).body, /Thank you/)
  assert.equal((await person(made, ANN)).state, 'subscribed')
})

test('people who are created under double opt-in wait as pending, and are sent the link', async (t) => {
  const made = await testApp(t)
  const { post, patch } = made
  const one = await post('/api/contacts', { email: 'one@example.com', double_opt_in: true })
  await patch('/api/account', { double_opt_in: true, language: 'de' })
  const two = await post('/api/contacts', { email: 'two@example.com' })
  const three = await post('/api/contacts', { email: 'three@example.com', double_opt_in: false })
  const four = await patch('/api/contacts/four@example.com', { fields: { first_name: 'Vier' } })

  assert.deepEqual(
    [one, two, three, four].map(({ body }) => body.data.state),
    ['pending', 'pending', 'subscribed', 'pending'],
  )
  assert.match((await latestMail(made, 'one@example.com')).subject, /^Please confirm/)
  assert.match((await latestMail(made, 'four@example.com')).text, /^Guten Tag Vier,/)
  assert.equal(await latestMail(made, 'three@example.com'), undefined)
  await press(made, linkIn(await latestMail(made, 'two@example.com')))
  assert.equal((await person(made, 'two@example.com')).state, 'subscribed')
})

test('neither files nor bulk acts, what takes them back, nor new criteria mail anyone', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  const ok = async (asked: Promise<{ status: number; body: { data?: { id: string }; id?: number } }>) => {
    const { status, body } = await asked
    assert.ok(status < 300, JSON.stringify(body))
    return body
  }
  // Whatever mails by itself elsewhere is turned on.
  await ok(patch('/api/account', { double_opt_in: true, welcome_template: 'welcome_email' }))
  const list = (await ok(post('/api/contact_lists', { name: 'News', double_opt_in: true }))).id
  const smart = (await ok(post('/api/contact_lists', { name: 'Smart', criteria: { tag: 'x' } }))).id
  const changes = async () => (await get('/api/change_sets')).body.data as { id: string; kind: string }[]

  await took(made, 'email,state\na@example.com,pending\nb@example.com,subscribed\nc@example.com,\n', {
    list_id: String(list),
  })
  for (const action of [
    { type: 'add_to_list', list_id: list },
    { type: 'add_tags', tags: ['x'] },
    { type: 'unsubscribe' },
  ]) {
    await ok(post('/api/contacts/bulk', { selection: { q: 'example' }, action }))
    await made.runJobs()
  }
  await ok(patch(`/api/contact_lists/${smart}`, { criteria: { tag: 'y' }, announce: true }))
  await ok(patch(`/api/contact_lists/${smart}`, { criteria: { email_domain: 'example.com' }, announce: true }))
  await made.runJobs()
  await dispatched(made.db)
  const taken = await changes()
  assert.deepEqual(
    taken.map(({ kind }) => kind).filter((kind) => kind === 'bulk' || kind === 'import').length,
    4,
    JSON.stringify(taken),
  )
  for (const { id, kind } of taken) {
    if (kind !== 'bulk' && kind !== 'import') continue
    await ok(post(`/api/change_sets/${id}/revert`))
    await made.runJobs()
  }

  assert.equal((await get('/api/messages')).body.total, 0)
})

test('more than three mails an hour are not sent to one person, however they are asked for', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  const ask = () => made.post(`/api/contacts/${ANN}/resubscribe`)
  const answers = await Promise.all([ask(), ask(), ask(), ask()])

  const refused = answers.filter(({ status }) => status === 429)
  assert.equal(refused.length, 2, 'one went at the creation')
  assert.ok(Number(refused[0]!.headers['retry-after']) > 3500)
  assert.equal((await made.get('/api/messages')).body.total, 3)
  await made.post(`/api/contacts/${ANN}/unsubscribe`)
  assert.equal((await ask()).status, 429, 'to leave in between does not begin a new hour')
  const link = await confirmationLink(made, ANN)
  assert.equal((await made.app.inject(link)).statusCode, 200, 'a link that is handed over sends nothing')
  await made.db.query(sql`update confirmations set created_at = created_at - interval '61 minutes'`)
  assert.equal((await ask()).status, 200)
})

test('any of the links confirms, and then all of them say so; what is not theirs says nothing', async (t) => {
  const made = await testApp(t)
  const other = await made.another()
  for (const tenant of [made, other]) {
    await tenant.call('POST', '/api/contacts', { email: ANN })
    await tenant.call('POST', `/api/contacts/${ANN}/unsubscribe`)
  }
  const [first, second] = [await confirmationLink(made, ANN), await confirmationLink(made, ANN)]
  const expired = await confirmationLink(other, ANN)
  await made.db.query(sql`update confirmations set expires_at = now() where account_id = ${other.accountId}`)
  const foreign = first.replace(/\/(\d+)-/, `/${other.accountId}-`)
  await press(made, second)
  await press(made, first)

  const wrong = [foreign, expired, first.slice(0, -1), `${first}x`, first.replace(/.$/, '!'), '/confirm/', '/confirm/x']
  const pages = await Promise.all([
    ...wrong.map((url) => made.app.inject(url)),
    ...wrong.map((url) => made.app.inject({ method: 'POST', url })),
  ])
  assert.deepEqual([...new Set(pages.map(({ statusCode }) => statusCode))], [404])
  const html = pages.filter(({ headers }) => String(headers['content-type']).startsWith('text/html'))
  assert.equal(html.length, 12)
  assert.equal(new Set(html.map(({ body }) => body)).size, 1, 'none says what is wrong')
  assert.equal((await person(other, ANN)).state, 'unsubscribed')
  for (const url of [first, second]) assert.match((await made.app.inject(url)).body, /Thank you/)

  await made.post(`/api/contacts/${ANN}/unsubscribe`)
  for (const url of [first, second]) {
    assert.equal((await made.app.inject(url)).statusCode, 404, 'who has left since is not told that they are in')
    await press(made, url)
  }
  assert.equal((await person(made, ANN)).state, 'unsubscribed')
})

const VOIDING: Record<string, (made: TestApp) => Promise<unknown>> = {
  'leaving again': ({ post }) => post(`/api/contacts/${ANN}/unsubscribe`),
  'a change of address': ({ patch }) => patch(`/api/contacts/${ANN}`, { email: 'anna@example.com' }),
  'a change of address by a file': (made) =>
    took(made, 'external_id,email\nann,anna@example.com\n', { match_by: 'external_id', update_existing: 'true' }),
  'a removal': ({ del }) => del(`/api/contacts/${ANN}`),
}
for (const [what, act] of Object.entries(VOIDING)) {
  test(`a link is void after ${what}`, async (t) => {
    const made = await testApp(t)
    await made.post('/api/contacts', { email: ANN, external_id: 'ann' })
    await made.post(`/api/contacts/${ANN}/unsubscribe`)
    const link = await confirmationLink(made, ANN)

    await act(made)

    assert.equal((await press(made, link)).status, 404)
    const states = await made.db.query<{ state: string }>(sql`select state from contacts`)
    assert.ok(states.every(({ state }) => state === 'unsubscribed'))
    assert.deepEqual(await made.db.query(sql`select from confirmations`), [])
  })
}

test('a confirmation at the very moment in which the person leaves is not stronger than that', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  const link = await confirmationLink(made, ANN)
  let pressed: Promise<{ status: number }> | undefined
  await made.db.transaction(async (trx) => {
    await trx.query(sql`select from contacts where email = ${ANN} for update`)
    const left = made.post(`/api/contacts/${ANN}/unsubscribe`)
    await waitsForLocks(made.db, 1)
    pressed = press(made, link)
    await waitsForLocks(made.db, 2)
    void left
  })

  assert.equal((await pressed)!.status, 404)
  assert.equal((await person(made, ANN)).state, 'unsubscribed')
})

test('confirming twice at once is one confirmation', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: ANN, double_opt_in: true })
  const link = await confirmationLink(made, ANN)

  const answers = await Promise.all([1, 2, 3, 4].map(() => press(made, link)))

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  assert.equal((await consentsOf(made)).length, 1)
})

test('no mail is asked for where it would go nowhere or is not wanted, and the answer says what to do', async (t) => {
  const made = await testApp(t)
  const { accountId, db, post } = made
  await took(made, 'email,state\nbounced@example.com,bounced\nsup@example.com,unsubscribed\n')
  await db.query(sql`
    insert into suppressions (account_id, kind, value, reason, source) values (${accountId}, 'address', 'sup@example.com', 'manual', 'test')`)

  const bounced = await post('/api/contacts/bounced@example.com/resubscribe')
  const suppressed = await post('/api/contacts/sup@example.com/resubscribe')

  assert.equal(bounced.status, 409)
  assert.match(bounced.body.errors, /refuses mail for good: give them the link yourself/)
  assert.equal(suppressed.status, 409)
  assert.match(suppressed.body.errors, /suppressed: give them the link yourself/)
  await press(made, await confirmationLink(made, 'bounced@example.com'))
  assert.equal((await person(made, 'bounced@example.com')).state, 'subscribed')
  await press(made, await confirmationLink(made, 'sup@example.com'))
  assert.deepEqual((await person(made, 'sup@example.com')).sendable, { allowed: false, reason: 'suppressed' })
  const first = await post('/api/contacts', { email: 'nobody@example.com', unsubscribed: true, double_opt_in: true })
  assert.equal(first.body.data.state, 'unsubscribed')
  assert.equal((await made.get('/api/messages')).body.total, 0)
})

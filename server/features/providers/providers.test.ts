import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { hmac } from '../../lib/secret.ts'
import { type Answer, dispatched, keyring, type TestApp, testApp } from '../../test/app.ts'
import { formOf, signUp } from '../../test/forms.ts'
import { person, took } from '../../test/imports.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { confirmationLink, pathOf, press } from '../../test/permission.ts'
import { summedUp } from '../../test/summed-up.ts'
import { idMadeAt } from '../criteria/generated.ts'
import { newSigningSecret, signedHeaders } from '../webhooks/signature.ts'

const MAILTRAP = readFileSync(join(import.meta.dirname, 'fixtures/mailtrap.json'), 'utf8')
const PEOPLE = ['ann', 'bob', 'cleo', 'dora', 'emil']
const NOW = new Date().toISOString()

type Post = (body: unknown, headers?: Record<string, string>) => Promise<Answer>

async function withHook(t: TestContext, provider = 'generic', more: object = {}) {
  const made = await testApp(t)
  for (const name of PEOPLE) await made.post('/api/contacts', { email: `${name}@example.com` })
  const answer = await made.post('/api/provider_hooks', { provider, ...more })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return { ...made, hook: answer.body, send: sender(made, answer.body.url) }
}

function sender({ app }: Pick<TestApp, 'app'>, url: string): Post {
  return async (body, headers = {}) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    const type = { 'content-type': 'application/json', ...headers }
    const response = await app.inject({ method: 'POST', url: pathOf(url), payload, headers: type })
    return { status: response.statusCode, body: response.json(), headers: response.headers }
  }
}

const states = async (made: TestApp) =>
  Object.fromEntries(
    await Promise.all(PEOPLE.map(async (name) => [name, (await person(made, `${name}@example.com`)).state])),
  )

const timeline = async (made: TestApp, name: string) =>
  (await made.get(`/api/contacts/${name}@example.com/events`)).body.data as {
    types: string[]
    at: string
    data: { machine?: boolean; params?: Record<string, unknown>; state?: unknown }
  }[]

/** The documented times are of one day, which is long ago on another. */
const asOfNow = (fixture: string) => {
  const shift = Math.floor(Date.now() / 1000) - 86_400 - 1_764_061_200
  return fixture.replace(/"timestamp": (\d+)/g, (_, at) => `"timestamp": ${Number(at) + shift}`)
}

test('what Mailtrap tells is in the activity once, and leads each to their state', async (t) => {
  const made = await withHook(t, 'mailtrap')
  const secret = 'mailtrap-signing-secret'
  await made.patch(`/api/provider_hooks/${made.hook.id}`, { signing_secret: secret })
  const body = asOfNow(MAILTRAP)
  const signature = createHmac('sha256', secret).update(body).digest('hex')

  const first = await made.send(body, { 'mailtrap-signature': signature })
  assert.deepEqual(first.body, {
    ...{ received: 9, recorded: 7, duplicates: 0, unknown: 0, suppressed: 0, ignored: 2, refused: 0, problems: [] },
  })
  const again = await made.send(body, { 'mailtrap-signature': signature })
  assert.deepEqual([again.body.recorded, again.body.duplicates], [0, 7])
  for (const wrong of [
    undefined,
    signature.replace(/./, 'g'),
    signature.slice(2),
    createHmac('sha256', 'x').digest('hex'),
  ]) {
    const refused = await made.send(body, wrong === undefined ? {} : { 'mailtrap-signature': wrong })
    assert.equal(refused.status, 403)
    assert.match(refused.body.errors, /Mailtrap-Signature/)
  }

  assert.deepEqual(await states(made), {
    ...{ ann: 'subscribed', bob: 'subscribed', cleo: 'bounced', dora: 'unsubscribed', emil: 'unsubscribed' },
  })
  const [click, open, delivery] = await timeline(made, 'ann')
  assert.deepEqual(
    [delivery!.types, open!.types, click!.types],
    [['email_delivered'], ['email_opened'], ['email_clicked']],
  )
  assert.deepEqual(click!.data.params, {
    provider: 'mailtrap',
    message_id: '1df37d17-0286-4d8b-8edf-bc4ec5be86e6',
    category: 'Newsletter',
    url: 'https://example.org/offer?x=1',
    ip: '192.0.2.42',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0',
  })
  assert.deepEqual((await timeline(made, 'cleo'))[0]!.types, ['updated', 'email_bounced'])
  assert.deepEqual((await timeline(made, 'dora'))[0]!.types, ['unsubscribed', 'email_complained'])
  const [entry] = (await made.get('/api/suppressions?email=dora@example.com')).body.data
  assert.deepEqual([entry.value, entry.reason, entry.source], ['dora@example.com', 'complaint', 'provider:mailtrap'])
  const [word] = (await made.get('/api/contacts/emil@example.com/consents')).body.data
  assert.deepEqual([word.action, word.grade, word.source], ['withdrawn', 'asserted', 'provider:mailtrap'])
  const lines = JSON.parse(body).events.map((event: object) => JSON.stringify(event))
  const other = (await made.post('/api/provider_hooks', { provider: 'mailtrap' })).body.url
  const asLines = await sender(made, other)(`${lines.join('\n')}\n`, { 'content-type': 'application/jsonlines' })
  assert.equal(asLines.body.recorded, 7)
  const shown = (await made.get(`/api/provider_hooks/${made.hook.id}`)).body
  assert.deepEqual([shown.counts.received, shown.counts.recorded, shown.counts.unverified], [18, 7, 4])
  assert.ok(shown.is_verified && !JSON.stringify(shown).includes(secret))
})

test('the generic format, signed as Standard Webhooks are', async (t) => {
  const secret = newSigningSecret()
  const made = await withHook(t, 'generic', { signing_secret: secret })
  const body = JSON.stringify({ events: [{ id: 'e1', type: 'sent', email: 'ANN@Example.com', at: NOW }] })
  const signed = signedHeaders({ id: 'm1', body }, [secret], Date.now())

  assert.equal((await made.send(body, signed)).body.recorded, 1)
  assert.equal((await made.send(`${body} `, signed)).status, 403)
  assert.equal((await made.send(body)).status, 403)
  assert.equal((await made.send(body, signedHeaders({ id: 'm1', body }, [secret], Date.now() - 301_000))).status, 403)
  assert.equal((await made.send(body, signedHeaders({ id: 'm1', body }, [newSigningSecret()], Date.now()))).status, 403)
})

test('bad input is refused item by item, says why, and never names an address', async (t) => {
  const made = await withHook(t)
  const item = (more: object) => ({
    id: crypto.randomUUID(),
    type: 'opened',
    email: 'ann@example.com',
    at: NOW,
    ...more,
  })
  const unknownTypes = Array.from({ length: 1000 }, (_, nth) => item({ type: `unheard_of_${nth}` }))
  const bad = [
    ...[
      null,
      3,
      'x',
      [],
      item({ email: 'no address' }),
      item({ email: 7 }),
      item({ email: `${'x'.repeat(70)}@example.com` }),
    ],
    ...[
      item({ at: 'yesterday' }),
      item({ at: null }),
      item({ id: '' }),
      item({ id: 'x'.repeat(501) }),
      item({ type: 5 }),
    ],
    ...[item({ type: 'bounced' }), item({ type: 'bounced', bounce: 'maybe' }), item({ at: '2020-01-01T00:00:00Z' })],
  ]
  const nasty = item({ url: `https://example.org/\0${'x'.repeat(5000)}`, user_agent: '\ud800', ip: { a: 1 } })

  const { status, body } = await made.send({ events: [...unknownTypes, ...bad, nasty] })

  assert.equal(status, 200)
  assert.deepEqual([body.ignored, body.refused, body.recorded], [1000, bad.length, 1])
  assert.equal(body.problems.length, 11)
  assert.match(body.problems.join(), /events\.1004: email is not an address.*older than 30 days/)
  assert.doesNotMatch(JSON.stringify(body), /no address|xxx/)
  for (const wrong of ['', 'hello', '{', '"x"', '[[[']) assert.equal((await made.send(wrong)).status, 400, wrong)
  const huge = await made.send(`{"events":[${' '.repeat(20 * 2 ** 20)}]}`)
  assert.equal(huge.status, 413)
  const missing = sender(made, made.hook.url.replace(/..$/, 'zz'))
  assert.equal((await missing('x'.repeat(100))).status, 404)
  assert.equal((await sender(made, made.hook.url.replace('generic', 'mailtrap'))('{}')).status, 404)
})

test('soft bounces count by mail until one is delivered, and then the person is back', async (t) => {
  const made = await withHook(t)
  await made.patch('/api/account', { soft_bounce_limit: 3 })
  const at = (minute: number) => new Date(Date.now() - 3_600_000 + minute * 60_000).toISOString()
  let id = 0
  const soft = (mail: string, minute: number) => ({
    ...{ id: `s${id++}`, type: 'bounced', bounce: 'soft', email: 'ann@example.com', message_id: mail, at: at(minute) },
  })
  const delivered = (minute: number) => ({
    id: `d${id++}`,
    type: 'delivered',
    email: 'ann@example.com',
    message_id: 'x',
    at: at(minute),
  })
  const state = async () => (await person(made, 'ann@example.com')).state

  await made.post('/api/contacts/ann@example.com/events', { name: 'email_bounced', params: { bounce: 'hard' } })
  assert.equal(await state(), 'subscribed', 'what a caller tells bounces nobody')
  await made.send([soft('a', 1), soft('a', 2), soft('a', 3), soft('b', 4)])
  assert.equal(await state(), 'subscribed', 'three tries of one mail are one')
  await made.send(soft('c', 5))
  assert.equal(await state(), 'bounced')
  await made.send(delivered(6))
  assert.equal(await state(), 'subscribed')
  await made.send([soft('d', 2), soft('e', 3), soft('f', 4)])
  assert.equal(await state(), 'subscribed', 'told late: a mail was delivered since')
  await made.send([soft('g', 7), soft('h', 8), soft('i', 9), delivered(1)])
  assert.equal(await state(), 'bounced')
  await made.send({ id: 'hard', type: 'bounced', bounce: 'hard', email: 'ann@example.com', at: at(10) })
  await made.send(delivered(11))
  assert.equal(await state(), 'bounced', 'for good')
})

test('unknown addresses stay unknown, but their word is kept; who was erased stays away', async (t) => {
  const made = await withHook(t)
  const { db, accountId, hook } = made
  const erased = hmac(keyring, 'suppression', 'gone@example.com')
  await db.query(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    values (${accountId}, 'hmac', ${erased.value}, ${erased.keyId}, 'erased', 'test')`)
  const told = (id: string, type: string, email: string) => ({ id, type, email, at: NOW })

  const { body } = await made.send([
    told('1', 'delivered', 'nobody@example.com'),
    told('2', 'complained', 'stranger@example.com'),
    told('3', 'complained', 'gone@example.com'),
    told('4', 'opened', 'gone@example.com'),
    told('5\0\ud800', 'unsubscribed', 'emil@example.com'),
  ])

  assert.deepEqual([body.recorded, body.unknown, body.suppressed], [1, 2, 2])
  assert.equal((await made.get('/api/contacts')).body.total, PEOPLE.length)
  assert.equal((await made.post('/api/contacts', { email: 'gone@example.com' })).status, 422)
  assert.equal((await made.post('/api/contacts', { email: 'stranger@example.com' })).body.data.state, 'unsubscribed')
  assert.equal((await made.post('/api/contacts', { email: 'nobody@example.com' })).body.data.state, 'subscribed')
  const [stored] = await db.query<{ all: string }>(sql`
    select (select string_agg(to_jsonb(p)::text, '') from provider_events as p) || (select string_agg(to_jsonb(s)::text, '') from suppressions as s) as all`)
  assert.doesNotMatch(stored!.all, /example/)
  assert.equal((await made.get(`/api/provider_hooks/${hook.id}`)).body.counts.suppressed, 2)
})

test('a complaint about an address that is being entered at this moment is not missed', async (t) => {
  const made = await withHook(t)
  let answer: Promise<Answer> | undefined
  await made.db.transaction(async (trx) => {
    await trx.query(sql`
      insert into contacts (account_id, email, state, state_reason, origin) values (${made.accountId}, 'new@example.com', 'subscribed', 'caller', 'test')`)
    answer = made.send({ id: 'c', type: 'complained', email: 'new@example.com', at: NOW })
    await waitsForLocks(made.db, 1)
  })
  assert.equal((await answer!).body.recorded, 1)
  assert.equal((await person(made, 'new@example.com')).state, 'unsubscribed')
})

test('the same request twice at once is taken once', async (t) => {
  const made = await withHook(t)
  const events = PEOPLE.map((name) => ({
    id: name,
    type: 'bounced',
    bounce: 'hard',
    email: `${name}@example.com`,
    at: NOW,
  }))
  let answers: Promise<Answer[]> | undefined
  await made.db.transaction(async (trx) => {
    await trx.query(sql`select id from contacts where account_id = ${made.accountId} for update`)
    answers = Promise.all([made.send(events), made.send(events.toReversed())])
    await waitsForLocks(made.db, 2) // one for the people, the other for the ids
  })
  assert.deepEqual((await answers!).map(({ body }) => body.recorded).sort(), [0, PEOPLE.length])
  assert.equal((await timeline(made, 'ann')).filter(({ types }) => types.includes('email_bounced')).length, 1)
})

test('a complaint from before somebody came back by their own confirmation does not undo it', async (t) => {
  const made = await withHook(t)
  await made.post('/api/contacts/ann@example.com/unsubscribe')
  await press(made, await confirmationLink(made, 'ann@example.com'))
  const before = new Date(Date.now() - 3_600_000).toISOString()

  await made.send({ id: 'late', type: 'complained', email: 'ann@example.com', at: before })
  assert.deepEqual((await person(made, 'ann@example.com')).sendable, { allowed: true, reason: null })
  await made.send({
    id: 'now',
    type: 'complained',
    email: 'ann@example.com',
    at: new Date(Date.now() + 60_000).toISOString(),
  })
  assert.equal((await person(made, 'ann@example.com')).state, 'unsubscribed')
})

test('a complaint that is told late is not undone by a form that anyone can have filled, nor by joining a list', async (t) => {
  const made = await withHook(t)
  const list = (await made.post('/api/contact_lists', { name: 'News', public: true })).body.id
  await signUp(made, await formOf(made, { double_opt_in: false, list_ids: [list] }), { email: 'ann@example.com' })
  const { preferences_url } = (await made.get('/api/contacts/bob@example.com/links')).body
  const saved = await made.app.inject({
    method: 'POST',
    url: pathOf(preferences_url),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `what=save&shown=list.${list}&list=${list}`,
  })
  assert.equal(saved.statusCode, 200)
  for (const name of ['ann', 'bob']) {
    assert.deepEqual((await person(made, `${name}@example.com`)).list_ids, [list], name)
    const at = new Date(Date.now() - 60_000).toISOString()
    await made.send({ id: name, type: 'complained', email: `${name}@example.com`, at })
    assert.equal((await person(made, `${name}@example.com`)).state, 'unsubscribed', name)
  }
})

test('a complaint makes open links void, also those of somebody who has left already', async (t) => {
  const made = await withHook(t)
  for (const name of ['ann', 'bob']) await made.post(`/api/contacts/${name}@example.com/unsubscribe`)
  const links = [await confirmationLink(made, 'ann@example.com'), await confirmationLink(made, 'bob@example.com')]

  await made.send([
    { id: 'a', type: 'complained', email: 'ann@example.com', at: NOW },
    { id: 'b', type: 'unsubscribed', email: 'bob@example.com', at: NOW },
  ])

  for (const link of links) assert.equal((await press(made, link)).status, 404)
  assert.deepEqual([(await states(made)).ann, (await states(made)).bob], ['unsubscribed', 'unsubscribed'])
})

test('a confirmation ends the complaint, and not what a caller has forbidden beside it', async (t) => {
  const made = await withHook(t)
  const names = ['ann', 'bob']
  await made.send(names.map((name) => ({ id: name, type: 'complained', email: `${name}@example.com`, at: NOW })))
  const { body } = await made.post('/api/suppressions', { entries: ['ann@example.com'] })
  assert.deepEqual([body.added, body.known], [0, 1])

  for (const name of names) await press(made, await confirmationLink(made, `${name}@example.com`))

  assert.deepEqual((await person(made, 'ann@example.com')).sendable, { allowed: false, reason: 'suppressed' })
  assert.equal((await person(made, 'bob@example.com')).sendable.allowed, true)
  const [entry] = (await made.get('/api/suppressions')).body.data
  assert.deepEqual([entry.value, entry.reason, entry.source], ['ann@example.com', 'manual', 'api'])
})

test('a hard bounce holds, whatever callers and files said before it and take back after it', async (t) => {
  const made = await withHook(t)
  const file = 'email,state\nann@example.com,bounced\nbob@example.com,unsubscribed\n'
  const { id } = await took(made, file, { update_existing: 'true' })
  await made.patch('/api/contacts/cleo@example.com', { unsubscribed: true })
  await made.post('/api/contacts/dora@example.com/unsubscribe')
  const names = ['ann', 'bob', 'cleo', 'dora']
  await made.send(
    names.map((name) => ({ id: name, at: NOW, type: 'bounced', bounce: 'hard', email: `${name}@example.com` })),
  )

  assert.equal((await made.post(`/api/change_sets/${id}/revert`)).status, 200)
  await made.runJobs()
  for (const name of names) await made.patch(`/api/contacts/${name}@example.com`, { unsubscribed: false })

  const { ann, bob, cleo, dora } = await states(made)
  assert.deepEqual([ann, bob, cleo, dora], ['bounced', 'bounced', 'bounced', 'unsubscribed'])
})

test('smart lists hear of bounces and complaints, and of clicks found to be a machine’s', async (t) => {
  const made = await withHook(t)
  const list = async (name: string, criteria: object) =>
    (await made.post('/api/contact_lists', { name, criteria })).body.id as number
  const sendable = await list('Sendable', { sendable: true })
  const clicked = await list('Clicked', { event: 'email_clicked' })
  await dispatched(made.db)
  const members = async (id: number) => (await made.get(`/api/contact_lists/${id}/contacts`)).body.total as number
  const told = async (id: number) => {
    await dispatched(made.db)
    const [row] = await made.db.query<{ count: number }>(sql`
      select count(*) as count from smart_memberships where account_id = ${made.accountId} and list_ids @> ${[id]}::bigint[]`)
    return row!.count
  }
  const click = { id: 'k', type: 'clicked', email: 'ann@example.com', message_id: 'm', at: NOW }

  await made.send([click, { id: 'b', type: 'bounced', bounce: 'hard', email: 'bob@example.com', at: NOW }])
  assert.deepEqual([await told(sendable), await told(clicked)], [4, 1])
  await made.send({
    id: 'd',
    type: 'delivered',
    email: 'ann@example.com',
    message_id: 'm',
    at: new Date(Date.parse(NOW) - 2000).toISOString(),
  })
  assert.deepEqual([await told(clicked), await members(clicked)], [0, 0])
  await made.send({ id: 'c', type: 'complained', email: 'cleo@example.com', at: NOW })
  assert.equal(await told(sendable), 3)
})

test('a click of yesterday that turns out to be a machine’s is no longer among what ever happened', async (t) => {
  const made = await withHook(t)
  const { db, accountId } = made
  const yesterday = Date.now() - 86_400_000
  const at = (ms: number) => new Date(yesterday + ms).toISOString()
  await db.query(sql`select make_event_partitions(${at(0)}::date, 0)`)
  await made.send({ id: 'k', type: 'clicked', email: 'ann@example.com', message_id: 'm', at: at(0) })
  await db.query(sql`
    update events set id = ${idMadeAt(sql`${at(0)}::timestamptz`)} where account_id = ${accountId} and type = 'email_clicked'`)
  await summedUp(db, accountId)
  const clicked = async () =>
    (await made.post('/api/contacts/search', { criteria: { event: 'email_clicked' }, count: 'exact' })).body.total
  assert.equal(await clicked(), 1)
  await made.send({ id: 'd', type: 'delivered', email: 'ann@example.com', message_id: 'm', at: at(-2000) })
  assert.equal(await clicked(), 0)
})

test('hooks are shown without their address, rotated with a day of both, and deleted', async (t) => {
  const made = await withHook(t)
  const { get, post, del, hook, send } = made
  const item = (id: string) => ({ id, type: 'sent', email: 'ann@example.com', at: NOW })
  assert.match(hook.url, /^http:\/\/.+\/hooks\/generic\/\d+-[\w-]{43}$/)
  const shown = (await get('/api/provider_hooks')).body
  assert.equal(shown.total, 1)
  assert.ok(!('url' in shown.data[0]) && shown.data[0].is_verified === false)

  const rotated = (await post(`/api/provider_hooks/${hook.id}/rotate`)).body
  assert.notEqual(rotated.url, hook.url)
  assert.equal((await send(item('1'))).status, 200)
  assert.equal((await sender(made, rotated.url)(item('2'))).body.recorded, 1)
  await made.db.query(sql`update provider_hooks set previous_until = now() - interval '1 second'`)
  assert.equal((await send(item('3'))).status, 404)
  const [stored] = await made.db.query<{ row: string }>(sql`select to_jsonb(h)::text as row from provider_hooks as h`)
  assert.ok(!stored!.row.includes(rotated.url.slice(-43)))

  for (const [body, says] of [
    [{ provider: 'mailgun' }, /must be|mailtrap/],
    [{ provider: 'ses', signing_secret: 'x'.repeat(20) }, /not used by ses/],
    [{ provider: 'generic', signing_secret: 'x'.repeat(20) }, /whsec_/],
    [{ provider: 'generic', topic_arn: 'arn:aws:sns:eu-west-1:123456789012:mail' }, /ses alone/],
    [{ provider: 'ses', topic_arn: 'topic' }, /such as arn:aws/],
  ] as const) {
    const answer = await post('/api/provider_hooks', body)
    assert.equal(answer.status, 422)
    assert.match(JSON.stringify(answer.body), says)
  }
  assert.equal((await del(`/api/provider_hooks/${hook.id}`)).status, 204)
  assert.equal((await sender(made, rotated.url)(item('4'))).status, 404)
})

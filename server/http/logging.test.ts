import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { logTo } from '../log.ts'
import { caller, testApp } from '../test/app.ts'

async function logged(t: TestContext, settings: Record<string, string> = {}) {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  const made = await testApp(t, settings, logTo('trace', stream))
  const lines = () =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return { ...made, text: () => text, lines }
}

test('a line says who asked what of which route, and holds no token, address or body', async (t) => {
  const { app, accountId, token, post, patch, get, del, call, text, lines } = await logged(t)
  const secret = 'Sesame Street 7'
  await post('/api/contacts', { email: 'ann@example.com', external_id: 'ext-of-ann', fields: { street: secret } })
  await patch('/api/contacts/ann@example.com', { fields: { street: `${secret}b` } })
  await get('/api/contacts/ann%40example.com?include=x')
  await get('/api/contacts?q=ann@example.com')
  await get('/api/contacts/ext:ext-of-ann/events')
  await post('/api/contacts', { email: 'ann@example.com' })
  await post('/api/contacts', { email: 'ann@example', tags: [secret] })
  await call('POST', '/api/contacts', `{"email": "ann@example.com", "x": "${secret}"`, {
    'content-type': 'application/json',
  })
  await get('/api/contacts/ann@example.com%ZZ')
  await get(`/api/contacts/ann@example.com/${secret.replaceAll(' ', '%20')}`)
  await caller(app, 'rc_wrong-token')('GET', '/api/contacts/ann@example.com')
  await call('POST', '/api/contacts', { email: 'bob@example.com' }, { 'idempotency-key': 'key-of-ann@example.com' })
  await del('/api/contacts/batch', { contact_ids: ['ann@example.com'] })

  for (const hidden of [token, 'rc_wrong-token', 'ann@', 'ann%40', 'bob@', 'Sesame', 'ext-of-ann', 'api-token']) {
    assert.ok(!text().includes(hidden), `${hidden} is in the log`)
  }
  const [first] = lines().filter((line) => line.msg === 'request')
  assert.deepEqual(
    [first.method, first.route, first.status, first.account, first.actor, typeof first.ms],
    ['POST', '/api/contacts', 201, accountId, 'token:1', 'number'],
  )
  assert.ok(lines().some((line) => line.route === '/api/contacts/:contact' && line.method === 'PATCH'))
  assert.ok(lines().some((line) => line.route === 'none' && line.status === 404))
})

test("what fails is logged with its cause and the answer's id, without what PostgreSQL quotes of a person", async (t) => {
  const { db, post, text, lines } = await logged(t)
  await db.query(sql`alter table contacts add constraint forbidden check (email <> 'ann@example.com')`)

  const answer = await post('/api/contacts', { email: 'ann@example.com', fields: { first_name: 'Annabel' } })

  assert.equal(answer.status, 500)
  assert.deepEqual(answer.body, { errors: 'Unexpected error', request_id: answer.headers['x-request-id'] })
  const line = lines().find((entry) => entry.msg === 'unhandled error')
  assert.deepEqual([line.level, line.reqId, line.err.constraint], [50, answer.body.request_id, 'forbidden'])
  assert.match(line.err.stack, /create\.ts/)
  assert.ok(!/ann@example|Annabel/.test(text()), text())
  assert.equal((await db.query(sql`select from events`)).length, 0)

  await db.query(sql`alter table contacts drop constraint forbidden, add constraint numbers check (email::integer > 0)`)
  assert.equal((await post('/api/contacts', { email: 'ann@example.com' })).status, 500)
  assert.ok(lines().some(({ err }) => err?.code === '22P02' && /create\.ts/.test(err.stack)))
  assert.ok(!text().includes('ann@example'), text())
})

test('every answer has a request id, its own and not one that the client has made up', async (t) => {
  const { app, call } = await logged(t)

  const answers = [
    await call('GET', '/api/contacts', undefined, { 'request-id': 'mine', 'x-request-id': 'mine' }),
    await call('GET', '/api/contacts/nobody@example.com'),
    await call('POST', '/api/contacts', {}),
    await call('GET', '/nowhere'),
    await caller(app, undefined)('GET', '/api/contacts'),
  ]

  const ids = answers.map((answer) => String(answer.headers['x-request-id']))
  for (const id of ids) assert.match(id, /^[0-9a-f-]{36}$/)
  assert.equal(new Set(ids).size, ids.length)
})

test("the client's address is taken from trusted proxies alone, and goes into the ledger", async (t) => {
  const ipOf = async (settings: Record<string, string>, forwarded: string) => {
    const { call, db } = await logged(t, settings)
    const answer = await call('POST', '/api/contacts', { email: 'ann@example.com' }, { 'x-forwarded-for': forwarded })
    assert.equal(answer.status, 201, `${forwarded}: ${JSON.stringify(answer.body)}`)
    const [consent] = await db.query<{ ip: string }>(sql`select host(ip) as ip from consents`)
    return consent!.ip
  }
  const trusted = { TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' }

  assert.equal(await ipOf({}, '203.0.113.9'), '127.0.0.1', 'nobody is trusted unless named')
  assert.equal(await ipOf({ TRUSTED_PROXIES: '10.0.0.0/8' }, '203.0.113.9'), '127.0.0.1', 'nor one that is not named')
  assert.equal(await ipOf(trusted, '203.0.113.9'), '203.0.113.9')
  assert.equal(await ipOf(trusted, '6.6.6.6, 203.0.113.9, 10.1.2.3'), '203.0.113.9', 'the last that is not a proxy')
  assert.equal(await ipOf(trusted, '2001:db8::7'), '2001:db8::7')
  assert.equal(await ipOf(trusted, '203.0.113.9:51234'), '203.0.113.9', 'some proxies add the port')
  assert.equal(await ipOf(trusted, '[2001:db8::7]:51234'), '2001:db8::7')
  assert.equal(await ipOf(trusted, 'fe80::1%eth0'), 'fe80::1')
  assert.equal(await ipOf(trusted, "unknown'; drop table contacts"), '127.0.0.1')
})

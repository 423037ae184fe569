import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { caller, testApp } from '../../test/app.ts'
import { form, person } from '../../test/imports.ts'
import { createToken } from '../accounts/tokens.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('what is added by hand forbids mail at once, says so, and is taken away again', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post, get, del, app } = made
  for (const name of ['ann@example.com', 'bob@a.example.org', 'cyd@example.net', 'dan@example.de'])
    await post('/api/contacts', { email: name })

  const entries = [
    ' Ann@EXAMPLE.com',
    '*.example.org',
    sha256('cyd@example.net').toUpperCase(),
    'ann@example.com',
    'bücher.example',
  ]
  const added = await post('/api/suppressions', { entries, reason: 'complaint' })
  const again = await post('/api/suppressions', { entries: ['ann@example.com'] })

  assert.deepEqual([added.status, added.body], [200, { added: 4, known: 0, rejected: 0, errors: [] }])
  assert.deepEqual(again.body, { added: 0, known: 1, rejected: 0, errors: [] })
  const sendable = async () =>
    ((await get('/api/contacts?sendable=true')).body.data as { email: string }[]).map(({ email }) => email)
  assert.deepEqual(await sendable(), ['dan@example.de'])
  assert.deepEqual((await person(made, 'bob@a.example.org')).sendable, { allowed: false, reason: 'suppressed' })
  const { data, total } = (await get('/api/suppressions')).body
  assert.equal(total, 4)
  assert.deepEqual(
    data.map(({ kind, value, reason, source }: Record<string, string>) => [kind, value, reason, source]).sort(),
    [
      ['address', 'ann@example.com', 'complaint', 'api'],
      ['domain', '*.example.org', 'complaint', 'api'],
      ['domain', 'xn--bcher-kva.example', 'complaint', 'api'],
      ['sha256', sha256('cyd@example.net'), 'complaint', 'api'],
    ],
  )
  const [of] = (await get('/api/suppressions?email=Bob@a.example.org')).body.data
  assert.equal(of.value, '*.example.org')
  assert.equal((await get('/api/suppressions?email=dan@example.de')).body.total, 0)
  assert.equal((await get('/api/suppressions?kind=domain&reason=complaint')).body.total, 2)

  assert.equal((await del(`/api/suppressions/${of.id}`)).status, 204)
  assert.equal((await del(`/api/suppressions/${of.id}`)).status, 404)
  assert.deepEqual((await sendable()).sort(), ['bob@a.example.org', 'dan@example.de'])
  const log = (await get('/api/audit')).body.data as { actor: string; action: string; data: object }[]
  assert.deepEqual(
    log.map(({ action, data }) => [action, data]),
    [
      ['suppression_deleted', { id: of.id, kind: 'domain', reason: 'complaint' }],
      ['suppressions_added', { added: 0, known: 1, reason: 'manual', source: 'api' }],
      ['suppressions_added', { added: 4, known: 0, reason: 'complaint', source: 'api' }],
    ],
  )
  assert.match(log[0]!.actor, /^token:\d+$/)
  const reader = caller(app, (await createToken(db, accountId, { name: 'r', scopes: ['write'] })).token)
  assert.equal((await reader('GET', '/api/audit')).status, 403)
})

test('an end counts, and the later one of two', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  const add = (expires_at?: string) =>
    made.post('/api/suppressions', { entries: ['example.com'], ...(expires_at && { expires_at }) })
  const ends = async () => (await made.get('/api/suppressions')).body.data[0].expires_at

  assert.equal((await add('2999-01-01T00:00:00Z')).status, 200)
  assert.equal((await add('2998-01-01T00:00:00Z')).status, 200)
  assert.equal(await ends(), '2999-01-01T00:00:00.000Z')
  await made.db.query(sql`update suppressions set expires_at = now()`)
  assert.equal((await person(made, 'ann@example.com')).sendable.allowed, true)
  await add()
  await add('2998-01-01T00:00:00Z')
  assert.equal(await ends(), null)
  assert.equal((await person(made, 'ann@example.com')).sendable.allowed, false)
})

test('a file adds what it has, and tells of the lines that are nothing', async (t) => {
  const made = await testApp(t)
  const lines = [
    'Email;name',
    'ann@example.com;"Ann; the first"',
    'nobody',
    '"bob@example.com"',
    '',
    '*.example.org',
    'a@b@c',
  ]
  const sent = form('\ufeff' + lines.join('\r\n'), { reason: 'old_provider', expires_at: '2999-01-01T00:00:00Z' })
  const send = (headers: Record<string, string> = {}) =>
    made.call('POST', '/api/suppressions', sent.body, { ...sent.headers, ...headers })

  const answer = await send()

  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.deepEqual([answer.body.added, answer.body.rejected], [3, 2])
  assert.deepEqual(
    answer.body.errors.map(({ line }: { line: number }) => line),
    [3, 7],
  )
  assert.match(answer.body.errors[0].message, /must be an address, the SHA-256/)
  const [row] = (await made.get('/api/suppressions?kind=domain')).body.data
  assert.deepEqual([row.reason, row.source, row.expires_at], ['old_provider', 'file', '2999-01-01T00:00:00.000Z'])
  const first = await send({ 'idempotency-key': 'k' })
  const second = await send({ 'idempotency-key': 'k' })
  assert.deepEqual(second.body, first.body)
  assert.equal(second.headers['idempotent-replayed'], 'true')
  const large = form(Array.from({ length: 25_000 }, (_, n) => `p${n}@example.com`).join('\n'))
  assert.equal((await made.call('POST', '/api/suppressions', large.body, large.headers)).body.added, 25_000)
})

test('what is wrong is refused with its place, and nothing is added', async (t) => {
  const made = await testApp(t)
  const bad: [unknown, string][] = [
    [{ entries: ['ann@example.com', 'nope', '@x'] }, 'entries.1'],
    [{ entries: [] }, 'entries'],
    [{}, 'entries'],
    [[], 'entries'],
    ['null', 'entries'],
    [{ entries: ['a@example.com', 7] }, 'entries.1'],
    [{ entries: ['*'] }, 'entries.0'],
    [{ entries: ['*.com'] }, 'entries.0'],
    [{ entries: ['x'.repeat(2000)] }, 'entries.0'],
    [{ entries: ['a@example.com'], reason: 'withdrawn' }, 'reason'],
    [{ entries: ['a@example.com'], reason: 'Two words' }, 'reason'],
    [{ entries: ['a@example.com'], expires_at: '2001-01-01T00:00:00Z' }, 'expires_at'],
    [{ entries: ['a@example.com'], expires_at: 'soon' }, 'expires_at'],
    [{ entries: ['a@example.com'], more: 1 }, 'base'],
  ]
  for (const [body, place] of bad) {
    const answer = await made.call('POST', '/api/suppressions', body, { 'content-type': 'application/json' })
    assert.equal(answer.status, 422, JSON.stringify([body, answer.body]).slice(0, 300))
    assert.ok(place in answer.body.errors, JSON.stringify([body, answer.body]).slice(0, 300))
  }
  for (const [file, parts] of [
    [null, {}],
    ['a@example.com', { reason: 'erased' }],
    ['a@example.com', { other: 'x' }],
    [Buffer.concat([Buffer.from('a@example.com\n"'), Buffer.alloc(100_000, 'x')]), {}],
  ] as const) {
    const sent = form(file as string | null, parts)
    assert.equal((await made.call('POST', '/api/suppressions', sent.body, sent.headers)).status, 422)
  }
  assert.equal((await made.get('/api/suppressions')).body.total, 0)
})

test('what a removal has left is neither shown nor taken away, and no other account sees anything', async (t) => {
  const made = await testApp(t)
  const { call } = await made.another()
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.post('/api/contacts/ann@example.com/unsubscribe')
  await made.del('/api/contacts/ann@example.com')
  const [mark] = await made.db.query<{ id: number }>(sql`select id from suppressions`)
  await made.post('/api/suppressions', { entries: ['example.com'] })
  const [row] = (await made.get('/api/suppressions')).body.data

  assert.equal((await made.get('/api/suppressions')).body.total, 1)
  assert.equal((await made.del(`/api/suppressions/${mark!.id}`)).status, 404)
  assert.equal((await call('DELETE', `/api/suppressions/${row.id}`)).status, 404)
  assert.equal((await call('GET', '/api/suppressions')).body.total, 0)
  assert.equal((await made.post('/api/contacts', { email: 'ann@example.com' })).body.data.state, 'unsubscribed')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { createToken } from '../features/accounts/tokens.ts'
import { caller, testApp } from '../test/app.ts'

test('a token has so many requests in 10 s, is told how many are left, and then when to come again', async (t) => {
  const { app, db, accountId, get, post } = await testApp(t, { RATE_LIMIT: '3' })

  for (const left of ['2', '1', '0']) {
    const answer = await get('/api/contacts')
    assert.equal(answer.status, 200)
    assert.deepEqual([answer.headers['x-ratelimit-limit'], answer.headers['x-ratelimit-remaining']].map(String), [
      '3',
      left,
    ])
    assert.equal(answer.headers['retry-after'], undefined)
  }
  const refused = await post('/api/contacts', { email: 'ann@example.com' })

  assert.deepEqual([refused.status, refused.body], [429, { errors: 'Rate limit exceeded' }])
  assert.match(String(refused.headers['content-type']), /^application\/json/)
  assert.deepEqual([refused.headers['x-ratelimit-limit'], refused.headers['x-ratelimit-remaining']].map(String), [
    '3',
    '0',
  ])
  const wait = Number(refused.headers['retry-after'])
  assert.ok(wait >= 1 && wait <= 10, `${wait} s`)
  assert.equal((await db.query(sql`select from contacts`)).length, 0)

  const other = caller(app, (await createToken(db, accountId, { name: 'other', scopes: ['read'] })).token)
  assert.equal((await other('GET', '/api/contacts')).status, 200, 'another token has its own')
  assert.equal((await caller(app, undefined)('GET', '/healthz')).status, 200, 'what is public has no limit')
})

test('nobody can try tokens without bound', async (t) => {
  const { app, get } = await testApp(t, { RATE_LIMIT: '3' })

  const statuses = []
  for (const token of ['rc_a', undefined, 'rc_b', 'rc_c', undefined]) {
    statuses.push((await caller(app, token)('GET', '/api/contacts')).status)
  }

  assert.deepEqual(statuses, [401, 401, 401, 429, 429])
  assert.equal((await get('/api/contacts')).status, 200, 'a good token from the same address goes on')
})

test('a limit of 0 is none, and nothing is told of one', async (t) => {
  const { get } = await testApp(t, { RATE_LIMIT: '0' })

  for (let n = 0; n < 50; n++) assert.equal((await get('/api/account')).status, 200)
  const { headers } = await get('/api/account')
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('x-ratelimit')),
    [],
  )
})

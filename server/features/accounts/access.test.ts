import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { type TestApp, testApp } from '../../test/app.ts'
import { createToken } from './tokens.ts'

const madeUp = () => `rc_${randomBytes(24).toString('base64url')}`

/** The status of a request with this token, from that address. */
async function statusWith({ app }: TestApp, token: string, remoteAddress = '192.0.2.1'): Promise<number> {
  const answer = await app.inject({ url: '/api/account', headers: { 'api-token': token }, remoteAddress })
  if (answer.statusCode === 429) assert.ok(Number(answer.headers['retry-after']) > 0)
  return answer.statusCode
}

/** From now on every look-up of a token fails: a request that needs one answers 500. */
const failLookups = (db: Database) => db.query(sql`alter table api_tokens rename to api_tokens_away`)
const mendLookups = (db: Database) => db.query(sql`alter table api_tokens_away rename to api_tokens`)

test('what can not be a token is not looked up', async (t) => {
  const made = await testApp(t)
  await failLookups(made.db)

  assert.equal(await statusWith(made, madeUp()), 500, 'what could be one is')
  for (const token of ['x', 'rc_short', 'a'.repeat(31), 'a'.repeat(256), `${madeUp()} ${madeUp()}`, 'é'.repeat(40)]) {
    assert.equal(await statusWith(made, token), 401, token)
  }
})

test('a token that opened nothing is not looked up again within 5 s, and is after that', async (t) => {
  const made = await testApp(t)
  const token = madeUp()
  assert.equal(await statusWith(made, token), 401)

  await failLookups(made.db)
  assert.equal(await statusWith(made, token), 401)
  await sleep(5100)
  assert.equal(await statusWith(made, token), 500)
})

test('from one address so many unknown tokens are looked up in 10 s as it may send requests, from any other as many', async (t) => {
  const made = await testApp(t, { RATE_LIMIT: '3' })
  const { token: used } = await createToken(made.db, made.accountId, { name: 'used', scopes: ['read'] })
  const { token: fresh } = await createToken(made.db, made.accountId, { name: 'fresh', scopes: ['read'] })
  assert.equal(await statusWith(made, used), 200)

  const statuses = await Promise.all(Array.from({ length: 10 }, () => statusWith(made, madeUp())))
  assert.deepEqual(statuses.sort(), [401, 401, 401, ...Array(7).fill(429)], 'also when they come at once')

  await failLookups(made.db)
  assert.equal(await statusWith(made, madeUp()), 429, 'and nothing is looked up any more')
  assert.equal(await statusWith(made, madeUp(), '192.0.2.2'), 500, 'but for others')
  assert.equal(await statusWith(made, madeUp(), '2001:db8:0:1::1'), 500)
  await mendLookups(made.db)
  for (let n = 1; n <= 3; n++) assert.equal(await statusWith(made, madeUp(), `2001:db8:0:1::${n}`), 401)
  assert.equal(await statusWith(made, madeUp(), '2001:db8:0:1:ffff::4'), 429, 'a network of 64 bits is one sender')

  assert.equal(await statusWith(made, used), 200, 'who has been let in goes on')
  assert.equal(await statusWith(made, fresh), 429, 'who has not waits')
  await sleep(10_100)
  assert.equal(await statusWith(made, fresh), 200)
  assert.equal(await statusWith(made, used), 200, 'also when the grant has to be read anew')
})

test('tokens that open something are no attempts, however many there are', async (t) => {
  const made = await testApp(t, { RATE_LIMIT: '3' })
  for (let n = 0; n < 6; n++) {
    const { token } = await createToken(made.db, made.accountId, { name: 'one of many', scopes: ['read'] })
    assert.equal(await statusWith(made, token), 200)
  }
})

test('without a limit any number of tokens can be tried', async (t) => {
  const made = await testApp(t, { RATE_LIMIT: '0' })
  for (let n = 0; n < 20; n++) assert.equal(await statusWith(made, madeUp()), 401)
})

test('the address that a trusted proxy names counts, without the port of the connection', async (t) => {
  const made = await testApp(t, { RATE_LIMIT: '3', TRUSTED_PROXIES: '192.0.2.1' })
  const from = async (forwarded: string) =>
    (
      await made.app.inject({
        url: '/api/account',
        headers: { 'api-token': madeUp(), 'x-forwarded-for': forwarded },
        remoteAddress: '192.0.2.1',
      })
    ).statusCode

  for (const port of [1001, 1002, 1003]) assert.equal(await from(`198.51.100.7:${port}`), 401)
  assert.equal(await from('198.51.100.7:1004'), 429)
  assert.equal(await from('198.51.100.8:1004'), 401)
})

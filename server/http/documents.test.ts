import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import sql from 'sql-template-tag'
import { caller, testApp } from '../test/app.ts'

test('the OpenAPI document is valid, and describes every route of the API once', async (t) => {
  const registered: string[] = []
  const { app } = await testApp(t, {}, undefined, (route) => {
    for (const method of [route.method].flat()) {
      if (route.url.startsWith('/api') && method !== 'HEAD')
        registered.push(`${method} ${route.url.replace(/:(\w+)/g, '{$1}')}`)
    }
  })
  const { status, body } = await caller(app, undefined)('GET', '/openapi.json')

  assert.equal(status, 200)
  assert.equal(body.openapi, '3.1.0')
  const checked = await new Validator().validate(structuredClone(body))
  assert.ok(checked.valid, JSON.stringify(checked.errors, null, 1))
  const operations = Object.entries<Record<string, { operationId?: string; summary?: string }>>(body.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })),
  )
  assert.deepEqual(operations.map((operation) => operation.name).sort(), registered.sort())
  for (const { name, operationId, summary } of operations)
    assert.ok(operationId && summary, `${name} has a name and says what it does`)
  assert.equal(new Set(operations.map((operation) => operation.operationId)).size, operations.length)
})

test('the reference can be browsed', async (t) => {
  const { app } = await testApp(t)

  const page = await app.inject({ url: '/docs/' })

  assert.equal(page.statusCode, 200)
  assert.match(page.headers['content-type'] as string, /html/)
  assert.match(page.headers['content-security-policy'] as string, /default-src 'self'/)
  assert.doesNotMatch(page.headers['content-security-policy'] as string, /upgrade-insecure-requests/)
})

test('answers carry security headers, and no other origin may read them unless it is named', async (t) => {
  const closed = await testApp(t)
  const open = await testApp(t, { CORS_ORIGINS: 'https://app.example.com' })
  const origin = { origin: 'https://app.example.com' }

  const refused = await closed.call('GET', '/api/account', undefined, origin)
  const allowed = await open.call('GET', '/api/account', undefined, origin)
  const foreign = await open.call('GET', '/api/account', undefined, { origin: 'https://evil.example' })

  assert.equal(refused.headers['access-control-allow-origin'], undefined)
  assert.equal(refused.headers['x-content-type-options'], 'nosniff')
  assert.ok(refused.headers['content-security-policy'])
  assert.match(String(refused.headers['x-request-id']), /^[0-9a-f-]{36}$/)
  assert.equal(allowed.headers['access-control-allow-origin'], 'https://app.example.com')
  assert.notEqual(foreign.headers['access-control-allow-origin'], 'https://evil.example')
  const preflight = await open.app.inject({
    method: 'OPTIONS',
    url: '/api/contacts',
    headers: {
      ...origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'api-token,content-type',
    },
  })
  assert.equal(preflight.statusCode, 204)
  assert.match(String(preflight.headers['access-control-allow-methods']), /PATCH/)
})

test('health, readiness and metrics need no token, and metrics tell by account how far behind things are', async (t) => {
  const { app, post, db, accountId } = await testApp(t)
  const ask = caller(app, undefined)
  await post('/api/contacts', { email: 'ann@example.com' })
  await db.query(sql`update outbox set at = at - interval '1 minute'`)

  assert.equal((await ask('GET', '/healthz')).status, 200)
  assert.equal((await ask('GET', '/readyz')).status, 200)
  const { body } = await ask('GET', '/metrics')
  const value = (name: string) => Number(new RegExp(`^${name}\\{account="${accountId}"\\} (.+)$`, 'm').exec(body)?.[1])

  assert.ok(value('rollcall_outbox_age_seconds') >= 60)
  assert.equal(value('rollcall_feed_lag_events'), 1)
  assert.equal(value('rollcall_oldest_job_seconds'), 0)
  assert.match(body, /rollcall_http_request_seconds_count\{method="POST",route="\/api\/contacts",status="201"\} 1/)
  assert.ok(!body.includes('ann@example.com'))
})

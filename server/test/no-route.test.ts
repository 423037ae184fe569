import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { inhabited } from './inhabited.ts'

test('an address that is no route, and a method it has not, are a 404 in JSON', async (t) => {
  const { app, call, get, token } = await inhabited(t)

  for (const [method, url] of [
    ['GET', '/api/nope'],
    ['GET', '/api/accounts/1/nope'],
    ['PUT', '/api/contact_lists'],
    ['OPTIONS', '/api/contacts'],
    ['POST', '/api/contacts/ann@example.com'],
    ['GET', '/nope'],
    ['GET', '/api//contacts'],
    ['GET', '/api/contacts/a/b/c'],
  ] as const) {
    const answer = await call(method, url)
    assert.deepEqual([answer.status, answer.body.error], [404, 'Not Found'], `${method} ${url}`)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
  }
  for (const [method, url, hint] of [
    ['PUT', '/api/contact_lists?page=2', 'There is no PUT at this address, but GET and POST: see /docs.'],
    ['PUT', '/api/accounts/1/contact_lists/', 'There is no PUT at this address, but GET and POST: see /docs.'],
    ['POST', '/api/contact_lists/7', 'There is no POST at this address, but DELETE, GET, and PATCH: see /docs.'],
    ['GET', '/api/contact_list', 'There is no GET at this address: see /docs.'],
  ] as const)
    assert.equal((await call(method, url)).body.hint, hint)
  assert.equal((await call('GET', '/api/contacts/')).status, 200)
  const head = await app.inject({ method: 'HEAD', url: '/api/contacts', headers: { 'api-token': token } })
  assert.deepEqual([head.statusCode, head.body], [200, ''])

  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  const huge = await withHugeHeader((app.server.address() as AddressInfo).port, token)
  assert.equal(huge.status, 431)
  assert.equal(typeof JSON.parse(huge.body).error, 'string')
  assert.equal((await fetch(`${base}/api/contacts`, { headers: { 'api-token': token } })).status, 200)
  assert.equal((await get('/api/contacts')).status, 200)
})

function withHugeHeader(port: number, token: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { port, host: '127.0.0.1', path: '/api/contacts', headers: { 'api-token': token, 'x-long': 'x'.repeat(20_000) } },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode, body }))
      },
    )
    sent.on('error', reject).end()
  })
}

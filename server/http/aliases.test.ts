import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { testApp } from '../test/app.ts'
import { accountSegment, canonicalBody, canonicalUrl, tokenOf } from './aliases.ts'

test('every spelling of an address has one form, and nothing else is touched', () => {
  const expected = {
    '/api/accounts/7': ['/api/account', '7'],
    '/api/accounts/7/': ['/api/account', '7'],
    '/api/accounts/7?x=1': ['/api/account?x=1', '7'],
    '/api/accounts/7/?x=1': ['/api/account?x=1', '7'],
    '/api/accounts/7/contacts': ['/api/contacts', '7'],
    '/api/accounts/7/contacts/lists/3?search=a': ['/api/contact_lists/3?search=a', '7'],
    '/api/accounts/7/contact_lists': ['/api/contact_lists', '7'],
    '/api/accounts//contacts': ['/api/contacts', ''],
    '/api/accounts/a%2Fb/contacts/fields': ['/api/contact_fields', 'a%2Fb'],
    '/api/contacts/lists': ['/api/contact_lists', undefined],
    '/api/contacts/lists?search=a': ['/api/contact_lists?search=a', undefined],
    '/api/contacts/fields/4/convert': ['/api/contact_fields/4/convert', undefined],
    '/api/contacts/imports/1': ['/api/contact_imports/1', undefined],
    '/api/contacts/exports': ['/api/contact_exports', undefined],
    '/api/contacts/lists@example.com': ['/api/contacts/lists@example.com', undefined],
    '/api/contacts/a+b@example.com/events': ['/api/contacts/a+b@example.com/events', undefined],
    '/api/contacts?q=/api/contacts/lists': ['/api/contacts?q=/api/contacts/lists', undefined],
    '/api/accounts': ['/api/accounts', undefined],
    '/healthz': ['/healthz', undefined],
  }
  for (const [url, [canonical, account]] of Object.entries(expected)) {
    const request = { url } as IncomingMessage
    assert.deepEqual([canonicalUrl(request), accountSegment(request)], [canonical, account], url)
  }
})

test('a body has one form: unwrapped, an empty array for an empty object, one name for a kind', () => {
  const contact = (body: unknown) => canonicalBody(body, { wrapper: 'contact' })
  assert.deepEqual(contact({ contact: { email: 'a@b.no', fields: [] } }), { email: 'a@b.no', fields: {} })
  assert.deepEqual(contact({ email: 'a@b.no', params: [] }), { email: 'a@b.no', params: {} })
  assert.deepEqual(contact({ contact: { email: 'a@b.no' }, other: 1 }), { contact: { email: 'a@b.no' }, other: 1 })
  assert.deepEqual(contact({ contact: [] }), { contact: [] })
  assert.deepEqual(contact({ contact: { contact: {} } }), { contact: {} }, 'once only')
  assert.deepEqual(contact({ fields: [1], tags: [] }), { fields: [1], tags: [] })
  assert.deepEqual(canonicalBody({ contact: {} }, {}), { contact: {} }, 'where a wrapper is not due')
  for (const body of [null, 'x', 1, [], [{ data_type: 1 }]]) assert.equal(canonicalBody(body, { renamed: true }), body)

  const field = (body: unknown) => canonicalBody(body, { renamed: true })
  assert.deepEqual(field({ name: 'N', data_type: 'float' }), { name: 'N', type: 'float' })
  assert.deepEqual(field({ type: 'text', data_type: 'float' }), { type: 'text', data_type: 'float' })
  assert.deepEqual(canonicalBody({ data_type: 'float' }, {}), { data_type: 'float' })
})

test('a token stands in either header', () => {
  assert.equal(tokenOf({ 'api-token': 'T' }), 'T')
  assert.equal(tokenOf({ authorization: 'Bearer T' }), 'T')
  assert.equal(tokenOf({ authorization: 'bearer   T  ' }), 'T')
  assert.equal(tokenOf({ 'api-token': '', authorization: 'Bearer T' }), 'T')
  for (const authorization of ['T', 'Basic T', 'Bearer', 'Bearer ', 'Bearer T U']) {
    assert.equal(tokenOf({ authorization }), undefined, authorization)
  }
})

test('the account in the path must be the one of the token, written as its id is', async (t) => {
  const { call, accountId } = await testApp(t)

  for (const account of [
    `0${accountId}`,
    ` ${accountId}`,
    `${accountId}.0`,
    '2',
    '',
    'x',
    '%31',
    '-1',
    '9'.repeat(30),
  ]) {
    const answer = await call('GET', `/api/accounts/${encodeURIComponent(account)}/contacts`)
    assert.deepEqual([answer.status, answer.body], [403, { errors: 'Account access forbidden' }], account)
  }
  for (const url of [`/api/accounts/${accountId}`, `/api/accounts/${accountId}/`, '/api/account']) {
    assert.deepEqual((await call('GET', url)).body.id, accountId)
  }
})

test('addresses and external ids in a path: raw, encoded, encoded twice, with a plus', async (t) => {
  const { post, get } = await testApp(t)
  const { id } = (await post('/api/contacts', { email: "o'b+x@example.com", external_id: 'a/b c' })).body.data

  for (const name of [
    "o'b+x@example.com",
    'o%27b%2Bx%40example.com',
    'o%2527b%252Bx%2540example.com',
    'O%27B%2BX@EXAMPLE.COM',
    'ext:a%2Fb%20c',
    'ext%3Aa%2Fb%20c',
    id.toUpperCase(),
  ]) {
    const answer = await get(`/api/contacts/${name}`)
    assert.deepEqual([answer.status, answer.body.data?.id], [200, id], name)
  }
  assert.equal((await get('/api/contacts/o%27b%20x@example.com')).status, 404, 'a space is no plus')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteOptions } from 'fastify'
import { footprint, inhabited, type Refusal, refuseAll } from './inhabited.ts'

test('an id that is none, or beyond 64 bits, is an id of nothing', async (t) => {
  const routes: RouteOptions[] = []
  const made = await inhabited(t, {}, routes)
  const before = await footprint(made.db)
  const ids = [
    '0',
    '-1',
    '1.5',
    '1e3',
    '01',
    '+1',
    'abc',
    '9007199254740993',
    '9223372036854775808',
    '1'.repeat(400),
    '%20',
    '%00',
    '１',
  ]
  // Those of a session want a browser first: `sessions.test.ts` has them.
  const withId = routes.filter(
    ({ method, url, config }) => method !== 'HEAD' && !config?.session && /:(list_id|field_id|id)\b/.test(url),
  )

  assert.ok(withId.length >= 12)
  for (const { method, url, schema } of withId) {
    for (const id of ids) {
      const body = schema?.body
        ? { name: 'x', type: 'text', role: 'viewer', contact_ids: [made.id], list_ids: [1] }
        : undefined
      const allowed = body && Object.keys((schema!.body as { properties?: object }).properties ?? {})
      const answer = await made.call(
        String(method),
        url.replace(/:(list_id|field_id|id)\b/, id).replace(':contact', made.id),
        body && Object.fromEntries(Object.entries(body).filter(([key]) => allowed!.includes(key))),
      )
      assert.equal(answer.status, 404, `${method} ${url} ${id}: ${JSON.stringify(answer.body)}`)
      assert.deepEqual(answer.body, { error: 'Not Found' })
    }
  }
  for (const name of [
    '1',
    'abc',
    'x'.repeat(5000),
    '@',
    'ext:',
    'a@b',
    '018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a13',
    '%E2%82%AC',
  ]) {
    for (const [method, body] of [['GET'], ['PATCH', {}], ['DELETE']] as const) {
      const answer = await made.call(method, `/api/contacts/${name}`, body)
      // A patch enters an address that nobody has, and says what is wrong with one that is none.
      const expected = method === 'PATCH' && name.includes('@') ? 422 : 404
      assert.equal(answer.status, expected, `${method} ${name}: ${JSON.stringify(answer.body)}`)
    }
  }
  assert.equal(await footprint(made.db), before)
})

test('pages, cursors, orders, filters and operators that there are not are refused, and those there are named', async (t) => {
  const made = await inhabited(t)
  const forged = Buffer.from(JSON.stringify([null, made.id, 1])).toString('base64url')
  await made.post('/api/contacts', { email: 'bob@example.com' })
  const other = await made.another()
  await other.call('POST', '/api/contacts', { email: 'x@example.com' })
  await other.call('POST', '/api/contacts', { email: 'y@example.com' })
  const theirs = (await other.call('GET', '/api/contacts?per_page=1')).body.next_cursor
  const mine = (await made.get('/api/contacts?per_page=1')).body.next_cursor
  assert.equal(typeof mine, 'string')
  const get = (query: string, place: string, says: RegExp): Refusal => ({
    method: 'GET',
    url: `/api/contacts?${query}`,
    place,
    says,
  })

  await refuseAll(made, {
    'page 0': get('page=0', 'page', /at least 1/),
    'page -1': get('page=-1', 'page', /at least 1/),
    'page 10^12': get('page=1000000000000', 'page', /at most \d+/),
    'page 10^400': get(`page=1${'0'.repeat(400)}`, 'page', /at most \d+/),
    'a deep page': get('page=10000000&per_page=1000', 'page', /by cursor all/),
    'page 1.5': get('page=1.5', 'page', /must be an integer/),
    'two pages': get('page=1&page=2', 'page', /must be an integer/),
    'per_page 10^6': get('per_page=1000000', 'per_page', /at most 1000/),
    'per_page 0': get('per_page=0', 'per_page', /at least 1/),
    'per_page -1': get('per_page=-1', 'per_page', /at least 1/),
    'per_page abc': get('per_page=abc', 'per_page', /must be an integer/),
    'no cursor': get('cursor=', 'cursor', /next_cursor/),
    'a cursor that is none': get('cursor=abc', 'cursor', /next_cursor/),
    'a cursor without a signature': get(`cursor=${forged}`, 'cursor', /next_cursor/),
    'a cursor that was changed': get(`cursor=${mine[0] === 'A' ? 'B' : 'A'}${mine.slice(1)}`, 'cursor', /next_cursor/),
    'a cursor of another order': get(`cursor=${mine}&sort=email`, 'cursor', /same filters and order/),
    'a cursor of another filter': get(`cursor=${mine}&state=subscribed`, 'cursor', /same filters and order/),
    'a cursor of another account': get(`cursor=${theirs}`, 'cursor', /next_cursor/),
    'a cursor of contacts for events': {
      method: 'GET',
      url: `/api/contacts/${made.id}/events?cursor=${mine}`,
      place: 'cursor',
      says: /next_cursor/,
    },
    'a cursor for a diff': {
      method: 'GET',
      url: `/api/change_sets/1/diff?cursor=${mine}`,
      place: 'cursor',
      says: /next_cursor/,
    },
    'an order by nothing': get('sort=nope', 'sort', /there are id, email.*first_name.*age/),
    'two orders': get('sort=id&sort=email', 'sort', /must be a string/),
    'an unknown filter': get('nope=1', 'nope', /there are email.*first_name, last_name, age, plan/),
    'an unknown operator': get('age[like]=1', 'age[like]', /there are eq, ne, .*between/),
    'an operator of another kind': get('age[contains]=1', 'age[contains]', /which is a number: there are/),
    'an empty operator': get('age[]=1', 'age[]', /not a field or filter/),
    'a value of another kind': get('age=old', 'age', /must be a number/),
    'a value that is no option': get('plan=Gold', 'plan', /Free, Pro/),
    'an empty value': get('first_name=', 'first_name', /is_not_set/),
    'a list that is none': get('list_id=abc', 'list_id', /must be the id of a list/),
    'a list that is not there': get('list_id=99', 'list_id', /not found: 99/),
    'a state that is none': get('state=happy', 'state', /none, pending, subscribed/),
    'one bound': get('age[between]=1', 'age[between]', /two values/),
    'a day there never was': get('created_at[gt]=2026-02-30', 'created_at[gt]', /YYYY-MM-DD/),
    'the year 0': get('created_at[gt]=0000-01-01', 'created_at[gt]', /YYYY-MM-DD/),
    'a moment before the year 1': get('created_at[gt]=0001-01-01T00:00:00%2B14:00', 'created_at[gt]', /YYYY-MM-DD/),
    'too many days': get('created_at[within_last]=99999', 'created_at[within_last]', /0 to 36500/),
    'a long q': get(`q=${'a'.repeat(321)}`, 'q', /too long/),
    'a count that is none': get('count=all', 'count', /exact, capped/),
    'an unknown parameter of events': {
      method: 'GET',
      url: `/api/contacts/${made.id}/events?type=created`,
      place: 'type',
      says: /there are page, per_page, cursor, types/,
    },
    'an unknown type of event': {
      method: 'GET',
      url: `/api/contacts/${made.id}/events?types=created,nope`,
      place: 'types',
      says: /nope is not a type of event: there are created/,
    },
  })
})

test('a search body is refused with the path into it', async (t) => {
  const made = await inhabited(t)
  const search = (body: unknown, place: string, says: RegExp): Refusal => ({
    url: '/api/contacts/search',
    body,
    place,
    says,
  })
  const object = { toString: 1, valueOf: 2 }
  const tags = Array.from({ length: 1001 }, (_, n) => `t${n}`)

  await refuseAll(made, {
    'an unknown key': search({ filter: {} }, 'filter', /there are q, sort/),
    'a page that is text': search({ page: '1' }, 'page', /must be an integer/),
    'a list that is text': search({ list_id: '1' }, 'list_id', /must be the id of a list/),
    'a list that is not there': search({ list_id: 99 }, 'list_id', /not found: 99/),
    'a tag that is none': search({ tag: {} }, 'tag', /must be the name of a tag/),
    'a state that is an object': search({ state: object }, 'state', /must be a value: for another operator/),
    'a word that is an object': search(
      { criteria: { field: 'subscribed', value: object } },
      'criteria.value',
      /true or false/,
    ),
    'days that are an object': search(
      { criteria: { field: 'created_at', op: 'within_last', value: object } },
      'criteria.value',
      /number of days/,
    ),
    'epoch out of bounds': search(
      { criteria: { field: 'created_at', op: 'gt', value: 8.64e15 } },
      'criteria.value',
      /not a date/,
    ),
    'epoch of long ago': search(
      { criteria: { field: 'created_at', op: 'gt', value: -8e15 } },
      'criteria.value',
      /not a date/,
    ),
    'too many tags': search({ tag: tags }, 'tag', /too many values \(maximum is 1000\)/),
    'too many values in all': search(
      {
        criteria: { any: Array.from({ length: 99 }, () => ({ field: 'first_name', op: 'in', value: tags.slice(1) })) },
      },
      'criteria',
      /too many values in all/,
    ),
    'an operator that is none': search(
      { criteria: { field: 'age', op: 'toString', value: 1 } },
      'criteria.op',
      /there are eq/,
    ),
  })
  const both = await made.post('/api/contacts/search', { list_id: 'x', state: 'y', criteria: { nope: 1 } })
  assert.deepEqual(Object.keys(both.body.errors).sort(), ['criteria.nope', 'list_id', 'state'])
})

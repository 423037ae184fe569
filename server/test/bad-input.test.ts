import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { RouteOptions } from 'fastify'
import sql from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { type Answer, type TestApp, testApp } from './app.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** How much there is of everything: what a refused request must leave as it was. */
async function footprint(db: Database): Promise<string> {
  const [row] = await db.query<{ all: string }>(sql`
    select concat_ws(' ',
      (select count(*) from contacts), (select string_agg(row_to_json(c)::text, ',' order by id) from contacts as c),
      (select string_agg(row_to_json(f)::text, ',' order by id) from fields as f),
      (select string_agg(row_to_json(l)::text, ',' order by id) from lists as l),
      (select count(*) from list_members), (select count(*) from events), (select count(*) from outbox),
      (select count(*) from change_sets), (select count(*) from change_rows), (select count(*) from consents),
      (select string_agg(row_to_json(w)::text, ',' order by id) from webhooks as w), (select count(*) from deliveries),
      (select string_agg(row_to_json(a)::text, ',' order by id) from accounts as a)) as all`)
  return row!.all
}

/** An account with someone in a list, with a few fields. */
async function inhabited(t: TestContext, settings: Record<string, string> = {}, routes: RouteOptions[] = []) {
  const made = await testApp(t, settings, undefined, (route) => routes.push(route))
  await made.post('/api/contact_fields', { name: 'age', type: 'number' })
  await made.post('/api/contact_fields', { name: 'plan', type: 'select', options: ['Free', 'Pro'] })
  const { id } = (await made.post('/api/contacts', { email: 'ann@example.com', external_id: 'a1', fields: { age: 3 } }))
    .body.data
  const list = (await made.post('/api/contact_lists', { name: 'Members' })).body
  await made.post(`/api/contact_lists/${list.id}/contacts`, { contact_ids: [id] })
  return { ...made, id: id as string, listId: list.id as number }
}

interface Refusal {
  method?: string
  url?: string
  /** Text is sent as it is, all else as JSON. */
  body?: unknown
  headers?: Record<string, string>
  status?: number
  /** Under which key the messages stand; undefined: `errors` is one text. */
  place?: string
  says: RegExp
}

/** Each request is refused, says where and what, and nothing is changed by it. */
async function refuseAll(made: TestApp, refusals: Record<string, Refusal>): Promise<void> {
  const before = await footprint(made.db)
  for (const [name, { method = 'POST', url = '/api/contacts', body, headers, status, place, says }] of Object.entries(
    refusals,
  )) {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const answer = await made.call(method, url, payload, { ...(body === undefined ? {} : JSON_TYPE), ...headers })
    const told = `${name}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`
    assert.equal(answer.status, status ?? 422, told)
    const { errors = answer.body.error } = answer.body
    const text = place === undefined ? errors : Object.hasOwn(errors, place) ? errors[place].join('; ') : undefined
    assert.equal(typeof text, 'string', told)
    assert.match(text, says, told)
    assert.equal(await footprint(made.db), before, `${name} changed something`)
  }
}

test('a body that is not JSON, too long, too deep or not UTF-8 is refused', async (t) => {
  const made = await inhabited(t, { BODY_MAX_BYTES: '1000000' })
  const deep = (open: string, close: string) => `${open.repeat(100_000)}${close.repeat(100_000)}`

  await refuseAll(made, {
    cut: { body: '{"email": "a@example.com"', status: 400, says: /not valid JSON/ },
    'no JSON': { body: 'email=a@example.com', status: 400, says: /not valid JSON/ },
    NaN: { body: '{"email": NaN}', status: 400, says: /not valid JSON/ },
    'too long': { body: `{"email": "${'a'.repeat(1_000_000)}"}`, status: 413, says: /at most 1000000 bytes/ },
    'deep arrays': {
      body: `{"email":"b@example.com","fields":{"x":${deep('[', ']')}}}`,
      status: 400,
      says: /too deep.* 100/,
    },
    'deep objects': { body: deep('{"a":', '}').replace('}', '1}'), status: 400, says: /too deep/ },
    'deep, to be replayed': {
      body: `{"email":"b@example.com","tags":${deep('[', ']')}}`,
      headers: { 'idempotency-key': 'deep' },
      status: 400,
      says: /too deep/,
    },
    'deep and unbalanced': { body: '['.repeat(100_000), status: 400, says: /not valid JSON/ },
    'deep criteria': {
      url: '/api/contacts/search',
      body: `{"criteria":${deep('{"not":', '}')}}`,
      status: 400,
      says: /JSON/,
    },
    'not UTF-8': { body: Buffer.from('{"email":"\xff@example.com"}', 'latin1'), status: 400, says: /not valid UTF-8/ },
    'another type': {
      body: '<email/>',
      headers: { 'content-type': 'text/xml' },
      status: 400,
      says: /application\/json/,
    },
    'no body': { headers: JSON_TYPE, place: 'base', says: /needs a JSON body/ },
    'an array': { body: [], place: 'base', says: /must be an object/ },
    'a text': { body: '"a@example.com"', place: 'base', says: /must be an object/ },
    null: { body: 'null', place: 'base', says: /needs a JSON body/ },
  })
  assert.equal(
    (await made.post('/api/contacts', { email: 'c@example.com', fields: { text: '[{"\\'.repeat(60) } })).status,
    201,
  )
})

test('text that PostgreSQL can not hold is refused wherever it stands', async (t) => {
  const made = await inhabited(t)
  for (const [name, bad] of Object.entries({ NUL: '\0', 'a high surrogate': '\ud83d', 'a low surrogate': '\ude00' })) {
    const says = /character that text can not have/
    const named = (refusals: Record<string, Omit<Refusal, 'says'>>) =>
      Object.fromEntries(Object.entries(refusals).map(([at, refusal]) => [`${name} in ${at}`, { ...refusal, says }]))
    await refuseAll(
      made,
      named({
        'a value': { body: { email: 'b@example.com', fields: { first_name: `x${bad}` } }, place: 'fields.first_name' },
        'a key of fields': { body: { email: 'b@example.com', fields: { [`x${bad}`]: 1 } }, place: 'fields.x\ufffd' },
        'a key': { body: { email: 'b@example.com', [bad]: 1 }, place: '\ufffd' },
        'an address': { body: { email: `b${bad}@example.com` }, place: 'email' },
        'an external id': { body: { email: 'b@example.com', external_id: bad }, place: 'external_id' },
        'a tag': { body: { email: 'b@example.com', tags: ['ok', bad] }, place: 'tags.1' },
        'an event': { url: '/api/contacts/ann@example.com/events', body: { name: bad }, place: 'name' },
        'params of an event': {
          url: '/api/contacts/ann@example.com/events',
          body: { name: 'login', params: { [bad]: 1 } },
          place: 'params.\ufffd',
        },
        'a list': { url: '/api/contact_lists', body: { name: bad }, place: 'name' },
        'a field': { url: '/api/contact_fields', body: { name: `N${bad}`, type: 'text' }, place: 'name' },
        'an option': {
          url: '/api/contact_fields',
          body: { name: 'N', type: 'select', options: [bad] },
          place: 'options.0',
        },
        'a batch': {
          method: 'PATCH',
          url: '/api/contacts/batch',
          body: { contact_ids: [made.id], tags_added: [bad] },
          place: 'tags_added.0',
        },
        'a search': {
          url: '/api/contacts/search',
          body: { criteria: { first_name: bad } },
          place: 'criteria.first_name',
        },
        'the account': { method: 'PATCH', url: '/api/account', body: { name: bad }, place: 'name' },
      }),
    )
  }
  await refuseAll(made, {
    'NUL in a query': { method: 'GET', url: '/api/contacts?first_name=%00', place: 'first_name', says: /NUL/ },
    'NUL in the name of a parameter': { method: 'GET', url: '/api/contacts?a%00=1', place: 'base', says: /NUL/ },
    'NUL in q': { method: 'GET', url: '/api/contacts?q=%00', place: 'q', says: /NUL/ },
    'NUL in a path': { method: 'GET', url: '/api/contacts/a%00@example.com', status: 404, says: /Not Found/ },
    'NUL in an external id in a path': { method: 'GET', url: '/api/contacts/ext:%00', status: 404, says: /Not Found/ },
    'half a character in a path': {
      method: 'GET',
      url: '/api/contacts/a%ED%A0%80@example.com',
      status: 400,
      says: /percent-encoded/,
    },
    'an encoding that is none': { method: 'GET', url: '/api/contacts/%ZZ', status: 400, says: /percent-encoded/ },
    'an encoding that is cut': {
      method: 'DELETE',
      url: '/api/contacts/a@example.com%2',
      status: 400,
      says: /percent-encoded/,
    },
  })
})

test('names that JavaScript objects have of themselves are neither fields nor keys', async (t) => {
  const made = await inhabited(t)
  const proto = (before: string, after: string) => `{${before}{"__proto__":"x"}${after}}`
  const notAllowed = { status: 400, says: /__proto__/ }

  await refuseAll(made, {
    '__proto__ of a body': { body: '{"email":"b@example.com","__proto__":{"email":"c@example.com"}}', ...notAllowed },
    '__proto__ of fields': { body: proto('"email":"b@example.com","fields":', ''), ...notAllowed },
    '__proto__ in a wrapper': { body: proto('"contact":{"email":"b@example.com","fields":', '}'), ...notAllowed },
    'an escaped __proto__': { body: '{"email":"b@example.com","fields":{"\\u005f_proto__":1}}', ...notAllowed },
    'constructor with a prototype': {
      body: '{"email":"b@example.com","fields":{"constructor":{"prototype":{"x":1}}}}',
      ...notAllowed,
    },
    '__proto__ of a patch': {
      method: 'PATCH',
      url: `/api/contacts/${made.id}`,
      body: proto('"fields":', ''),
      ...notAllowed,
    },
    '__proto__ of a batch': {
      method: 'PATCH',
      url: '/api/contacts/batch',
      body: proto(`"contact_ids":["${made.id}"],"fields":`, ''),
      ...notAllowed,
    },
    '__proto__ as a merge tag': {
      url: '/api/contact_fields',
      body: { name: 'N', type: 'text', merge_tag: '__proto__' },
      place: 'merge_tag',
      says: /reserved: choose another/,
    },
    '__proto__ as a filter': {
      method: 'GET',
      url: '/api/contacts?__proto__=x',
      place: '__proto__',
      says: /there are email/,
    },
    '__proto__ as an order': {
      method: 'GET',
      url: '/api/contacts?sort=__proto__',
      place: 'sort',
      says: /there are id/,
    },
    ...Object.fromEntries(
      ['constructor', 'toString', 'hasOwnProperty'].flatMap((word): [string, Refusal][] => [
        [`${word} as a key`, { body: { email: 'b@example.com', [word]: 1 }, place: word, says: /there are email/ }],
        [
          `${word} of fields`,
          { body: { email: 'b@example.com', fields: { [word]: 'x' } }, place: word, says: /reserved/ },
        ],
        [
          `${word} of a batch`,
          {
            method: 'PATCH',
            url: '/api/contacts/batch',
            body: { contact_ids: [made.id], fields: { [word]: 'x' } },
            place: word,
            says: /reserved/,
          },
        ],
        [
          `${word} as a filter`,
          { method: 'GET', url: `/api/contacts?${word}=x`, place: word, says: /there are email/ },
        ],
        [
          `${word} in criteria`,
          {
            url: '/api/contacts/search',
            body: { criteria: { [word]: 1 } },
            place: `criteria.${word}`,
            says: /there are/,
          },
        ],
        [
          `${word} as an operator`,
          {
            method: 'GET',
            url: `/api/contacts?age[${word.toLowerCase()}]=1`,
            place: `age[${word.toLowerCase()}]`,
            says: /there are eq/,
          },
        ],
        [
          `${word} as a merge tag`,
          {
            url: '/api/contact_fields',
            body: { name: 'N', type: 'text', merge_tag: word },
            place: 'merge_tag',
            says: /reserved: choose another/,
          },
        ],
      ]),
    ),
  })
  const named = await made.post('/api/contact_fields', { name: 'Constructor', type: 'text' })
  assert.equal(named.status, 201)
  assert.notEqual(named.body.merge_tag, 'constructor')
})

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
  const withId = routes.filter(({ method, url }) => method !== 'HEAD' && /:(list_id|field_id|id)\b/.test(url))

  assert.ok(withId.length >= 12)
  for (const { method, url, schema } of withId) {
    for (const id of ids) {
      const body = schema?.body ? { name: 'x', type: 'text', contact_ids: [made.id], list_ids: [1] } : undefined
      const allowed = body && Object.keys((schema!.body as { properties: object }).properties)
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

test('people named by the thousand and one, twice, or not at all are refused', async (t) => {
  const made = await inhabited(t)
  await made.patch(`/api/contacts/${made.id}`, { external_id: 'a1' })
  const batch = (contact_ids: unknown, says: RegExp): Refusal => ({
    method: 'PATCH',
    url: '/api/contacts/batch',
    body: { contact_ids, tags_added: ['x'] },
    place: 'contact_ids',
    says,
  })
  const thousandAndOne = Array.from({ length: 1001 }, (_, n) => `p${n}@example.com`)
  const twice = /names the same contact twice/

  await refuseAll(made, {
    '1,001': batch(thousandAndOne, /maximum is 1000.*further requests/),
    none: batch([], /can't be empty/),
    'one that is no list': batch(made.id, /must be an array/),
    'the same id twice': batch([made.id, made.id], twice),
    'the same id in another case': batch([made.id, made.id.toUpperCase()], twice),
    'the same address in another case': batch(['ann@example.com', 'ANN@Example.com'], twice),
    'the same by id and by address': batch([made.id, 'ann@example.com'], twice),
    'the same by address and external id': batch(['ann@example.com', 'ext:a1'], twice),
    'a number': batch([1], /item 0 is not the id or address/),
    'a word': batch([made.id, 'ann'], /item 1 is not the id or address/),
    null: batch([null], /item 0/),
    'a list in a list': batch([[made.id]], /item 0/),
    'to remove': { ...batch([made.id, made.id], twice), method: 'DELETE', body: { contact_ids: [made.id, made.id] } },
    'to put into a list': {
      ...batch([], twice),
      method: 'POST',
      url: `/api/contact_lists/${made.listId}/contacts`,
      body: { contact_ids: ['ann@example.com', made.id] },
    },
    'nothing to change': {
      method: 'PATCH',
      url: '/api/contacts/batch',
      body: { contact_ids: [made.id], fields: {} },
      place: 'base',
      says: /give fields, tags_added or tags_removed/,
    },
    'a tag both ways': {
      method: 'PATCH',
      url: '/api/contacts/batch',
      body: { contact_ids: [made.id], tags_added: ['x'], tags_removed: [' x'] },
      place: 'base',
      says: /both added and removed: x/,
    },
  })
  const unknown = await made.call('PATCH', '/api/contacts/batch', {
    contact_ids: ['ext:null', made.id],
    tags_added: ['x'],
  })
  assert.deepEqual([unknown.body.updated, unknown.body.not_found_ids], [1, ['ext:null']])
})

test('addresses: what is none is refused with the cure, and all spellings of one are one person', async (t) => {
  const made = await inhabited(t)
  const create = (email: unknown, says: RegExp): Refusal => ({ body: { email }, place: 'email', says })
  const labels = `${'d'.repeat(60)}.`.repeat(3)

  await refuseAll(made, {
    '255 characters': create(
      `${'a'.repeat(64)}@${labels}${'e'.repeat(255 - 64 - 1 - labels.length - 4)}.com`,
      /is invalid; is too long \(maximum is 254/,
    ),
    '65 before the @': create(`${'a'.repeat(65)}@example.com`, /too long before the @/),
    '5000 characters': create(`${'a'.repeat(5000)}@example.com`, /too long/),
    'two @': create('a@b@example.com', /only one @/),
    'no @': create('example.com', /must have an @/),
    'no dot': create('a@localhost', /domain with a dot/),
    'an IP address': create('a@[127.0.0.1]', /domain name/),
    'a space within': create('a b@example.com', /a space/),
    empty: create('', /can't be blank/),
    blank: create('  ', /can't be blank/),
    'a number': create(5, /must be a string/),
    null: create(null, /must be a string/),
    none: create(undefined, /can't be blank/),
    taken: create(' ANN@Example.COM ', /has already been taken/),
    'no address for a patch': {
      method: 'PATCH',
      url: `/api/contacts/${made.id}`,
      body: { email: 'a@b' },
      place: 'email',
      says: /dot/,
    },
  })

  const trimmed = await made.post('/api/contacts', { email: '  Bob@Example.com\n' })
  assert.equal(trimmed.body.data.email, 'bob@example.com')
  assert.equal((await made.get('/api/contacts/BOB@EXAMPLE.COM')).body.data.id, trimmed.body.data.id)

  const idn = await made.post('/api/contacts', { email: 'Jörg@München.DE' })
  assert.equal(idn.status, 201)
  const { id, email } = idn.body.data
  assert.equal(email, 'jörg@münchen.de')
  for (const name of ['jörg@xn--mnchen-3ya.de', 'jörg@münchen.de']) {
    assert.equal((await made.get(`/api/contacts/${encodeURIComponent(name)}`)).body.data.id, id)
    assert.equal((await made.get(`/api/contacts?email=${encodeURIComponent(name)}`)).body.total, 1)
    assert.deepEqual((await made.post('/api/contacts', { email: name })).body, {
      errors: { email: ['has already been taken'] },
    })
  }
  assert.equal((await made.get('/api/contacts?email_domain=m%C3%BCnchen.de')).body.total, 1)
  const event = await made.post(`/api/contacts/${id}/events`, { name: 'login' })
  assert.equal(event.body.contact_email, 'jörg@münchen.de')
  const [stored] = await made.db.query<{ email: string }>(sql`select email from contacts where id = ${id}::uuid`)
  assert.equal(stored!.email, 'jörg@xn--mnchen-3ya.de')
})

test('what some clients send must work: long paths, empty bodies, text/plain, empty arrays, a merge tag of nothing', async (t) => {
  const made = await inhabited(t)
  const { call } = made
  const longest = `${'a'.repeat(64)}@${`${'d'.repeat(60)}.`.repeat(3)}${'e'.repeat(2)}.com`
  assert.equal(longest.length, 254)

  assert.equal((await made.post('/api/contacts', { email: longest })).status, 201)
  assert.equal((await made.get(`/api/contacts/${longest}`)).body.data.email, longest)
  const encoded = [...longest].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('')
  assert.equal((await made.get(`/api/contacts/${encoded}`)).body.data.email, longest)
  const externalId = '語'.repeat(255)
  await made.post('/api/contacts', { email: 'ext@example.com', external_id: externalId })
  assert.equal((await made.get(`/api/contacts/ext:${encodeURIComponent(externalId)}`)).status, 200)

  assert.equal((await call('DELETE', `/api/contacts/${longest}`, undefined, JSON_TYPE)).status, 204)
  assert.equal(
    (await call('DELETE', '/api/contacts/ext@example.com', '', { ...JSON_TYPE, 'content-length': '0' })).status,
    204,
  )

  const plain = { 'content-type': 'text/plain;charset=UTF-8' }
  assert.equal((await call('POST', '/api/contacts', '{"email":"plain@example.com"}', plain)).status, 201)
  assert.equal((await call('POST', '/api/contacts', '\ufeff{"email":"bom@example.com"}', JSON_TYPE)).status, 201)

  const php = await made.post('/api/contacts', { contact: { email: 'php@example.com', fields: [], list_ids: [] } })
  assert.deepEqual([php.status, php.body.data.fields], [201, {}])
  assert.equal((await call('PUT', '/api/contacts/php@example.com', { contact: { fields: [] } })).status, 200)
  const event = await made.post('/api/contacts/php@example.com/events', { name: 'x', params: [] })
  assert.deepEqual([event.status, event.body.params], [201, {}])

  const [field] = (await made.get('/api/contact_fields')).body
  const renamed = await made.patch(`/api/contact_fields/${field.id}`, { name: 'Given name', merge_tag: '' })
  assert.deepEqual([renamed.status, renamed.body.name, renamed.body.merge_tag], [200, 'Given name', 'first_name'])
  const kept = await made.patch(`/api/contact_lists/${made.listId}`, { name: '' })
  assert.deepEqual([kept.status, kept.body.name], [200, 'Members'])
})

test('wrong types and unknown keys are named, all at once', async (t) => {
  const made = await inhabited(t)

  const answer = await made.post('/api/contacts', {
    email: 5,
    external_id: 5,
    fields: 'x',
    tags: ['a', 1],
    unsubscribed: 'no',
    list_ids: [0, 'a', 1e300],
    nope: 1,
  })

  assert.equal(answer.status, 422)
  assert.deepEqual(answer.body.errors, {
    email: ['must be a string'],
    external_id: ['must be a string or null'],
    fields: ['must be an object'],
    'tags.1': ['must be a string'],
    unsubscribed: ['must be a boolean'],
    'list_ids.0': ['must be at least 1'],
    'list_ids.1': ['must be an integer'],
    'list_ids.2': ['must be at most 9007199254740991'],
    nope: ['is not a known key: there are email, external_id, fields, tags, unsubscribed, list_ids'],
  })
  await refuseAll(made, {
    'a wrapper of nothing': { body: { contact: null }, place: 'contact', says: /not a known key/ },
    'a wrapper and more': {
      body: { contact: { email: 'b@example.com' }, tags: [] },
      place: 'contact',
      says: /not a known key/,
    },
    'a comma in a tag': { body: { email: 'b@example.com', tags: ['a,b'] }, place: 'tags', says: /no comma: a,b/ },
    'an empty tag': { body: { email: 'b@example.com', tags: ['a', ' '] }, place: 'tags', says: /can't be blank/ },
    'a long tag': { body: { email: 'b@example.com', tags: ['x'.repeat(81)] }, place: 'tags', says: /maximum is 80/ },
    'a long external id': {
      body: { email: 'b@example.com', external_id: 'x'.repeat(256) },
      place: 'external_id',
      says: /maximum is 255/,
    },
    'a nested value': {
      body: { email: 'b@example.com', fields: { x: { y: 1 } } },
      place: 'x',
      says: /text, a number or a boolean/,
    },
    'a thousand and one fields': {
      body: {
        email: 'b@example.com',
        fields: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`f${n}`, 1])),
      },
      place: 'fields',
      says: /maximum is 1000/,
    },
    'more fields than an account can have': {
      body: { email: 'b@example.com', fields: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, 1])) },
      place: 'fields',
      says: /more than 500/,
    },
    'a value that is too large': {
      body: '{"email":"b@example.com","fields":{"age":1e999}}',
      place: 'age',
      says: /number/,
    },
    'an event without a name': {
      url: '/api/contacts/ann@example.com/events',
      body: {},
      place: 'name',
      says: /can't be blank; must be a string/,
    },
    'an event with nested params': {
      url: '/api/contacts/ann@example.com/events',
      body: { name: 'x', params: { a: [1] } },
      place: 'params',
      says: /'a' must be a text, a number/,
    },
    'an event with an endless number': {
      url: '/api/contacts/ann@example.com/events',
      body: '{"name":"x","params":{"a":1e999}}',
      place: 'params',
      says: /'a' is too large/,
    },
    'params that are a list': {
      url: '/api/contacts/ann@example.com/events',
      body: { name: 'x', params: [1] },
      place: 'params',
      says: /must be a hash/,
    },
    'a key that an event has not': {
      url: '/api/contacts/ann@example.com/events',
      body: { name: 'x', at: 1 },
      place: 'at',
      says: /there are name, params/,
    },
    'a zone that is none': {
      method: 'PATCH',
      url: '/api/account',
      body: { time_zone: 'Mars/Base' },
      place: 'time_zone',
      says: /Europe\/Berlin/,
    },
    'a zone that is an offset': {
      method: 'PATCH',
      url: '/api/account',
      body: { time_zone: '+01:00' },
      place: 'time_zone',
      says: /IANA/,
    },
    'a setting there is not': {
      method: 'PATCH',
      url: '/api/account',
      body: { unknown_fields: 'drop' },
      place: 'unknown_fields',
      says: /create, reject, ignore/,
    },
    'a colour that is none': {
      method: 'PATCH',
      url: '/api/account',
      body: { color: 'red' },
      place: 'color',
      says: /./,
    },
    'no days': {
      method: 'PATCH',
      url: '/api/account',
      body: { retention: { events_days: 0 } },
      place: 'retention.events_days',
      says: /^must be at least 1$/,
    },
    'an account without a name': {
      method: 'PATCH',
      url: '/api/account',
      body: { name: ' ' },
      place: 'name',
      says: /can't be blank/,
    },
    'a key that an account has not': {
      method: 'PATCH',
      url: '/api/account',
      body: { id: 7 },
      place: 'id',
      says: /there are name, color/,
    },
  })
})

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

// Whatever is sent to whichever route. BAD_INPUT_RUNS=1000 looks further, from another seed each time.
const RUNS = Number(process.env.BAD_INPUT_RUNS ?? 25)
const search = (numRuns: number) =>
  ({ numRuns, ...(process.env.BAD_INPUT_RUNS ? {} : { seed: 20_261 }) }) as fc.Parameters<unknown>

const nasty = fc.constantFrom(
  ...['', ' ', '\0', '\ud800', '__proto__', 'constructor', 'toString', '%', '%00', "';--", '\\', 'a,b', '😀', '1e999'],
  ...['9223372036854775808', 'ann@example.com', 'new@example.com', 'a@b@c.de', 'ext:a1', 'x'.repeat(300), '2026-01-31'],
  ...['created_at', 'age', 'plan', 'Pro', 'first_name', 'subscribed', 'between', 'in', 'is_set', 'within_last', '30d'],
)
const key = fc.oneof(
  nasty,
  fc.constantFrom(
    'all',
    'any',
    'not',
    'field',
    'op',
    'value',
    'tag',
    'list',
    'email',
    'fields',
    'contact',
    'type',
    'name',
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const scalar = fc.oneof(
  nasty,
  fc.constantFrom(0, -1, 1, 2, -0, 1.5, 1e21, 1e308, 2 ** 53, null, true, false),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const anything = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    scalar,
    fc.array(tie('json'), { maxLength: 3, depthIdentifier: 'json' }),
    fc.dictionary(key, tie('json'), { maxKeys: 3, depthIdentifier: 'json', noNullPrototype: true }),
    fc.record({ field: nasty, op: nasty, value: tie('json') }, { requiredKeys: ['field'] }),
  ),
})).json

/** Bodies with the keys that a route takes, each with whatever may or may not be right, and sometimes with others. */
function bodiesFor(schema: { properties?: Record<string, unknown> }, ids: unknown[]): fc.Arbitrary<unknown> {
  const right: Record<string, fc.Arbitrary<unknown>> = {
    email: fc.constantFrom('ann@example.com', 'new@example.com', 'bob@example.com'),
    contact_ids: fc.shuffledSubarray(ids),
    fields: fc.dictionary(fc.constantFrom('age', 'plan', 'first_name', 'city'), scalar),
    type: fc.constantFrom('text', 'integer', 'number', 'select', 'date', 'boolean'),
    name: fc.constantFrom('Age', 'x', 'Members'),
    list_ids: fc.constant([2]),
  }
  const entries = Object.keys(schema.properties ?? {}).map((name) => [
    name,
    right[name] ? fc.oneof({ weight: 3, arbitrary: right[name] }, anything) : anything,
  ])
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(Object.fromEntries(entries), { requiredKeys: [] }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.record(Object.fromEntries(entries), { requiredKeys: [] }), key, anything)
        .map(([body, name, value]) => ({ ...body, [name]: value })),
    },
    { weight: 1, arbitrary: anything },
  )
}

/** Never the server's fault; and what is refused has said why and changed nothing. */
async function blameless(made: TestApp, answer: Answer, before: string, told: string): Promise<void> {
  const all = () => `${told}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`
  assert.ok(answer.status < 500, all())
  if (answer.status < 400) return
  assert.ok(answer.body.errors ?? answer.body.error, all())
  assert.equal(await footprint(made.db), before, `changed something: ${all()}`)
}

test('no body whatever makes any route fail, or do half of something', async (t) => {
  const routes: RouteOptions[] = []
  const made = await inhabited(t, {}, routes)
  const taking = routes.filter(({ schema }) => schema?.body)
  assert.ok(taking.length >= 12, `${taking.length} routes take a body`)

  for (const route of taking) {
    for (const method of [route.method].flat()) {
      const bodies = bodiesFor(route.schema!.body as object, [made.id, 'bob@example.com', 'ext:a1'])
      const property = fc.asyncProperty(bodies, async (body) => {
        const url = route.url.replace(':contact', 'ann@example.com').replace(/:\w+/, '1')
        const before = await footprint(made.db)
        const text = JSON.stringify(body) ?? ''
        const answer = await made.call(method, url, text, JSON_TYPE)
        await blameless(made, answer, before, `${method} ${url} ${text}`)
      })
      await fc.assert(property, search(RUNS))
    }
  }
})

test('no query and no path whatever makes any route fail', async (t) => {
  const routes: RouteOptions[] = []
  const made = await inhabited(t, {}, routes)
  const word = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('0', '-1', '1', '7', '1.5'))
  const encoded = fc.oneof(
    { weight: 4, arbitrary: word.map((text) => encodeURIComponent(text.toWellFormed())) },
    { weight: 1, arbitrary: fc.constantFrom('%', '%2', '%ff', '%ED%A0%80', '+', '%2B', '[', 'a=b', '&&') },
  )
  const parameter = fc.constantFrom(
    ...['q', 'page', 'per_page', 'cursor', 'sort', 'count', 'list_id', 'tag', 'state', 'subscribed', 'types', 'search'],
    ...['after', 'limit', 'contact'],
    ...[
      'age[gt]',
      'age[between]',
      'created_at[lt]',
      'created_at[within_last]',
      'email[contains]',
      'plan[in]',
      'sendable',
    ],
    ...['__proto__', 'constructor', 'first_name[is_set]', 'external_id[not_in]', 'email_domain'],
  )
  const query = fc.array(fc.tuple(parameter, encoded), { maxLength: 3 })
  const reading = routes.filter(
    ({ method, url, config }) =>
      method === 'GET' &&
      url.startsWith('/api') &&
      !url.endsWith('/stream') && // which does not end
      !(config as { public?: true }).public,
  )
  const removing = routes.filter(({ method, url }) => method === 'DELETE' && url.includes(':'))

  const property = fc.asyncProperty(
    fc.constantFrom(...reading, ...removing),
    query,
    fc.option(fc.tuple(encoded, encoded)),
    async (route, parameters, names) => {
      const known = route.url.replace(':contact', method(route) === 'GET' ? 'ann@example.com' : 'nobody@example.com')
      const [one, two] = names ?? ['1', '1']
      const path = (names ? route.url.replace(':contact', two) : known).replace(
        /:\w+/,
        method(route) === 'GET' ? one : '0',
      )
      const url = `${path}?${parameters.map(([name, value]) => `${name}=${value}`).join('&')}`
      if (method(route) === 'DELETE' && /ann@|ext:a1|ann%40|ext%3Aa1/.test(url)) return
      const before = await footprint(made.db)
      const answer = await made.call(method(route), url)
      await blameless(made, answer, before, `${method(route)} ${url}`)
    },
  )
  await fc.assert(property, search(RUNS * 20))
})

const method = (route: RouteOptions) => String(route.method)

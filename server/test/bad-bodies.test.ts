import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inhabited, JSON_TYPE, refuseAll } from './inhabited.ts'

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
    nope: ['is not a known key: there are email, external_id, fields, tags, unsubscribed, double_opt_in, list_ids'],
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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inhabited, type Refusal, refuseAll } from './inhabited.ts'

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

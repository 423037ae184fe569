import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { inhabited, type Refusal, refuseAll } from './inhabited.ts'

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

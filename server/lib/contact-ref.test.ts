import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseContactRef } from './contact-ref.ts'

const ID = '018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132'
const NONE = { by: 'none' }

test('a contact is named by id, address or external id', () => {
  assert.deepEqual(parseContactRef(ID.toUpperCase()), { by: 'id', id: ID })
  assert.deepEqual(parseContactRef('A+b@X.com'), { by: 'email', email: 'a+b@x.com' })
  assert.deepEqual(parseContactRef(' a@b.co '), { by: 'email', email: 'a@b.co' })
  assert.deepEqual(parseContactRef('x@y.json'), { by: 'email', email: 'x@y.json' })
  assert.deepEqual(parseContactRef('info@münchen.de'), { by: 'email', email: 'info@xn--mnchen-3ya.de' })
  assert.deepEqual(parseContactRef('ext:CRM-7'), { by: 'external_id', externalId: 'CRM-7' })
  assert.deepEqual(parseContactRef('ext:a@b.co'), { by: 'external_id', externalId: 'a@b.co' })
  assert.deepEqual(parseContactRef(`ext:${ID}`), { by: 'external_id', externalId: ID })
})

test('what has no @ and is no UUID is percent-decoded, once', () => {
  assert.deepEqual(parseContactRef('a%2Bb%40x.com'), { by: 'email', email: 'a+b@x.com' })
  assert.deepEqual(parseContactRef('a+b%40x.com'), { by: 'email', email: 'a+b@x.com' })
  assert.deepEqual(parseContactRef('o%27b%2Fc%40x.com'), { by: 'email', email: "o'b/c@x.com" })
  assert.deepEqual(parseContactRef('ext%3ACRM%207'), { by: 'external_id', externalId: 'CRM 7' })
  assert.deepEqual(parseContactRef('a%2540x.com'), NONE)
})

test('percent signs stay where the name is one already', () => {
  assert.deepEqual(parseContactRef('100%25@x.com'), { by: 'email', email: '100%25@x.com' })
  assert.deepEqual(parseContactRef('ext:100%25'), { by: 'external_id', externalId: '100%25' })
})

test("what can be nobody's name is none", () => {
  const longest = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}.co`
  assert.equal(longest.length, 254)
  assert.deepEqual(parseContactRef(longest), { by: 'email', email: longest })
  assert.deepEqual(parseContactRef([...longest].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')), {
    by: 'email',
    email: longest,
  })
  for (const bad of [
    '',
    ' ',
    '7',
    '-1',
    'abc',
    'a@b',
    'a@b@c.de',
    '%',
    '%zz',
    '%40',
    '%E0%A4',
    'ext:',
    'ext: ',
    `ext:${'x'.repeat(256)}`,
    'ext:\0',
    'ext:\ud800',
    `a${longest}`,
    '%'.repeat(1e6),
    `${ID}x`,
  ]) {
    assert.deepEqual(parseContactRef(bad), NONE, bad.slice(0, 40))
  }
})

test('never throws, and an encoded name means the same as the name', () => {
  const name = fc.oneof(
    fc.emailAddress(),
    fc.uuid(),
    fc.string({ minLength: 1 }).map((id) => `ext:${id}`),
  )
  fc.assert(
    fc.property(name, (plain) => {
      assert.deepEqual(parseContactRef(encodeURIComponent(plain)), parseContactRef(plain))
    }),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('%', '4', '0', '@', '.', 'a', 'ext:', '\ud800') }),
      ),
      (text) => {
        assert.ok(['id', 'email', 'external_id', 'none'].includes(parseContactRef(text).by))
      },
    ),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countCharacters, escapeLike, findUnstorable, foldCase, isStorable } from './text.ts'

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) })

test('NUL and halves of surrogate pairs are not storable, everything else is', () => {
  for (const text of ['', 'a', '😀', '\u0001', '\uffff', '\ufffd'])
    assert.equal(isStorable(text), true, JSON.stringify(text))
  for (const text of ['\0', 'a\0b', '\ud83d', '\ude00', '\ude00\ud83d'])
    assert.equal(isStorable(text), false, JSON.stringify(text))
})

test('a text is storable exactly when it survives UTF-8 and has no NUL', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(isStorable(text), Buffer.from(text, 'utf8').toString('utf8') === text && !text.includes('\0'))
    }),
  )
})

test('the first bad text of a JSON value is found, in keys as in values', () => {
  assert.equal(findUnstorable({ email: 'a@b.c', fields: { first_name: 'A\0' } }), 'fields.first_name')
  assert.equal(findUnstorable({ contacts: [{ email: '\ud800' }, { email: '\0' }] }), 'contacts.0.email')
  assert.equal(findUnstorable({ fields: { 'a\0b\ud800': 1 } }), 'fields.a\ufffdb\ufffd')
  assert.equal(findUnstorable('\0'), '')
  assert.equal(findUnstorable(JSON.parse('{"__proto__": {"x": "\\u0000"}}')), '__proto__.x')
  for (const fine of [null, 1, true, 'a', [], {}, { a: [null, { b: 'ü😀' }] }]) assert.equal(findUnstorable(fine), null)
})

test('a value without bad texts has none found, and one planted anywhere is found', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: fc.constantFrom('a', 'é', '😀') }), (json) => findUnstorable(json) === null),
  )
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme-ascii' }), fc.constantFrom('\0', '\ud800'), (json, bad) => {
      assert.equal(findUnstorable({ before: json, here: ['x', bad] }), 'here.1')
    }),
  )
})

test('nesting deeper than the stack, and a long path, are no trouble', () => {
  let deep: unknown = 'x\0'
  for (let depth = 0; depth < 500_000; depth++) deep = [deep]

  const path = findUnstorable(deep)

  assert.equal(path?.length, 201)
})

test('characters are code points', () => {
  assert.equal(countCharacters(''), 0)
  assert.equal(countCharacters('aé😀'), 3)
  assert.equal(countCharacters('e\u0301'), 2)
  fc.assert(fc.property(anyText, (text) => countCharacters(text) === [...text].length))
})

test('an escaped text has no wildcard and keeps every character', () => {
  assert.equal(escapeLike('50%_\\a'), '50\\%\\_\\\\a')
  fc.assert(
    fc.property(anyText, (text) => {
      const escaped = escapeLike(text)
      assert.equal(escaped.replace(/\\([\\%_])/g, '$1'), text)
      assert.equal(/[%_]/.test(escaped.replace(/\\[\\%_]/g, '')), false)
    }),
  )
})

test('folding makes texts equal that differ in case or in how an accent is written', () => {
  assert.equal(foldCase('STRASSE'), foldCase('Straße'))
  assert.equal(foldCase('STRAẞE'), foldCase('Straße'))
  assert.equal(foldCase('ΟΔΟΣ'), foldCase('οδοσ'))
  assert.equal(foldCase('e\u0301'), foldCase('É'))
  assert.notEqual(foldCase('a'), foldCase('b'))
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => foldCase(foldCase(text)) === foldCase(text)),
    { numRuns: 2000 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseId, parseUuid } from './ids.ts'

test('ids are whole numbers from 1 to 2^53 - 1, written plainly', () => {
  assert.equal(parseId('1'), 1)
  assert.equal(parseId(7), 7)
  assert.equal(parseId('9007199254740991'), Number.MAX_SAFE_INTEGER)
  for (const bad of [
    '',
    '0',
    '-1',
    '+1',
    '01',
    ' 1',
    '1 ',
    '1\n',
    '1.0',
    '1e3',
    '0x1',
    'abc',
    '１',
    '9007199254740992',
    '99999999999999999999',
    '1'.repeat(100_000),
  ]) {
    assert.equal(parseId(bad), null, bad.slice(0, 30))
  }
  for (const bad of [0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(parseId(bad), null, String(bad))
})

test('every id survives being written and read', () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat().map((id) => id || 1),
      (id) => parseId(String(id)) === id && parseId(id) === id,
    ),
  )
  fc.assert(fc.property(fc.string(), (text) => parseId(text) === null || String(parseId(text)) === text))
})

test('UUIDs of any version come back in lower case', () => {
  fc.assert(fc.property(fc.uuid(), (id) => parseUuid(id) === id && parseUuid(id.toUpperCase()) === id))
  assert.equal(parseUuid('00000000-0000-0000-0000-000000000000'), '00000000-0000-0000-0000-000000000000')
  for (const bad of [
    '',
    '{018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132}',
    '018dd5e3f6d27c008f9be5c3f2d8a132',
    '018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a13g',
    ' 018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132',
  ]) {
    assert.equal(parseUuid(bad), null, bad)
  }
})

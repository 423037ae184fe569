import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMergeTag, isReservedMergeTag, mergeTagFrom, RESERVED_MERGE_TAGS } from './merge-tag.ts'

test('a merge tag is made from a name in any script', () => {
  const made: Record<string, string> = {
    'Job title': 'job_title',
    company_size: 'company_size',
    companySize: 'company_size',
    "Person's  name!": 'persons_name',
    Größe: 'grosse',
    Фамилия: 'familiya',
    名前: 'ming_qian',
    '1st name': 'field_1st_name',
    '2024': 'field_2024',
    __x__: 'x',
    '😀': 'grinning',
    '': 'custom_field',
    '???': 'custom_field',
    '\0\ud800': 'custom_field',
    [`${'ab_'.repeat(26)}a_b`]: `${'ab_'.repeat(26)}a`,
  }
  for (const [name, tag] of Object.entries(made)) assert.equal(mergeTagFrom(name), tag, name)
})

test('what is made is a merge tag, in lower case, and is made of itself', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom('a', 'B', '7', '_', ' ', 'é', '名', '\ud800'), maxLength: 400 }),
  )
  fc.assert(
    fc.property(name, (written) => {
      const tag = mergeTagFrom(written)
      assert.match(tag, /^[a-z][a-z0-9_]{0,79}$/)
      assert.equal(isMergeTag(tag), true)
      assert.equal(mergeTagFrom(tag), tag)
    }),
    { numRuns: 2000 },
  )
  assert.equal(mergeTagFrom('a'.repeat(5e6)), 'a'.repeat(80))
})

test('merge tags have letters, digits and _, at most 80, and no digit first', () => {
  for (const tag of ['a', '_', 'A1', 'first_name', 'a'.repeat(80)]) assert.equal(isMergeTag(tag), true, tag)
  for (const tag of ['', '1a', 'a-b', 'a b', 'é', 'a\n', 'a\0', 'a'.repeat(81)])
    assert.equal(isMergeTag(tag), false, tag)
})

test('words of the API and of every object are reserved, in any letter case', () => {
  for (const tag of [
    'email',
    'Email',
    'ID',
    'per_page',
    'unsubscribe_url',
    '__proto__',
    'constructor',
    'toString',
    'tostring',
    'hasOwnProperty',
    'prototype',
  ]) {
    assert.equal(isReservedMergeTag(tag), true, tag)
  }
  for (const tag of ['first_name', 'last_name', 'company', 'plan', 'custom_field'])
    assert.equal(isReservedMergeTag(tag), false, tag)
  assert.equal(RESERVED_MERGE_TAGS.has(''), false)
})

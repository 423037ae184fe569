import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstAddress, readMailbox, splitName, trimCell } from './cell-rules.ts'

test('blanks of every kind are trimmed at the ends, and stay inside', () => {
  assert.equal(trimCell('\u00a0\u200b \tAnna\u00a0M.\u2060\ufeff\n'), 'Anna\u00a0M.')
  assert.equal(trimCell('\u200b'), '')
  assert.equal(trimCell('👩‍👧'), '👩‍👧')
})

test('trimming a long run of blanks takes no longer than reading it', () => {
  const started = performance.now()
  trimCell(`a${' '.repeat(2_000_000)}b`)
  assert.ok(performance.now() - started < 30_000)
})

test('an address is taken out of what surrounds it, with the name', () => {
  const read = (text: string) => readMailbox(text)
  assert.deepEqual(read('Anna Meier <anna@example.com>'), { name: 'Anna Meier', address: 'anna@example.com' })
  assert.deepEqual(read('"Meier, Anna" <anna@example.com> '), { name: 'Meier, Anna', address: 'anna@example.com' })
  assert.deepEqual(read('"Anna \\"A\\" M" <anna@example.com>'), { name: 'Anna "A" M', address: 'anna@example.com' })
  assert.deepEqual(read('<anna@example.com>'), { name: null, address: 'anna@example.com' })
  assert.deepEqual(read('anna@example.com (Anna)'), { name: 'Anna', address: 'anna@example.com' })
  assert.deepEqual(read('mailto:anna@example.com'), { name: null, address: 'anna@example.com' })
  assert.deepEqual(read('\u00a0anna@example.com'), { name: null, address: 'anna@example.com' })
  assert.deepEqual(read('anna @ example.com'), { name: null, address: 'anna@example.com' })
  assert.deepEqual(read('Anna <anna@ example.com.>'), { name: 'Anna', address: 'anna@example.com' })
  assert.deepEqual(read('anna@example.com.,'), { name: null, address: 'anna@example.com' })
  assert.deepEqual(read('anna b@example.com'), { name: null, address: 'anna b@example.com' })
  for (const text of ['', 'Anna', 'Anna <no address>', '<>']) assert.equal(read(text), null)
})

test('any name is read back from before its address', () => {
  const names = fc
    .string({ unit: fc.constantFrom('A', 'é', ' ', ',', '"', '\\', '@', '.', "'") })
    .filter((name) => name === name.trim() && name !== '')
  fc.assert(
    fc.property(names, (name) => {
      const quoted = `"${name.replace(/["\\]/g, '\\$&')}" <a@example.com>`
      assert.deepEqual(readMailbox(quoted), { name, address: 'a@example.com' })
    }),
  )
})

test('the first of several addresses is taken', () => {
  for (const text of [
    'a@example.com, b@example.com',
    'a@example.com; b@example.com',
    'a@example.com b@example.com',
    'a@example.com\nb@example.com',
    'a@example.com / b@example.com',
    ' ; a@example.com;',
  ])
    assert.equal(firstAddress(text), 'a@example.com', text)
  assert.equal(firstAddress('none, a@example.com'), 'a@example.com')
  assert.equal(firstAddress('"X, Y" <a@example.com>, b@example.com'), '"X, Y" <a@example.com>')
  assert.equal(firstAddress('Last, First <a@example.com>; b@example.com'), 'Last, First <a@example.com>')
})

test('a text with one address or none stays as it is', () => {
  for (const text of ['a@example.com', 'not an address', '', 'a, b']) assert.equal(firstAddress(text), text)
})

test('full names are split without losing a word', () => {
  const split = (text: string) => {
    const { first, last } = splitName(text)
    return [first, last]
  }
  assert.deepEqual(split('Anna Meier'), ['Anna', 'Meier'])
  assert.deepEqual(split('Meier, Anna Maria'), ['Anna Maria', 'Meier'])
  assert.deepEqual(split('Ludwig van Beethoven'), ['Ludwig', 'van Beethoven'])
  assert.deepEqual(split('Ana de la Cruz'), ['Ana', 'de la Cruz'])
  assert.deepEqual(split('Martin Luther King, Jr.'), ['Martin Luther', 'King, Jr.'])
  assert.deepEqual(split('Dr. Anna Maria Meier'), ['Dr. Anna Maria', 'Meier'])
  assert.deepEqual(split('Cher'), ['Cher', null])
  assert.deepEqual(split('van Beethoven'), ['van', 'Beethoven'])
  assert.deepEqual(split('  '), [null, null])
})

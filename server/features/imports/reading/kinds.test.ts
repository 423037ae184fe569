import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessKind } from './kinds.ts'

test('kinds are guessed from all of the sample', () => {
  assert.equal(guessKind(['anna@example.com', '', 'Bob <bob@example.com>', null]), 'email')
  assert.equal(guessKind(['anna@example.com', 'b@example.com', 'c@example.com', 'dexample.com']), 'email')
  assert.equal(guessKind(['1', '-20', '0', 3]), 'integer')
  assert.equal(guessKind(['1', '3,5']), 'number')
  assert.equal(guessKind(['0.5', 1.5]), 'number')
  assert.equal(guessKind(['1.234,50 €']), 'number')
  assert.equal(guessKind(['2026-01-02', '3. März 2026', '03/04/2026']), 'date')
  assert.equal(guessKind(['yes', 'No', '1']), 'boolean')
  assert.equal(guessKind([true, false]), 'boolean')
  assert.equal(guessKind(['Anna', '5']), 'text')
  assert.equal(guessKind([['a', 'b']]), 'text')
})

test('one value that does not fit makes a text', () => {
  assert.equal(guessKind(['1', '2', 'three']), 'text')
  assert.equal(guessKind(['2026-01-02', 'soon']), 'text')
  assert.equal(guessKind(['yes', 'maybe']), 'text')
})

test('codes and numbers to call are texts, 0 and 1 are numbers', () => {
  assert.equal(guessKind(['01234', '56789']), 'text')
  assert.equal(guessKind(['+49 30 123456']), 'text')
  assert.equal(guessKind(['+4930123456']), 'text')
  assert.equal(guessKind(['030 123 456', '555 123 456']), 'text')
  assert.equal(guessKind(['4111111111111111']), 'text')
  assert.equal(guessKind(['0', '1', 1]), 'integer')
})

test('an empty sample has no kind', () => {
  assert.equal(guessKind([]), null)
  assert.equal(guessKind([null, '', '  ']), null)
})

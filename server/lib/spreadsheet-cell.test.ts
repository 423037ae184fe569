import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { defuse, restore } from './spreadsheet-cell.ts'

/** Texts of which many begin like a formula, a number or a phone number. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', '\n', '1', '.', 'e', ' ', 'A') }),
  fc.tuple(fc.constantFrom("'", "''", '', '+', '-', "'+"), fc.float()).map(([sign, number]) => `${sign}${number}`),
)

test('what was defused is restored, whatever the text', () => {
  fc.assert(
    fc.property(texts, (text) => restore(defuse(text)) === text),
    { numRuns: 5000 },
  )
})

test('a text that is no formula behind apostrophes is restored as it is', () => {
  fc.assert(
    fc.property(
      texts.filter((text) => !/^'+[=+\-@\t\r]/.test(text)),
      (text) => restore(text) === text,
    ),
    { numRuns: 5000 },
  )
})

test('a defused text is no formula for a spreadsheet, unless it is a number', () => {
  fc.assert(
    fc.property(texts, (text) => /^[^=+\-@\t\r]|^$|^[+-][\d(.,]/.test(defuse(text))),
    { numRuns: 5000 },
  )
})

test('formulas are defused', () => {
  for (const text of ['=1+1', '+A1', '-A1', '@SUM(A1)', '\t=1', '\r=1', '-', '+1|cmd', '-2+3', '+49 30 12x', '--1'])
    assert.equal(defuse(text), `'${text}`, text)
})

test('numbers, phone numbers and texts with the signs inside stay as they are', () => {
  for (const text of ['-1', '+1', '-1.5', '-1,5', '-1.234,56', '-.5', '-1e+10', '+49 (30) 123-456', '+49/30/1234567'])
    assert.equal(defuse(text), text)
  for (const text of ['', 'a=b', 'anna@example.com', "'quoted'", "'tis", ' =1', "O'Neil"]) {
    assert.equal(defuse(text), text)
    assert.equal(restore(text), text)
  }
})

test('an apostrophe typed before a formula is kept beside the one put there', () => {
  assert.equal(defuse("'=1+1"), "''=1+1")
  assert.equal(restore("''=1+1"), "'=1+1")
  assert.equal(restore("'=1+1"), '=1+1')
})

test('a phone number that was kept from a spreadsheet by an apostrophe loses it', () => {
  assert.equal(restore("'+49 30 1234567"), '+49 30 1234567')
})

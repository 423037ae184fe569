import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNumber, NumberStyle, readNumber, type Style } from './number-style.ts'

function verdictOf(...cells: (string | number | null)[]): string {
  const style = new NumberStyle()
  for (const cell of cells) style.see(cell)
  return style.verdict()
}

test('one number that can be read in one way only decides the whole column', () => {
  assert.equal(verdictOf('3,5', '1.234', '7'), 'comma')
  assert.equal(verdictOf('1.234,56', '2.000'), 'comma')
  assert.equal(verdictOf('1,234.56', '2,000'), 'point')
  assert.equal(verdictOf('1.234', '0.5'), 'point')
  assert.equal(verdictOf("1'234.50", '2'), 'point')
  assert.equal(verdictOf('1 234,50 €', '2,00'), 'comma')
})

test('a column in which no number says it is ambiguous, one that no style fits is mixed', () => {
  assert.equal(verdictOf('1.234', '2.500'), 'ambiguous')
  assert.equal(verdictOf('1,234', '7'), 'ambiguous')
  assert.equal(verdictOf('3,5', '3.5'), 'mixed')
})

test('whole numbers are plain, and what is no number says nothing', () => {
  assert.equal(verdictOf('1', '-20', '007'), 'plain')
  assert.equal(verdictOf(1.5), 'plain')
  assert.equal(verdictOf('n/a', '', null, '1.2.3', '1,2,3', '.', '-', '1.5.2026', 'x'.repeat(10_000)), 'none')
})

test('a number is read in its style alone', () => {
  assert.equal(readNumber('3,5', 'comma'), 3.5)
  assert.equal(readNumber('3,5', 'point'), null)
  assert.equal(readNumber('3.5', 'comma'), null)
  assert.equal(readNumber('1.234,56', 'comma'), 1234.56)
  assert.equal(readNumber('1.234', 'comma'), 1234)
  assert.equal(readNumber('1.234', 'point'), 1.234)
  assert.equal(readNumber('1\u00a0234,5', 'comma'), 1234.5)
  assert.equal(readNumber('$ 1,234.50', 'point'), 1234.5)
  assert.equal(readNumber('4,9E+3', 'comma'), 4900)
  assert.equal(readNumber('1,5', 'plain'), null)
  assert.equal(readNumber('0.123.456', 'comma'), null)
  assert.equal(isNumber('1.234.567'), true)
  assert.equal(isNumber('1.23.456'), false)
})

test('any number is read back as it was written in its style, and never as another', () => {
  const locale = { comma: 'de-DE', point: 'en-US' } as const
  fc.assert(
    fc.property(
      fc.array(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((number) => Number(number.toFixed(2)) + 0),
        { minLength: 1, maxLength: 20 },
      ),
      fc.constantFrom('comma' as const, 'point' as const),
      fc.boolean(),
      (numbers, style, useGrouping) => {
        const format = new Intl.NumberFormat(locale[style], { useGrouping, maximumFractionDigits: 2 })
        const texts = numbers.map((number) => format.format(number))
        const verdict = verdictOf(...texts)
        if (verdict === 'ambiguous') return
        for (const [at, text] of texts.entries()) assert.equal(readNumber(text, verdict as Style), numbers[at], text)
      },
    ),
    { numRuns: 1000 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { meaningOf, readElapsed, readSerial, readTime } from './number-formats.ts'

test('formats of dates, times and numbers are told apart', () => {
  for (const code of [
    'yyyy-mm-dd',
    'd. mmm yyyy',
    '[$-407]d. mmmm yyyy;@',
    'm/d/yy h:mm',
    'mm/dd',
    '[$-F800]dddd\\,\\ mmmm\\ dd',
    'mmm yy',
    'yyyy"年"m"月"',
  ])
    assert.equal(meaningOf(170, code), 'date', code)
  for (const code of ['h:mm', 'hh:mm:ss AM/PM', 'mm:ss.0']) assert.equal(meaningOf(170, code), 'time', code)
  for (const code of ['[h]:mm:ss', '[mm]:ss']) assert.equal(meaningOf(170, code), 'elapsed', code)
  for (const code of [
    'General',
    '0.00',
    '#,##0.00 [$EUR]',
    '0.00E+00',
    '"days" 0',
    '[Red]0;[Blue]-0',
    '0\\d',
    '@',
    '_-* #,##0',
    '0%',
    '0.0,,"M"',
  ])
    assert.equal(meaningOf(170, code), 'number', code)
  assert.equal(meaningOf(14, undefined), 'date')
  assert.equal(meaningOf(20, undefined), 'time')
  assert.equal(meaningOf(46, undefined), 'elapsed')
  assert.equal(meaningOf(0, undefined), 'number')
})

test('serial numbers are the days that a spreadsheet shows, in both systems', () => {
  assert.equal(readSerial(1, false), '1900-01-01')
  assert.equal(readSerial(59, false), '1900-02-28')
  assert.equal(readSerial(61, false), '1900-03-01')
  assert.equal(readSerial(45000, false), '2023-03-15')
  assert.equal(readSerial(2_958_465, false), '9999-12-31')
  assert.equal(readSerial(0, true), '1904-01-01')
  assert.equal(readSerial(43538, true), '2023-03-15')
})

test('a number that is no day stays a number', () => {
  for (const serial of [-1, 0, 60, 60.5, 2_958_466, 1e20]) assert.equal(readSerial(serial, false), serial)
  assert.equal(readSerial(-0.5, true), -0.5)
  assert.equal(readSerial(2_958_465, true), 2_958_465)
})

test('every second of a date comes back, however the fraction was rounded', () => {
  fc.assert(
    fc.property(fc.integer({ min: 61, max: 2_958_464 }), fc.integer({ min: 0, max: 86_399 }), (day, second) => {
      const expected = new Date(Date.UTC(1899, 11, 30) + (day * 86_400 + second) * 1000).toISOString()
      assert.equal(
        readSerial(Number((day + second / 86_400).toPrecision(15)), false),
        second === 0 ? expected.slice(0, 10) : expected.slice(0, 19),
      )
    }),
  )
})

test('times are those of a clock, elapsed times of any length', () => {
  assert.equal(readTime(0.5, false), '12:00:00')
  assert.equal(readTime(45000.25, false), '2023-03-15T06:00:00')
  assert.equal(readElapsed(2.5), '60:00:00')
  assert.equal(readElapsed(-1), -1)
})

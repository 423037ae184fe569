import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, formatProblem, isFullIsoDate, parseDate } from './dates.ts'

const day = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))

const separator = fc.constantFrom('-', '/', '.', ' ', ', ', '年', '\\', '*', '|', ' - ', '😀', '[', '^', '')
const format = fc
  .tuple(
    fc.constantFrom('YYYY', 'YY', 'yyyy'),
    fc.constantFrom('MMM', 'MM', 'M', 'mm'),
    fc.constantFrom('DD', 'D'),
    fc.constantFrom('YMD', 'DMY', 'MDY', 'YDM', 'DYM', 'MYD'),
    separator,
    separator,
    fc.constantFrom('', '日', '.'),
  )
  .map(([Y, M, D, order, first, second, end]) => {
    const token = { Y, M, D }
    const [a, b, c] = [...order] as ('Y' | 'M' | 'D')[]
    return `${token[a!]}${first}${token[b!]}${second}${token[c!]}${end}`
  })
const goodFormat = format.filter((text) => formatProblem(text) === null)

test('ISO dates are days of the calendar', () => {
  for (const text of ['2025-01-01', '2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31']) {
    assert.equal(parseDate(text), text)
    assert.equal(isFullIsoDate(text), true)
  }
  for (const text of [
    '',
    '2025',
    '2025-01',
    '2025-1-1',
    '2025-02-29',
    '1900-02-29',
    '2025-13-01',
    '2025-00-10',
    '2025-01-00',
    '2025-04-31',
    '0000-01-01',
    '+002025-01-01',
    '10000-01-01',
    '２０２５-01-01',
    'today',
    '20250101',
    '2025-01-01x',
  ]) {
    assert.equal(parseDate(text), null, text)
    assert.equal(isFullIsoDate(text), false, text)
  }
  assert.equal(parseDate(' 2025-01-01\n'), '2025-01-01')
})

test('of an ISO timestamp the date counts as it is written, whatever its zone', () => {
  for (const time of [
    'T00:00:00Z',
    'T23:59:59.999Z',
    'T23:30:00-11:00',
    'T00:30+14:00',
    ' 10:00:00',
    't10:00z',
    'T10:00:00+0200',
    ' 10:00:00.123456+00',
  ]) {
    assert.equal(parseDate(`2025-01-31${time}`), '2025-01-31', time)
    assert.equal(isFullIsoDate(`2025-01-31${time}`), false)
  }
  for (const time of ['T', 'T25:00:00Z', 'T10:60Z', 'T10', ' noon', 'Z', 'T10:00:00 UTC'])
    assert.equal(parseDate(`2025-01-31${time}`), null, time)
  assert.equal(parseDate('2025-02-30T00:00:00Z'), null)
})

test('dates are read and shown in a format', () => {
  const cases: [string, string, string][] = [
    ['DD.MM.YYYY', '31.01.2025', '2025-01-31'],
    ['dd.mm.yyyy', '31.01.2025', '2025-01-31'],
    ['M/D/YYYY', '1/31/2025', '2025-01-31'],
    ['D MMM YYYY', '5 Feb 2025', '2025-02-05'],
    ['DMMMYY', '5Feb25', '2025-02-05'],
    ['YYYYMMDD', '20250131', '2025-01-31'],
    ['YYYY年M月D日', '2025年1月31日', '2025-01-31'],
    ['MM/DD/YY', '12/31/68', '2068-12-31'],
    ['MM/DD/YY', '12/31/69', '1969-12-31'],
  ]
  for (const [pattern, text, iso] of cases) {
    assert.equal(formatProblem(pattern), null, pattern)
    assert.equal(parseDate(text, pattern), iso, pattern)
    assert.equal(formatDate(iso, pattern), text, pattern)
  }
  assert.equal(parseDate('5 FEB 2025', 'D MMM YYYY'), '2025-02-05')
  assert.equal(parseDate('01/02/2025', 'M/D/YYYY'), '2025-01-02')
  assert.equal(parseDate('1.2.2025', 'DD.MM.YYYY'), null)
  assert.equal(parseDate('30.02.2025', 'DD.MM.YYYY'), null)
  assert.equal(parseDate('31.01.2025 ', 'DD.MM.YYYY'), '2025-01-31')
  assert.equal(parseDate('31x01x2025', 'DD.MM.YYYY'), null)
  assert.equal(parseDate('5 Foo 2025', 'D MMM YYYY'), null)
  assert.equal(formatDate('1950-01-01', 'DD.MM.YY'), '1950-01-01')
  assert.equal(formatDate('2025-01-31', null), '2025-01-31')
  assert.equal(formatDate('not a date', 'DD.MM.YYYY'), 'not a date')
})

test('a format that is not one, or that could be read in two ways, is refused', () => {
  const bad: [string, RegExp][] = [
    ['', /once each/],
    ['YYYY-MM', /once each/],
    ['YYYY-MM-DD-DD', /once each/],
    ['YYYY-YY-MM-DD', /once each/],
    ['Y-M-D', /can have YYYY/],
    ['YYYY-MMMM-DD', /can have YYYY/],
    ['DD of MM YYYY', /can have YYYY/],
    ['YYYY-MM-DD HH:00', /can have YYYY/],
    ['20YY-MM-DD', /can have YYYY/],
    ['YYYY\0MM-DD', /can have YYYY/],
    ['YYYY-MM-DD\ud800', /can have YYYY/],
    ['DMYYYY', /separator/],
    ['YYYY-MDD', /separator/],
    ['YYYY-DD-MM', /mistaken/],
    ['YYYY-D-M', /mistaken/],
    [`YYYY${'-'.repeat(50)}MM-DD`, /too long/],
  ]
  for (const [pattern, problem] of bad) assert.match(formatProblem(pattern) ?? 'taken', problem, pattern)
})

test('a date shown in any format is read back as the same date, and ISO always as itself', () => {
  fc.assert(
    fc.property(day, goodFormat, (iso, pattern) => {
      assert.equal(parseDate(formatDate(iso, pattern), pattern), iso)
      assert.equal(parseDate(iso, pattern), iso)
    }),
    { numRuns: 3000 },
  )
})

test('only days of the calendar are ever read, from whatever text and format', () => {
  const digits = fc.string({ unit: fc.constantFrom('0', '1', '2', '3', '9', '-', '/', 'T', 'Jan', ' ', '\0') })
  fc.assert(
    fc.property(
      fc.oneof(digits, fc.string({ unit: 'binary' })),
      fc.oneof(format, fc.string(), fc.constant(null)),
      (text, pattern) => {
        const iso = parseDate(text, pattern)
        if (iso === null) return
        const [year, month, date] = iso.split('-').map(Number) as [number, number, number]
        const moment = new Date(0)
        moment.setUTCFullYear(year, month - 1, date)
        assert.equal(moment.toISOString().slice(0, 10), iso)
      },
    ),
    { numRuns: 3000 },
  )
})

test('many formats and long texts cost no memory and no time', () => {
  const before = performance.now()
  for (let n = 0; n < 3000; n++) formatProblem(`YYYY${'-'.repeat(n % 30)}MM${'.'.repeat(n % 7)}DD`)
  assert.equal(parseDate('1'.repeat(1e6), 'D/M/YYYY'), null)
  assert.ok(performance.now() - before < 30_000)
})

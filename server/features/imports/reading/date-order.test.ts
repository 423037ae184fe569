import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DateOrder, isDate, type Order, readDate } from './date-order.ts'

function verdictOf(...cells: (string | number | null)[]): string {
  const order = new DateOrder()
  for (const cell of cells) order.see(cell)
  return order.verdict()
}

const WRITERS: Record<'dmy' | 'mdy' | 'ymd', (year: number, month: number, day: number) => (number | string)[]> = {
  dmy: (year, month, day) => [day, month, year],
  mdy: (year, month, day) => [month, day, year],
  ymd: (year, month, day) => [year, month, day],
}

test('one date that can be read in one way only decides the whole column', () => {
  assert.equal(verdictOf('03/04/2026', '01/02/2026', '25/12/2026'), 'dmy')
  assert.equal(verdictOf('03/04/2026', '01/02/2026', '12/25/2026'), 'mdy')
  assert.equal(verdictOf('3.4.26', '31.1.99'), 'dmy')
})

test('a column in which no date says it is ambiguous', () => {
  assert.equal(verdictOf('03/04/2026', '01/02/2026'), 'ambiguous')
  assert.equal(verdictOf('3.4.2026'), 'ambiguous')
  assert.equal(verdictOf('05-06-07'), 'ambiguous')
})

test('dates that read the same in every order that fits are not ambiguous', () => {
  assert.equal(readDate('05.05.2026', verdictOf('05.05.2026', '7/7/2026') as Order), '2026-05-05')
})

test('a column that no single order fits is mixed', () => {
  assert.equal(verdictOf('25/12/2026', '12/25/2026'), 'mixed')
})

test('dates that mean one thing by themselves leave the order to the others', () => {
  assert.equal(verdictOf('2026-03-04', '3 March 2026', '2026/03/04', '25.12.2026'), 'dmy')
  assert.equal(verdictOf('2026-03-04', 'Mar 4, 2026'), 'iso')
  assert.equal(verdictOf('2026/03/04', '2026-03-04'), 'ymd')
})

test('what is no date says nothing', () => {
  assert.equal(verdictOf('', null, 5, 'n/a', '31.31.2026', '1/2', '99/99/9999', 'x'.repeat(10_000)), 'none')
  assert.equal(verdictOf('n/a', '31.12.2026', '32.12.2026'), 'dmy')
})

test('every day is read back in its order, whatever the separator, digits and time', () => {
  const days = fc.date({ min: new Date('1970-01-01'), max: new Date('2068-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(
      days,
      fc.constantFrom('dmy' as const, 'mdy' as const, 'ymd' as const),
      fc.constantFrom('.', '/', '-', ' ', '. '),
      fc.constantFrom('', ' 14:05', 'T23:59:59Z', ' 2:05 PM', ', 11:30:15 a.m.', ' 14:05:09.123+02:00'),
      fc.boolean(),
      fc.boolean(),
      (date, order, separator, time, isPadded, isShort) => {
        const iso = date.toISOString().slice(0, 10)
        const [year = 0, month = 0, day = 0] = iso.split('-').map(Number)
        const pad = (part: number | string) => (isPadded ? String(part).padStart(2, '0') : String(part))
        const shownYear = isShort && order !== 'ymd' ? String(year).slice(2) : year
        const text = WRITERS[order](0, month, day)
          .map((part) => (part === 0 ? String(shownYear) : pad(part)))
          .join(separator)
        assert.equal(readDate(text + time, order), iso, text + time)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a column of days beyond the twelfth is never read in another order than it was written', () => {
  const days = fc.date({ min: new Date('1970-01-01'), max: new Date('2068-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(
      fc.array(days, { minLength: 1, maxLength: 30 }),
      fc.constantFrom('dmy' as const, 'mdy' as const),
      fc.boolean(),
      (dates, order, isShort) => {
        const column = dates.map((date) => {
          const iso = date.toISOString().slice(0, 10)
          const [year = 0, month = 0, day = 0] = iso.split('-').map(Number)
          return {
            iso,
            text: WRITERS[order](isShort ? 0 : year, month, day)
              .map((part) => (part === 0 ? iso.slice(2, 4) : part))
              .join('/'),
          }
        })
        const verdict = verdictOf(...column.map(({ text }) => text))
        if (verdict === 'ambiguous') return
        for (const { iso, text } of column) assert.equal(readDate(text, verdict as Order), iso)
      },
    ),
    { numRuns: 1000 },
  )
})

test('month names in English and German are read in any order', () => {
  for (const text of [
    '3 March 2026',
    'March 3, 2026',
    '3. März 2026',
    'Mar 3 2026',
    '03-Mar-26',
    '3. Mrz. 2026',
    '3rd of March 2026',
    '2026 March 3',
    'Tuesday, 3 March 2026',
    'Di, 3. März 2026',
    '3 mar 2026 14:05',
    'MÄRZ 3 2026',
  ])
    for (const order of ['iso', 'dmy', 'mdy', 'ymd'] as const) assert.equal(readDate(text, order), '2026-03-03', text)
  assert.equal(readDate('24. Dezember 1969', 'iso'), '1969-12-24')
  assert.equal(readDate('1 Jänner 2020', 'dmy'), '2020-01-01')
})

test('days that the calendar has not, and texts that are none, are null', () => {
  for (const text of [
    '31.02.2026',
    '29.02.2025',
    '00.01.2026',
    '1.13.2026',
    '1/2-2026',
    '1.2.326',
    '12345',
    'March 2026',
    '32 March 2026',
    'Foo 3 2026',
    '',
  ])
    assert.equal(readDate(text, 'dmy'), null, text)
  assert.equal(readDate('03/04/2026', 'iso'), null)
  assert.equal(isDate('29.02.2024'), true)
  assert.equal(isDate('192.168.1.1'), false)
})

test('two digits of a year are 1969 to 2068', () => {
  assert.equal(readDate('1.2.69', 'dmy'), '1969-02-01')
  assert.equal(readDate('1.2.68', 'dmy'), '2068-02-01')
  assert.equal(readDate('26-03-01', 'ymd'), '2026-03-01')
})

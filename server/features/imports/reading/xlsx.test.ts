import assert from 'node:assert/strict'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { streamXlsxRows, writeXlsx } from 'hucre/xlsx'
import { readAll, refused, sourceOf } from '../../../test/tables.ts'
import { workbookParts, zipOf } from '../../../test/zip.ts'
import { openTable } from './table.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')
const fixture = (name: string) => readFileSync(join(FIXTURES, name))
const workbooks = readdirSync(FIXTURES).filter((name) => name.endsWith('.xlsx'))

for (const name of workbooks) {
  test(`${name}: dates, numbers, booleans, formulas' values, texts and gaps are read`, async () => {
    const { detected, columns, rows } = await readAll(fixture(name), { sheet: 'People' })

    assert.deepEqual(columns, ['Email', 'Name', 'Born', 'Seen', 'Score', 'Count', 'Active', 'Total', 'Note', 'Zip'])
    assert.equal(detected.format, 'xlsx')
    assert.equal(detected.header, true)
    assert.equal(detected.sheet, 'People')
    const anna = [
      'anna@example.com',
      'Anna Ängström',
      '1990-02-28',
      '2026-03-01T14:05:09',
      12.5,
      7,
      true,
      25,
      'bold and not',
      '01234',
    ]
    const bob = ['bob@example.com', null, '2000-01-01', null, -3, 0, false, 'ab', 'link', 'two\nlines']
    assert.deepEqual(rows, [
      { line: 2, cells: anna },
      { line: 4, cells: bob },
      { line: 5, cells: [null, null, null, null, null, null, null, null, 'last'] },
    ])
  })
}

test('the fixtures are of five programs, in both systems of dates', () => {
  assert.deepEqual(
    new Set(workbooks.map((name) => name.split('-')[0])),
    new Set(['exceljs', 'libreoffice', 'openpyxl', 'sheetjs', 'xlsxwriter']),
  )
  assert.ok(workbooks.filter((name) => name.includes('1904')).length >= 3)
})

test('a workbook of Excel for Mac has its dates in the system of 1904, whatever its extensions are called', async () => {
  const { detected, columns, cells } = await readAll(fixture('others/excel-mac-1904.xlsx'))

  assert.equal(detected.header_line, 4)
  assert.deepEqual(columns, ['text', 'date', 'integer', 'boolean', 'float', 'datetime', 'empty_column'])
  assert.deepEqual(cells[0], ['Chicago Reader', '1971-01-01', 40, true, 1, '1971-01-01T04:14:00'])
  assert.deepEqual(
    cells.map((row) => row[1] ?? null),
    ['1971-01-01', '1948-01-01', '1920-01-01', null, null],
  )
})

test('a workbook that says of itself that it has a million rows is read as far as it goes', async () => {
  const { columns, cells } = await readAll(fixture('others/libreoffice-bad-dimensions.xlsx'))

  assert.deepEqual(columns, ['PN', 'Qty', 'Price'])
  assert.deepEqual(cells, [
    ['EP00001', 10000, 0.0367],
    ['EP00002', null, 1],
    ['EP00004', 10000, 0.001],
  ])
})

test('the first sheet that can be seen is read, unless one is named, whatever its letter case', async () => {
  for (const name of ['exceljs-1900.xlsx', 'openpyxl-1904.xlsx']) {
    const { detected, rows } = await readAll(fixture(name))
    assert.equal(detected.sheet, 'People')
    assert.deepEqual(detected.sheets, ['People', 'Other'])
    assert.equal(rows.length, 3)
    assert.deepEqual((await readAll(fixture(name), { sheet: ' other' })).cells, [['carl@example.com']])
    assert.deepEqual((await readAll(fixture(name), { sheet: 'Notes', header: false })).cells[0]?.[0], 'not')
  }
  await assert.rejects(
    readAll(fixture('exceljs-1900.xlsx'), { sheet: 'Nope' }),
    refused(/no sheet 'Nope'; it has 'People', 'Other'/),
  )
})

test('texts, numbers and booleans are read as another reader reads them', async () => {
  const value = fc.oneof(
    fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .map((text) => text.replace(/[\p{Cc}\ufffe\uffff]/gu, '').replace(/^'+/, '')),
    fc.constantFrom('_x000D_', '_x005F_x0041_', ' spaces ', 'a\nb', '<&>"', '💌', 'مرحبا', '&amp;', '_x12_'),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(value, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('shared' as const, 'inline' as const),
      fc.integer({ min: 50, max: 3000 }),
      async (rows, stringMode, size) => {
        const file = Buffer.from(
          await writeXlsx({ sheets: [{ name: 'S', rows: [['a', 'b', 'c', 'd'], ...rows] }], stringMode }),
        )
        const theirs: unknown[][] = []
        for await (const row of streamXlsxRows(file)) if (row.index > 0) theirs.push(filled(row.values))

        const { cells } = await readAll(sourceOf(file, size), { header: true })

        assert.deepEqual(
          cells.map(filled),
          theirs.filter((row) => row.length > 0),
        )
      },
    ),
    { numRuns: 150 },
  )
})

/** Without what is empty at the end. */
function filled(row: readonly unknown[]): unknown[] {
  return row
    .slice(0, row.findLastIndex((cell) => cell !== null && cell !== '') + 1)
    .map((cell) => (cell === '' ? null : cell))
}

test('what a workbook may leave out or write otherwise is read: places, prefixes, shared strings, ISO dates, readings, errors', async () => {
  const strings =
    '<x:sst xmlns:x="urn:x"><x:si><x:r><x:t>Ta</x:t></x:r><x:r><x:t>ro</x:t></x:r><x:rPh><x:t>TARO</x:t></x:rPh></x:si></x:sst>'
  const sheet =
    '<x:row xmlns:x="urn:x"><x:c t="inlineStr"><x:is><x:t>name</x:t></x:is></x:c><x:c t="str"><x:f>"a"</x:f><x:v>b</x:v></x:c><x:c t="str"><x:v>c</x:v></x:c></x:row>' +
    '<row><c t="s"><v>0</v></c><c t="d"><v>2026-03-01T00:00:00</v></c><c t="e"><v>#N/A</v></c></row>' +
    '<row r="7"><c r="C7" t="b"><v>1</v></c><c r="A7"><v>1E3</v></c></row>' +
    '<row><c t="d"><v>2026-03-01T10:11:12.5Z</v></c><c t="s"><v>99</v></c></row>'
  const file = zipOf(workbookParts(sheet, [{ name: 'xl/sharedStrings.xml', content: strings }]))

  const { columns, rows } = await readAll(file)

  assert.deepEqual(columns, ['name', 'b', 'c'])
  assert.deepEqual(rows, [
    { line: 2, cells: ['Taro', '2026-03-01'] },
    { line: 7, cells: [1000, null, true] },
    { line: 8, cells: ['2026-03-01T10:11:12'] },
  ])
})

test('a row with more cells than columns has a problem, a defused cell is restored', async () => {
  const text = (reference: string, content: string) =>
    `<c r="${reference}" t="inlineStr"><is><t>${content}</t></is></c>`
  const { rows } = await readAll(
    zipOf(
      workbookParts(
        `<row r="1">${text('A1', 'a')}</row><row r="2">${text('A2', "'=1")}</row><row r="3">${text('XFD3', 'x')}</row>`,
      ),
    ),
  )

  assert.deepEqual(rows[0], { line: 2, cells: ['=1'] })
  assert.match(rows[1]!.problem!, /has 16384 cells, but there are 1 columns/)
})

test('a workbook in a gzip, and in chunks of one byte, is read', async () => {
  const { detected, rows } = await readAll(gzipSync(fixture('sheetjs-1900.xlsx')), { sheet: 'People' })
  assert.equal(detected.compression, 'gzip')
  assert.equal(rows.length, 3)
  assert.equal((await readAll(sourceOf(fixture('openpyxl-1900.xlsx'), 1))).rows.length, 3)
})

test('a workbook that is encrypted is refused as such', async () => {
  const encrypted = await writeXlsx({
    sheets: [{ name: 'S', rows: [['a']] }],
    encryption: { password: 'x', spinCount: 10 },
  })
  await assert.rejects(readAll(Buffer.from(encrypted)), refused(/encrypted; save it without a password/))
})

test('a zip that is no workbook is refused by what it is', async () => {
  await assert.rejects(
    readAll(zipOf([{ name: 'people.csv', content: 'a,b' }])),
    refused(/ZIP archive, not a workbook; unpack it/),
  )
  await assert.rejects(readAll(zipOf([{ name: 'word/document.xml', content: '' }])), refused(/document of Word/))
  await assert.rejects(
    readAll(fixture('sheetjs-1900.xlsx'), { format: 'csv' }),
    refused(/workbook or another ZIP, not csv/),
  )
})

test('a workbook that expands to gigabytes is refused at once, however its directory lies', async () => {
  const huge = Buffer.alloc(64 * 2 ** 20, ' ')
  const parts = (claimedSize?: number) =>
    workbookParts('', [
      { name: 'xl/sharedStrings.xml', content: huge, ...(claimedSize === undefined ? {} : { claimedSize }) },
    ])
  await assert.rejects(readAll(zipOf(parts())), refused(/suspicious size/))
  await assert.rejects(readAll(zipOf(parts(1000))), refused(/damaged/))
  await assert.rejects(
    readAll(zipOf(parts()), {}, { inflatedBytes: 2 ** 20 }),
    refused(/expands to more than 1048576 bytes/),
  )
})

test('a cell of many megabytes is refused when that much of it was read', async () => {
  const noise = Buffer.from(Array.from({ length: 12 * 2 ** 20 }, (_, at) => 97 + ((at * at) % 23)))
  const sheet = workbookParts(`<row><c t="inlineStr"><is><t>${noise.toString('latin1')}</t></is></c></row>`)
  await assert.rejects(readAll(zipOf(sheet)), refused(/far too long|suspicious/))
})

test('a workbook with too many parts is refused', async () => {
  const parts = Array.from({ length: 10_001 }, (_, at) => ({ name: `${at}.xml`, content: '' }))
  await assert.rejects(readAll(zipOf(parts)), refused(/10001 parts/))
})

test('entities that a document defines are not expanded', async () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`
  const parts = workbookParts('').map((part) =>
    part.name === 'xl/worksheets/sheet1.xml'
      ? {
          ...part,
          content: `${bomb}<worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>`,
        }
      : part,
  )
  await assert.rejects(readAll(zipOf(parts)), refused(/damaged/))
})

test('a workbook that is cut off or damaged anywhere is refused, and never hangs', async () => {
  const whole = fixture('xlsxwriter-1900.xlsx')
  for (let at = 1; at < 20; at++) {
    const length = Math.floor((whole.length * at) / 20)
    await assert.rejects(readAll(whole.subarray(0, length)), refused(/damaged/))
    const damaged = Buffer.from(whole)
    damaged.fill(0xa5, length, length + 40)
    // Damage to what is not read, or that a spreadsheet too would not see, may pass; anything else must be told.
    await readAll(damaged).catch(refused(/damaged|not an? |no sheet|more than|suspicious|encrypted|too long/))
  }
})

test('no copy of the workbook is left on disk, also when reading ends early or fails', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-test-'))
  t.after(() => rm(folder, { recursive: true }))
  const limits = { spoolFolder: folder }

  await readAll(fixture('sheetjs-1900.xlsx'), {}, limits)
  await assert.rejects(readAll(fixture('sheetjs-1900.xlsx').subarray(0, 900), {}, limits))
  const table = await openTable(sourceOf(fixture('sheetjs-1900.xlsx')), {}, limits)
  const rows = table.rows()
  await rows.next()
  assert.deepEqual(await readdir(folder), [])
  await rows.return(undefined)
  const descriptors = await readdir('/proc/self/fd').catch(() => [])

  for await (const _ of (
    await openTable({ name: null, open: async () => createReadStream(join(FIXTURES, 'sheetjs-1900.xlsx')) }, {}, limits)
  ).rows())
    break

  assert.ok((await readdir('/proc/self/fd').catch(() => [])).length <= descriptors.length)
})

test('a sheet without cells is a table without rows', async () => {
  const { columns, rows } = await readAll(zipOf(workbookParts('')))
  assert.deepEqual(columns, [])
  assert.deepEqual(rows, [])
})

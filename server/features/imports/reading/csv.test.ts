import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { ENCODINGS, readAll, refused, sourceOf } from '../../../test/tables.ts'
import { readRecords } from './csv-records.ts'
import { CSV_OPTIONS } from './delimiter.ts'
import { openTable } from './table.ts'

test('any table is read back as it was written, whatever its delimiter, encoding, line ends and chunks', async () => {
  const cell = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'aZ0é ÿ.:/(') }),
    fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '|', '\n', '\r', "'", ' ', 'é') }),
    fc.constantFrom('', '=1+1', '+49 30 1', "'=x", '💌 здравствуйте', 'مرحبا', '\r\n'),
  )
  const tables = fc.integer({ min: 1, max: 5 }).chain((width) =>
    fc.record({
      rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 12 }),
      width: fc.constant(width),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      encoding: fc.constantFrom(...(Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[])),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      hasLastEnd: fc.boolean(),
      size: fc.integer({ min: 1, max: 40 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(tables, async ({ rows, width, delimiter, encoding, lineEnd, hasLastEnd, size }) => {
      const isLatin = encoding === 'windows-1252'
      const plain = (text: string) => (isLatin ? text.replace(/[^\0-\xff]/g, '?') : text)
      // Whether a lone apostrophe before a formula is kept is the matter of spreadsheet-cell.test.ts.
      const body = rows.map((row) => row.map((each) => plain(each).replace(/^'+/, '')))
      const header = Array.from({ length: width }, (_, at) => (isLatin ? `ä${at}` : `a${at}`))
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
      const written = (text: string) => (/[",;|\t\r\n]|^$/.test(text) ? quoted(text) : text)
      const text =
        [header, ...body].map((row) => row.map(written).join(delimiter)).join(lineEnd) + (hasLastEnd ? lineEnd : '')
      const file = sourceOf(ENCODINGS[encoding](text), size)

      const read = await readAll(file, { delimiter })

      assert.equal(read.detected.encoding, encoding.replace(' with BOM', ''))
      assert.deepEqual(read.columns, header)
      assert.deepEqual(
        read.cells,
        body.filter((row) => row.some((each) => each.trim() !== '')),
      )
      let next = 2
      const lines = body.map((row) => {
        const line = next
        next += 1 + row.reduce((sum, each) => sum + (each.match(/\r\n|\r|\n/g)?.length ?? 0), 0)
        return line
      })
      assert.deepEqual(
        read.rows.map((row) => row.line),
        lines.filter((_, at) => body[at]!.some((each) => each.trim() !== '')),
      )
      assert.ok(read.rows.every((row) => row.problem === undefined))
    }),
    { numRuns: 400 },
  )
})

test('any text, however badly it is quoted, is read as csv-parse reads it, in chunks of any size', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'é', '💌', '"', '"', ',', ',', '\n', '\r', '\r\n', ' '),
    maxLength: 40,
  })
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(text, cuts, fc.boolean(), async (text, cuts, isBytes) => {
      const whole = isBytes ? Buffer.from(text) : text
      async function* chunks() {
        for (let at = 0, nth = 0; at < whole.length; at += cuts[nth++ % cuts.length]!)
          yield whole.slice(at, at + cuts[nth % cuts.length]!) as string | Buffer
      }
      let expected: string[][] | null = null
      try {
        expected = parse(text, CSV_OPTIONS)
      } catch {
        // A quote that nobody closes.
      }
      const read: string[][] = []
      const reading = (async () => {
        for await (const records of readRecords(chunks(), ',')) for (const { cells } of records) read.push(cells)
      })()

      if (expected === null) await assert.rejects(reading, refused(/never closed/))
      else {
        await reading
        assert.deepEqual(read, expected)
      }
    }),
    { numRuns: 3000 },
  )
})

test('semicolons with decimal commas are semicolons', async () => {
  const { detected, cells } = await readAll('a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n')
  assert.equal(detected.delimiter, ';')
  assert.deepEqual(cells[0], ['1,5', '2,5', '3,5'])
})

test('a file of one column has its commas, semicolons and spaces left alone', async () => {
  const { detected, cells } = await readAll('email\nanna@example.com\nbob@example.com\n')
  assert.equal(detected.columns, 1)
  assert.deepEqual(cells, [['anna@example.com'], ['bob@example.com']])
})

test("Excel's line `sep=` names the delimiter and is no row", async () => {
  for (const size of [1, 1000]) {
    const { detected, columns, rows } = await readAll(sourceOf('sep=;\r\na,b;c\r\n1;2\r\n', size))
    assert.equal(detected.delimiter, ';')
    assert.deepEqual(columns, ['a,b', 'c'])
    assert.deepEqual(rows, [{ line: 3, cells: ['1', '2'] }])
  }
})

test('a delimiter that was asked for is used, and one that can not be is refused', async () => {
  const { columns } = await readAll('a^b\n1^2', { delimiter: '^' })
  assert.deepEqual(columns, ['a', 'b'])
  for (const delimiter of ['', '"', '\n', ';;']) {
    await assert.rejects(readAll('a', { delimiter }), refused(/delimiter must be one character/))
  }
})

test('quoted line ends, quotes and delimiters are part of their cell, and lines are counted as editors do', async () => {
  const { rows } = await readAll('a,b\r\n"x\r\ny","say ""hi"""\r\n\r\n\r\n"1,2",z\r\nlast,one\r\n')

  assert.deepEqual(rows, [
    { line: 2, cells: ['x\r\ny', 'say "hi"'] },
    { line: 6, cells: ['1,2', 'z'] },
    { line: 7, cells: ['last', 'one'] },
  ])
})

test('quotes inside of a cell that is not quoted are part of it', async () => {
  const { cells } = await readAll('name,size\nBob "Bobby" Brown,5" disk\n')
  assert.deepEqual(cells, [['Bob "Bobby" Brown', '5" disk']])
})

test('CRLF, LF and lone CR may be mixed', async () => {
  const { cells } = await readAll('a,b\r1,2\n3,4\r\n5,6')
  assert.deepEqual(cells, [
    ['1', '2'],
    ['3', '4'],
    ['5', '6'],
  ])
})

test('too few cells are empty, too many are a problem unless they are empty', async () => {
  const { rows } = await readAll('a,b\n1\n1,2,3\n1,2,,\n')

  assert.deepEqual(rows[0], { line: 2, cells: ['1'] })
  assert.match(rows[1]!.problem!, /has 3 cells, but there are 2 columns/)
  assert.equal(rows[2]!.problem, undefined)
})

test('rows of another length than the header take no longer to read', async () => {
  const secondsOf = async (row: string) => {
    const before = process.cpuUsage()
    await readAll(`a,b,c\n${row.repeat(50_000)}`)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
  await secondsOf('1,2,3\n')
  const even = await secondsOf('1,2,3\n')

  assert.ok((await secondsOf('1,2,3,\n')) < 3 * even + 0.2)
})

test('rows without anything in them are left out', async () => {
  const { rows } = await readAll('a,b\n,\n\n  , \n1,2\n,,,,\n')
  assert.deepEqual(
    rows.map(({ line }) => line),
    [5],
  )
})

test('a row of a million cells is a problem that does not hold them', async () => {
  const { rows } = await readAll(`a,b\n${'1,'.repeat(400_000)}1\n`)
  assert.match(rows[0]!.problem!, /has 400001 cells/)
  assert.equal(rows[0]!.cells.length, 1000)
})

test('an empty file is refused, a header alone is a table without rows', async () => {
  await assert.rejects(readAll(''), refused(/empty/))
  const { columns, rows } = await readAll('email,name\n')
  assert.deepEqual(columns, ['email', 'name'])
  assert.deepEqual(rows, [])
  for (const blank of ['\ufeff', '\n\n', '  \n'])
    assert.deepEqual((await readAll(blank)).rows, [], JSON.stringify(blank))
})

test('1,000 columns are read, 5,000 are refused with the limit', async () => {
  const wide = (columns: number) =>
    `${Array.from({ length: columns }, (_, at) => `c${at}`).join(',')}\n${'1,'.repeat(columns - 1)}1\n`
  assert.equal((await readAll(wide(1000))).cells[0]?.length, 1000)
  await assert.rejects(readAll(wide(5000)), refused(/has 5000 columns; at most 1000/))
})

test('a cell of 20 MB ends with the line where its row began', async () => {
  const file = Buffer.concat([
    Buffer.from('a,b\n1,2\nx,"y\nz"\nhere,'),
    Buffer.alloc(20_000_000, 'x'),
    Buffer.from('\n'),
  ])
  await assert.rejects(readAll(file), refused(/row that begins in line 5 is longer/, 5))
})

test('how long a row may be is counted in characters, whatever they take in bytes or in memory', async () => {
  const { cells } = await readAll(`a,b\n${'💌'.repeat(600_000)},2\n`)
  assert.equal(String(cells[0]![0]).length, 1_200_000)
  await assert.rejects(readAll(`a,b\n${'é'.repeat(1_048_577)},2\n`), refused(/longer than 1,048,576 characters/, 2))
})

test('a line of nothing but delimiters ends as well, and one of nothing but line ends does not', async () => {
  await assert.rejects(readAll(`a,b\n${','.repeat(20_000_000)}`), refused(/row that begins in line 2 is longer/, 2))
  const { rows } = await readAll(`a,b\n${'\n'.repeat(10_000_000)}1,2`)
  assert.deepEqual(rows, [{ line: 10_000_002, cells: ['1', '2'] }])
})

test('a quote that is never closed ends with the line where its row began', async () => {
  await assert.rejects(readAll('a,b\n1,2\n\n"open,4\n5,6\n'), refused(/row beginning in line 4 is never closed/, 4))
  const long = `a,b\n${'1,2\n'.repeat(50_000)}"open,4\n${'5,6\n'.repeat(1_000_000)}`
  await assert.rejects(readAll(long), refused(/row that begins in line 50002 is longer/, 50_002))
})

test('a NUL is the problem of its row', async () => {
  for (const bytes of [Buffer.from('a,b\n1,2\n3,\0\n'), Buffer.from('\ufeffa,b\n1,2\n3,\0\n', 'utf16le')]) {
    const { rows } = await readAll(bytes)
    assert.deepEqual(
      rows.map(({ problem }) => problem),
      [undefined, 'holds a NUL character'],
    )
  }
})

test('cells that an export defused are restored, also in the header', async () => {
  const { columns, cells } = await readAll("'=a,b\n'=1+1,''@x\n")
  assert.deepEqual(columns, ['=a', 'b'])
  assert.deepEqual(cells, [['=1+1', "'@x"]])
})

test('a file that is no table is refused by what it is', async () => {
  const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name))
  const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), Buffer.alloc(100)])
  await assert.rejects(readAll(png), refused(/PNG picture/))
  await assert.rejects(readAll('%PDF-1.7 …'), refused(/PDF document/))
  await assert.rejects(readAll('<html><table>'), refused(/HTML/))
  await assert.rejects(readAll(fixture('old.xls')), refused(/before 2007/))
  await assert.rejects(readAll(fixture('binary.xlsb')), refused(/\.xlsb/))
  await assert.rejects(readAll(fixture('libreoffice.ods')), refused(/OpenDocument/))
  await assert.rejects(
    readAll(Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256))),
    refused(/binary/),
  )
})

test('a file asked to be read as what it can not be is refused', async () => {
  await assert.rejects(readAll('a,b', { format: 'xlsx' }), refused(/text, not a workbook/))
})

test('a first batch has a thousand rows, those after it 250, and all fewer of long ones', async () => {
  const sizes = async (text: string) => {
    const batches: number[] = []
    for await (const batch of (await openTable(sourceOf(text), {})).rows()) batches.push(batch.length)
    return batches
  }
  assert.deepEqual(await sizes('a,b\n' + '1,2\n'.repeat(2500)), [1000, ...Array(6).fill(250)])
  const long = await sizes(`a,b\n${`1,${'x'.repeat(10_000)}\n`.repeat(1000)}`)
  assert.equal(
    long.reduce((sum, rows) => sum + rows),
    1000,
  )
  assert.ok(Math.max(...long) <= 210)
})

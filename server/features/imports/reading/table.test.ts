import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { findUnstorable, isStorable } from '../../../lib/text.ts'
import { readAll, sourceOf } from '../../../test/tables.ts'
import { openTable } from './table.ts'
import { UnreadableFile } from './unreadable.ts'

const workbook = readFileSync(join(import.meta.dirname, 'fixtures', 'openpyxl-1900.xlsx'))
const seeds = [
  Buffer.from('email,name\nanna@example.com,"Anna, A"\r\n'),
  Buffer.from('\ufeffemail;name\nanna@example.com;Zoë\n', 'utf16le'),
  Buffer.from('{"email":"anna@example.com","fields":{"a":[1,{"b":null}]}}\n{"email":"é"}'),
  Buffer.from('{"contacts":[{"email":"a@example.com"},{"email":"b@example.com"}]}'),
  workbook,
]

test('any bytes are a table of texts that can be stored, or refused with a reason', async () => {
  const changed = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.uint8Array({ maxLength: 6 })), {
        maxLength: 4,
      }),
    )
    .map(([seed, changes]) =>
      changes.reduce((bytes, [place, put]) => {
        const at = Math.floor(place * bytes.length)
        return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + (put.length % 3))])
      }, seed),
    )
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, fc.uint8Array({ maxLength: 200 }).map(Buffer.from)), async (bytes) => {
      const read = await readAll(sourceOf(bytes, 50)).catch((error: unknown) => {
        assert.ok(error instanceof UnreadableFile, String(error))
        assert.ok(error.message.length > 10)
      })
      if (!read) return
      assert.equal(new Set(read.columns).size, read.columns.length)
      assert.ok(read.columns.every(isStorable))
      for (const { cells, problem } of read.rows) {
        if (problem !== undefined) continue
        assert.ok(
          cells.length <= read.columns.length ||
            cells.slice(read.columns.length).every((cell) => String(cell).trim() === ''),
        )
        assert.equal(findUnstorable(cells), null)
      }
    }),
    { numRuns: 600 },
  )
})

test('no more of a file is read than its rows are taken', async () => {
  const row = 'anna@example.com,Anna\n'
  let given = 0
  const table = await openTable(
    {
      name: null,
      open: async () => {
        given = 0
        return Readable.from(
          (function* () {
            yield Buffer.from('email,name\n')
            for (; given < 2000; given++) yield Buffer.from(row.repeat(500))
          })(),
        )
      },
    },
    {},
  )

  const rows = table.rows()
  await rows.next()
  await new Promise((resolve) => setTimeout(resolve, 50))

  assert.ok(given < 40, `${given} chunks of 500 rows were read for one batch of 1,000`)
  await rows.return(undefined)
})

test('a table can be read twice, and by two readers at once', async () => {
  for (const seed of seeds) {
    const table = await openTable(sourceOf(seed), {})
    const read = async () => {
      const rows = []
      for await (const batch of table.rows()) rows.push(...batch)
      return rows
    }
    const [one, other] = await Promise.all([read(), read()])
    assert.deepEqual(one, other)
    assert.deepEqual(await read(), one)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CopyBatch } from './copy-batch.ts'

test('a batch hands on what it took, by the keys and those of one key as they came, in pieces of the size that is asked for', () => {
  const row = fc.record({
    key: fc.oneof(fc.constantFrom('a', 'ab', 'b', ''), fc.string({ unit: 'grapheme', maxLength: 4 })),
    text: fc.string({ unit: 'grapheme', maxLength: 30 }),
  })
  const sizes = { size: fc.integer({ min: 1, max: 200 }), pieces: fc.integer({ min: 1, max: 50 }) }
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), fc.record(sizes), (rows, { size, pieces }) => {
      const batch = new CopyBatch(size)
      const taken: typeof rows = []
      for (const { key, text } of rows) {
        if (!batch.add(key, `${text}\n`)) break
        taken.push({ key, text })
      }
      const given = [...batch.inOrder(pieces)]

      assert.ok(taken.length > 0 || rows.length === 0, 'the first row is taken, whatever its length')
      const inOrder = taken.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      assert.equal(Buffer.concat(given).toString(), inOrder.map(({ text }) => `${text}\n`.toWellFormed()).join(''))
      const longest = Math.max(0, ...taken.map(({ text }) => Buffer.byteLength(`${text}\n`)))
      for (const piece of given) assert.ok(piece.length <= Math.max(pieces, longest), String(piece.length))
    }),
    { numRuns: 500 },
  )
})

test('a batch that has no room for a row says so, and still takes a shorter one', () => {
  const batch = new CopyBatch(20)
  assert.equal(batch.add('b', 'six'), true)
  assert.equal(batch.add('a', 'far too long'), false)
  assert.equal(batch.add('a', 'four'), true)
  assert.equal(Buffer.concat([...batch.inOrder(100)]).toString(), 'foursix')
})

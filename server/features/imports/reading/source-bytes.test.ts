import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readAll, refused, sourceOf } from '../../../test/tables.ts'
import { openTable } from './table.ts'

test('gzip is found by content', async () => {
  const { detected, cells } = await readAll(sourceOf(gzipSync('a,b\n1,2\n'), 1))
  assert.equal(detected.compression, 'gzip')
  assert.deepEqual(cells, [['1', '2']])
})

test('a gzip that is cut off, damaged, or compressed twice is refused as such', async () => {
  const whole = gzipSync(Array.from({ length: 20_000 }, (_, at) => `p${at}@example.com,${at * 7919}`).join('\n'))
  await assert.rejects(readAll(whole.subarray(0, whole.length - 10)), refused(/cut off/))
  const damaged = Buffer.from(whole)
  damaged.fill(0x55, 5000, 5100)
  await assert.rejects(readAll(damaged), refused(/damaged/))
  await assert.rejects(readAll(gzipSync(whole)), refused(/compressed twice/))
})

test('a gzip that expands beyond the limit is refused, without holding it', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000, 'a,b\n'))
  await assert.rejects(readAll(bomb, {}, { inflatedBytes: 10_000_000 }), refused(/more than 10000000 bytes/))
})

test('a failure of the store is not the fault of the file', async () => {
  const source = {
    name: null,
    open: async () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('a,b\n')
          throw new Error('the disk is gone')
        })(),
      ),
  }
  await assert.rejects(openTable(source, {}), /the disk is gone/)
})

test('leaving the rows early closes the file', async () => {
  const opened: Readable[] = []
  const bytes = Buffer.from('a,b\n' + '1,2\n'.repeat(100_000))
  const table = await openTable(
    {
      name: null,
      open: async () => {
        const stream = Readable.from(
          (function* () {
            for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
          })(),
        )
        opened.push(stream)
        return stream
      },
    },
    {},
  )
  for await (const _ of table.rows()) break
  assert.ok(opened.length >= 3)
  assert.ok(opened.every((stream) => stream.destroyed))
})

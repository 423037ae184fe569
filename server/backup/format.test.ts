import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../lib/refusal.ts'
import { chunksOf } from '../test/archive.ts'
import { ArchiveReader, archiveOf, type Manifest, type PartHead } from './format.ts'

const MANIFEST: Manifest = { at: '', version: '', postgres: '', migrations: [], sequences: [], secret: 'x' }

interface Part {
  head: PartHead
  chunks: Uint8Array[]
}

async function written(parts: readonly Part[]): Promise<Buffer> {
  async function* sources() {
    for (const { head, chunks } of parts)
      yield {
        head,
        rows: () => chunks.length,
        data: (async function* () {
          for (const chunk of chunks) yield Buffer.from(chunk)
        })(),
      }
  }
  return buffer(archiveOf(MANIFEST, sources()))
}

async function read(bytes: Buffer, size?: number): Promise<{ head: PartHead; content: Buffer }[]> {
  const reader = await ArchiveReader.open(chunksOf(bytes, size), 'it')
  const parts: { head: PartHead; content: Buffer }[] = []
  for (let head = await reader.next(); head; head = await reader.next()) {
    parts.push({ head, content: await buffer(reader.data()) })
  }
  return parts
}

const isRefused = (error: unknown) => {
  assert.ok(error instanceof Refusal, String((error as Error).stack))
  assert.match(error.message, /^it (is damaged|is no backup of Rollcall|has format \d+)/)
  return true
}

const PLAIN = { noNullPrototype: true } as const
const head: fc.Arbitrary<PartHead> = fc.oneof(
  fc.record({ table: fc.string(), columns: fc.array(fc.string(), { maxLength: 3 }) }, PLAIN),
  fc.constant({ jobs: true as const }),
  fc.record({ file: fc.string() }, PLAIN),
)
const part = fc.record({ head, chunks: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }) })

test('what was written is read, however the bytes come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), fc.integer({ min: 1, max: 5000 }), async (parts, size) => {
      const found = await read(await written(parts), size)

      assert.deepEqual(
        found,
        parts.map(({ head: its, chunks }) => ({ head: its, content: Buffer.concat(chunks) })),
      )
    }),
    { numRuns: 100 },
  )
})

test('so are parts as long as a block, a byte more and a byte less, and much longer', async () => {
  for (const length of [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 5 * 2 ** 20 + 7]) {
    const content = Buffer.alloc(length, 'abcdefghijklm').fill('z', length >> 1)

    const [found] = await read(
      await written([{ head: { file: 'a' }, chunks: [content.subarray(0, 9), content.subarray(9)] }]),
    )

    assert.ok(found!.content.equals(content), `${length}`)
  }
})

test('an archive with one byte changed, cut off, or gone on with is refused wherever that is', async () => {
  const whole = await written([
    {
      head: { table: 'contacts', columns: ['id', 'email'] },
      chunks: [Buffer.from('1\tada@example.com\n'.repeat(200))],
    },
    { head: { jobs: true }, chunks: [] },
    { head: { file: '1/uploads/a' }, chunks: [Buffer.from('content')] },
  ])
  const at = fc.integer({ min: 0, max: whole.length - 1 })
  await fc.assert(
    fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (place, bits) => {
      const changed = Buffer.from(whole)
      changed[place]! ^= bits
      await assert.rejects(read(changed), isRefused)
    }),
    { numRuns: 400 },
  )
  await fc.assert(
    fc.asyncProperty(at, (length) => assert.rejects(read(whole.subarray(0, length)), isRefused)),
    { numRuns: 100 },
  )
  await assert.rejects(read(Buffer.concat([whole, Buffer.from('x')])), /it is damaged: it goes on behind its end/)
  await assert.rejects(read(Buffer.concat([whole, whole])), /it is damaged/)
})

test('one from which a part was taken out, or in which two changed places, is refused', async () => {
  const parts = ['a', 'b', 'c'].map((file) => ({ head: { file }, chunks: [Buffer.from(file)] }))
  const [whole, two] = [await written(parts), await written(parts.slice(0, 2))]
  const [first, second] = [await written(parts.slice(0, 1)), await written([parts[1]!])]

  // The third part of the one behind the first two of the other, each frame of which is right by itself.
  await assert.rejects(
    read(Buffer.concat([two.subarray(0, first.length - 82), whole.subarray(two.length - 82)])),
    isRefused,
  )
  assert.ok(second.length > 0)
})

test('what is no archive, and one of a format to come, say so', async () => {
  await assert.rejects(read(Buffer.alloc(0)), /^Refusal: it is no backup of Rollcall/)
  await assert.rejects(read(Buffer.from('PGDMP and more of what is of another program')), /it is no backup of Rollcall/)
  await assert.rejects(read(Buffer.from('rollcall backup 2\n...')), /it has format 2, and this Rollcall knows 1/)
  await assert.rejects(read(Buffer.from('rollcall backup one\n...')), /it is damaged: its first line/)
})

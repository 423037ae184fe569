import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Recent } from './recent.ts'

test('many who ask at once read once, until it is forgotten', async () => {
  let reads = 0
  const recent = new Recent(async (key: string) => `${key}${++reads}`, { ttlMs: 60_000, max: 10 })

  assert.deepEqual(await Promise.all([recent.get('a'), recent.get('a'), recent.get('b')]), ['a1', 'a1', 'b2'])
  const waiting = recent.get('c')
  recent.forget('c')
  assert.deepEqual([await waiting, await recent.get('c')], ['c3', 'c4'], 'whoever waits is answered all the same')
})

test('a failure is told to those who asked, and is not kept', async () => {
  let reads = 0
  const recent = new Recent(
    async () => {
      if (++reads === 1) throw new Error('gone')
      return reads
    },
    { ttlMs: 60_000, max: 10 },
  )

  const first = [recent.get('a'), recent.get('a')]
  for (const asked of first) await assert.rejects(asked, /gone/)
  assert.equal(await recent.get('a'), 2)
})

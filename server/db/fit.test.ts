import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fittedSettings, thisMachine } from './fit.ts'

const GB = 2 ** 30

test('a small machine is left room, a large one is used', () => {
  const small = fittedSettings({ memoryBytes: GB / 2, cpus: 1 })
  const large = fittedSettings({ memoryBytes: 256 * GB, cpus: 64 })

  assert.equal(small.shared_buffers, '102MB')
  assert.equal(small.work_mem, '4MB')
  assert.equal(small.max_parallel_workers_per_gather, '0')
  assert.equal(large.shared_buffers, '4096MB')
  assert.equal(large.work_mem, '64MB')
  assert.equal(large.max_parallel_workers_per_gather, '4')
})

test("a container's small /dev/shm is not used for parallel queries", () => {
  const machine = { memoryBytes: 8 * GB, cpus: 4 }

  assert.equal(fittedSettings({ ...machine, sharedMemoryBytes: 64 * 2 ** 20 }).dynamic_shared_memory_type, 'mmap')
  assert.equal(fittedSettings({ ...machine, sharedMemoryBytes: 4 * GB }).dynamic_shared_memory_type, undefined)
})

test('this machine has memory and a processor', () => {
  const { memoryBytes, cpus } = thisMachine()

  assert.ok(Number.isFinite(memoryBytes) && memoryBytes > 2 ** 27)
  assert.ok(cpus >= 1)
})

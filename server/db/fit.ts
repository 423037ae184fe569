import { statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'

const MB = 2 ** 20

/** Below this, /dev/shm is a container's default of 64 MB, in which two parallel hash joins already do not fit. */
const SMALL_SHARED_MEMORY = 256 * MB

/** What PostgreSQL shares with us. */
export interface Machine {
  memoryBytes: number
  cpus: number
  /** Size of the file system for shared memory; undefined where there is none. */
  sharedMemoryBytes?: number | undefined
}

/** This machine, or the container's share of it. */
export function thisMachine(): Machine {
  // Without a limit, Node answers 0 or more than there is.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY
  return {
    memoryBytes: Math.min(totalmem(), limit),
    cpus: availableParallelism(),
    sharedMemoryBytes: sharedMemorySize(),
  }
}

/**
 * Server settings for a machine that also runs Rollcall itself and perhaps more: a fifth of the memory for PostgreSQL's
 * own cache, and no more than half counted on in all.
 */
export function fittedSettings({ memoryBytes, cpus, sharedMemoryBytes }: Machine): Record<string, string> {
  const share = (part: number, least: number, most: number) =>
    `${Math.round(Math.min(Math.max((memoryBytes * part) / MB, least), most))}MB`
  return {
    shared_buffers: share(1 / 5, 32, 4096),
    effective_cache_size: share(1 / 2, 64, 65_536),
    work_mem: share(1 / 256, 4, 64),
    maintenance_work_mem: share(1 / 16, 32, 1024),
    // A bulk load writes much: with PostgreSQL's own 1 GB it would wait for one checkpoint after another.
    max_wal_size: share(1 / 4, 512, 4096),
    checkpoint_timeout: '15min',
    // What a bulk load writes is flushed while it goes on, not all at its commits: an import takes 5 % less time.
    wal_writer_delay: '10ms',
    random_page_cost: '1.1', // disks without heads
    jit: 'off', // our statements are short: compiling them takes longer than running them
    max_parallel_workers_per_gather: String(Math.min(4, Math.floor(cpus / 2))),
    max_parallel_workers: String(cpus),
    ...(sharedMemoryBytes !== undefined && sharedMemoryBytes < SMALL_SHARED_MEMORY
      ? { dynamic_shared_memory_type: 'mmap' }
      : {}),
  }
}

function sharedMemorySize(): number | undefined {
  try {
    const { bsize, blocks } = statfsSync('/dev/shm')
    return bsize * blocks
  } catch {
    return undefined
  }
}

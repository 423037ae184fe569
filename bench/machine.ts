import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { fittedSettings, thisMachine } from '../server/db/fit.ts'
import { digits } from './report.ts'
import { median } from './statistics.ts'

/** What the figures were measured on, as Markdown. */
export async function describeMachine(db: Database): Promise<string> {
  const names = [...Object.keys(fittedSettings(thisMachine())), 'fsync', 'synchronous_commit', 'autovacuum']
  const settings = await db.query<{ setting: string }>(sql`
    select name || ' ' || current_setting(name) as setting from pg_settings where name = any(${names}) order by name`)
  const [server] = await db.query<{ version: string }>(sql`select current_setting('server_version') as version`)
  return [
    `- Machine: ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${digits(totalmem() / 2 ** 30)} GiB of memory, ${type()} ${release()}; writing 8 kB durably takes ${digits(durableWriteMs())} ms.`,
    `- Node ${process.versions.node}, embedded PostgreSQL ${server!.version}: ${settings.map(({ setting }) => setting).join(', ')}.`,
  ].join('\n')
}

/** How much of the machine is busy just now, 0 to 1: with something else, when asked between two rounds. */
export async function busyShare(forMs = 500): Promise<number> {
  const before = cpuTimes()
  await sleep(forMs)
  const after = cpuTimes()
  return 1 - (after.idle - before.idle) / Math.max(1, after.total - before.total)
}

function cpuTimes(): { idle: number; total: number } {
  const times = cpus().map((cpu) => cpu.times)
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    total: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  }
}

/** What a commit waits for at least, on the disk that the benchmark's database is on. */
function durableWriteMs(): number {
  const path = join(tmpdir(), `rollcall-bench-${process.pid}`)
  const file = openSync(path, 'w')
  try {
    const block = Buffer.alloc(8192, 1)
    const tookMs = Array.from({ length: 100 }, (_, at) => {
      writeSync(file, block, 0, block.length, at * block.length)
      const startedMs = performance.now()
      fdatasyncSync(file)
      return performance.now() - startedMs
    })
    return median(tookMs)
  } finally {
    closeSync(file)
    rmSync(path)
  }
}

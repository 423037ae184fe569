import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A file system of its own size for a home; undefined, with the test skipped, where we may not make one. */
export function smallDisk(t: TestContext, megabytes: number): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-disk-'))
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory],
    { encoding: 'utf8' },
  )
  t.after(() => {
    if (status === 0) execFileSync('umount', ['--lazy', directory])
    rmSync(directory, { recursive: true })
  })
  if (status === 0) return directory
  t.skip(`no file system can be mounted here: ${error?.message ?? stderr.trim()}`)
  return undefined
}

export function fill(directory: string): string {
  const path = join(directory, 'ballast')
  const { bavail, bsize } = statfsSync(directory)
  writeFileSync(path, Buffer.alloc(bavail * bsize))
  return path
}

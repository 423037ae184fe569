import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fill, smallDisk } from './disk.ts'
import { homeTemplate, readOwnerFile, rollcall } from './program.ts'

const LIMIT = { timeout: 280_000 }

const template = await homeTemplate()

async function assertRefused(home: string, args: string[], message: RegExp): Promise<void> {
  const { code, out, err } = await rollcall(home, args).ended
  assert.deepEqual([code, out], [1, ''], err)
  assert.match(err, message)
  assert.equal(err.trimEnd().split('\n').at(-1)?.startsWith('rollcall: '), true, err)
}

test('a first start on a disk without room says so and leaves nothing half made', LIMIT, async (t) => {
  const home = smallDisk(t, 16)
  if (home === undefined) return

  await assertRefused(home, ['start'], /the disk that holds .* is full: free some space and start again\n$/)

  assert.deepEqual(
    readdirSync(home).filter((name) => !/^owner\.1\.json|secret$/.test(name)),
    [],
  )
})

test('on a disk that has filled up start and commands say so, and work again once there is room', LIMIT, async (t) => {
  const home = smallDisk(t, 160)
  if (home === undefined) return
  execFileSync('cp', ['-a', `${template.path}/.`, home])
  const ballast = fill(home)

  await assertRefused(home, ['start'], /the disk that holds .* is full/)
  await assertRefused(home, ['token', 'list'], /the disk that holds .* is full/)

  rmSync(ballast)
  assert.equal((await rollcall(home, ['token', 'list']).ended).code, 0)
})

test('on a read-only disk start and commands say so, whether there are data or not', LIMIT, async (t) => {
  const home = smallDisk(t, 160)
  if (home === undefined) return
  execFileSync('mount', ['-o', 'remount,ro', home])
  await assertRefused(
    join(home, 'new'),
    ['start'],
    /new is on a read-only file system: make it writable, or set ROLLCALL_HOME/,
  )
  assert.ok(!existsSync(join(home, 'new')))

  execFileSync('mount', ['-o', 'remount,rw', home])
  execFileSync('cp', ['-a', `${template.path}/.`, home])
  const owner = readOwnerFile(home)
  execFileSync('mount', ['-o', 'remount,ro', home])
  await assertRefused(home, ['start'], /is on a read-only file system/)
  await assertRefused(home, ['token', 'list'], /is on a read-only file system/)
  assert.deepEqual(readOwnerFile(home), owner)
})

test('a directory that this user may not use is named', {
  skip: process.getuid?.() === 0 && 'root may use any',
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-closed-'))
  t.after(() => execFileSync('sh', ['-c', 'chmod 700 "$1"; rm -r "$1"', 'sh', directory]))
  execFileSync('chmod', ['500', directory])

  await assertRefused(
    join(directory, 'home'),
    ['start'],
    /may not use .*: start as the user that owns it, or set ROLLCALL_HOME/,
  )
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claimHome, type Owner, readOwner } from './owner.ts'
import { identify } from './process.ts'

function temporaryHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'rollcall-owner-'))
  t.after(() => rmSync(home, { recursive: true }))
  return home
}

/** As an owner leaves it that was killed; with our own pid, which then is one that was given out again. */
function writeDeadOwner(home: string, number: number): void {
  const owner: Owner = {
    pid: process.pid,
    startedAs: 'before',
    command: 'start',
    since: '2026-01-01T00:00:00Z',
    state: 'running',
  }
  writeFileSync(join(home, `owner.${number}.json`), JSON.stringify(owner))
}

test('the first process owns the home, and another one is told who that is', (t) => {
  const home = temporaryHome(t)

  const first = claimHome(home, 'start')
  const second = claimHome(home, 'token list')

  assert.ok('claim' in first)
  assert.ok('heldBy' in second)
  assert.deepEqual([second.heldBy.pid, second.heldBy.command], [process.pid, 'start'])
})

test('what the owner says of itself is read by others, until it gives the home free', (t) => {
  const home = temporaryHome(t)
  const taken = claimHome(home, 'start')
  assert.ok('claim' in taken)

  taken.claim.update({ state: 'running', socketDir: '/tmp/somewhere' })
  assert.equal(readOwner(home)?.socketDir, '/tmp/somewhere')

  taken.claim.release()
  assert.equal(readOwner(home), undefined)
  assert.ok('claim' in claimHome(home, 'start'))
})

test('an owner whose pid now belongs to another process is dead', (t) => {
  const home = temporaryHome(t)
  writeDeadOwner(home, 7)

  assert.equal(readOwner(home), undefined)
  assert.ok('claim' in claimHome(home, 'start'))
  assert.deepEqual(readdirSync(home), ['owner.8.json'])
})

test('a file that was never written to its end is nobody', (t) => {
  const home = temporaryHome(t)
  writeFileSync(join(home, 'owner.1.json'), '{"pid":')

  assert.ok('claim' in claimHome(home, 'start'))
})

test('of many processes that take over from a dead owner at once, exactly one succeeds', {
  timeout: 120_000,
}, async (t) => {
  const home = temporaryHome(t)
  writeDeadOwner(home, 1)
  const at = Date.now() + 700
  const script = `
    import { claimHome } from ${JSON.stringify(join(import.meta.dirname, 'owner.ts'))}
    while (Date.now() < ${at});
    console.log('claim' in claimHome(${JSON.stringify(home)}, 'start') ? 'owns' : 'is told')
    process.stdin.resume()`

  const claimants = Array.from({ length: 6 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    return { child, answer: once(child.stdout, 'data').then(([line]) => String(line).trim()) }
  })
  const answers = await Promise.all(claimants.map(({ answer }) => answer))
  for (const { child } of claimants) child.stdin.end()

  assert.deepEqual(answers.sort(), ['is told', 'is told', 'is told', 'is told', 'is told', 'owns'])
})

test('a process is told from the one that had its pid before, and from none', () => {
  assert.equal(identify(process.pid), identify(process.pid))
  assert.notEqual(identify(process.pid), identify(process.ppid))
  assert.equal(identify(2 ** 22 + 1), undefined)
  assert.equal(identify(Number.NaN), undefined)
})

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import type { Owner } from '../db/owner.ts'
import { identify } from '../db/process.ts'

const PROGRAM = join(import.meta.dirname, '../../cli/rollcall.js')

/** Every setting that this machine's environment, or a `.env` in the checkout, might hold. */
const UNSET = Object.fromEntries(
  [
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'STORAGE_URL',
    'ROLLCALL_SECRET',
    'ROLLCALL_API_TOKEN',
    'PUBLIC_URL',
    'HOST',
    'LOG_LEVEL',
  ].map((name) => [name, '']),
)

/** The `rollcall` program, run as a user would. */
export interface Program {
  child: ChildProcess
  /** What it has printed so far. */
  out: () => string
  err: () => string
  /** Waits for its end. */
  ended: Promise<{ code: number | null; signal: string | null; out: string; err: string }>
  /** Waits until it says that it is ready; answers the address. Fails when it ends instead. */
  ready: () => Promise<string>
}

/** A directory for Rollcall. What still runs in it when the test ends is killed. */
export function temporaryHome(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-home-'))
  const home = join(directory, 'home')
  t.after(() => {
    const { pid, postmasterPid, socketDir } = readOwnerFile(home) ?? {}
    for (const left of [pid, postmasterPid]) if (left !== undefined) kill(left)
    for (const left of [directory, socketDir])
      if (left !== undefined) rmSync(left, { recursive: true, force: true, maxRetries: 20 })
  })
  return home
}

/** A home that has been started once, and the token made in it. For one test file, which removes it at its end. */
export async function homeTemplate(): Promise<{ path: string; token: string; copy: (t: TestContext) => string }> {
  const path = mkdtempSync(join(tmpdir(), 'rollcall-template-'))
  after(() => rmSync(path, { recursive: true }))
  const { code, out, err } = await rollcall(path, ['token', 'create']).ended
  if (code !== 0) throw new Error(err)
  return {
    path,
    token: out.trim(),
    copy(t) {
      const home = temporaryHome(t)
      execFileSync('cp', ['-a', path, home])
      return home
    },
  }
}

/** Runs `rollcall ARGS` in a home. `env` wins over all else. */
export function rollcall(home: string, args: string[], env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...UNSET, PORT: '0', ROLLCALL_HOME: home, ...env },
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out, err }))
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    async ready() {
      const deadline = Date.now() + 120_000
      while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
        const address = /^Rollcall is ready: (\S+)/m.exec(out)?.[1]
        if (address !== undefined) return address
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new Error(`rollcall ${args.join(' ')} did not become ready\n${out}\n${err}`)
    },
  }
}

/** The newest owner file as it stands, whether the owner lives or not. */
export function readOwnerFile(home: string): Owner | undefined {
  try {
    const newest = Math.max(...readdirSync(home).map((name) => Number(/^owner\.(\d+)\.json$/.exec(name)?.[1] ?? 0)))
    return JSON.parse(readFileSync(join(home, `owner.${newest}.json`), 'utf8'))
  } catch {
    return undefined
  }
}

/** Whether a process has this pid, one that has ended and was not yet noticed aside. */
export function isAlive(pid: number): boolean {
  return identify(pid) !== undefined
}

/** A port on which nothing listened a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended, as it should.
  }
}

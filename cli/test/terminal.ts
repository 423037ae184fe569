import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { atEnd } from '../../server/test/database.ts'
import { execute } from '../program.ts'

export interface Result {
  code: number
  out: string
  err: string
}

export interface Given {
  env?: Record<string, string>
  /** What is typed or sent; none at all unless given. */
  stdin?: string
  /** Whether all three streams are a terminal's. */
  isTerminal?: boolean
  /** Told of all that was written so far, at each word. */
  onText?: (text: string, interrupt: () => void) => unknown
}

/** A user's shell: commands in one home, in this process but with streams and an environment of their own. */
export class Terminal {
  readonly home: string
  readonly env: Record<string, string>

  constructor(t: TestContext, env: Record<string, string> = {}) {
    this.home = mkdtempSync(join(tmpdir(), 'rollcall-cli-'))
    this.env = env
    atEnd(t, () => rmSync(this.home, { recursive: true, force: true }))
  }

  path(name: string): string {
    return join(this.home, name)
  }

  async run(args: string[], { env = {}, stdin, isTerminal = false, onText }: Given = {}): Promise<Result> {
    const [out, err] = [[] as Buffer[], [] as Buffer[]]
    let interrupt = () => {}
    const into = (chunks: Buffer[]) =>
      Object.assign(
        new Writable({
          write(chunk, _, next) {
            chunks.push(Buffer.from(chunk))
            onText?.(Buffer.concat([...out, ...err]).toString(), () => interrupt())
            next()
          },
        }),
        { isTTY: isTerminal, columns: 100 },
      )
    const input = isTerminal
      ? Object.assign(new PassThrough(), { isTTY: true })
      : Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)])
    if (input instanceof PassThrough && stdin !== undefined) input.write(stdin)
    const code = await execute(args, {
      env: { ...this.env, ...env },
      stdin: input,
      stdout: into(out),
      stderr: into(err),
      home: this.home,
      onInterrupt(listener) {
        interrupt = listener
        return () => {}
      },
    })
    return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
  }

  /** The same, of a command that must do what it is asked; answers the JSON that it prints. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from an answer is checked by the test
  async json(...args: string[]): Promise<any> {
    const { code, out, err } = await this.run([...args, '--json'])
    if (code !== 0) throw new Error(`rollcall ${args.join(' ')} ended with ${code}: ${err}`)
    return JSON.parse(out)
  }

  /** A command in a process of its own, as a user's shell runs it. */
  spawn(
    args: string[],
    env: Record<string, string> = {},
  ): { child: ChildProcess; ended: Promise<Result>; err: () => string } {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../rollcall.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: this.home, ...this.env, ...env },
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text
    })
    const ended = once(child, 'close').then(([code]) => ({ code: code as number, out, err }))
    return { child, ended, err: () => err }
  }
}

import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readConfig } from '../server/config.ts'
import { Database } from '../server/db/database.ts'
import { socketUrl, startEmbedded } from '../server/db/embedded.ts'
import { newSecret, parseKeyring } from '../server/lib/secret.ts'
import { openLog } from '../server/log.ts'
import { prepareAll } from '../server/prepare.ts'

export interface Program {
  /** `http://127.0.0.1:…`; '' where it does not listen. */
  address: string
  pid: number
  stop: () => Promise<void>
}

/** A database as production makes it, in a directory of its own, and the programs that use it. */
export interface Lab {
  db: Database
  /** Of the postmaster. */
  pid: number
  /** May do everything in account 1. */
  token: string
  /** Writes out what has been loaded, which PostgreSQL would else do within the time that is measured. */
  checkpoint: () => Promise<void>
  /** Runs a program in a process of its own; resolves when it is ready. */
  start: (name: keyof typeof FILES) => Promise<Program>
  /** Ends every program and the server, and removes the directory unless it is to be kept. */
  stop: () => Promise<void>
}

export interface LabOptions {
  /** The programs leave a V8 CPU profile there when they end, and statements are counted. */
  profileDir?: string | undefined
  /** Where the data stay from one run to the next, as loading a large account takes longer than to measure it. */
  keepDir?: string | undefined
}

/** Opens a laboratory: a new one, or the one that is kept. */
export async function openLab({ profileDir, keepDir }: LabOptions = {}): Promise<Lab> {
  const home = keepDir === undefined ? mkdtempSync(join(tmpdir(), 'rollcall-bench-')) : keptHome(keepDir)
  const { secret, token } = secretsOf(home)
  const postgres = await startEmbedded({
    dataDir: join(home, 'pg'),
    ...(profileDir ? { settings: { shared_preload_libraries: 'pg_stat_statements' } } : {}),
  })
  const env = {
    DATABASE_URL: postgres.url,
    ROLLCALL_HOME: home,
    ROLLCALL_SECRET: secret,
    ROLLCALL_API_TOKEN: token,
    LOG_LEVEL: 'warn',
    RATE_LIMIT: '0',
    PORT: '0',
  }
  const db = new Database({ url: postgres.url, max: 4 })
  const programs = new Set<Program>()
  const lab: Lab = {
    db,
    pid: postgres.pid,
    token,
    async checkpoint() {
      const root = new Database({ url: socketUrl(postgres.socketDir, 'postgres'), max: 1 })
      await root.query({ text: 'checkpoint', values: [] })
      await root.close()
    },
    async start(name) {
      const program = await startProgram(name, env, profileDir)
      programs.add(program)
      return program
    },
    async stop() {
      await Promise.all([...programs].map((program) => program.stop()))
      await db.close()
      await postgres.stop(keepDir === undefined ? 15_000 : 300_000)
      if (keepDir === undefined) rmSync(home, { recursive: true, force: true })
    },
  }
  try {
    const config = readConfig(env)
    const keyring = parseKeyring(env.ROLLCALL_SECRET)
    const { log } = openLog('warn')
    await prepareAll({
      url: postgres.url,
      directUrl: postgres.url,
      log,
      config,
      keyring,
      wantsToken: false,
      wantsUser: false,
    })
  } catch (error) {
    await lab.stop()
    throw error
  }
  return lab
}

function keptHome(keepDir: string): string {
  mkdirSync(keepDir, { recursive: true, mode: 0o700 })
  return resolve(keepDir)
}

/** What the database of a home was made with: it opens with nothing else. */
function secretsOf(home: string): { secret: string; token: string } {
  const file = join(home, 'bench.json')
  if (!existsSync(file))
    writeFileSync(file, JSON.stringify({ secret: newSecret(), token: newSecret() }), { mode: 0o600 })
  return JSON.parse(readFileSync(file, 'utf8'))
}

const FILES = { api: 'product.ts', worker: 'product.ts', floor: 'floor.ts' } as const

async function startProgram(
  name: keyof typeof FILES,
  env: Record<string, string>,
  profileDir?: string,
): Promise<Program> {
  const child = fork(join(import.meta.dirname, 'programs', FILES[name]), [name], {
    env: { ...process.env, ...env },
    execArgv: [
      ...(name === 'worker' ? ['--max-semi-space-size=8'] : []), // as cli/rollcall.js starts one
      ...(profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`] : []),
    ],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    address: await greetingOf(child, name),
    pid: child.pid!,
    async stop() {
      if (child.connected) child.disconnect() // at which it ends by itself
      await ended
    },
  }
}

/** The address in the first words of a program, which it says once it is ready; '' when there is none. */
function greetingOf(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout!.once('data', (words) => resolve(/http:\/\/[^\s/]+/.exec(String(words))?.[0] ?? ''))
    child.once('exit', (code) => reject(new Error(`the program ${name} ended with ${code} before it was ready`)))
  })
}

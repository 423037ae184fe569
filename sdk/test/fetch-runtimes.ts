/**
 * `npm run test:runtimes`: the SDK as it would be published, on the platforms that it is for. npm fetches them into a
 * directory of its own, half a gigabyte; so this is not part of `npm test`, which has this Node and Chromium.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The oldest Node that the SDK runs on, and the TypeScript that reads its declarations there. */
const PACKAGES = [
  'node@18.20.8',
  '@types/node@18.19.130',
  'typescript@5.9.3',
  'deno@2.9.6',
  'bun@1.4.4',
  'workerd@1.20261117.1',
  '@edge-runtime/vm@5.0.0',
  'esbuild@0.25.12',
]

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-runtimes-'))
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  try {
    npm(ROOT, 'run', 'build', '-w', 'sdk')
    const packed = npm(join(ROOT, 'sdk'), 'pack', '--silent', '--pack-destination', directory).trim()
    process.stdout.write(`fetching ${PACKAGES.join(', ')}\n`)
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true }))
    npm(directory, 'install', '--no-audit', '--no-fund', `./${packed}`, ...PACKAGES)
    const tests = spawn(process.execPath, [join(ROOT, 'server/test/run.ts'), 'sdk/test/runtimes.test.ts'], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, SDK_RUNTIMES: directory },
    })
    const [code] = await once(tests, 'close')
    return code ?? 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

process.exitCode = await main()

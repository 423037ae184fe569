import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Refusal } from '../lib/refusal.ts'
import type { Binaries } from './binaries.ts'
import { diskFailure, diskReason, makeDirectory } from './disk.ts'
import { canEnter, type PgUser, runAs } from './pg-user.ts'

/** The release that comes with this Rollcall; its data directory is not read by any other. */
export const PG_MAJOR = 18

/** UTF-8 whatever the host's own locale; the second for systems whose C library does not know the first. */
const LOCALES = ['C.UTF-8', 'en_US.UTF-8']

/**
 * A process whose working directory this is may use it under this name, also where it may not enter the directories
 * above: the kernel leads there without a path. So data that root keeps in its own home stay there.
 */
const BY_WORKING_DIRECTORY = '/proc/self/cwd'

/** Whether a home has an embedded database, of whatever version. */
export function hasData(home: string): boolean {
  return existsSync(home) && readdirSync(home).some((name) => /^pg\d+$/.test(name))
}

/** Refuses data of another PostgreSQL, in `pgNN` itself or beside it; touches nothing. */
export function refuseOtherVersions(dataDir: string): void {
  const found = Number(readVersion(dataDir) ?? PG_MAJOR)
  const beside = existsSync(dirname(dataDir)) ? readdirSync(dirname(dataDir)) : []
  const newest = Math.max(found, ...beside.map((name) => Number(/^pg(\d+)$/.exec(name)?.[1] ?? 0)))
  if (newest > PG_MAJOR) {
    throw new Refusal(
      `${dirname(dataDir)} was made by a newer Rollcall, with PostgreSQL ${newest} where this one has ${PG_MAJOR}: ` +
        'start the newer one, or set ROLLCALL_HOME to another directory. Nothing was changed',
    )
  }
  if (found !== PG_MAJOR)
    throw new Refusal(
      `${dataDir} holds data of PostgreSQL ${found}, and this Rollcall has ${PG_MAJOR}. Nothing was changed`,
    )
}

/** How a program that runs as `user` with `dataDir` as its working directory names it. */
export function nameFor(user: PgUser, dataDir: string): string {
  if (canEnter(user, dataDir)) return dataDir
  if (process.platform === 'linux') return BY_WORKING_DIRECTORY
  throw new Refusal(
    `PostgreSQL runs as ${user.name}, who can't enter ${dataDir}: set ROLLCALL_HOME to a directory that this user can reach, ` +
      'or start Rollcall as an ordinary user',
  )
}

/**
 * Makes the data directory with initdb, unless it is there. It is made beside its place and then moved, so that one
 * that was cut off half-way is never taken for a whole one.
 */
export function prepareDataDir(dataDir: string, { initdb }: Binaries, user: PgUser): void {
  if (readVersion(dataDir) !== undefined) {
    // As a copy or a restored backup may come out, PostgreSQL would refuse it.
    if ((statSync(dataDir).mode & 0o027) !== 0) chmodSync(dataDir, 0o700)
    return
  }
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new Refusal(
      `${dataDir} is no data directory of PostgreSQL, but is not empty: move it away, or set ROLLCALL_HOME`,
    )
  }
  let unfinished: string | undefined
  try {
    makeDirectory(dirname(dataDir), 0o711)
    removeUnfinished(dataDir)
    // Never the same name twice: an initdb whose parent was killed may still be writing under the one before.
    unfinished = mkdtempSync(`${dataDir}.new-`)
    if (user.ids) chownSync(unfinished, user.ids.uid, user.ids.gid)
    runInitdb(initdb, unfinished, user)
    renameSync(unfinished, dataDir)
  } catch (error) {
    if (unfinished !== undefined) rmSync(unfinished, { recursive: true, force: true })
    throw diskFailure(error, dirname(dataDir))
  }
}

function removeUnfinished(dataDir: string): void {
  const leftovers = readdirSync(dirname(dataDir)).filter((name) => name.startsWith(`${basename(dataDir)}.new-`))
  for (const name of leftovers) {
    try {
      rmSync(join(dirname(dataDir), name), { recursive: true, force: true })
    } catch {
      // Still being written to; the next first start finds it.
    }
  }
}

function runInitdb(initdb: string, directory: string, user: PgUser): void {
  let complaint = ''
  for (const locale of LOCALES) {
    const args = [
      '-D',
      nameFor(user, directory),
      '-U',
      'postgres',
      '--auth-local=trust',
      '--auth-host=reject',
      '--data-checksums',
    ]
    args.push('--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', `--locale=${locale}`)
    const { status, stderr, error } = runAs(user, initdb, args, directory)
    if (status === 0) return
    complaint = error?.message ?? stderr.trim()
    if (!complaint.includes('invalid locale')) break
  }
  const reason =
    diskReason(complaint, dirname(directory)) ?? `initdb could not make a database: ${complaint.split('\n')[0]}`
  throw new Refusal(reason)
}

function readVersion(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskFailure(error, dataDir)
  }
}

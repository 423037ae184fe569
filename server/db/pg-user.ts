import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { Refusal } from '../lib/refusal.ts'

/** An OS user that PostgreSQL runs as; undefined ids: the one that runs us. */
export interface PgUser {
  name: string
  ids: { uid: number; gid: number } | undefined
}

const KNOWN_NAMES = ['rollcall', 'postgres', '_postgres']

/** How a system user is made: on most of Linux, and with busybox. */
const MAKERS = [
  [
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    'rollcall',
  ],
  ['adduser', '-S', '-D', '-H', 'rollcall'],
] as const

/**
 * Who runs PostgreSQL, which refuses to run as root: we ourselves, or for root the owner of the data directory where
 * there is one, else a system user, made if need be.
 */
export function pgUser(dataDir: string): PgUser {
  if (process.getuid?.() !== 0) return { name: 'yourself', ids: undefined }
  const owner = statSync(dataDir, { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) return { name: `user ${owner.uid}`, ids: { uid: owner.uid, gid: owner.gid } }
  for (const name of KNOWN_NAMES) {
    const ids = lookUp(name)
    if (ids) return { name, ids }
  }
  for (const [program, ...args] of MAKERS) spawnSync(program, args)
  const ids = lookUp('rollcall')
  if (ids) return { name: 'rollcall', ids }
  throw new Refusal(
    'PostgreSQL does not run as root, and no user for it could be made: start Rollcall as an ordinary user, ' +
      'or make a system user named postgres',
  )
}

/** Runs a program to its end as that user, in a directory that everybody can enter unless another is given. */
export function runAs(user: PgUser, program: string, args: readonly string[], cwd = '/'): SpawnSyncReturns<string> {
  return spawnSync(program, args, {
    ...user.ids,
    cwd,
    env: PG_ENV,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Nothing of our own environment: its PGPORT, PGDATA or PGOPTIONS are about somebody else's server. */
export const PG_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' }

/** Whether that user can reach a directory: every directory above it must let them in. */
export function canEnter(user: PgUser, directory: string): boolean {
  return user.ids === undefined || runAs(user, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory]).status === 0
}

function lookUp(name: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((what) => {
    const { status, stdout } = spawnSync('id', [what, name], { encoding: 'utf8' })
    return status === 0 ? Number(stdout) : 0
  })
  return uid && gid ? { uid, gid } : undefined
}

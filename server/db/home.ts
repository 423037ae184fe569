import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../lib/refusal.ts'
import { type Keyring, newSecret, parseKeyring } from '../lib/secret.ts'
import { diskFailure, makeDirectory } from './disk.ts'

/** Makes Rollcall's directory. As root others may pass through it, as PostgreSQL then runs as another user. */
export function prepareHome(home: string): void {
  try {
    makeDirectory(home, process.getuid?.() === 0 ? 0o711 : 0o700)
  } catch (error) {
    throw diskFailure(error, home)
  }
}

export function hasSecret(home: string): boolean {
  return existsSync(join(home, 'secret'))
}

/** The keys kept in `home/secret`, made there on first use, readable by the owner alone. */
export function loadKeyring(home: string): Keyring {
  const path = join(home, 'secret')
  try {
    if (!existsSync(path)) makeSecret(home, path)
    return parseKeyring(readFileSync(path, 'utf8').trim())
  } catch (error) {
    const failure = diskFailure(error, path)
    throw failure === error
      ? new Refusal(`${path} is damaged: ${(error as Error).message}. Put it back from your backup`)
      : failure
  }
}

/**
 * Sees to it that `home/secret` has these keys: behind those that it has, which go on making what is new. Answers how to
 * put back what was there.
 */
export function addKeys(home: string, keyring: Keyring): () => void {
  const path = join(home, 'secret')
  prepareHome(home)
  const former = hasSecret(home) ? readFileSync(path, 'utf8') : undefined
  const known = former === undefined ? [] : loadKeyring(home)
  const missing = keyring.filter(({ id }) => !known.some((key) => key.id === id))
  if (missing.length === 0) return () => {}
  try {
    replaceSecret(home, path, `${[...known, ...missing].map(({ secret }) => secret).join(',')}\n`)
  } catch (error) {
    throw diskFailure(error, path)
  }
  return () => (former === undefined ? rmSync(path, { force: true }) : replaceSecret(home, path, former))
}

/** In one step, so that nobody ever reads half of it. */
function replaceSecret(home: string, path: string, text: string): void {
  const unfinished = `${path}.${process.pid}`
  rmSync(unfinished, { force: true })
  const file = openSync(unfinished, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
    giveToOwnerOf(home, unfinished)
    renameSync(unfinished, path)
  } finally {
    closeSync(file)
    rmSync(unfinished, { force: true })
  }
}

/** Writes the whole file under another name first: nobody ever reads half a key, and of two processes one wins. */
function makeSecret(home: string, path: string): void {
  const unfinished = `${path}.${process.pid}`
  rmSync(unfinished, { force: true })
  const file = openSync(unfinished, 'wx', 0o600)
  try {
    writeFileSync(file, `${newSecret()}\n`)
    fsyncSync(file)
    giveToOwnerOf(home, unfinished)
    linkSync(unfinished, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(file)
    rmSync(unfinished, { force: true })
  }
}

/** What root makes in the directory of another user must stay usable for that user. */
export function giveToOwnerOf(home: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(home)
  if (lstatSync(path).uid !== uid) chownSync(path, uid, gid)
}

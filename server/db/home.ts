import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
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

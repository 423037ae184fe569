import { createReadStream, createWriteStream, existsSync, rmSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Refusal } from '../lib/refusal.ts'

/** Stands for stdin and stdout. */
const PIPE = '-'

/**
 * Gives `work` a place for the bytes of an archive: stdout, or a file, readable by its owner alone, which is there under its
 * name once it is whole. Throws a Refusal for a file that is there already, and for a disk that does not take it.
 */
export async function toArchive<T>(
  path: string,
  work: (take: (bytes: Readable) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (path === PIPE) {
    if (process.stdout.isTTY)
      throw new Refusal('an archive is not for a terminal: name a file, or lead stdout into one')
    return work((bytes) => pipeline(bytes, process.stdout, { end: false }))
  }
  if (existsSync(path)) throw new Refusal(`${path} is there already: choose another name`)
  if (!existsSync(dirname(path))) throw new Refusal(`the directory of ${path} is not there: make it first`)
  const unfinished = `${path}.unfinished`
  const clear = () => rmSync(unfinished, { force: true })
  let isOurs = false
  const onExit = () => isOurs && clear()
  process.once('exit', onExit) // a signal may end us in the middle
  try {
    const result = await work(async (bytes) => {
      const file = createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: true })
      file.once('open', () => {
        isOurs = true
      })
      await pipeline(bytes, file)
    })
    await rename(unfinished, path)
    await syncDirectory(dirname(path))
    return result
  } catch (error) {
    if (isOurs) await rm(unfinished, { force: true }).catch(() => {})
    throw placeFailure(error, path)
  } finally {
    process.off('exit', onExit)
  }
}

/** The bytes of an archive, from stdin or a file. */
export async function* fromArchive(path: string): AsyncGenerator<Buffer> {
  if (path === PIPE) {
    if (process.stdin.isTTY)
      throw new Refusal('an archive does not come from a terminal: name a file, or lead one into stdin')
    yield* process.stdin
    return
  }
  try {
    yield* createReadStream(path, { highWaterMark: 2 ** 20 })
  } catch (error) {
    throw placeFailure(error, path)
  }
}

/** What messages call it. */
export const nameOfArchive = (path: string) => (path === PIPE ? 'what comes from stdin' : path)

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const REASONS: Record<string, (path: string) => string> = {
  ENOENT: (path) => `${path} is not there`,
  EISDIR: (path) => `${path} is a directory: name a file`,
  ENOTDIR: (path) => `${path} can't be, as a file stands in the way of its directory`,
  EEXIST: (path) =>
    `${path}.unfinished is there already: another backup writes it, or was killed while it did; then remove it`,
  EACCES: (path) => `${path} may not be used by this user`,
  EROFS: (path) => `${path} is on a read-only disk`,
  ENOSPC: (path) => `the disk is full on which ${path} is: free some space, then try again`,
  EDQUOT: (path) => `the disk is full on which ${path} is: free some space, then try again`,
}

function placeFailure(error: unknown, path: string): unknown {
  const { code, path: failed } = error as NodeJS.ErrnoException
  // Others than those of this file have their own words.
  const isOfFile = failed === undefined || failed.startsWith(path)
  const reason = isOfFile && code !== undefined ? REASONS[code] : undefined
  return reason ? new Refusal(reason(path), { cause: error }) : error
}

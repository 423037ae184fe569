import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeDirectory } from '../db/disk.ts'
import { giveToOwnerOf, prepareHome } from '../db/home.ts'
import { AppError, notFound } from '../lib/app-error.ts'
import { checkKey, type FileStore, LEFTOVER_MS, Meter } from './store.ts'

/** Inside the store's directory; no key begins with a dot. */
const UNFINISHED = '.unfinished'

/** Files in `home/files`, which is made by the first write: a service that keeps none needs no disk. */
export function diskStore(home: string): FileStore {
  const root = join(home, 'files')
  const place = (key: string) => {
    checkKey(key)
    return join(root, key)
  }

  function make(directory: string): void {
    if (existsSync(directory)) return
    if (directory === root) prepareHome(home)
    else make(dirname(directory))
    makeDirectory(directory, 0o700)
    giveToOwnerOf(home, directory)
  }

  return {
    async write(key, source, { mostBytes, signal } = {}) {
      const path = place(key)
      const unfinished = join(root, UNFINISHED, randomUUID())
      const meter = new Meter(mostBytes)
      try {
        make(dirname(unfinished))
        make(dirname(path))
        const file = createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: true })
        await pipeline(source, meter, file, { ...(signal && { signal }) })
        giveToOwnerOf(home, unfinished)
        await rename(unfinished, path)
        await syncDirectory(dirname(path))
        return meter.bytes
      } catch (error) {
        source.destroy()
        await rm(unfinished, { force: true }).catch(() => {})
        throw storeFailure(error)
      }
    },

    async read(key, range) {
      const path = place(key)
      try {
        const file = await open(path, 'r')
        return createReadStream(path, { fd: file, ...range })
      } catch (error) {
        throw isMissing(error) ? notFound() : storeFailure(error)
      }
    },

    async size(key) {
      try {
        return (await stat(place(key))).size
      } catch (error) {
        if (isMissing(error)) return null
        throw storeFailure(error)
      }
    },

    async list(folder) {
      try {
        const names = await readdir(place(folder), { withFileTypes: true })
        return names.filter((entry) => entry.isFile()).map(({ name }) => `${folder}/${name}`)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return []
        throw storeFailure(error)
      }
    },

    remove: (key) => removeFrom(place(key)),
    removeAll: (folder) => removeFrom(place(folder)),

    async sweep() {
      const directory = join(root, UNFINISHED)
      const names = await readdir(directory).catch(() => [])
      for (const path of names.map((name) => join(directory, name))) {
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
        if (mtimeMs < Date.now() - LEFTOVER_MS) await removeFrom(path)
      }
    },
  }
}

async function removeFrom(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    throw storeFailure(error)
  }
}

/** A file's name outlives a loss of power only once its directory is on disk too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const isMissing = (error: unknown) => ['ENOENT', 'EISDIR'].includes(codeOf(error))

const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException | null)?.code ?? '')

const REASONS: { codes: string[]; message: string }[] = [
  { codes: ['ENOSPC', 'EDQUOT'], message: 'The disk that files are kept on is full: free some space, then try again' },
  { codes: ['EROFS'], message: 'The disk that files are kept on is read-only: make it writable, then try again' },
  {
    codes: ['EACCES', 'EPERM'],
    message: 'The directory that files are kept in belongs to another user: give it to the one that runs Rollcall',
  },
]

/** What is wrong with the disk, in words that may be shown to a caller: without a path. */
function storeFailure(error: unknown): unknown {
  // What an error of `db/home.ts` says is for the one who starts the program; its cause has the code.
  const codes = [codeOf(error), codeOf((error as Error | null)?.cause)]
  const reason = REASONS.find((known) => known.codes.some((code) => codes.includes(code)))
  return reason ? new AppError('unavailable', reason.message, undefined, error) : error
}

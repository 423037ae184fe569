import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diskFailure } from './disk.ts'
import { giveToOwnerOf } from './home.ts'
import { identify } from './process.ts'

/**
 * Who owns the embedded server of a home: the file `owner.N.json` with the highest N. To take over from an owner that
 * died is to create N+1, which the file system lets only one process do; a single file that is removed and made anew
 * could be removed by a second process just when the first has made it. The last file stays after a stop.
 */
export interface Owner {
  pid: number
  /** See `identify`: a pid is soon given to another process. */
  startedAs: string
  /** What was asked for: `start`, or a command that needs the database for a moment. */
  command: string
  since: string
  state: 'starting' | 'running' | 'stopping' | 'stopped'
  /** Where the server listens, while it runs. */
  socketDir?: string
  postmasterPid?: number
}

export interface Claim {
  /** Tells the other processes how far we are. */
  update(change: Partial<Pick<Owner, 'state' | 'socketDir' | 'postmasterPid'>>): void
  /** Gives the home free; the process lives on. */
  release(): void
}

const NAME = /^owner\.(\d+)\.json$/

/** A file this young may not have its content yet. */
const UNWRITTEN_MS = 2000

/** The living owner; undefined when there is none. */
export function readOwner(home: string): Owner | undefined {
  const newest = newestFile(home)
  return newest === 0 ? undefined : livingOwner(home, newest)
}

/** Makes this process the owner, unless another one is, which is then answered instead. */
export function claimHome(home: string, command: string): { claim: Claim } | { heldBy: Owner } {
  for (;;) {
    const newest = newestFile(home)
    const owner = newest === 0 ? undefined : livingOwner(home, newest)
    if (owner) return { heldBy: owner }
    const mine: Owner = {
      pid: process.pid,
      startedAs: identify(process.pid)!,
      command,
      since: new Date().toISOString(),
      state: 'starting',
    }
    if (!createFile(home, newest + 1, mine)) continue
    // The number may have been used and given up in between, by one whom another has followed since.
    if (newestFile(home) === newest + 1) return { claim: claimOf(home, newest + 1, mine) }
    rmSync(pathOf(home, newest + 1), { force: true })
  }
}

function claimOf(home: string, number: number, mine: Owner): Claim {
  for (let older = number - 1; older > 0; older--) {
    if (statSync(pathOf(home, older), { throwIfNoEntry: false }) === undefined) break
    rmSync(pathOf(home, older), { force: true })
  }
  let now = mine
  const update: Claim['update'] = (change) => {
    now = { ...now, ...change }
    const path = pathOf(home, number)
    writeFileSync(`${path}.new`, text(now))
    giveToOwnerOf(home, `${path}.new`)
    renameSync(`${path}.new`, path)
  }
  return {
    update: (change) => {
      try {
        update(change)
      } catch (error) {
        throw diskFailure(error, home)
      }
    },
    release: () => {
      try {
        update({ state: 'stopped' })
      } catch {
        // On a full disk the old content stays, and with it a pid that is soon seen to be dead.
      }
    },
  }
}

/** False when the file is there already. */
function createFile(home: string, number: number, owner: Owner): boolean {
  const path = pathOf(home, number)
  try {
    writeFileSync(path, text(owner), { flag: 'wx', mode: 0o644 })
    giveToOwnerOf(home, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    // A full disk may have taken the name but not the content.
    if (/ENOSPC|EDQUOT/.test((error as NodeJS.ErrnoException).code ?? '')) rmSync(path, { force: true })
    throw diskFailure(error, home)
  }
}

function livingOwner(home: string, number: number): Owner | undefined {
  const path = pathOf(home, number)
  for (;;) {
    try {
      const owner: Owner = JSON.parse(readFileSync(path, 'utf8'))
      return owner.state !== 'stopped' && identify(owner.pid) === owner.startedAs ? owner : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      if (!(error instanceof SyntaxError)) throw diskFailure(error, home)
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
      if (age > UNWRITTEN_MS || age < -UNWRITTEN_MS) return undefined
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

function newestFile(home: string): number {
  try {
    return Math.max(0, ...readdirSync(home).map((name) => Number(NAME.exec(name)?.[1] ?? 0)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw diskFailure(error, home)
  }
}

const pathOf = (home: string, number: number) => join(home, `owner.${number}.json`)
const text = (owner: Owner) => `${JSON.stringify(owner, null, 2)}\n`

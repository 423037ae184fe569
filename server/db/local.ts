import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../lib/refusal.ts'
import { PG_MAJOR, refuseOtherVersions } from './data-dir.ts'
import { type Embedded, type ServerLog, socketUrl, startEmbedded } from './embedded.ts'
import { prepareHome } from './home.ts'
import { stopOrphan } from './orphan.ts'
import { type Claim, claimHome, type Owner, readOwner } from './owner.ts'

export interface LocalOptions {
  /** Rollcall's directory, absolute. */
  home: string
  /** `start`, or the command that needs the database for a moment. */
  command: string
  log: ServerLog
  signal?: AbortSignal
  /** Called once the home is ours, before anything is started in it. */
  onClaimed?: () => Promise<void>
}

/** A server that this process owns and must stop, or one that it only connects to. */
export type Local =
  | { url: string; embedded: Embedded; stop(timeoutMs?: number): Promise<void> }
  | { url: string; embedded?: never }

const POLL_MS = 50
/** How long a command, or the end of a stop, may take that we wait for. */
const BRIEF_MS = 30_000
/** How long another process's start may take: PostgreSQL may have to recover first. */
const STARTING_MS = 120_000

/** Starts the embedded server of a home and owns it. Throws a Refusal that names the process when another one does. */
export async function startLocal(options: LocalOptions): Promise<Local & { embedded: Embedded }> {
  return own(options, await claimWhenFree(options))
}

/** The embedded server of a home: the running one where `rollcall start` runs, else one that is ours until we stop it. */
export async function reachLocal(options: LocalOptions): Promise<Local> {
  const deadline = Date.now() + STARTING_MS
  for (;;) {
    refuseOtherVersions(join(options.home, `pg${PG_MAJOR}`))
    const owner = readOwner(options.home)
    if (owner?.command !== 'start') return startLocal(options)
    if (owner.state === 'running') return { url: runningUrl(owner) }
    if (Date.now() > deadline)
      throw new Refusal(`${describe(owner)} has been ${owner.state} for too long: see what it waits for`)
    await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : {})
  }
}

/** "process 4711, running since 2026-01-31 10:00 UTC" */
function describe({ pid, since, command }: Owner): string {
  return `process ${pid} (rollcall ${command}, since ${since.slice(0, 16).replace('T', ' ')} UTC)`
}

function runningUrl(owner: Owner): string {
  if (owner.socketDir !== undefined && existsSync(owner.socketDir)) return socketUrl(owner.socketDir)
  throw new Refusal(
    `${describe(owner)} owns the database, but its socket in ${owner.socketDir} can't be reached from here: run this where it runs`,
  )
}

async function claimWhenFree({ home, command, signal }: LocalOptions): Promise<Claim> {
  refuseOtherVersions(join(home, `pg${PG_MAJOR}`)) // before the first write, so that it leaves no trace
  prepareHome(home)
  const deadline = Date.now() + BRIEF_MS
  for (;;) {
    const taken = claimHome(home, command)
    if ('claim' in taken) return taken.claim
    const { heldBy } = taken
    const passes = heldBy.command !== 'start' || heldBy.state === 'stopping'
    if (!passes || Date.now() > deadline) {
      throw new Refusal(
        `Rollcall already runs in ${home}: ${describe(heldBy)}. Stop it first, or set another ROLLCALL_HOME and PORT`,
      )
    }
    await sleep(POLL_MS, undefined, signal ? { signal } : {})
  }
}

async function own({ home, log, onClaimed }: LocalOptions, claim: Claim): Promise<Local & { embedded: Embedded }> {
  const dataDir = join(home, `pg${PG_MAJOR}`)
  let embedded: Embedded | undefined
  try {
    await onClaimed?.()
    embedded = await startAlone(dataDir, log)
    claim.update({ state: 'running', socketDir: embedded.socketDir, postmasterPid: embedded.pid })
  } catch (error) {
    await embedded?.stop()
    claim.release()
    throw error
  }
  const started = embedded
  return {
    url: started.url,
    embedded: started,
    async stop(timeoutMs) {
      tryUpdate(claim)
      await started.stop(timeoutMs)
      claim.release()
    },
  }
}

/** Starts the server once nothing else runs on the data: neither an orphan nor what is left of one that was killed. */
async function startAlone(dataDir: string, log: ServerLog): Promise<Embedded> {
  for (let tries = 1; ; tries++) {
    if (existsSync(dataDir)) await stopOrphan(dataDir, log)
    try {
      return await startEmbedded({ dataDir, log })
    } catch (error) {
      // An orphan that had just begun to start, or sessions that have not noticed yet that their server is gone.
      const passes = /postmaster\.pid|shared memory block/.test((error as Error).message)
      if (!passes || tries === 20) throw error
      await sleep(250)
    }
  }
}

function tryUpdate(claim: Claim): void {
  try {
    claim.update({ state: 'stopping' })
  } catch {
    // A full disk must not keep us from stopping.
  }
}

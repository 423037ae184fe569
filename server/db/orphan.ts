import { readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../lib/refusal.ts'
import { clusterName, PORT, type ServerLog } from './embedded.ts'
import { commandLine, identify } from './process.ts'

/** After so long a shutdown with a checkpoint gives way to one without: the next start recovers instead. */
const PATIENCE_MS = 60_000
const POLL_MS = 50

const SOCKET_FILES = [`.s.PGSQL.${PORT}`, `.s.PGSQL.${PORT}.lock`]

/**
 * Stops the PostgreSQL that was left running on a data directory by an owner that is dead. Only for the directory's
 * new owner. Removes a pid file that names some other process, over which PostgreSQL itself would refuse to start.
 */
export async function stopOrphan(dataDir: string, log: ServerLog): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid')
  const lines = readLines(pidFile)
  const pid = Number(lines[0])
  const process = identify(pid)
  if (process === undefined) {
    removeSocketDir(lines[4] ?? '') // the pid file itself is left to PostgreSQL, which sees that it is stale
    return
  }
  const command = commandLine(pid)
  if (!isServerOf(command, dataDir)) {
    // A server that was started by hand must not be ended, nor have its file taken away: PostgreSQL will refuse.
    if (!command.includes('postgres') || /cluster_name=rollcall-|postgres: rollcall-/.test(command))
      rmSync(pidFile, { force: true })
    return
  }
  log.warn(`stopping PostgreSQL, process ${pid}, which outlived the Rollcall that had started it`)
  await stopProcess(pid, process)
  removeSocketDir(lines[4] ?? '')
}

function isServerOf(command: string, dataDir: string): boolean {
  return command.includes(`cluster_name=${clusterName(dataDir)} `)
}

async function stopProcess(pid: number, started: string): Promise<void> {
  send(pid, 'SIGINT')
  for (let waitedMs = 0; identify(pid) === started; waitedMs += POLL_MS) {
    if (waitedMs === PATIENCE_MS) send(pid, 'SIGQUIT')
    await sleep(POLL_MS)
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    throw new Refusal(
      `PostgreSQL, process ${pid}, was left running by another user: stop it, or start Rollcall as that user`,
    )
  }
}

/** What the dead owner would have removed: a directory of a name that we give, with nothing but the socket in it. */
function removeSocketDir(directory: string): void {
  if (!/\/rollcall-\w{6}$/.test(directory)) return
  try {
    for (const name of SOCKET_FILES) rmSync(join(directory, name), { force: true })
    rmdirSync(directory)
  } catch {
    // Gone, or not empty and so not only ours.
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

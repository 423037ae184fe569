import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * What tells the process with this pid from every other that ever had or will have it: the moment it started, and on
 * Linux the boot. Undefined when no such process lives.
 */
export function identify(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  return process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid)
}

/** The command line, its arguments parted by spaces; '' when no such process lives or it does not say. */
export function commandLine(pid: number): string {
  if (process.platform !== 'linux') return ps(pid, 'command=')
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function identifyByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, second of the fields, is in parentheses and may hold any character; the third is the state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, startedTicks] = [fields[0], fields[19]]
    if (state === 'Z' || state === 'X') return undefined // it has ended, and only waits to be noticed
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startedTicks}`
  } catch {
    return undefined
  }
}

function identifyByPs(pid: number): string | undefined {
  const [state, ...started] = ps(pid, 'stat=,lstart=').split(/\s+/)
  return !state || state.startsWith('Z') ? undefined : started.join(' ')
}

function ps(pid: number, columns: string): string {
  const { stdout } = spawnSync('ps', ['-ww', '-o', columns, '-p', String(pid)], { encoding: 'utf8' })
  return (stdout ?? '').trim()
}

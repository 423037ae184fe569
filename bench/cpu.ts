import { readdirSync, readFileSync } from 'node:fs'

/** What the clock of `/proc` counts in on every Linux. */
const TICKS_PER_SECOND = 100

/** CPU time that a process has used so far, with that of its children if asked; NaN where there is no `/proc`. */
export function cpuSeconds(pid: number, which?: 'with children'): number {
  if (process.platform !== 'linux') return Number.NaN
  const own = timesOf(pid)
  if (!own || !which) return own?.own ?? Number.NaN
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => timesOf(Number(name)))
  const living = children.reduce((sum, times) => sum + (times?.parent === pid ? times.own : 0), 0)
  return own.own + own.endedChildren + living
}

/** undefined when the process has ended. */
function timesOf(pid: number): { parent: number; own: number; endedChildren: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, second of the fields, is in parentheses and may hold any character.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const seconds = (at: number) => (fields[at]! + fields[at + 1]!) / TICKS_PER_SECOND
    return { parent: fields[1]!, own: seconds(11), endedChildren: seconds(13) }
  } catch {
    return undefined
  }
}

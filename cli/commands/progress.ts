const WIDTH = 24

/** `[█████░░░]  42 %` of a share from 0 to 1. */
export function bar(share: number): string {
  const part = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 1))
  const full = Math.round(part * WIDTH)
  return `[${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}] ${String(Math.floor(part * 100)).padStart(3)} %`
}

/** How much a second something moves, over the last few seconds. */
export class Rate {
  readonly #now: () => number
  #marks: { at: number; count: number }[] = []

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Notes how far it is now; answers how much a second that is. */
  at(count: number): number {
    const at = this.#now()
    this.#marks.push({ at, count })
    while (this.#marks.length > 2 && at - this.#marks[0]!.at > 5000) this.#marks.shift()
    const first = this.#marks[0]!
    return at === first.at ? 0 : ((count - first.count) / (at - first.at)) * 1000
  }
}

/** `1.5 MB`, of bytes. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** One line of the table of results. */
export interface Figure {
  what: string
  measured: string
  /** What the floor did; '' where there is none. */
  floor: string
  ratio: string
  /** '' where none is set. */
  target: string
  met: boolean | undefined
}

export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, measured, floor, ratio, target, met }) =>
    row([what, measured, floor || '—', ratio || '—', target || '—', verdict(met)]),
  )
  return [row(['what', 'measured', 'floor', 'ratio', 'target', 'met']), row(Array(6).fill('---')), ...rows].join('\n')
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return '—'
  return met ? 'yes' : '**no**'
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Says on stderr how far a benchmark has come: stdout is for its results. */
export function progress(message: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${message}\n`)
}

/** Three digits are what repeated runs have in common. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const rounded = Number(value.toPrecision(3))
  return rounded >= 1000 ? rounded.toLocaleString('en') : String(rounded)
}

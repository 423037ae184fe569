import { once } from 'node:events'
import type { Surroundings } from './surroundings.ts'
import { Columns, table } from './table.ts'
import { printable, printableJson, printableLines, shortened } from './text.ts'

/** A column of a table: its name, and what a row shows there. */
export type Column<Row> = readonly [name: string, cell: (row: Row) => unknown]

/** Rows looked at before the first is written, for the widths of the columns. */
const LOOKED_AT = 200

/** How often progress is drawn anew: more often nobody sees. */
const REDRAWN_MS = 100

const COLORS = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const

/** Whoever reads our output has had enough of it: `rollcall contacts find | head`. */
export class ReaderGone extends Error {}

/** What a command says: results to stdout, as JSON or for people, and all else to stderr. */
export class Output {
  readonly isJson: boolean
  /** Whether stderr is a terminal that can show how far something is. */
  readonly isLive: boolean
  readonly #out: Surroundings['stdout']
  readonly #err: Surroundings['stderr']
  readonly #hasColor: boolean
  #isGone = false
  #shown = false
  #shownAt = 0

  constructor({ stdout, stderr, env }: Surroundings, isJson: boolean) {
    this.isJson = isJson
    this.#out = stdout
    this.#err = stderr
    this.isLive = stderr.isTTY === true && env.TERM !== 'dumb'
    this.#hasColor = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
    stdout.on('error', () => {
      this.#isGone = true
    })
  }

  get isTerminal(): boolean {
    return this.#out.isTTY === true
  }

  /** Writes as it is; waits while the reader is slow. Throws ReaderGone when there is none any more. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.#isGone || this.#out.destroyed) throw new ReaderGone()
    if (this.#out.write(text)) return
    await once(this.#out, 'drain').catch(() => {})
    if (this.#isGone) throw new ReaderGone()
  }

  /** A file, as it comes; what a terminal would act on is made harmless there. */
  async file(chunks: AsyncIterable<Uint8Array> | null): Promise<void> {
    const text = new TextDecoder()
    for await (const chunk of chunks ?? [])
      await this.write(this.isTerminal ? printableLines(text.decode(chunk, { stream: true })) : chunk)
  }

  /** A line for people; not in JSON, where the result says all. */
  async say(text: string): Promise<void> {
    if (!this.isJson) await this.write(`${printable(text)}\n`)
  }

  /** A remark that is no result. One that is not awaited gets lost by nobody: stderr is small. */
  note(text: string): void {
    this.clear()
    this.#err.write(`${printable(text)}\n`)
  }

  /** Shows how far something is, over what was shown before; only on a terminal. */
  progress(text: string): void {
    if (!this.isLive || (this.#shown && performance.now() - this.#shownAt < REDRAWN_MS)) return
    this.#shownAt = performance.now()
    this.#err.write(`\r\u001b[2K${shortened(printable(text), (this.#err.columns ?? 80) - 1)}`)
    this.#shown = true
  }

  /** Takes what `progress` has shown away. */
  clear(): void {
    if (this.#shown) this.#err.write('\r\u001b[2K')
    this.#shown = false
  }

  /** One thing: as JSON, or as names and values. */
  async one(value: object, shown: readonly (readonly [string, unknown])[] = Object.entries(value)): Promise<void> {
    if (this.isJson) return this.json(value)
    await this.write(
      table(
        shown.map(([name, part]) => [name, told(part)]),
        Number.POSITIVE_INFINITY,
      ),
    )
  }

  async json(value: unknown): Promise<void> {
    await this.write(`${printableJson(value, 2)}\n`)
  }

  /** One thing of many whose end nobody knows: a line of JSON, or a line for people. */
  async line(value: unknown, text: () => string): Promise<void> {
    await this.write(this.isJson ? `${printableJson(value)}\n` : `${printable(text())}\n`)
  }

  /** Many things, written as they come: a JSON array with one of them a line, or a table. */
  async rows<Row>(
    rows: Iterable<Row> | AsyncIterable<Row>,
    columns: readonly Column<Row>[],
    whenNone = 'There are none.',
  ): Promise<number> {
    if (this.isJson) return this.#array(rows)
    let count = 0
    let head: Row[] | undefined = []
    let layout: Columns | undefined
    const cells = (row: Row) => columns.map(([, cell]) => told(cell(row)))
    const begin = async () => {
      const first = [columns.map(([name]) => name), ...head!.map(cells)]
      layout = new Columns(first)
      await this.write(this.color('bold', layout.lines([first[0]!]).trimEnd()) + '\n' + layout.lines(first.slice(1)))
      head = undefined
    }
    for await (const row of rows) {
      count++
      if (head) {
        head.push(row)
        if (head.length === LOOKED_AT) await begin()
      } else await this.write(layout!.lines([cells(row)]))
    }
    if (head && count > 0) await begin()
    if (count === 0) await this.write(`${whenNone}\n`)
    return count
  }

  async #array<Row>(rows: Iterable<Row> | AsyncIterable<Row>): Promise<number> {
    let count = 0
    for await (const row of rows) await this.write(`${count++ === 0 ? '[\n' : ',\n'}${printableJson(row)}`)
    await this.write(count === 0 ? '[]\n' : '\n]\n')
    return count
  }

  color(name: keyof typeof COLORS, text: string): string {
    return this.#hasColor ? `\u001b[${COLORS[name]}m${text}\u001b[0m` : text
  }
}

/** A value as a person reads it in a cell. */
export function told(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (value === true) return 'yes'
  if (value === false) return 'no'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(told).join(', ')
  if (typeof value === 'object') return JSON.stringify(value)
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value)) return moment(value)
  return String(value)
}

/** `2026-01-31 10:00` in UTC, of an ISO text or milliseconds since the epoch. */
export function moment(value: string | number | Date | null): string {
  if (value === null) return '-'
  return new Date(value).toISOString().slice(0, 16).replace('T', ' ')
}

/** `12,345` */
export function number(value: number): string {
  return value.toLocaleString('en')
}

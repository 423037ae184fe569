import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { importHeld, Stopped } from './imports.ts'

/** Bytes gathered before they are handed on. */
const CHUNK = 64 * 1024

export type CopyValue = string | number | null

/**
 * Rows on their way into a table by COPY, on a connection and in a transaction of their own, as a stream can't share one
 * with statements.
 */
export class CopyWriter {
  readonly #client: pg.Client
  readonly #stream: ReturnType<typeof copyFrom>
  /** Rejected by whatever ends the COPY before its time. */
  readonly #broken: Promise<never>
  #text = ''

  private constructor(client: pg.Client, stream: ReturnType<typeof copyFrom>) {
    this.#client = client
    this.#stream = stream
    this.#broken = new Promise((_, reject) => {
      stream.on('error', reject)
      client.on('error', reject)
    })
    this.#broken.catch(() => {}) // told by the next act
  }

  /** @param target `table (column, …)`: from code, never from a request. */
  static async open(url: string, target: string): Promise<CopyWriter> {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {}) // reported by the statement that fails
    await client.connect()
    await client.query('begin')
    return new CopyWriter(client, client.query(copyFrom(`copy ${target} from stdin`)))
  }

  /** Takes rows; waits while PostgreSQL is behind. Throws what has ended the COPY. */
  async write(rows: readonly (readonly CopyValue[])[]): Promise<void> {
    for (const row of rows) {
      let line = ''
      for (let at = 0; at < row.length; at++) line += (at === 0 ? '' : '\t') + escaped(row[at]!)
      this.#text += `${line}\n`
      if (this.#text.length >= CHUNK) await this.#flush()
    }
  }

  /** Ends the COPY, at which its rows are there if this run is still the import's. Throws Stopped, and what has ended it before. */
  async finish({
    accountId,
    importId,
    runner,
  }: {
    accountId: number
    importId: number
    runner: string
  }): Promise<void> {
    try {
      await this.#flush()
      const finished = new Promise<void>((resolve) => this.#stream.once('finish', resolve))
      this.#stream.end()
      await Promise.race([finished, this.#broken])
      const { text, values } = importHeld(accountId, importId, runner)
      if ((await this.#client.query(text, values)).rowCount === 0) throw new Stopped()
      await this.#client.query('commit')
    } finally {
      await this.#client.end().catch(() => {})
    }
  }

  /** Gives the rows up: none of them will be there. */
  async abandon(): Promise<void> {
    this.#stream.destroy()
    await this.#client.end().catch(() => {})
  }

  async #flush(): Promise<void> {
    const text = this.#text
    if (text === '') return
    this.#text = ''
    const written = new Promise<void>((resolve, reject) =>
      this.#stream.write(text, (error) => (error ? reject(error) : resolve())),
    )
    await Promise.race([written, this.#broken])
  }
}

const SPECIAL = /[\\\t\n\r]/

function escaped(value: CopyValue): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  if (!SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

/** An array of texts as PostgreSQL reads one. */
export function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`
}

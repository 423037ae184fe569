import { once } from 'node:events'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** Bytes gathered before they are handed on. */
const CHUNK = 64 * 1024

export type CopyValue = string | number | null

/** Rows on their way into a table by COPY, on a connection of their own, as a stream can't share one with statements. */
export class CopyWriter {
  readonly #client: pg.Client
  readonly #stream: ReturnType<typeof copyFrom>
  #text = ''
  #failure: Error | undefined

  private constructor(client: pg.Client, stream: ReturnType<typeof copyFrom>) {
    this.#client = client
    this.#stream = stream
    const fail = (error: Error) => {
      this.#failure ??= error
    }
    stream.on('error', fail)
    client.on('error', fail)
  }

  /** @param target `table (column, …)`: from code, never from a request. */
  static async open(url: string, target: string): Promise<CopyWriter> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
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

  /** Ends the COPY, at which its rows are there. Throws what has ended it before. */
  async finish(): Promise<void> {
    try {
      await this.#flush()
      this.#stream.end()
      if (!this.#stream.writableFinished) await once(this.#stream, 'finish')
      if (this.#failure) throw this.#failure
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
    if (this.#failure) throw this.#failure
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    if (!this.#stream.write(text)) await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'close')])
    if (this.#failure) throw this.#failure
  }
}

const SPECIAL = /[\\\t\n\r]/

function escaped(value: CopyValue): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  if (!SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

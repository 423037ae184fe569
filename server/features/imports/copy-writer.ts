import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { CopyBatch } from './copy-batch.ts'
import { importHeld, Stopped } from './imports.ts'

/** Bytes handed on at once. */
const CHUNK = 64 * 1024

/** Bytes of rows that are put in order before they are handed on: 20,000 rows of nine columns. Of each writer two batches are held at most. */
const BATCH = 4 * 1024 * 1024

/** A row as `rowText` has it, and by what it is put in order: one key for all leaves them as they come. */
export interface CopyRow {
  key: string
  text: string
}

/**
 * Rows on their way into a table by COPY, on a connection and in a transaction of their own, as a stream can't share one
 * with statements. Each batch goes in the order of its keys, while the next is gathered: neighbours in an index of the keys are
 * then neighbours in the table, whatever order they come in.
 */
export class CopyWriter {
  readonly #client: pg.Client
  readonly #stream: ReturnType<typeof copyFrom>
  /** Rejected by whatever ends the COPY before its time. */
  readonly #broken: Promise<never>
  #batch: CopyBatch | undefined
  #sending: Promise<void> = Promise.resolve()

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

  /** Takes rows; waits while PostgreSQL is behind by more than a batch. Throws what has ended the COPY. */
  async write(rows: readonly CopyRow[]): Promise<void> {
    for (const { key, text } of rows) {
      this.#batch ??= new CopyBatch(BATCH)
      if (this.#batch.add(key, text)) continue
      await this.#send()
      this.#batch = new CopyBatch(BATCH)
      this.#batch.add(key, text)
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
      await this.#send()
      await this.#sending
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

  /** Begins to hand a batch on, once the one before it has gone. */
  async #send(): Promise<void> {
    await this.#sending
    const batch = this.#batch
    this.#batch = undefined
    if (!batch) return
    this.#sending = this.#sendAll(batch)
    this.#sending.catch(() => {}) // told by the next act
  }

  async #sendAll(batch: CopyBatch): Promise<void> {
    for (const piece of batch.inOrder(CHUNK)) {
      const written = new Promise<void>((resolve, reject) =>
        this.#stream.write(piece, (error) => (error ? reject(error) : resolve())),
      )
      await Promise.race([this.#broken, written]) // in this order: what broke it is the reason
    }
  }
}

const SPECIAL = /[\\\t\n\r]/

/** A row as COPY reads it. */
export function rowText(values: readonly (string | number | null)[]): string {
  return `${values.map((value) => (typeof value === 'number' ? value : copyText(value))).join('\t')}\n`
}

/** A value within such a row. */
export function copyText(value: string | null): string {
  if (value === null) return '\\N'
  if (!SPECIAL.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

/** An array of texts as PostgreSQL reads one. */
export function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`
}

import type { Readable } from 'node:stream'
import pg from 'pg'
import { to } from 'pg-copy-streams'
import type { Sql } from 'sql-template-tag'
import sql from 'sql-template-tag'
import type { Database, Queryable, Statement } from '../../db/database.ts'

/** Below so many, each contact's lists are looked up by themselves. */
const FEW = 20_000

/**
 * One consistent view of the database, on a connection of its own: a stream of rows can't share one with statements that
 * travel together. While it is open, PostgreSQL keeps what others delete; so it ends by itself after `mostMs`.
 */
export class Snapshot implements Queryable {
  readonly #client: pg.Client
  readonly #db: Database
  #pid = 0
  #rows: (Readable & { rowCount: number }) | undefined
  #failure: Error | undefined
  readonly #closed = new AbortController()

  private constructor(db: Database, client: pg.Client) {
    this.#db = db
    this.#client = client
    client.on('error', (error) => {
      this.#failure ??= error
    })
  }

  /** @param signal Ends it at once, also in the middle of a statement. */
  static async open(db: Database, mostMs: number, signal: AbortSignal): Promise<Snapshot> {
    const client = new pg.Client({ connectionString: db.url, types: db.pool.options.types })
    const snapshot = new Snapshot(db, client)
    try {
      await client.connect()
      await client.query('begin isolation level repeatable read')
      // Node may hang, and a store may take nothing more: PostgreSQL then ends it, be it in a statement or between two.
      const { rows } = await client.query(
        `select pg_backend_pid() as pid, set_config('timezone', 'UTC', true), set_config('jit', 'off', true),
          set_config('statement_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true)`,
        [String(Math.ceil(mostMs))],
      )
      snapshot.#pid = rows[0].pid
      signal.addEventListener('abort', () => snapshot.#cut(), { signal: snapshot.#closed.signal })
      return snapshot
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  async query<Row>({ text, values }: Statement): Promise<Row[]> {
    return (await this.#client.query<Row & pg.QueryResultRow>(text, values)).rows
  }

  /** Puts the ids of these contacts into the temporary table `chosen`; answers how many there are. */
  async choose(accountId: number, filter: Sql): Promise<number> {
    const { text, values } = sql`
      create temporary table chosen on commit drop as
      select c.id from contacts as c where c.account_id = ${accountId} and ${filter}`
    const { rowCount } = await this.#client.query(text, values)
    await this.#client.query('analyze chosen')
    return rowCount ?? 0
  }

  /** Begins to read what a COPY writes. */
  async read(statement: string, count: number): Promise<Readable> {
    // Statistics may say that a million contacts, just loaded, are a few: a nested loop over them would never end.
    const [loops, joins] = count > FEW ? ['off', 'on'] : ['on', 'off']
    await this.#client.query(
      `select set_config('enable_nestloop', $1, true), set_config('enable_hashjoin', $2, true), set_config('enable_mergejoin', $2, true)`,
      [loops, joins],
    )
    this.#rows = this.#client.query(to(statement)) as unknown as Readable & { rowCount: number }
    return this.#rows
  }

  /** How many contacts have been read so far. */
  async countRead(): Promise<number> {
    if (this.#rows?.readableEnded) return this.#rows.rowCount
    const [row] = await this.#db.query<{ count: number }>(
      sql`select tuples_processed as count from pg_stat_progress_copy where pid = ${this.#pid}`,
    )
    return row?.count ?? 0
  }

  /** A statement goes on when nobody waits for it any more: PostgreSQL has to be told. */
  #cut(): void {
    this.#db.query(sql`select pg_terminate_backend(${this.#pid})`).catch(() => {}) // else it ends after `mostMs`
  }

  /** Ends it, at once when it is still being read. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    const isCut = this.#rows !== undefined && !this.#rows.readableEnded
    if (!isCut && !this.#failure) await this.#client.query('rollback').catch(() => {})
    await this.#client.end().catch(() => {})
  }
}

export const areMany = (count: number) => count > FEW

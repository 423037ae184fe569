import pg from 'pg'
import sql, { type Sql } from 'sql-template-tag'
import { isAborted, isRetryable } from './sqlstate.ts'
import { Turnstile } from './turnstile.ts'

/** SQL text with its bound values: what the `sql` tag makes. */
export type Statement = Pick<Sql, 'text' | 'values'>

/** What can run a statement: the pool, or one transaction. */
export interface Queryable {
  query<Row = Record<string, unknown>>(statement: Statement): Promise<Row[]>
}

type Isolation = 'read committed' | 'repeatable read'

/** Runs a transaction of the snapshot that another has exported, unless it would have to wait. */
type Beside = <T>(snapshot: string, work: (trx: Trx) => Promise<T>) => Promise<T> | undefined

// int8 as a number, alone and in arrays: our ids stay below 2^53, and everything on the wire is JSON. A date stays the text it is.
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, Number)
const INT8_ARRAY = 1016
const numberIn = (item: string) => (item === 'NULL' ? null : Number(item))
types.setTypeParser(INT8_ARRAY, (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(numberIn)))
types.setTypeParser(pg.types.builtins.DATE, (text: string) => text)

/** One transaction. Statements sent without awaiting the one before travel together, and run in the order sent. */
export class Trx implements Queryable {
  readonly #client: pg.PoolClient
  readonly #beside: Beside
  readonly #sent: Promise<unknown>[] = []
  readonly #afterCommit: (() => void)[] = []

  constructor(client: pg.PoolClient, beside: Beside) {
    this.#client = client
    this.#beside = beside
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    return (await this.#hand<Row & pg.QueryResultRow>(statement.text, statement.values)).rows
  }

  /** What is handed over in one turn of the event loop leaves in one packet, which wakes PostgreSQL once. */
  #hand<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<pg.QueryResult<Row>> {
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => stream.uncork())
    return this.#client.query<Row>(text, values)
  }

  /**
   * Sends a statement whose rows nobody needs. It is not waited for: the next statement, or the commit, follows at once,
   * which saves its round trip. A failure fails the transaction as if it had been awaited.
   */
  send(statement: Statement | string): void {
    const [text, values] = typeof statement === 'string' ? [statement, []] : [statement.text, statement.values]
    const answer = this.#hand(text, values)
    answer.catch(() => {}) // reported by `settle`; without this, a failure before it would count as unhandled
    this.#sent.push(answer)
  }

  /**
   * Runs `work`, which reads, on another connection at the same time. It sees what this transaction has seen, which must be of
   * `repeatable read`, but not what this one has written. `now` is this one's, for where SQL would say `now()`. undefined, and
   * nothing is run, where no connection is free at once: to wait for one while holding one might wait for ever.
   */
  async beside<T>(work: (other: Trx, now: Sql) => Promise<T>): Promise<{ done: Promise<T> } | undefined> {
    const [row] = await this.query<{ snapshot: string; now: string }>({
      text: 'select pg_export_snapshot() as snapshot, now()::text as now',
      values: [],
    })
    const done = this.#beside(row!.snapshot, (other) => work(other, sql`${row!.now}::timestamptz`))
    done?.catch(() => {}) // whoever awaits it hears of it; this transaction may fail before
    return done && { done }
  }

  /** Waits for all that was sent; throws its first failure. */
  async settle(): Promise<void> {
    const answers = await Promise.allSettled(this.#sent)
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** What failed first among what was sent: the cause of an error that only says that there was one. */
  async firstFailure(otherwise: unknown): Promise<unknown> {
    return this.settle().then(
      () => otherwise,
      (cause: unknown) => cause,
    )
  }

  /** Undoes everything since the savepoint of that name, what was to run after the commit included. */
  async undoTo(savepoint: string): Promise<void> {
    await Promise.allSettled(this.#sent)
    this.#sent.length = 0
    this.#afterCommit.length = 0
    await this.#client.query(`rollback to savepoint ${savepoint}`)
  }

  /** Runs `act` once the transaction has been committed, and never if it is not. */
  afterCommit(act: () => void): void {
    this.#afterCommit.push(act)
  }

  /** Commits; throws the first failure of a statement that was sent and not awaited. For `Database` alone. */
  async commit(): Promise<void> {
    await Promise.all([this.settle(), this.#hand('commit')])
    for (const act of this.#afterCommit) act()
  }
}

/**
 * How long a connection is kept that nobody uses. What is asked every few seconds comes at the same moment at times: at pg's own 10 s, a
 * worker with nothing to do opened 26 connections in 40 s, each of which reads the catalogue anew.
 */
const IDLE_MS = 60_000

/**
 * The pool of connections. Leans on nothing that outlives a transaction (no named statements, no session settings), so
 * a PgBouncer in transaction mode may stand in between.
 */
export class Database implements Queryable {
  readonly pool: pg.Pool
  /** For what needs a connection of its own, such as a stream. Holds a password: never log it. */
  readonly url: string
  readonly #transactions: Turnstile

  /** @param options.url `postgres://…`, a unix socket as `?host=/directory`; `max`: connections at most. */
  constructor(options: { url: string; max?: number; onError?: (error: Error) => void }) {
    const max = options.max ?? 16
    this.url = options.url
    // One connection is never a transaction's: what transactions wait for, such as a cache that is being filled, must
    // not itself wait until one of them ends.
    this.#transactions = new Turnstile(Math.max(1, max - 1))
    this.pool = new pg.Pool({
      connectionString: options.url,
      max,
      idleTimeoutMillis: IDLE_MS,
      types,
      pipeline: true,
    } as pg.PoolConfig)
    // An idle connection that breaks is replaced by the pool; unheard, its error would end the process.
    this.pool.on('error', (error) => options.onError?.(error))
    // So would that of one which breaks on its way from the pool to a statement, which then tells of it.
    this.pool.on('connect', (client) => client.on('error', () => {}))
  }

  async query<Row>(statement: Statement): Promise<Row[]> {
    return (await this.pool.query<Row & pg.QueryResultRow>(statement.text, statement.values)).rows
  }

  /**
   * Runs `work` in one transaction, again from the start (three times in all) when PostgreSQL ends it for a deadlock or
   * a serialisation failure; so `work` must have no effect outside the database but through `afterCommit`.
   */
  async transaction<T>(work: (trx: Trx) => Promise<T>, isolation: Isolation = 'read committed'): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const begin = isolation === 'read committed' ? ['begin'] : [`begin isolation level ${isolation}`]
        return await this.#transactions.pass(() => this.#attempt(work, begin))
      } catch (error) {
        if (attempt === 3 || !isRetryable(error)) throw error
      }
    }
  }

  readonly #beside: Beside = (snapshot, work) => {
    const begin = ['begin isolation level repeatable read, read only', `set transaction snapshot '${snapshot}'`]
    return this.#transactions.passNow(() => this.#attempt(work, begin))
  }

  async #attempt<T>(work: (trx: Trx) => Promise<T>, begin: readonly string[]): Promise<T> {
    const client = await this.pool.connect()
    let broken: Error | undefined
    const onError = (error: Error) => {
      broken = error
    }
    client.on('error', onError)
    const trx = new Trx(client, this.#beside)
    try {
      for (const statement of begin) trx.send(statement)
      const result = await work(trx)
      await trx.commit()
      return result
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken ??= failure
      })
      throw isAborted(error) ? await trx.firstFailure(error) : error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }

  /** Waits for what runs, then closes every connection. */
  async close(): Promise<void> {
    await this.#transactions.emptied() // also those that wait for their connection
    await this.pool.end()
  }
}

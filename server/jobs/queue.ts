import { PgBoss } from 'pg-boss'
import sql from 'sql-template-tag'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { Database, Queryable, Statement, Trx } from '../db/database.ts'
import { repeat } from '../lib/repeat.ts'
import { failureToKeep } from './failure.ts'

/** Work that is done after the answer. The payload holds ids only: rows are read when the job runs. */
export interface Job<Payload extends TSchema = TSchema> {
  name: string
  payload: Payload
  /** Tries in all, before the job is given up. */
  attempts: number
  /** After so many seconds without an end, or 30 s without a sign of life, it is tried again: so it must be safe to run twice. */
  timeoutS: number
  /** How many run at once in one process; 1 unless said. */
  concurrency?: number
  /** How many of one account run at once in all processes together; no limit unless said. */
  perAccount?: number
  /** A method, so that jobs of all payloads can stand in one list. */
  run(payload: Static<Payload>, signal: AbortSignal): Promise<void>
}

/** What can be put into the queue: `Job` without how it is done. */
export type JobName<Payload extends TSchema = TSchema> = Pick<
  Job<Payload>,
  'name' | 'payload' | 'attempts' | 'timeoutS'
>

const HEARTBEAT_S = 30

/** How often it is seen which queues have a job that is due: by one statement for all of them. */
const LOOK_EVERY_MS = 500

/**
 * How often each lane looks by itself, should nobody wake it. It is woken: eighteen that looked twice a second took 6 % of a core, and
 * each half minute they did it all at once, and so each by a connection of its own.
 */
const LANE_LOOKS_EVERY_S = 300

/** How often it is seen whether jobs wait for others, as pg-boss knows them: none of ours does. */
const DEPENDENTS_EVERY_S = 300

/** pg-boss behind one small face. It polls through our own pool, so that it works behind PgBouncer too. */
export class Queue {
  readonly #boss: PgBoss
  readonly #db: Database
  readonly #onError: (error: Error) => void
  #started: Promise<unknown> | undefined
  /** By the names of the jobs they run: the ids of what pg-boss calls workers. */
  readonly #lanes = new Map<string, string[]>()
  #looks: { stop: () => Promise<void> } | undefined

  /** @param role `worker` looks after the queue's tables; any other process only puts jobs in. */
  constructor(db: Database, options: { role: 'api' | 'worker'; onError: (error: Error) => void }) {
    const supervise = options.role === 'worker'
    this.#db = db
    this.#onError = options.onError
    this.#boss = new PgBoss({
      db: { executeSql: (text, values = []) => execute(db, { text, values }) },
      supervise,
      schedule: false,
      migrate: supervise,
      createSchema: supervise,
      superviseIntervalSeconds: 5,
      monitorIntervalSeconds: 5,
      flowIntervalSeconds: DEPENDENTS_EVERY_S,
      registerInstance: false,
      monitorVacuum: false,
    })
    this.#boss.on('error', options.onError)
  }

  /** Makes the queue's tables, and a queue for each job as it now is. */
  async prepare(jobs: readonly JobName[]): Promise<void> {
    await this.#start()
    for (const job of jobs) {
      const options = {
        retryLimit: job.attempts - 1,
        retryDelay: 1,
        retryBackoff: true,
        retryDelayMax: 300,
        expireInSeconds: job.timeoutS,
        heartbeatSeconds: HEARTBEAT_S,
      }
      await this.#boss.createQueue(job.name, options)
      await this.#boss.updateQueue(job.name, options) // where an earlier release has made it, with other ones
    }
  }

  /**
   * Puts a job in, in the caller's transaction: it is there when that commits, and never if it does not. Accounts take
   * turns: one that has a hundred jobs waiting does not keep another's waiting.
   */
  async enqueue<Payload extends TSchema>(
    trx: Trx,
    job: JobName<Payload>,
    payload: Static<Payload>,
    afterS = 0,
  ): Promise<void> {
    Value.Assert(job.payload, payload)
    await this.#start()
    const account = accountOf(payload)
    await this.#boss.send(job.name, payload as object, {
      ...(account !== undefined && { group: { id: account }, priority: await turnOf(trx, job.name, account) }),
      startAfter: new Date(Date.now() + afterS * 1000), // from now: the transaction may have begun long ago
      ...inTransaction(trx),
    })
  }

  /**
   * Puts the jobs of a backup that has been restored into the queue; in parts, each of which is put in and taken from the
   * table at once. `jobs` are those there are: of others, which an older release has left, it answers how many there were.
   */
  async putBack(db: Database, jobs: readonly JobName[]): Promise<number> {
    const known = new Set(jobs.map(({ name }) => name))
    for (let unknown = 0; ; ) {
      const rows = await db.transaction(async (trx) => {
        const taken = await trx.query<RestoredJob>(sql`
          delete from restored_jobs where (account_id, id) in (
            select account_id, id from restored_jobs order by account_id, id limit 1000)
          returning account_id, name, payload, priority, start_after`)
        for (const name of known) {
          const ofName = taken.filter((row) => row.name === name)
          if (ofName.length > 0) await this.#insert(trx, name, ofName)
        }
        return taken
      })
      if (rows.length === 0) return unknown
      unknown += rows.filter(({ name }) => !known.has(name)).length
    }
  }

  async #insert(trx: Trx, name: string, rows: readonly RestoredJob[]): Promise<void> {
    const jobs = rows.map(({ account_id, payload, priority, start_after }) => ({
      data: payload,
      priority,
      startAfter: start_after,
      ...(account_id > 0 && { group: { id: String(account_id) } }),
    }))
    await this.#boss.insert(name, jobs, inTransaction(trx))
  }

  /** Whether jobs of this kind wait for accounts other than this one. */
  othersWait(db: Queryable, job: JobName, accountId: number): Promise<boolean> {
    return db
      .query(sql`
        select from pgboss.job
        where name = ${job.name} and state in ('created', 'retry') and start_after <= now() and group_id <> ${String(accountId)} limit 1`)
      .then((rows) => rows.length > 0)
  }

  /** Runs the jobs of these kinds until `stop`. */
  async work(jobs: readonly Job[]): Promise<void> {
    await this.prepare(jobs)
    for (const job of jobs)
      for (let lane = 0; lane < (job.concurrency ?? 1); lane++) {
        const id = await this.#boss.work(
          job.name,
          {
            batchSize: 1,
            pollingIntervalSeconds: LANE_LOOKS_EVERY_S,
            heartbeatRefreshSeconds: 10,
            ...(job.perAccount !== undefined && { groupConcurrency: job.perAccount }),
          },
          async ([claimed]) => {
            await job.run(Value.Parse(job.payload, claimed!.data), claimed!.signal).catch((error: unknown) => {
              throw failureToKeep(error)
            })
          },
        )
        this.#lanes.set(job.name, [...(this.#lanes.get(job.name) ?? []), id])
      }
    this.#looks ??= repeat(LOOK_EVERY_MS, () => this.#wake().catch(this.#onError))
  }

  /** Has the lanes of each queue look that has a job which is due: those at work do so when they have ended theirs. */
  async #wake(): Promise<void> {
    const due = await this.#db.query<{ name: string }>(sql`
      select name from unnest(${[...this.#lanes.keys()]}::text[]) as queue (name) where exists (
        select from pgboss.job as j where j.name = queue.name and j.state < 'active' and not j.blocked and j.start_after <= now())`)
    for (const { name } of due) for (const id of this.#lanes.get(name)!) this.#boss.notifyWorker(id)
  }

  /** Lets running jobs end, for at most `timeoutMs`; what is cut off is tried again elsewhere. */
  async stop(timeoutMs: number): Promise<void> {
    if (!this.#started) return
    await this.#looks?.stop()
    await this.#started.catch(() => {})
    await this.#boss.stop({ graceful: true, timeout: timeoutMs })
  }

  #start(): Promise<unknown> {
    this.#started ??= this.#boss.start().catch((error: unknown) => {
      this.#started = undefined // the database may be there the next time
      throw error
    })
    return this.#started
  }
}

interface RestoredJob {
  account_id: number
  name: string
  payload: object
  priority: number
  start_after: Date
}

const inTransaction = (trx: Trx) => ({
  db: { executeSql: async (text: string, values: unknown[] = []) => ({ rows: await trx.query({ text, values }) }) },
})

/** What pg-boss takes jobs with that are counted by account. */
const LIMITED_CLAIM = /\bgroup_ranking AS\b/

/**
 * Runs a statement of pg-boss. Two that take jobs at the same moment would each count without the other's, and an
 * account would get twice its share: these wait for one another.
 */
async function execute(db: Database, statement: Statement): Promise<{ rows: unknown[] }> {
  if (!LIMITED_CLAIM.test(statement.text)) return db.pool.query(statement.text, statement.values)
  return db.transaction(async (trx) => {
    trx.send(`select pg_advisory_xact_lock(hashtext('take_jobs_by_account'))`)
    return { rows: await trx.query(statement) }
  })
}

/** Whose job it is: by its payload, where that tells. */
function accountOf(payload: unknown): string | undefined {
  const { accountId } = payload as { accountId?: unknown }
  return typeof accountId === 'number' ? String(accountId) : undefined
}

/**
 * The rank of an account's next job in its queue, as a priority: the higher is run first, of equal ones the older. One
 * behind the account's last job, but not before what is to be run next: so each account's jobs stand one in each round,
 * and who comes anew or again joins the round that is going on.
 */
async function turnOf(trx: Trx, name: string, account: string): Promise<number> {
  const [found] = await trx.query<{ turn: number }>(sql`
    select coalesce(least(
      min(priority) filter (where group_id = ${account}) - 1,
      coalesce(max(priority) filter (where state < 'active'), max(priority))), 0) as turn
    from pgboss.job where name = ${name} and state <= 'active'`)
  return found!.turn
}

/** Age of the oldest job of each account that waits to be run. */
export function jobFigures(db: Database) {
  return [
    {
      name: 'rollcall_oldest_job_seconds',
      help: 'Age of the oldest job that waits to be run.',
      read: () =>
        db.query<{ accountId: number; value: number }>(sql`
          select account.id as "accountId",
            coalesce(extract(epoch from clock_timestamp() - min(job.created_on)), 0)::float8 as value
          from accounts as account left join pgboss.job as job
            on (job.data ->> 'accountId')::bigint = account.id and job.state in ('created', 'retry') and job.start_after <= now()
          group by account.id`),
    },
  ]
}

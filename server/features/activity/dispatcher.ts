import sql from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import { learnSize } from '../../db/learn-size.ts'
import {
  BulkPace,
  chooseActs,
  mayBeMore,
  mayMeet,
  type PlacedAct,
  placeActs,
  readWaiting,
  type Waiting,
} from './batch.ts'

/** Acts whose events have just been given their positions. */
export interface Placed {
  acts: readonly PlacedAct[]
  /** The last position before them, and theirs. */
  after: number
  position: number
  /** Whether there are acts in the outbox still that may be about the same people. */
  actsWait: boolean
  /** What else stands in the outbox. */
  items: readonly Waiting[]
}

/**
 * What follows from acts: more events, which stand behind them in the feed. Runs in the dispatcher's transaction, under its
 * lock; each function is given the last position so far and answers the last one after it.
 */
export interface Follower {
  afterActs: (trx: Trx, accountId: number, placed: Placed) => Promise<number>
  /** Does a part of what a row that is no act asks for; `done` when nothing of it is left. */
  attend: (
    trx: Trx,
    accountId: number,
    item: Waiting,
    state: { position: number; actsWait: boolean; items: readonly Waiting[] },
  ) => Promise<{ position: number; done: boolean }>
}

/**
 * For each transaction here: everything is found by keys. Statistics are of before the load that has just filled the outbox; to
 * compile a hundred criteria takes longer than to run them; and to remember what was found by a key, that each is looked for once.
 */
export const PLANNED_BY_KEYS = sql`
  select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), set_config('enable_memoize', 'off', true)`

/** Accounts that have something waiting, and whether a bulk act is among it. A plain read across accounts: it locks nothing. */
export async function accountsWaiting(db: Queryable): Promise<{ accountId: number; bulk: boolean }[]> {
  return db.query(sql`select account_id as "accountId", bool_or(bulk) as bulk from outbox group by account_id`)
}

/**
 * Gives the events of an account's waiting acts their positions in the feed, with what follows from them, and answers how
 * many acts it took. Whoever holds the account's head is the only one at work on it; another process finds the head
 * locked and answers 0. The snapshot is of one moment (REPEATABLE READ), so an act that commits meanwhile waits for the
 * next batch whole.
 */
export async function dispatch(
  db: Database,
  accountId: number,
  follower?: Follower,
  pace = new BulkPace(),
): Promise<number> {
  return (await dispatchBatch({ db, follower, pace, accounts: 1 }, accountId)).acts
}

/** With what batches are dispatched, one after the other. */
interface Dispatching {
  db: Database
  follower: Follower | undefined
  pace: BulkPace
  /** Of how many accounts bulk acts wait. */
  accounts: number
}

interface Done {
  acts: number
  /** Whether there is more to do at once. */
  more: boolean
}

/** What may take its time has a transaction of its own, so that small acts do not wait for its end. */
async function dispatchBatch(dispatching: Dispatching, accountId: number): Promise<Done> {
  const small = await dispatchIn(dispatching, accountId, 'small ones first')
  if (!small.isPart) return small
  const rest = await dispatchIn(dispatching, accountId, 'all')
  return { acts: small.acts + rest.acts, more: rest.more }
}

/** One transaction. `isPart`: where small acts were to go first, and other things wait besides. */
function dispatchIn(
  { db, follower, pace, accounts }: Dispatching,
  accountId: number,
  which: 'small ones first' | 'all',
): Promise<Done & { isPart: boolean }> {
  return db.transaction(async (trx) => {
    const startedMs = performance.now()
    // Sent together: where another process holds the head, what waits is read in vain.
    const holding = trx.query<{ position: number }>(sql`
      select position from feed_heads where account_id = ${accountId} for update skip locked`)
    trx.send(PLANNED_BY_KEYS)
    const [[head], waiting] = await Promise.all([holding, readWaiting(trx, accountId)])
    if (!head) return { acts: 0, more: false, isPart: false }
    const chosen = await chooseActs(trx, accountId, waiting, pace.most(accountId, accounts))
    const others = waiting.filter((row) => row.kind !== 'acts')
    const small = chosen.filter((row) => !row.bulk)
    const isPart =
      which === 'small ones first' && small.length > 0 && (small.length < chosen.length || others.length > 0)
    const acts = isPart ? small : chosen
    const bulkEvents = acts.reduce((sum, { bulk, size }) => sum + (bulk ? size : 0), 0)
    trx.afterCommit(() => pace.took(accountId, bulkEvents, performance.now() - startedMs))
    const waitingActs = waiting.length - others.length
    const left = waitingActs > acts.length || mayBeMore(waitingActs)
    const placed = await placeActs(trx, accountId, head.position, acts)
    let position = placed.at(-1)?.last ?? head.position
    let more = left
    if (follower) {
      if (position > head.position)
        position = await follower.afterActs(trx, accountId, {
          acts: placed,
          after: head.position,
          position,
          actsWait: mayBeMore(waitingActs) || mayMeet(acts, leftOf(waiting, acts)),
          items: others,
        })
      const item = others[0]
      if (item && !isPart) {
        const attended = await follower.attend(trx, accountId, item, { position, actsWait: left, items: others })
        position = attended.position
        if (attended.done) trx.send(sql`delete from outbox where account_id = ${accountId} and id = ${item.id}`)
        more ||= !attended.done || others.length > 1
      }
    }
    if (position > head.position)
      trx.send(sql`update feed_heads set position = ${position} where account_id = ${accountId}`)
    return { acts: acts.length, more, isPart }
  }, 'repeatable read')
}

function leftOf(waiting: readonly Waiting[], acts: readonly Waiting[]): Waiting[] {
  const placed = new Set(acts)
  return waiting.filter((row) => row.kind === 'acts' && !placed.has(row))
}

/**
 * One batch for each account that has something waiting, so that a busy one does not keep the others waiting. One that
 * fails is passed over, and told at the end of all. `more`: whether another round has something to do.
 */
async function dispatchRound(parts: Omit<Dispatching, 'accounts'>): Promise<Done & { failures: unknown[] }> {
  const { db, pace } = parts
  const round: Done & { failures: unknown[] } = { acts: 0, more: false, failures: [] }
  const waiting = await accountsWaiting(db)
  const dispatching = { ...parts, accounts: waiting.filter(({ bulk }) => bulk).length }
  for (const { accountId, bulk } of waiting) {
    try {
      if (bulk) await learnSize(db, accountId)
      const done = await dispatchBatch(dispatching, accountId)
      round.acts += done.acts
      round.more ||= done.more
    } catch (error) {
      pace.forget(accountId)
      round.failures.push(error)
    }
  }
  return round
}

/** Empties the outbox of every account; answers how many acts were dispatched. Throws the first failure, at the end. */
export async function dispatchAll(db: Database, follower?: Follower): Promise<number> {
  const dispatching = { db, follower, pace: new BulkPace() }
  let acts = 0
  for (;;) {
    const round = await dispatchRound(dispatching)
    acts += round.acts
    if (round.failures.length > 0) throw round.failures[0]
    if (!round.more) return acts
  }
}

/**
 * Looks every `everyMs` milliseconds, and at once again while there is more, until stopped: requests send no NOTIFY, which
 * halved their rate. A failure is told to `onError` and tried again at the next look.
 */
export function startDispatcher(
  db: Database,
  { everyMs, follower, onError }: { everyMs: number; follower: Follower; onError: (error: unknown) => void },
) {
  const dispatching = { db, follower, pace: new BulkPace() }
  let stopped = false
  let timer: NodeJS.Timeout
  let running: Promise<unknown> = Promise.resolve()
  const rounds = async () => {
    for (let more = true; more && !stopped; ) {
      const round = await dispatchRound(dispatching)
      round.failures.forEach(onError)
      more = round.more
    }
  }
  const look = () => {
    running = rounds().catch(onError)
    void running.then(() => {
      if (!stopped) timer = setTimeout(look, everyMs)
    })
  }
  look()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

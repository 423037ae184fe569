import sql from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'

/** Outbox rows taken in one transaction: enough to make its fixed cost small, few enough to commit in milliseconds. */
const BATCH = 500

/** Accounts that have something waiting. A plain read across accounts: it locks nothing. */
export async function accountsWaiting(db: Queryable): Promise<number[]> {
  const rows = await db.query<{ account_id: number }>(sql`select distinct account_id from outbox`)
  return rows.map((row) => row.account_id)
}

/**
 * Gives the events of an account's waiting acts their positions in the feed, in the order of the outbox, and answers
 * how many acts it took. Whoever holds the account's head is the only one at work on it; another process finds the head
 * locked and answers 0. The snapshot is of one moment (REPEATABLE READ), so an act that commits meanwhile waits for the
 * next batch whole.
 */
export function dispatch(db: Database, accountId: number): Promise<number> {
  return db.transaction(async (trx) => {
    const [head] = await trx.query<{ position: number }>(sql`
      select position from feed_heads where account_id = ${accountId} for update skip locked`)
    return head ? advance(trx, accountId, head.position) : 0
  }, 'repeatable read')
}

async function advance(trx: Trx, accountId: number, position: number): Promise<number> {
  const [done] = await trx.query<{ acts: number; positions: number }>(sql`
    with taken as (
      select id, event_ids from outbox where account_id = ${accountId} order by id limit ${BATCH}
    ), placed as (
      insert into feed (account_id, position, event_id)
      select ${accountId}::bigint, ${position}::bigint + row_number() over (order by taken.id, event.nth), event.id
      from taken, unnest(taken.event_ids) with ordinality as event (id, nth)
      returning position
    ), removed as (
      delete from outbox where account_id = ${accountId} and id in (select id from taken)
    )
    select (select count(*) from taken) as acts, (select count(*) from placed) as positions`)
  if (done!.positions > 0) {
    trx.send(sql`update feed_heads set position = ${position + done!.positions} where account_id = ${accountId}`)
  }
  return done!.acts
}

/**
 * Empties the outbox of every account as it now stands, one batch an account in turn, so that a busy one does not keep
 * the others waiting; answers how many acts were dispatched. One that fails is passed over, and told at the end.
 */
export async function dispatchAll(db: Database): Promise<number> {
  let total = 0
  const failures: unknown[] = []
  for (let waiting = await accountsWaiting(db); waiting.length > 0; ) {
    const more: number[] = []
    for (const accountId of waiting) {
      const acts = await dispatch(db, accountId).catch((error: unknown) => {
        failures.push(error)
        return 0
      })
      total += acts
      if (acts === BATCH) more.push(accountId)
    }
    waiting = more
  }
  if (failures.length > 0) throw failures[0]
  return total
}

/**
 * Runs `dispatchAll` every `everyMs` milliseconds until stopped: requests send no NOTIFY, which halved their rate.
 * A failure is told to `onError` and tried again at the next look.
 */
export function startDispatcher(
  db: Database,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
) {
  let stopped = false
  let timer: NodeJS.Timeout
  let running: Promise<unknown> = Promise.resolve()
  const look = () => {
    running = dispatchAll(db).catch(onError)
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

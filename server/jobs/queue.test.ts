import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { type Static, Type } from 'typebox'
import type { Database } from '../db/database.ts'
import { testApp } from '../test/app.ts'
import { atEnd, testDatabase } from '../test/database.ts'
import { runJobs } from '../test/jobs.ts'
import { until } from '../test/until.ts'
import { type Job, jobFigures, Queue } from './queue.ts'

const Payload = Type.Object({ accountId: Type.Integer(), n: Type.Integer() })
type Run = (payload: Static<typeof Payload>, signal: AbortSignal) => Promise<void>

const job = (run: Run, more: Partial<Job<typeof Payload>> = {}): Job<typeof Payload> => ({
  name: 'test.job',
  payload: Payload,
  attempts: 3,
  timeoutS: 60,
  run,
  ...more,
})
const nothing = job(async () => {})

function queueOf(t: TestContext, db: Database, role: 'api' | 'worker' = 'worker'): Queue {
  const queue = new Queue(db, { role, onError: () => {} })
  atEnd(t, () => queue.stop(0))
  return queue
}

async function put(queue: Queue, db: Database, count = 1, afterS = 0): Promise<void> {
  for (let n = 1; n <= count; n++)
    await db.transaction((trx) => queue.enqueue(trx, nothing, { accountId: 1, n }, afterS))
}

const states = async (db: Database): Promise<string[]> =>
  (
    await db.query<{ state: string }>(sql`select state from pgboss.job where name = 'test.job' order by created_on`)
  ).map((row) => row.state)

test('a job is there when its transaction commits, and never if it does not', async (t) => {
  const db = await testDatabase(t)
  await queueOf(t, db).prepare([nothing])
  const queue = queueOf(t, db, 'api')

  await assert.rejects(
    db.transaction(async (trx) => {
      await queue.enqueue(trx, nothing, { accountId: 1, n: 1 })
      throw new Error('undone')
    }),
    /undone/,
  )
  assert.deepEqual(await states(db), [])
  await db.transaction(async (trx) => {
    await queue.enqueue(trx, nothing, { accountId: 1, n: 2 })
    assert.deepEqual(await states(db), [], 'nobody sees it before the commit')
  })
  assert.deepEqual(await states(db), ['created'])
  await assert.rejects(
    db.transaction((trx) => queue.enqueue(trx, nothing, { accountId: 'one', n: 2 } as never)),
    'a payload that is none',
  )
})

test('of a job that fails its table keeps what went wrong, and nothing of what PostgreSQL was given', async (t) => {
  const db = await testDatabase(t)
  const failures = [
    sql`insert into contacts (account_id, email, state, origin) values (1, 'mara@example.com', 'none', 'x'), (1, 'mara@example.com', 'none', 'x')`,
    sql`select ${'mara@example.com'}::bigint`,
  ]
  const queue = queueOf(t, db)
  await queue.work([
    job(
      async ({ n }) => {
        await db.query(failures[n - 1]!)
      },
      { attempts: 1 },
    ),
  ])
  await put(queue, db, failures.length)

  await until(async () => (await states(db)).every((state) => state === 'failed'))
  const kept = await db.query<{ output: { code: string; message: string } }>(
    sql`select output from pgboss.job where name = 'test.job' order by output ->> 'code'`,
  )
  assert.deepEqual(
    kept.map(({ output }) => output.code),
    ['22P02', '23505'],
  )
  assert.match(kept[1]!.output.message, /contacts_email/)
  assert.doesNotMatch(JSON.stringify(kept), /mara/)
})

test('many who put in their first job at once do not wait for each other', async (t) => {
  const db = await testDatabase(t)
  await queueOf(t, db).prepare([nothing])
  const queue = queueOf(t, db, 'api')

  await Promise.all(
    Array.from({ length: 40 }, (_, n) => db.transaction((trx) => queue.enqueue(trx, nothing, { accountId: 1, n }))),
  )

  assert.equal((await states(db)).length, 40)
})

test('a queue that could not start is started by the next job', async (t) => {
  const db = await testDatabase(t)
  const queue = queueOf(t, db, 'api')
  await db.query(sql`alter schema pgboss rename to elsewhere`)
  await assert.rejects(put(queue, db))

  await db.query(sql`alter schema elsewhere rename to pgboss`)
  await queueOf(t, db).prepare([nothing])
  await put(queue, db)

  assert.deepEqual(await states(db), ['created'])
})

test('a job that fails is tried again, and given up after its attempts', async (t) => {
  const db = await testDatabase(t)
  const queue = queueOf(t, db)
  const tried = new Map<number, number>()
  const failing = job(async ({ n }) => {
    tried.set(n, (tried.get(n) ?? 0) + 1)
    if (n === 1 || tried.get(n) === 1) throw new Error(`attempt ${tried.get(n)}`)
  })
  await queue.prepare([failing])
  await put(queue, db, 2)

  await assert.rejects(runJobs(db, [failing]), /test\.job was given up: .*attempt 3/)

  assert.deepEqual([...tried].sort(), [
    [1, 3],
    [2, 2],
  ])
  assert.deepEqual((await states(db)).sort(), ['completed', 'failed'])
})

test('a new release can give its jobs other attempts and times', async (t) => {
  const db = await testDatabase(t)
  await queueOf(t, db).prepare([job(async () => {}, { attempts: 3, timeoutS: 60 })])
  await queueOf(t, db).prepare([job(async () => {}, { attempts: 7, timeoutS: 600 })])
  const queue = queueOf(t, db, 'api')
  await put(queue, db)

  const rows = await db.query(sql`select retry_limit, expire_seconds from pgboss.job where name = 'test.job'`)
  assert.deepEqual(rows, [{ retry_limit: 6, expire_seconds: 600 }])
})

test('stop lets a running job end, and takes no other', async (t) => {
  const db = await testDatabase(t)
  const queue = queueOf(t, db)
  let [began, ended] = [0, 0]
  let wasAborted = false
  const slow = job(async (_payload, signal) => {
    began++
    await sleep(800)
    wasAborted = signal.aborted
    ended++
  })
  await queue.work([slow])
  await put(queue, db, 3)
  await until(() => began === 1)

  await queue.stop(5000)

  assert.deepEqual([began, ended, wasAborted], [1, 1, false])
  assert.deepEqual((await states(db)).sort(), ['completed', 'created', 'created'])
})

test('a job that a stop cuts off is told so, and run again by another worker', async (t) => {
  const db = await testDatabase(t)
  const queue = queueOf(t, db)
  let told: unknown
  const endless = job((_payload, signal) =>
    sleep(60_000, undefined, { signal }).catch((error) => {
      told = error
      throw error
    }),
  )
  await queue.work([endless])
  await put(queue, db)
  await until(async () => (await states(db))[0] === 'active')

  const before = performance.now()
  await queue.stop(100)
  assert.ok(performance.now() - before < 30_000)
  assert.ok(told instanceof Error)
  assert.deepEqual(await states(db), ['retry'])

  let again = 0
  await runJobs(db, [job(async () => void again++)])
  assert.equal(again, 1)
  assert.deepEqual(await states(db), ['completed'])
})

test('however many workers there are, each job is run once', async (t) => {
  const db = await testDatabase(t)
  const runs: number[] = []
  const counted = job(async ({ n }) => {
    runs.push(n)
    await sleep(1)
  })
  const queues = [queueOf(t, db), queueOf(t, db), queueOf(t, db)]
  await queues[0]!.prepare([counted])
  await put(queues[0]!, db, 12)

  await Promise.all(queues.map((queue) => queue.work([counted])))
  await until(() => runs.length >= 12)
  await Promise.all(queues.map((queue) => queue.stop(2000)))

  assert.deepEqual(
    runs.sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, at) => at + 1),
  )
  assert.deepEqual(new Set(await states(db)), new Set(['completed']))
})

test('no job needs a session: each statement may come by another connection', async (t) => {
  const db = await testDatabase(t)
  ;(db.pool.options as { maxUses?: number }).maxUses = 1
  const pid = async () => (await db.query<{ pid: number }>(sql`select pg_backend_pid() as pid`))[0]!.pid
  if (!process.env.TEST_POOLED_URL) assert.notEqual(await pid(), await pid()) // behind a pooler it decides which connection
  const queue = queueOf(t, db)
  let [runs, failed] = [0, false]
  const once = job(async ({ n }) => {
    runs++
    if (n === 2 && !failed) {
      failed = true
      throw new Error('once')
    }
  })
  await queue.prepare([once])
  await put(queue, db, 3)

  await runJobs(db, [once])

  assert.equal(runs, 4)
  assert.deepEqual(new Set(await states(db)), new Set(['completed']))
})

/** Runs jobs of 30 ms on several workers at once; answers who ran in which order, and how many at most at once. */
async function runTogether(
  t: TestContext,
  db: Database,
  counts: number[][],
  limits: Partial<Job<typeof Payload>>,
  workers = 1,
) {
  const order: number[] = []
  const running: number[] = []
  const most = { all: 0, ofOne: 0 }
  const counted = job(async ({ accountId }) => {
    order.push(accountId)
    running.push(accountId)
    most.all = Math.max(most.all, running.length)
    most.ofOne = Math.max(most.ofOne, running.filter((id) => id === accountId).length)
    await sleep(30)
    running.splice(running.indexOf(accountId), 1)
  }, limits)
  const queues = Array.from({ length: workers }, () => queueOf(t, db))
  await queues[0]!.prepare([counted])
  for (const [accountId, count] of counts as [number, number][])
    await db.transaction(async (trx) => {
      for (let n = 1; n <= count; n++) await queues[0]!.enqueue(trx, counted, { accountId, n })
    })
  await Promise.all(queues.map((queue) => queue.work([counted])))
  const total = counts.reduce((sum, [, count]) => sum + count!, 0)
  await until(() => order.length === total && running.length === 0)
  await Promise.all(queues.map((queue) => queue.stop(2000)))
  return { order, most }
}

test('as many jobs run at once as a process may, and of one account no more than its share of all processes', async (t) => {
  const db = await testDatabase(t)
  const { most } = await runTogether(
    t,
    db,
    [
      [1, 30],
      [2, 6],
    ],
    { concurrency: 5, perAccount: 2 },
    3,
  )
  assert.equal(most.ofOne, 2)
  assert.ok(most.all >= 3 && most.all <= 4, `${most.all}`)
})

test('accounts take turns: hundred jobs of some do not keep those of others waiting', async (t) => {
  const db = await testDatabase(t)
  const { order } = await runTogether(
    t,
    db,
    [
      [1, 15],
      [2, 15],
      [3, 2],
      [4, 1],
    ],
    { concurrency: 2, perAccount: 1 },
  )
  assert.ok(order.indexOf(4) < 6, order.join())
  assert.ok(order.lastIndexOf(3) < 10, order.join())
})

test('an account that comes late joins the round that is going on, neither before it nor behind it', async (t) => {
  const db = await testDatabase(t)
  const queue = queueOf(t, db)
  await queue.prepare([nothing])
  const enqueue = (accountId: number, n: number) =>
    db.transaction((trx) => queue.enqueue(trx, nothing, { accountId, n }))
  const take = async () => {
    const [next] = await db.query<{ account: number; n: number }>(sql`
      update pgboss.job set state = 'completed' where id = (
        select id from pgboss.job where state = 'created' order by priority desc, created_on limit 1)
      returning (data ->> 'accountId')::int as account, (data ->> 'n')::int as n`)
    return next && `${next.account}.${next.n}`
  }
  for (let n = 1; n <= 6; n++) await enqueue(1, n)
  assert.deepEqual([await take(), await take(), await take()], ['1.1', '1.2', '1.3'])
  for (let n = 1; n <= 2; n++) await enqueue(2, n)
  await enqueue(1, 7)

  const rest: (string | undefined)[] = []
  for (let next = await take(); next; next = await take()) rest.push(next)

  assert.deepEqual(rest, ['1.4', '2.1', '1.5', '2.2', '1.6', '1.7'])
})

/** A process whose worker takes the job and never ends it. */
async function hangingWorker(t: TestContext, url: string) {
  const root = join(import.meta.dirname, '..')
  const program = `
    import { Database } from '${root}/db/database.ts'
    import { Queue } from '${root}/jobs/queue.ts'
    import { Type } from 'typebox'
    const db = new Database({ url: process.env.URL })
    const queue = new Queue(db, { role: 'worker', onError: console.error })
    const payload = Type.Object({ accountId: Type.Integer(), n: Type.Integer() })
    const run = () => { console.log('running'); return new Promise(() => {}) }
    await queue.work([{ name: 'test.job', payload, attempts: 3, timeoutS: 60, run }])`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    env: { ...process.env, URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  atEnd(t, () => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('the job of a worker that was killed is taken up by another', async (t) => {
  const db = await testDatabase(t)
  const queue = queueOf(t, db)
  await queue.prepare([nothing])
  await put(queue, db)
  const child = await hangingWorker(t, String(db.pool.options.connectionString))
  const [claimed] = await db.query<{ heartbeat_seconds: number }>(sql`
    select heartbeat_seconds from pgboss.job where name = 'test.job' and state = 'active'`)
  assert.ok(claimed!.heartbeat_seconds <= 30)

  child.kill('SIGKILL')
  await once(child, 'exit')
  // The wait itself is cut short: as if the last sign of life were that long ago.
  await db.query(sql`
    update pgboss.job set heartbeat_on = now() - make_interval(secs => heartbeat_seconds + 1) where name = 'test.job'`)
  const began = performance.now()
  let runs = 0
  await queue.work([job(async () => void runs++)])
  await until(async () => (await states(db))[0] === 'completed')

  assert.equal(runs, 1)
  assert.ok(performance.now() - began < 60_000, `${performance.now() - began} ms`)
})

test('the age of the oldest job that waits is told by account', async (t) => {
  const { db, app, accountId, another } = await testApp(t)
  const second = await another()
  const queue = queueOf(t, db)
  await queue.prepare([nothing])
  for (const [seconds, payload, afterS] of [
    [90, { accountId, n: 1 }, 0],
    [30, { accountId, n: 2 }, 0],
    [500, { accountId: second.accountId, n: 3 }, 3600],
  ] as const) {
    await db.transaction((trx) => queue.enqueue(trx, nothing, payload, afterS))
    await db.query(sql`
      update pgboss.job set created_on = now() - make_interval(secs => ${seconds}) where (data ->> 'n')::int = ${payload.n}`)
  }

  const [figure] = jobFigures(db)
  const ages = new Map((await figure!.read()).map((row) => [row.accountId, Math.round(row.value)]))
  assert.deepEqual(
    ages,
    new Map(
      [
        [accountId, 90],
        [second.accountId, 0],
      ].sort((a, b) => a[0]! - b[0]!) as [number, number][],
    ),
  )
  const { body } = await app.inject({ url: '/metrics' })
  assert.match(body, new RegExp(`^rollcall_oldest_job_seconds{account="${accountId}"} 9\\d`, 'm'))
  await runJobs(db, [nothing])
  assert.match(
    (await app.inject({ url: '/metrics' })).body,
    new RegExp(`^rollcall_oldest_job_seconds{account="${accountId}"} 0$`, 'm'),
  )
})

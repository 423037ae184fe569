import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { readConfig } from '../config.ts'
import type { Database } from '../db/database.ts'
import { diskStore } from '../files/disk.ts'
import { type Job, Queue } from '../jobs/queue.ts'
import { parseKeyring } from '../lib/secret.ts'
import { allJobs } from '../worker.ts'

export const SECRET = 'a-secret-that-only-tests-know-0123456789'
export const keyring = parseKeyring(SECRET)

/** Every job, for a test whose jobs keep no files: nothing is ever made in this directory. */
function jobsWithoutFiles(db: Database) {
  const home = join(tmpdir(), 'rollcall-test-no-files')
  const queue = new Queue(db, { role: 'api', onError: () => {} })
  return allJobs({
    db,
    files: diskStore(home),
    filesAt: { url: undefined, home },
    queue,
    keyring,
    config: readConfig({}),
  })
}

/** Runs a worker until no job is left, those that were to wait a while included. Throws when one was given up. */
export async function runJobs(db: Database, jobs = jobsWithoutFiles(db)): Promise<void> {
  const queue = new Queue(db, { role: 'worker', onError: () => {} })
  await queue.work(jobs)
  try {
    while (await isLeft(db)) await sleep(20)
  } finally {
    await queue.stop(5000)
  }
  const [failed] = await db.query<{ name: string; output: unknown }>(
    sql`select name, output from pgboss.job where state = 'failed'`,
  )
  if (failed) throw new Error(`${failed.name} was given up: ${JSON.stringify(failed.output)}`)
}

async function isLeft(db: Database): Promise<boolean> {
  await db.query(sql`
    update pgboss.job set start_after = now() where state in ('created', 'retry') and start_after > now()`)
  const [left] = await db.query<{ count: number }>(sql`
    select count(*) as count from pgboss.job where state in ('created', 'retry', 'active')`)
  return left!.count > 0
}

/** Does what waits in the queue without a worker, which looks there twice a second. */
export async function runAtOnce(db: Database, jobs: readonly Job[]): Promise<void> {
  for (;;) {
    const [next] = await db.query<{ name: string; data: never }>(sql`
      delete from pgboss.job where id = (select id from pgboss.job where state = 'created' limit 1) returning name, data`)
    if (!next) return
    await jobs.find(({ name }) => name === next.name)!.run(next.data, new AbortController().signal)
  }
}

/** The payloads of the jobs of this name that wait; they are taken out of the queue, for a test to run them itself. */
export async function takeJobs<Payload>(db: Database, name: string): Promise<Payload[]> {
  const rows = await db.query<{ data: Payload }>(sql`delete from pgboss.job where name = ${name} returning data`)
  return rows.map((row) => row.data)
}

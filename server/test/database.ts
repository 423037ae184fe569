import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { Database } from '../db/database.ts'

/** Migrated once a run by `run.ts`. */
export const TEMPLATE = 'rollcall_template'

/** The same server, another database. */
export function databaseUrl(url: string, database: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${database}`)
}

function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL
  if (!url)
    throw new Error('run tests through npm test, or give TEST_DATABASE_URL: npm test -- server/lib/email.test.ts')
  return url
}

const cleanups = new WeakMap<TestContext, (() => unknown)[]>()

/**
 * Runs at the test's end, the last registered first: what stands on something else is taken down before it. All of them, also when one
 * fails: what stayed open would keep the process from ending.
 */
export function atEnd(t: TestContext, act: () => unknown): void {
  const known = cleanups.get(t)
  if (known) {
    known.push(act)
    return
  }
  const acts = [act]
  cleanups.set(t, acts)
  t.after(async () => {
    const faults: unknown[] = []
    for (const next of acts.reverse())
      try {
        await next()
      } catch (fault) {
        faults.push(fault)
      }
    if (faults.length > 0) throw faults.length === 1 ? faults[0] : new AggregateError(faults)
  })
}

/**
 * The address of a private, migrated database for one test: copied from the template, dropped when the test passed.
 * Copied file by file: by the log it takes as long, but then its pages are in memory, and dropping it 40 ms, not 12.
 */
export function testDatabaseUrl(t: TestContext): Promise<string> {
  return newDatabaseUrl(t, `template ${TEMPLATE} strategy file_copy`)
}

/** The same of one with nothing in it, as an administrator makes it. */
export function emptyDatabaseUrl(t: TestContext): Promise<string> {
  return newDatabaseUrl(t, `template template0 encoding 'UTF8'`)
}

async function newDatabaseUrl(t: TestContext, how: string): Promise<string> {
  const name = `rollcall_test_${randomUUID().replaceAll('-', '')}`
  await onServer(`create database ${name} ${how}`)
  atEnd(t, () => onServer(`drop database ${name} with (force)`))
  return databaseUrl(serverUrl(), name)
}

/** The same, opened; through PgBouncer where TEST_POOLED_URL names one. */
export async function testDatabase(t: TestContext, max = 8): Promise<Database> {
  const url = await testDatabaseUrl(t)
  const pooled = process.env.TEST_POOLED_URL
  const db = new Database({ url: pooled ? databaseUrl(pooled, new URL(url).pathname.slice(1)) : url, max })
  atEnd(t, () => db.close())
  return db
}

/** The address of a copy of a database as it is now, as if it had been put aside; its connections are ended for that. */
export async function databaseCopy(t: TestContext, db: Database): Promise<string> {
  const from = new URL(db.url).pathname.slice(1)
  const name = `rollcall_test_${randomUUID().replaceAll('-', '')}`
  await onServer(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}' and backend_type = 'client backend'`,
  )
  await onServer(`create database ${name} template ${from}`)
  atEnd(t, () => onServer(`drop database ${name} with (force)`))
  return databaseUrl(serverUrl(), name)
}

/** In use: another test copies the template at this moment. Denied: a forced drop has met the server's own vacuum. */
const PASSING = ['55006', '42501']

/** Runs a statement about databases, again and again while it can only be refused for a moment. */
export async function onServer(statement: string, url = serverUrl()): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await client.query(statement)
        return
      } catch (error) {
        if (!PASSING.includes((error as { code?: string }).code ?? '') || attempt === 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  } finally {
    await client.end() // one left open would keep the test's process from ending
  }
}

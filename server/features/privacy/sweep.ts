import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import type { Job, Queue } from '../../jobs/queue.ts'
import { type Keyring, openSealed } from '../../lib/secret.ts'
import { clearExports, fileKey } from '../exports/exports.ts'
import { AT_WORK } from '../imports/imports.ts'
import { openTable } from '../imports/reading/table.ts'
import { UnreadableFile } from '../imports/reading/unreadable.ts'
import { removeFile } from '../imports/run.ts'
import { SEALED_FOR } from './erase.ts'
import type { Person } from './person.ts'
import { sweepErasure } from './sweep-job.ts'
import { clearTraces } from './traces.ts'
import { keepWords, readWords, wordFiles } from './words.ts'
import { finderOf } from './written.ts'

interface Parts {
  db: Database
  files: FileStore
  keyring: Keyring
  queue: Queue
}

interface Sweep extends Parts {
  accountId: number
  person: Person
  /** Whether a text names the person. */
  isNamed: (text: string) => boolean
  erasedAt: Date
  signal: AbortSignal
}

/** How long what is still being read or written is left alone before it is looked at again. */
const AGAIN_S = 30

/** Kept answers opened at once. */
const ANSWERS = 500

/**
 * Ends an erasure: takes away kept answers, uploads and exports that hold the person, and what an import has brought since.
 * As long as an import reads a file, or an export of before is being written, it comes back later. Safe to run twice.
 */
export function sweepErasureJob(parts: Parts): Job<typeof sweepErasure.payload> {
  const { db, keyring, queue } = parts
  return {
    ...sweepErasure,
    async run({ accountId, erasureId }, signal) {
      const of = sql`account_id = ${accountId} and id = ${erasureId}::uuid`
      const [row] = await db.query<{ pending: Buffer | null; created_at: Date }>(
        sql`select pending, created_at from erasures where ${of}`,
      )
      if (!row?.pending) return
      const person = JSON.parse(openSealed(keyring, SEALED_FOR, row.pending)) as Person
      const sweep = { ...parts, accountId, person, isNamed: namerOf(person), erasedAt: row.created_at, signal }
      const uploads = await sweepUploads(sweep)
      const exports = await sweepExports(sweep)
      const answers = await sweepAnswers(sweep)
      const words = await sweepWords(sweep)
      const isOver = uploads.atWork + exports.atWork === 0
      await db.transaction(async (trx) => {
        // After the files: what an import has read before its file was taken away is among the rows by now.
        const traces = await clearTraces(trx, accountId, person)
        const gone = {
          idempotency_keys: answers,
          uploads: uploads.gone,
          stored_exports: exports.gone,
          word_files: words,
          ...traces,
        }
        trx.send(sql`
          update erasures set counts = counts || (
              select coalesce(jsonb_object_agg(key, coalesce((counts ->> key)::bigint, 0) + value::bigint), '{}')
              from jsonb_each_text(${JSON.stringify(gone)}::jsonb)),
            pending = case when ${isOver} then null else pending end,
            finished_at = case when ${isOver} then clock_timestamp() end
          where ${of} and pending is not null`)
        if (!isOver) await queue.enqueue(trx, sweepErasure, { accountId, erasureId }, AGAIN_S)
      })
    },
  }
}

/** What began later has not met the person; a commit may have taken so long. */
const SINCE = '1 minute'

function namerOf({ emails, ids }: Person): (text: string) => boolean {
  const address = finderOf(emails)
  return (text) => address.test(text) || ids.some((id) => text.toLowerCase().includes(id))
}

interface Swept {
  gone: number
  /** Being read or written at this moment. */
  atWork: number
}

/** Where a file holds a word of theirs, or that can't be told, all words are written anew from what the tables hold by now. */
async function sweepWords({ db, files, keyring, accountId, isNamed }: Sweep): Promise<number> {
  const all = await wordFiles(files, accountId)
  let named = 0
  for (const key of all.values()) {
    const kept = await readWords(files, keyring, key).catch(() => undefined)
    if (!kept || kept.words.some(({ email, contact }) => isNamed(`${email} ${contact}`))) named++
  }
  if (named > 0) await keepWords({ db, files, keyring }, accountId, { whole: true })
  return named
}

async function sweepUploads(sweep: Sweep): Promise<Swept> {
  const { db, files, accountId, person, erasedAt } = sweep
  const rows = await db.query<{
    id: number
    file_key: string
    file_name: string | null
    phase: string
    options: object
  }>(sql`
    select i.id, i.file_key, i.file_name, i.options, s.phase from imports as i
    join change_sets as s on s.account_id = i.account_id and s.id = i.id
    where i.account_id = ${accountId} and i.file_key is not null and s.created_at < ${erasedAt}::timestamptz + ${SINCE}::interval
    order by i.id`)
  const swept: Swept = { gone: 0, atWork: 0 }
  for (const { id, file_key: key, file_name: name, phase, options } of rows) {
    if ((AT_WORK as readonly string[]).includes(phase)) swept.atWork++
    else if (person.importIds.includes(id) || (await holds(sweep, key, { name, options }))) {
      await removeFile(db, files, accountId, id, key)
      swept.gone++
    }
  }
  return swept
}

async function sweepExports(sweep: Sweep): Promise<Swept> {
  const { db, files, accountId, erasedAt } = sweep
  const rows = await db.query<{ id: number; file: string | null; phase: string }>(sql`
    select id, file, phase from exports
    where account_id = ${accountId} and phase in ('queued', 'running', 'finished')
      and created_at < ${erasedAt}::timestamptz + ${SINCE}::interval
    order by id`)
  const swept: Swept = { gone: 0, atWork: 0 }
  for (const { id, file, phase } of rows) {
    if (phase !== 'finished') swept.atWork++
    else if (file !== null && (await holds(sweep, fileKey(accountId, file), { name: file, options: {} }))) {
      await db.query(sql`update exports set phase = 'removed' where account_id = ${accountId} and id = ${id}`)
      await clearExports(db, files, accountId, [{ id, file }])
      swept.gone++
    }
  }
  return swept
}

/** Whether any cell of a stored file names the person; a file that can't be read, or has no column that could tell, may. */
async function holds(
  { files, person, isNamed, signal }: Sweep,
  key: string,
  { name, options }: { name: string | null; options: object },
): Promise<boolean> {
  if ((await files.size(key)) === null) return false
  const externalIds = new Set(person.externalIds)
  const isThem = (cell: unknown) => {
    const text = typeof cell === 'string' ? cell : JSON.stringify(cell)
    return externalIds.has(text) || isNamed(text)
  }
  try {
    const table = await openTable({ open: () => files.read(key), name }, options)
    let names = table.columns
    for await (const rows of table.rows()) {
      signal.throwIfAborted()
      for (const { cells } of rows) if (cells.some((cell) => cell !== null && isThem(cell))) return true
      names = table.columns
    }
    return !names.some((column) => /mail|^id$|external/i.test(column))
  } catch (error) {
    if (error instanceof UnreadableFile) return true
    throw error
  }
}

/** Answers that name the person, and those whose key does: its sender made it up, `create-ann@example.com` for one. */
async function sweepAnswers({ db, keyring, accountId, person, isNamed, signal }: Sweep): Promise<number> {
  let gone = 0
  for (let after = ''; ; ) {
    signal.throwIfAborted()
    const rows = await db.query<{ key: string; answer: Buffer | null }>(sql`
      select key, answer from idempotency_keys where account_id = ${accountId} and key > ${after} order by key limit ${ANSWERS}`)
    if (rows.length === 0) return gone
    after = rows.at(-1)!.key
    const theirs = rows.filter(
      ({ key, answer }) =>
        [...person.emails, ...person.ids].some((name) => key.toLowerCase().includes(name)) ||
        (answer !== null && isNamed(openSealed(keyring, 'idempotency', answer))),
    )
    if (theirs.length === 0) continue
    await db.query(sql`
      delete from idempotency_keys where account_id = ${accountId} and key = any(${theirs.map(({ key }) => key)}::text[])`)
    gone += theirs.length
  }
}

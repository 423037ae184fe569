import { text } from 'node:stream/consumers'
import sql from 'sql-template-tag'
import { Value } from 'typebox/value'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { Refusal } from '../../lib/refusal.ts'
import type { Keyring } from '../../lib/secret.ts'
import { leaveMarks, marksOfAddress } from '../subscriptions/suppressions.ts'
import { knownAddresses } from './addresses.ts'
import { erase, type Parts } from './erase.ts'
import { Entry, erasureOf, journalFolder } from './journal-entry.ts'

/** Entries read at once. */
const READ_AT_ONCE = 16

/**
 * Applies what the journal tells and the database does not know, as after an older copy was put back: whoever was erased
 * since then is erased again. To be called before anyone is answered; safe to call again, and in several processes at once.
 * An account without a journal costs one look into the file store. Throws a Refusal for an entry that can't be read, or
 * whose marks a key has made that is not in the ring: someone would come back unnoticed.
 * @returns how many erasures were applied
 */
export async function replayJournal(db: Database, parts: Parts): Promise<number> {
  // Accounts are the one thing that is looked at across accounts here; all else is of one of them.
  const accounts = await db.query<{ id: number }>(sql`select id from accounts order by id`)
  let applied = 0
  for (const { id } of accounts) {
    const missing = await missingFrom(db, parts, id)
    if (missing.length > 0) await apply(db, parts, id, missing)
    applied += missing.length
  }
  return applied
}

async function missingFrom(db: Database, { files, keyring }: Parts, accountId: number): Promise<Entry[]> {
  const keys = new Map<string, string>()
  for (const key of await files.list(journalFolder(accountId))) {
    const id = erasureOf(key)
    if (id) keys.set(id, key)
  }
  if (keys.size === 0) return []
  const known = await db.query<{ id: string }>(
    sql`select id from erasures where account_id = ${accountId} and id = any(${[...keys.keys()]}::uuid[])`,
  )
  for (const { id } of known) keys.delete(id)
  const missing = [...keys].sort(([a], [b]) => (a < b ? -1 : 1)) // ids are in the order of their time
  const entries: Entry[] = []
  for (let at = 0; at < missing.length; at += READ_AT_ONCE)
    entries.push(
      ...(await Promise.all(
        missing.slice(at, at + READ_AT_ONCE).map(([id, key]) => readEntry(files, key, accountId, id)),
      )),
    )
  requireKeysOf(entries, keyring)
  return entries
}

async function readEntry(files: FileStore, key: string, accountId: number, id: string): Promise<Entry> {
  const entry = parse(await text(await files.read(key)))
  if (
    Value.Check(Entry, entry) &&
    entry.account_id === accountId &&
    entry.id === id &&
    !Number.isNaN(Date.parse(entry.at))
  )
    return entry
  throw new Refusal(
    `the erasure in the file ${key} can not be read, so that whoever it is about would come back: ` +
      'put the file back from your backup; only if you know that it is about nobody, remove it',
  )
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function requireKeysOf(entries: readonly Entry[], keyring: Keyring): void {
  const ids = new Set(keyring.map(({ id }) => id))
  const missing = entries.flatMap(({ marks }) => marks).find(({ keyId }) => !ids.has(keyId))
  if (!missing) return
  throw new Refusal(
    `the journal of erasures holds marks made with key ${missing.keyId}, which ROLLCALL_SECRET (or ROLLCALL_HOME/secret) lacks: ` +
      'add that key behind the others, or put the file back from your backup',
  )
}

async function apply(db: Database, parts: Parts, accountId: number, entries: readonly Entry[]): Promise<void> {
  // First of all, so that nobody comes in while everyone else is being looked at.
  const marks = entries.flatMap((entry) => entry.marks)
  await db.transaction(async (trx) => leaveMarks(trx, accountId, marks, 'erasure journal'))

  const entryOf = new Map(entries.flatMap((entry) => entry.marks.map((mark) => [mark.value, entry] as const)))
  const found = new Map<Entry, Set<string>>()
  for await (const email of knownAddresses(db, accountId)) {
    for (const value of marksOfAddress(parts.keyring, email)) {
      const entry = entryOf.get(value)
      if (entry) found.set(entry, (found.get(entry) ?? new Set()).add(email))
    }
  }
  const caller = { accountId, actor: 'system', ip: null }
  for (const [entry, emails] of found)
    await db.transaction((trx) => erase(trx, parts, caller, { emails: [...emails] }, entry))

  const rest = entries.filter((entry) => !found.has(entry))
  await db.query(sql`
    insert into erasures (account_id, id, actor, created_at, finished_at)
    select ${accountId}::bigint, id, 'system', at, clock_timestamp()
    from unnest(${rest.map(({ id }) => id)}::uuid[], ${rest.map(({ at }) => at)}::timestamptz[]) as rest (id, at)
    on conflict do nothing`)
}

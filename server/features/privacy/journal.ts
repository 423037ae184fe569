import { text } from 'node:stream/consumers'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { leaveMarks, marksOfAddress } from '../subscriptions/suppressions.ts'
import { erase, type Parts } from './erase.ts'
import { type Entry, journalFolder } from './journal-entry.ts'

/** Addresses looked at in one go. */
const AT_ONCE = 5000

/**
 * Applies what the journal tells and the database does not know, as after an older copy was put back: whoever was erased
 * since then is erased again, before anyone is answered. Answers how many erasures were applied. An account without a
 * journal costs one look into the file store.
 */
export async function replayJournal(db: Database, parts: Parts): Promise<number> {
  // Accounts are the one thing that is looked at across accounts here; all else is of one of them.
  const accounts = await db.query<{ id: number }>(sql`select id from accounts order by id`)
  let applied = 0
  for (const { id } of accounts) {
    const missing = await missingFrom(db, parts.files, id)
    if (missing.length > 0) await apply(db, parts, id, missing)
    applied += missing.length
  }
  return applied
}

async function missingFrom(db: Database, files: FileStore, accountId: number): Promise<Entry[]> {
  const keys = await files.list(journalFolder(accountId))
  const idOf = (key: string) => /([0-9a-f-]{36})\.json$/.exec(key)?.[1]
  const ids = keys.map(idOf).filter((id) => id !== undefined)
  if (ids.length === 0) return []
  const known = await db.query<{ id: string }>(
    sql`select id from erasures where account_id = ${accountId} and id = any(${ids}::uuid[])`,
  )
  const knownIds = new Set(known.map(({ id }) => id))
  const missing = keys.filter((key) => !knownIds.has(idOf(key) ?? ''))
  const entries: Entry[] = []
  for (const key of missing) entries.push(JSON.parse(await text(await files.read(key))) as Entry)
  return entries
}

async function apply(db: Database, parts: Parts, accountId: number, entries: readonly Entry[]): Promise<void> {
  const entryOf = new Map(entries.flatMap((entry) => entry.marks.map((mark) => [mark.value, entry] as const)))
  // First of all, so that nobody comes in while everyone else is being looked at.
  await db.transaction(async (trx) => {
    leaveMarks(
      trx,
      accountId,
      entries.flatMap(({ marks }) => marks),
      'erasure journal',
    )
  })
  const caller = { accountId, actor: 'system', ip: null }
  const applied = new Set<Entry>()
  for (let after = ''; ; ) {
    const rows = await db.query<{ email: string }>(sql`
      select email from (
        (select email from contacts where account_id = ${accountId} and email > ${after} order by email limit ${AT_ONCE})
        union (select distinct email collate "C" from change_rows where account_id = ${accountId} and email collate "C" > ${after} order by 1 limit ${AT_ONCE})
        union (select email from list_opt_outs where account_id = ${accountId} and email > ${after} order by email limit ${AT_ONCE})
        union (select value from suppressions where account_id = ${accountId} and kind = 'address' and value > ${after} order by value limit ${AT_ONCE})
        union (select key from import_rows where account_id = ${accountId} and key > ${after} order by key limit ${AT_ONCE})
      ) as known order by email collate "C" limit ${AT_ONCE}`)
    if (rows.length === 0) break
    after = rows.at(-1)!.email
    for (const { email } of rows) {
      const entry = marksOfAddress(parts.keyring, email)
        .map((value) => entryOf.get(value))
        .find((found) => found !== undefined)
      if (!entry) continue
      // Another address of someone who has been erased by now: only once is it that entry's.
      const id = applied.has(entry) ? undefined : { id: entry.id, at: entry.at }
      applied.add(entry)
      await db.transaction((trx) => erase(trx, parts, caller, { email }, id))
    }
  }
  const rest = entries.filter((entry) => !applied.has(entry))
  await db.query(sql`
    insert into erasures (account_id, id, actor, created_at, finished_at)
    select ${accountId}::bigint, id, 'system', at, clock_timestamp()
    from unnest(${rest.map(({ id }) => id)}::uuid[], ${rest.map(({ at }) => at)}::timestamptz[]) as rest (id, at)
    on conflict do nothing`)
}

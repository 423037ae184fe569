import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { Refusal } from '../../lib/refusal.ts'
import { repeat } from '../../lib/repeat.ts'
import { type Keyring, keyIdOf, openSealed, seal } from '../../lib/secret.ts'
import { UNDONE_BY_CALLERS } from '../subscriptions/states.ts'

const EVERY_MS = 60_000

/** No act by which somebody says a word takes so long to commit: what was said before the last look is told once more. */
const OVERLAP = '2 minutes'

/** What an erasure takes at most from the moment it bears to its commit. */
const ERASED_WITHIN = '1 minute'

/** Words in one file, which is sealed as a whole. */
const AT_ONCE = 50_000

/** Files after which all is written anew, and these go. */
const MOST_FILES = 500

const SEALED_FOR = 'words'

export interface WordParts {
  db: Database
  files: FileStore
  keyring: Keyring
}

/** The last own word of somebody. `contact` is null where nobody has the address; `list` is null for all mail. */
export interface Word {
  email: string
  contact: string | null
  list: number | null
  no: boolean
}

/** What one file holds. */
export interface Words {
  /** ISO 8601: as of when. */
  at: string
  words: Word[]
  /** Of addresses whose contact was removed after they had left. */
  marks: { keyId: string; value: string }[]
  /** With it, all that was ever said stands in the files from this one on. */
  wholeFrom?: string
}

export const wordFolder = (accountId: number) => `${accountId}/words`
const keyOf = (accountId: number, id: string) => `${wordFolder(accountId)}/${id}.sealed`

/** The files of an account by their ids, which are in the order of their time. */
export async function wordFiles(files: FileStore, accountId: number): Promise<Map<string, string>> {
  const found = (await files.list(wordFolder(accountId))).flatMap((key) => {
    const id = /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.sealed$/.exec(key)?.[1]
    return id ? [[id, key] as const] : []
  })
  return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Throws a Refusal for a file that can't be opened: what it holds would be forgotten unnoticed. */
export async function readWords(files: FileStore, keyring: Keyring, key: string): Promise<Words> {
  const sealed = await buffer(await files.read(key))
  try {
    return JSON.parse(openSealed(keyring, SEALED_FOR, sealed)) as Words
  } catch {
    const keyId = keyIdOf(sealed)
    throw new Refusal(
      keyring.some(({ id }) => id === keyId)
        ? `the file ${key} can not be read, in which stands who wants no more mail: put it back from your backup, or remove it if you have none`
        : `the file ${key}, in which stands who wants no more mail, was made with key ${keyId}, which ROLLCALL_SECRET (or ROLLCALL_HOME/secret) lacks: add that key behind the others`,
    )
  }
}

/** Keeps the words of each account in which something was said since the last look. */
export async function keepAllWords(parts: WordParts): Promise<void> {
  // Accounts are the one thing that is looked at across accounts here; all else is of one of them.
  const accounts = await parts.db.query<{ id: number }>(sql`
    select a.id from accounts as a, lateral (
      select nullif(max(at), '-infinity') - ${OVERLAP}::interval as at from word_journals as w where w.account_id = a.id) as last
    where last.at is null
      or exists (select from consents as k where k.account_id = a.id and k.id >= id_floor(last.at) and ${IS_WORD})
      or exists (select from list_opt_outs as o where o.account_id = a.id and o.at >= last.at)
      or exists (select from suppressions as s where s.account_id = a.id and s.reason = 'withdrawn' and s.at >= last.at)
    order by a.id`)
  for (const { id } of accounts) await keepWords(parts, id)
}

/** The same now and every minute, which is how much of what was said an older copy may lack. */
export function startWordJournal(parts: WordParts, onError: (error: unknown) => void) {
  return repeat(EVERY_MS, () => keepAllWords(parts).catch(onError))
}

/** What may be somebody's own: of what files and callers have asserted, only the withdrawals are looked into. */
const IS_WORD = sql`(k.action = 'withdrawn' or k.grade = 'observed')`

/**
 * Writes what was said in an account since the last time into a file of the store; all of it, and removes the files before, when
 * these are many or it is wished. Another process that does so at the same moment does no harm: who said what twice has said it.
 */
export async function keepWords(
  { db, files, keyring }: WordParts,
  accountId: number,
  { whole = false, most = MOST_FILES }: { whole?: boolean; most?: number } = {},
): Promise<void> {
  const [now] = await db.query<{ at: Date; since: Date | null }>(sql`
    select clock_timestamp() as at, (
      select nullif(max(at), '-infinity') - ${OVERLAP}::interval from word_journals where account_id = ${accountId}) as since`)
  const before = await wordFiles(files, accountId)
  const isWhole = whole || now!.since === null || before.size >= most
  const at = now!.at.toISOString()
  let wholeFrom: string | undefined
  let part: Part = { words: [], marks: [] }
  const write = async (isLast: boolean) => {
    const [made] = await db.query<{ id: string }>(sql`select new_id() as id`)
    const id = made!.id
    wholeFrom ??= id
    if (part.words.length + part.marks.length > 0 || (isWhole && before.size > 0)) {
      const kept: Words = { at, ...part, ...(isLast && isWhole ? { wholeFrom } : {}) }
      await files.write(keyOf(accountId, id), Readable.from([seal(keyring, SEALED_FOR, JSON.stringify(kept))]))
    }
    // Known until `at` once all parts are there: what breaks off in between is told once more.
    await db.query(sql`
      insert into word_journals (account_id, id, at)
      values (${accountId}, ${id}, ${isLast ? at : (now!.since?.toISOString() ?? '-infinity')}::timestamptz)`)
    part = { words: [], marks: [] }
  }
  for await (const { words, marks } of partsSince(db, accountId, isWhole ? null : now!.since)) {
    part.words.push(...words)
    part.marks.push(...marks)
    if (part.words.length + part.marks.length >= AT_ONCE) await write(false)
  }
  await write(true)
  // Who was erased meanwhile may have been read before, and written after the files were looked through for them.
  const [erased] = await db.query(sql`
    select from erasures where account_id = ${accountId} and created_at > ${at}::timestamptz - ${ERASED_WITHIN}::interval limit 1`)
  if (!isWhole && erased) return keepWords({ db, files, keyring }, accountId, { whole: true })
  if (!isWhole) return
  // The files first: one that is unknown would be taken for news by the next start.
  for (const key of before.values()) await files.remove(key)
  await db.query(sql`
    delete from word_journals where account_id = ${accountId} and id < ${wholeFrom}::uuid`)
}

type Part = Pick<Words, 'words' | 'marks'>

/** In parts: those who have left, then those who have left a list, then those who are gone. */
async function* partsSince(db: Database, accountId: number, since: Date | null): AsyncGenerator<Part> {
  const spoke = (contact: Sql) =>
    since === null
      ? sql``
      : sql`and ${contact} in (
          select k.contact_id from consents as k where k.account_id = ${accountId} and k.id >= id_floor(${since}) and ${IS_WORD})`
  const people = (after: string | undefined) =>
    db.query<Word & { key: string }>(sql`
      select c.id::text as key, c.email, c.id as contact, null as list, c.state = 'unsubscribed' as no from contacts as c
      where c.account_id = ${accountId} and c.id > coalesce(${after ?? null}::uuid, '00000000-0000-0000-0000-000000000000') and (
        (c.state = 'unsubscribed' and c.state_reason <> all(${[...UNDONE_BY_CALLERS]}::text[]))
        or (${since !== null} and c.state = 'subscribed' and c.state_reason = 'confirmed')) ${spoke(sql`c.id`)}
      order by c.id limit ${AT_ONCE}`)
  const lists = (after: string | undefined) =>
    db.query<Word & { key: string }>(sql`
      select (o.list_id || ' ' || o.email) collate "C" as key, o.email, c.id as contact, o.list_id as list, true as no
      from list_opt_outs as o left join contacts as c on c.account_id = o.account_id and c.email = o.email
      where o.account_id = ${accountId} and o.at >= coalesce(${since}::timestamptz, '-infinity')
        and (o.list_id || ' ' || o.email) collate "C" > ${after ?? ''}
      order by 1 limit ${AT_ONCE}`)
  const marks = (after: string | undefined) =>
    db.query<{ key: string; keyId: string; value: string }>(sql`
      select id::text as key, key_id as "keyId", value from suppressions
      where account_id = ${accountId} and kind = 'hmac' and reason = 'withdrawn' and at >= coalesce(${since}::timestamptz, '-infinity')
        and id > ${after ?? 0}::bigint
      order by id limit ${AT_ONCE}`)
  for await (const words of pagesOf(people)) yield { words: words.map(wordOf), marks: [] }
  for await (const words of pagesOf(lists)) yield { words: words.map(wordOf), marks: [] }
  const joined =
    since === null
      ? []
      : await db.query<Word>(sql`
          select distinct c.email, c.id as contact, (k.data ->> 'list_id')::bigint as list, false as no
          from consents as k join contacts as c on c.account_id = k.account_id and c.id = k.contact_id
          where k.account_id = ${accountId} and k.id >= id_floor(${since}) and k.action = 'granted' and k.grade = 'observed'
            and k.data ? 'list_id' and not exists (
              select from list_opt_outs as o
              where o.account_id = k.account_id and o.list_id = (k.data ->> 'list_id')::bigint and o.email = c.email)`)
  for await (const found of pagesOf(marks))
    yield { words: [], marks: found.map(({ keyId, value }) => ({ keyId, value })) }
  yield { words: joined.map(wordOf), marks: [] }
}

const wordOf = ({ email, contact, list, no }: Word): Word => ({ email, contact, list, no })

/** Page after page, each read from the key of the last row of the one before. */
async function* pagesOf<Row extends { key: string }>(
  read: (after: string | undefined) => Promise<Row[]>,
): AsyncGenerator<Row[]> {
  for (let after: string | undefined; ; ) {
    const rows = await read(after)
    if (rows.length > 0) yield rows
    if (rows.length < AT_ONCE) return
    after = rows.at(-1)!.key
  }
}

import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { Evidence } from '../subscriptions/evidence.ts'
import { holdLists } from '../subscriptions/join.ts'
import { leave, leaveList } from '../subscriptions/leave.ts'
import { waitForAddresses } from '../subscriptions/leave-by-link.ts'
import { holdStandings } from '../subscriptions/standing.ts'
import { leaveWithdrawn, marksOf, marksOfAddress } from '../subscriptions/suppressions.ts'
import { knownAddresses } from './addresses.ts'
import { readWords, type Word, type WordParts, wordFiles } from './words.ts'

/** People of one transaction. */
const AT_ONCE = 5000

const EVIDENCE: Evidence = { grade: 'asserted', source: 'journal', actor: 'system', ip: null }

/** A no, and as of when. */
interface No extends Word {
  at: string
}

/** What the files say in the end. */
interface Last {
  /** By address and list. */
  words: Map<string, No>
  /** By value. */
  marks: Map<string, { keyId: string; at: string }>
}

/**
 * Applies what was said after this copy of the database was made, if it was put back: whoever wanted no more mail by then wants
 * none. Nobody becomes mailable by it: who has come back since is asked anew. To be called before anyone is answered, after the
 * journal of erasures; safe to call again, and in several processes at once. Throws a Refusal for a file that can't be opened.
 * @returns how many words were applied
 */
export async function replayWords(parts: WordParts): Promise<number> {
  const { db, keyring } = parts
  const accounts = await db.query<{ id: number }>(sql`select id from accounts order by id`)
  let applied = 0
  for (const { id: accountId } of accounts) {
    const { ids, last } = await unknownTo(parts, accountId)
    if (ids.length === 0) continue
    const nos = [...last.words.values()].filter(({ no }) => no)
    nos.push(...(await marked(db, keyring, accountId, last.marks)))
    for (let at = 0; at < nos.length; at += AT_ONCE)
      await db.transaction((trx) => apply(trx, keyring, accountId, nos.slice(at, at + AT_ONCE)))
    await keepMarks(db, accountId, last.marks)
    applied += nos.length + last.marks.size
    await db.query(sql`
      insert into word_journals (account_id, id, at)
      select ${accountId}::bigint, id, '-infinity' from unnest(${ids}::uuid[]) as id on conflict do nothing`)
  }
  return applied
}

async function unknownTo({ db, files, keyring }: WordParts, accountId: number): Promise<{ ids: string[]; last: Last }> {
  const all = await wordFiles(files, accountId)
  const last: Last = { words: new Map(), marks: new Map() }
  if (all.size === 0) return { ids: [], last }
  const known = await db.query<{ id: string }>(
    sql`select id from word_journals where account_id = ${accountId} and id = any(${[...all.keys()]}::uuid[])`,
  )
  for (const { id } of known) all.delete(id)
  const read = []
  for (const [id, key] of all) read.push({ id, ...(await readWords(files, keyring, key)) })
  // What all was written anew from stands in place of what was before.
  const from = read.findLast(({ wholeFrom }) => wholeFrom !== undefined)?.wholeFrom ?? ''
  for (const { at, words, marks } of read.filter(({ id }) => id >= from)) {
    for (const word of words) {
      last.words.set(`${word.list ?? ''} ${word.email}`, { ...word, at })
      if (!word.no) for (const value of marksOfAddress(keyring, word.email)) last.marks.delete(value)
    }
    for (const { keyId, value } of marks) last.marks.set(value, { keyId, at })
  }
  return { ids: [...all.keys()], last }
}

/** Whose address has one of these marks: here they are still, and would be as if they had said nothing. */
async function marked(db: Database, keyring: Keyring, accountId: number, marks: Last['marks']): Promise<No[]> {
  const found = new Map<string, No>()
  if (marks.size === 0) return []
  for await (const email of knownAddresses(db, accountId)) {
    const mark = marksOfAddress(keyring, email).find((value) => marks.has(value))
    if (mark !== undefined) found.set(email, { email, at: marks.get(mark)!.at, contact: null, list: null, no: true })
  }
  return [...found.values()]
}

async function keepMarks(db: Database, accountId: number, marks: Last['marks']): Promise<void> {
  const rows = [...marks].map(([value, { keyId }]) => ({ value, keyId }))
  await db.query(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    select ${accountId}::bigint, 'hmac', value, key_id, 'withdrawn', 'journal'
    from unnest(${rows.map(({ value }) => value)}::text[], ${rows.map(({ keyId }) => keyId)}::text[]) as mark (value, key_id)
    on conflict do nothing`)
}

async function apply(trx: Trx, keyring: Keyring, accountId: number, said: readonly No[]): Promise<void> {
  // Of who was erased nothing is written down anew, where a file still names them.
  const marks = await marksOf(
    trx,
    keyring,
    accountId,
    said.map(({ email }) => email),
  )
  const nos = said.filter(({ email }) => marks.get(email) !== 'erased')
  const lists = await holdLists(trx, accountId, [...new Set(nos.flatMap(({ list }) => list ?? []))])
  // Whoever the address or the id is of; not who has said yes after the file was written, by which it is no news.
  const concerned = await trx.query<{ nth: number; id: string; isNews: boolean }>(sql`
    with said as (
      select (nth - 1)::int as nth, email, contact, list, at
      from unnest(${nos.map(({ email }) => email)}::text[], ${nos.map(({ contact }) => contact)}::uuid[],
        ${nos.map(({ list }) => list)}::bigint[], ${nos.map(({ at }) => at)}::timestamptz[])
        with ordinality as said (email, contact, list, at, nth)
    ), concerned as (
      select said.nth, said.list, said.at, c.id from said join contacts as c on c.account_id = ${accountId} and c.email = said.email
      union
      select said.nth, said.list, said.at, c.id from said join contacts as c on c.account_id = ${accountId} and c.id = said.contact
    )
    select nth, id, not exists (
      select from consents as k
      where k.account_id = ${accountId} and k.contact_id = n.id and k.action = 'granted' and k.grade = 'observed' and k.at > n.at
        and (k.data ->> 'list_id')::bigint is not distinct from n.list) as "isNews"
    from concerned as n`)
  const found = concerned.filter(({ isNews }) => isNews)
  const over = new Set(concerned.filter(({ isNews }) => !isNews).map(({ nth }) => nth))
  const people = await holdStandings(trx, accountId, [...new Set(found.map(({ id }) => id))])
  const whoSaid = (isIt: (no: No) => boolean) => {
    const ids = new Set(found.filter(({ nth }) => isIt(nos[nth]!)).map(({ id }) => id))
    return people.filter(({ id }) => ids.has(id))
  }
  leave(
    trx,
    accountId,
    whoSaid(({ list }) => list === null),
    EVIDENCE,
  )
  for (const id of lists) {
    const emails = nos.filter(({ list }, nth) => list === id && !over.has(nth)).map(({ email }) => email)
    const those = whoSaid(({ list }) => list === id)
    await leaveList(trx, accountId, id, those, EVIDENCE, emails)
  }
  const rest = await trx.query<{ email: string }>(sql`
    select email from unnest(${nos.filter(({ list }) => list === null).map(({ email }) => email)}::text[]) as email
    where not exists (select from contacts as c where c.account_id = ${accountId} and c.email = email.email)`)
  const gone = rest.map(({ email }) => ({ email, state: 'unsubscribed' as const }))
  if (gone.length === 0) return
  leaveWithdrawn(trx, keyring, accountId, gone, EVIDENCE.source)
  await waitForAddresses(
    trx,
    accountId,
    rest.map(({ email }) => email),
  )
}

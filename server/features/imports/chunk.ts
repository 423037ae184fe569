import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { holdRemovals } from '../contacts/removal-lock.ts'
import { hasMarks, marksOf } from '../subscriptions/suppressions.ts'
import { moveAddresses } from './addresses.ts'
import { type Entered, enterAll, enterNew, idBy, settleNew, type Tally } from './created.ts'
import { holdExisting, IDENTITY_CONFLICT, mergeExisting } from './existing.ts'
import type { Counts } from './imports.ts'
import { isComplete, type MergeTerms, people, type Range, waiting } from './people.ts'
import { isLeftByAnyone } from './terms.ts'
import { canCompare, settleUnchanged } from './unchanged.ts'

/** Thrown when other hands have taken some of the rows meanwhile: the chunk is undone, and looked at anew. */
export class TakenElsewhere extends Error {}

/** What became of the rows of a range, and how many of its people are left to wait for another look. */
export interface Merged {
  counts: Counts
  left: number
}

/**
 * Merges the rows of a range in one transaction: enters who is new, reads the suppressions in a later statement, settles
 * the new ones, locks the others in the order of their ids and changes them, and keeps what can't be merged with its reason.
 * Who was entered by others at the very moment is left to wait; `isContested`: that has happened before.
 */
export async function mergeChunk(trx: Trx, terms: MergeTerms, range: Range, isContested = false): Promise<Merged> {
  const entered = await enterNew(trx, terms, range, isContested)
  if (entered.people === 0) return { counts: {}, left: 0 }
  const hasDuplicates = entered.rows > entered.people
  const counts: Counts = {}
  let [rows, done] = [0, 0]
  const take = ({ duplicates, ...named }: Tally) => {
    done +=
      (named.created ?? 0) +
      (named.updated ?? 0) +
      (named.unchanged ?? 0) +
      (named.rejected ?? 0) +
      (named.suppressed ?? 0)
    add(counts, { ...named, duplicate: duplicates })
  }
  /** What has been done waits no longer: all of the range once everyone is, else the rows that have their like. */
  const clear = async () => {
    rows += await takeOut(trx, terms, range, done === entered.people)
    return done === entered.people
  }
  const finish = () => {
    if (done === entered.people && rows !== entered.rows) throw new TakenElsewhere()
    return { counts, left: entered.people - done }
  }
  const erased = await applyMarks(trx, terms, range, entered)
  take(erased.tally)
  const ids = entered.ids.filter((id) => !erased.ids.has(id))
  if (ids.length > 0) {
    // Asked anew, now that they are held: who was leaving a list by a link at this moment, and was waited for, has left it.
    const hasOptOuts = terms.hasOptOuts || (await isLeftByAnyone(trx, terms.accountId, terms.listIds))
    take(await settleNew(trx, { ...terms, hasOptOuts }, range, ids, hasDuplicates))
  }
  if (done > 0 && (await clear())) return finish()
  await holdExisting(trx, terms, range)
  const moved = await moveAddresses(trx, terms, range)
  take(moved.tally)
  if (moved.tally.suppressed && (await clear())) return finish()
  take(await mergeExisting(trx, terms, range, hasDuplicates, moved.moves))
  if (await clear()) return finish()
  take(await refuseOthers(trx, terms, range))
  await clear()
  return finish()
}

/**
 * Settles those of a range of whom their row says nothing new, and leaves the others to wait for `mergeChunk`: in a
 * transaction of its own, as who is new is entered before anybody is locked. Answers how many people are left.
 */
export async function mergeUnchanged(trx: Trx, terms: MergeTerms, range: Range): Promise<Merged> {
  const nobody = { counts: {}, left: Number.POSITIVE_INFINITY }
  if (!canCompare(terms)) return nobody
  if (!range.isPlain) await holdExisting(trx, terms, range)
  else if (!(await holdRemovals(trx, terms.accountId, range.lane ?? 0))) return nobody
  const { people, duplicates, ...named } = await settleUnchanged(trx, terms, range)
  const counts: Counts = {}
  add(counts, named)
  const { unchanged } = named
  if (!range.isPlain && unchanged > 0 && (await takeOut(trx, terms, range, unchanged === people)) !== unchanged)
    throw new TakenElsewhere()
  return { counts, left: people - unchanged }
}

/**
 * Enters all people of a range, if none of them is known, nobody has been removed from the account and nobody has left a list of
 * the import; else it leaves them to wait for `mergeChunk`. What it relies on is asked before, and again once the addresses are
 * held, as `applyMarks` does: what has changed meanwhile undoes the chunk.
 */
export async function mergeNew(trx: Trx, terms: MergeTerms, range: Range, isContested = false): Promise<Merged> {
  const { matchBy, saysMore, namesLists, accountId } = terms
  const isSimple = range.isPlain && matchBy === 'email' && !saysMore && !namesLists && !isContested
  const isUntouched = async () =>
    !(await isLeftByAnyone(trx, accountId, terms.listIds)) && !(await hasMarks(trx, accountId))
  if (!isSimple || !(await isUntouched())) return { counts: {}, left: range.people }
  const { duplicates: _, ...named } = await enterAll(trx, terms, range)
  const counts: Counts = {}
  add(counts, named)
  if (counts.created !== range.people || !(await isUntouched())) throw new TakenElsewhere()
  return { counts, left: 0 }
}

/**
 * Changes those of a range who are there, and leaves the others to wait for `mergeChunk`: nobody is looked for who would have to be
 * entered. Not where people have several rows, or may come to have other addresses.
 */
export async function mergeKnown(trx: Trx, terms: MergeTerms, range: Range): Promise<Merged> {
  if (!range.isPlain || terms.matchBy !== 'email') return { counts: {}, left: range.people }
  const held = await holdExisting(trx, terms, range)
  const left = range.people - held
  const { duplicates: _, ...named } = await mergeExisting(trx, terms, { ...range, takesOut: left === 0 }, false, [])
  const counts: Counts = {}
  add(counts, named)
  const done = (counts.updated ?? 0) + (counts.unchanged ?? 0) + (counts.rejected ?? 0)
  const rows = left === 0 || done === 0 ? done : await takeOut(trx, terms, range, false)
  if (done !== held || rows !== held) throw new TakenElsewhere()
  return { counts, left }
}

/** Takes rows out of those that wait; answers how many. Each row that this transaction has done has one of its line in `change_rows` itself. */
async function takeOut(trx: Trx, terms: MergeTerms, range: Range, whole: boolean): Promise<number> {
  const { accountId, importId } = terms
  const like = sql`(select k.line from only change_rows as k where k.account_id = ${accountId} and k.change_set_id = ${importId} and k.line = r.line limit 1) is not null`
  const [gone] = await trx.query<{ rows: number }>(sql`
    with gone as (
      delete from import_rows as r where ${waiting(terms, range, sql`r.`)} ${whole ? sql`` : sql`and ${like}`} returning 1
    ) select count(*) as rows from gone`)
  return gone!.rows
}

function add(counts: Counts, more: Counts): void {
  for (const [name, count] of Object.entries(more) as [keyof Counts, number][])
    counts[name] = (counts[name] ?? 0) + Number(count)
}

/**
 * What removals and erasures have left of the addresses just entered, read after they were: an erasure writes its mark and
 * then waits for the address's row, so only a later snapshot is sure to see it. The erased are taken out again, their rows
 * kept without the address; who has withdrawn comes in as gone.
 */
async function applyMarks(trx: Trx, terms: MergeTerms, range: Range, { ids, emails }: Entered) {
  const none = { ids: new Set<string>(), tally: NOTHING }
  if (ids.length === 0) return none
  const { accountId, importId, keyring } = terms
  if (!(await hasMarks(trx, accountId))) return none
  const marks = await marksOf(trx, keyring, accountId, emails)
  const marked = (mark: 'withdrawn' | 'erased') => ids.filter((_, at) => marks.get(emails[at]!) === mark)
  const withdrawn = marked('withdrawn')
  const erased = marked('erased')
  if (withdrawn.length > 0) {
    trx.send(sql`
      update contacts set state = 'unsubscribed', state_reason = 'withdrawn', state_before = null
      where account_id = ${accountId} and id = any(${withdrawn}::uuid[]) and state <> 'bounced'`)
  }
  if (erased.length === 0) return none
  trx.send(sql`delete from contacts where account_id = ${accountId} and id = any(${erased}::uuid[])`)
  const [tally] = await trx.query<Tally>(sql`
    with ${people(terms, range)}, erased as (select key, line from people where email = any(${emails.filter((email) => marks.get(email) === 'erased')}::text[])),
    kept as (
      insert into change_rows (account_id, change_set_id, line, action)
      select ${accountId}::bigint, ${importId}::bigint, r.line, case when r.line = e.line then 'suppressed' else 'duplicate' end
      from erased as e join import_rows as r
        on r.account_id = ${accountId} and r.import_id = ${importId} and r.key = e.key
      returning action
    )
    select count(*) filter (where action = 'suppressed') as suppressed, count(*) filter (where action = 'duplicate') as duplicates from kept`)
  return { ids: new Set(erased), tally: tally! }
}

const NOTHING: Tally = { duplicates: 0 }

/** Keeps the reason of those who can be neither entered nor found: what new contacts lack, or another's external id. */
async function refuseOthers(trx: Trx, terms: MergeTerms, range: Range): Promise<Tally> {
  const { accountId, importId } = terms
  const [tally] = await trx.query<Tally>(sql`
    with ${people(terms, range)}, refused as (
      select p.key, p.line, p.email, ${reasonOf(terms)} as problem from people as p
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, problem)
      select ${accountId}::bigint, ${importId}::bigint, r.line, f.email, case when r.line = f.line then 'rejected' else 'duplicate' end,
        case when r.line = f.line then f.problem end
      from refused as f join import_rows as r
        on r.account_id = ${accountId} and r.import_id = ${importId} and r.key = f.key
      where f.problem is not null
      returning action
    )
    select count(*) filter (where action = 'rejected') as rejected, count(*) filter (where action = 'duplicate') as duplicates from kept`)
  return tally!
}

/** Why someone can be neither entered nor found; null for who was entered by others at this moment: over `people as p`. */
export function reasonOf(terms: MergeTerms): Sql {
  const { accountId, matchBy } = terms
  const byId =
    matchBy === 'email'
      ? sql``
      : sql`when (${idBy(sql`email`, accountId, sql`p.email`)}) is not null then ${IDENTITY_CONFLICT}::jsonb`
  return sql`
    case when p.email is null then '{"errors":{"email":["can''t be blank"]}}'::jsonb
      when (${idBy(sql`external_id`, accountId, sql`p.external_id`)}) is not null then ${IDENTITY_CONFLICT}::jsonb
      ${byId}
      when not ${isComplete(terms)} then jsonb_build_object('errors', ${lackingOf(terms)}) end`
}

/** Which required fields a new contact lacks, as errors: over `people as p`. */
function lackingOf({ required, defaults }: MergeTerms) {
  const wanted = required.filter(({ key }) => !Object.hasOwn(defaults, key))
  return sql`(
    select jsonb_object_agg(tag, '["can''t be blank"]'::jsonb)
    from unnest(${wanted.map(({ key }) => key)}::text[], ${wanted.map(({ mergeTag }) => mergeTag)}::text[]) as wanted (key, tag)
    where not jsonb_strip_nulls(p.fields) ? key)`
}

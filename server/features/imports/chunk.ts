import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { marksOf } from '../subscriptions/suppressions.ts'
import { enterNew, settleNew, type Tally } from './created.ts'
import { holdExisting, IDENTITY_CONFLICT, mergeExisting } from './existing.ts'
import type { Counts } from './imports.ts'
import { isComplete, type MergeTerms, people, type Range } from './people.ts'

/** Thrown when other hands have taken some of the rows meanwhile: the chunk is undone, and looked at anew. */
export class TakenElsewhere extends Error {}

/**
 * Merges the rows of a range in one transaction: enters who is new, reads the suppressions in a later statement, settles
 * the new ones, locks the others in the order of their ids and changes them, and keeps what can't be merged with its reason.
 * Answers what became of the rows; those who were entered by others at the very moment are left to wait for another look.
 */
export async function mergeChunk(trx: Trx, terms: MergeTerms, range: Range): Promise<{ counts: Counts; left: number }> {
  const entered = await enterNew(trx, terms, range)
  if (entered.people === 0) return { counts: {}, left: 0 }
  const hasDuplicates = entered.rows > entered.people
  const marked = await applyMarks(trx, terms, range, entered.ids)
  const counts: Counts = {}
  let [rows, done] = [marked.rows, marked.people]
  add(counts, { suppressed: marked.people, duplicate: marked.rows - marked.people })
  const take = (tally: Tally) => {
    rows += tally.rows
    done += (tally.created ?? 0) + (tally.updated ?? 0) + (tally.unchanged ?? 0) + (tally.rejected ?? 0)
    const { rows: _, duplicates, ...named } = tally
    add(counts, { ...named, duplicate: duplicates })
  }
  const ids = entered.ids.filter((id) => !marked.erased.has(id))
  if (ids.length > 0) take(await settleNew(trx, terms, range, ids, hasDuplicates))
  if (done < entered.people) {
    await holdExisting(trx, terms, range)
    take(await mergeExisting(trx, terms, range, hasDuplicates))
  }
  if (done < entered.people) {
    const refused = await refuseOthers(trx, terms, range)
    rows += refused.rows
    done += refused.people
    add(counts, { rejected: refused.people, duplicate: refused.rows - refused.people })
  }
  if (done === entered.people && rows !== entered.rows) throw new TakenElsewhere()
  return { counts, left: entered.people - done }
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
async function applyMarks(trx: Trx, terms: MergeTerms, range: Range, ids: readonly string[]) {
  const none = { erased: new Set<string>(), people: 0, rows: 0 }
  if (ids.length === 0) return none
  const { accountId, importId, keyring } = terms
  const [any] = await trx.query<{ found: boolean }>(
    sql`select exists (select from suppressions where account_id = ${accountId} and kind = 'hmac') as found`,
  )
  if (!any!.found) return none
  const entered = await trx.query<{ id: string; email: string }>(
    sql`select id, email from contacts where account_id = ${accountId} and id = any(${[...ids]}::uuid[])`,
  )
  const marks = await marksOf(
    trx,
    keyring,
    accountId,
    entered.map(({ email }) => email),
  )
  const withdrawn = entered.filter(({ email }) => marks.get(email) === 'withdrawn').map(({ id }) => id)
  const erased = entered.filter(({ email }) => marks.get(email) === 'erased')
  if (withdrawn.length > 0) {
    trx.send(sql`
      update contacts set state = 'unsubscribed', state_reason = 'withdrawn', state_before = null
      where account_id = ${accountId} and id = any(${withdrawn}::uuid[]) and state not in ('unsubscribed', 'bounced')`)
  }
  if (erased.length === 0) return none
  const erasedIds = erased.map(({ id }) => id)
  trx.send(sql`delete from contacts where account_id = ${accountId} and id = any(${erasedIds}::uuid[])`)
  const rows = await trx.query<{ last: boolean }>(sql`
    with ${people(terms, range)}, gone as (
      delete from import_rows as r using people as p
      where r.account_id = ${accountId} and r.import_id = ${importId} and r.key = p.key and r.key > ${range.after} and r.key <= ${range.upTo}
        and p.email = any(${erased.map(({ email }) => email)}::text[])
      returning r.line, r.line = p.line as last
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, action)
      select ${accountId}::bigint, ${importId}::bigint, line, case when last then 'suppressed' else 'duplicate' end from gone
    )
    select last from gone`)
  return { erased: new Set(erasedIds), people: rows.filter((row) => row.last).length, rows: rows.length }
}

/** Keeps the reason of those who can be neither entered nor found: what new contacts lack, or another's external id. */
async function refuseOthers(trx: Trx, terms: MergeTerms, range: Range): Promise<{ people: number; rows: number }> {
  const { accountId, importId } = terms
  const lacking = lackingOf(terms)
  const [refused] = await trx.query<{ people: number; rows: number }>(sql`
    with ${people(terms, range)}, refused as (
      select p.key, p.line, p.email, case
        when p.email is null then '{"errors":{"email":["can''t be blank"]}}'::jsonb
        when exists (select from contacts as c where c.account_id = ${accountId} and c.external_id = p.external_id)
          or exists (select from contacts as c where c.account_id = ${accountId} and c.email = p.email) then ${IDENTITY_CONFLICT}::jsonb
        when not ${isComplete(terms)} then jsonb_build_object('errors', ${lacking}) end as problem
      from people as p
    ), gone as (
      delete from import_rows as r using refused as f
      where r.account_id = ${accountId} and r.import_id = ${importId} and r.key = f.key and r.key > ${range.after} and r.key <= ${range.upTo}
        and f.problem is not null
      returning r.line, f.email, r.line = f.line as last, f.problem
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, email, case when last then 'rejected' else 'duplicate' end,
        case when last then problem end from gone
    )
    select count(*) filter (where last) as people, count(*) as rows from gone`)
  return refused!
}

/** Which required fields a new contact lacks, as errors: over `people as p`. */
export function lackingOf({ required, defaults }: MergeTerms) {
  const wanted = required.filter(({ key }) => !Object.hasOwn(defaults, key))
  return sql`(
    select jsonb_object_agg(tag, '["can''t be blank"]'::jsonb)
    from unnest(${wanted.map(({ key }) => key)}::text[], ${wanted.map(({ mergeTag }) => mergeTag)}::text[]) as wanted (key, tag)
    where not jsonb_strip_nulls(p.fields) ? key)`
}

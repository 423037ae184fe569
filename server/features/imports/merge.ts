import sql from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import { type Merged, mergeChunk, mergeKnown, mergeNew, mergeUnchanged, TakenElsewhere } from './chunk.ts'
import { type Counts, Stopped } from './imports.ts'
import type { MergeTerms, Range } from './people.ts'

/**
 * Rows merged in one transaction: what it costs by itself is a few ms, and nobody whom it changes waits longer than it takes,
 * a quarter of a second.
 */
const CHUNK = 5000

/** Chunks merged at once: a second connection works while the first waits for its commit, or shares the trigram index's work. */
const LANES = 2

/** Chunks of which some person was entered by others at that moment are looked at again, so often at most. */
const MOST_PASSES = 20

const MOST_TRIES = 5

/** What a chunk finds when it begins. Throws when the import can't go on: its lists have gone, or its fields have changed. */
export type TermsFor = (trx: Trx) => Promise<MergeTerms>

interface Merging {
  db: Database
  accountId: number
  importId: number
  runner: string
  termsFor: TermsFor
  signal: AbortSignal
  /** Rows of a chunk; CHUNK unless given. */
  chunkRows?: number | undefined
  /** Told of each chunk that is merged. */
  onChunk: () => Promise<void>
  /** Asked after that: whether to leave the rest for later. */
  isOver: () => boolean
}

/**
 * Merges whatever waits, chunk after chunk in the order of their keys, two at once. Answers whether all was merged. Whoever
 * dies in between has merged whole chunks, and the rest waits for the next who comes.
 */
export async function mergeAll(merging: Merging): Promise<boolean> {
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    const ended = await onePass(merging)
    if (ended !== 'some wait') return ended === 'all done'
  }
  throw new Error(`rows are left after ${MOST_PASSES} passes`)
}

async function onePass(merging: Merging): Promise<'all done' | 'some wait' | 'cut off'> {
  const { db, accountId, importId, signal, isOver, chunkRows = CHUNK } = merging
  const ranges = rangesOf(db, accountId, importId, chunkRows)
  let ended: Awaited<ReturnType<typeof onePass>> = 'all done'
  let before: Found = 'some new'
  const merge = async (lane: number) => {
    for await (const range of ranges) {
      signal.throwIfAborted()
      const done = await mergeRange(merging, { ...range, lane }, before)
      before = done.found
      if (done.left > 0 && ended === 'all done') ended = 'some wait'
      await merging.onChunk()
      if (isOver()) {
        ended = 'cut off'
        return
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, (_, lane) => merge(lane)))
  const failed = lanes.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
  return ended
}

/** Ranges of `rows` rows that wait, and more where the last person has several, in the order of their keys. Several may take from it at once. */
export async function* rangesOf(
  db: Queryable,
  accountId: number,
  importId: number,
  rows: number,
): AsyncGenerator<Range, void> {
  for (let after = ''; ; ) {
    const of = sql`account_id = ${accountId} and import_id = ${importId}`
    const [next] = await db.query<{ key: string | null; people: number; is_plain: boolean }>(sql`
      with ahead as materialized (
        select count(*) as rows, count(distinct key) as people, max(key) as key
        from (select key from import_rows where ${of} and key > ${after} order by key limit ${rows}) as few
      )
      select key, people, rows = people and (
        select count(*) from (select from import_rows where ${of} and key = ahead.key limit 2) as last) = 1 as is_plain
      from ahead`)
    const { people, is_plain: isPlain, key: upTo } = next!
    if (upTo === null) return
    yield { after, upTo, people, isPlain }
    after = upTo
  }
}

/** What a range has brought: nobody but people to enter; some of them; none, and mostly what was not known; or mostly what was. */
type Found = 'all new' | 'some new' | 'changed' | 'unchanged'

/** By what a range is merged first, as the one before was; who is left is merged by `mergeChunk`, in another transaction. */
const FIRST = { 'all new': mergeNew, 'some new': undefined, changed: mergeKnown, unchanged: mergeUnchanged }

/** Merges a range and answers what it has brought, and how many people are left to wait for another look. */
async function mergeRange(merging: Merging, range: Range, before: Found): Promise<{ found: Found; left: number }> {
  const first = FIRST[before]
  const known = first ? await merged(merging, range, first) : { counts: {}, left: range.people }
  const rest = known.left > 0 ? await merged(merging, range, mergeChunk) : { counts: {}, left: 0 }
  const sum = (name: keyof Counts) => (known.counts[name] ?? 0) + (rest.counts[name] ?? 0)
  const found = (): Found => {
    if (sum('created') === range.people) return 'all new'
    if (sum('unchanged') > sum('created') + sum('updated')) return 'unchanged'
    return sum('created') + sum('suppressed') > 0 ? 'some new' : 'changed'
  }
  return { found: found(), left: rest.left }
}

async function merged(
  { db, accountId, importId, runner, termsFor }: Merging,
  range: Range,
  act: typeof mergeChunk,
): Promise<Merged> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction(async (trx) => {
        const done = await act(trx, await termsFor(trx), range, attempt > 1)
        await addCounts(trx, accountId, importId, runner, done.counts)
        return done
      })
    } catch (error) {
      // Another writer was quicker by a moment: seen anew, what it wrote is there.
      const isRace = error instanceof TakenElsewhere || violatedUnique(error)?.startsWith('contacts_') === true
      if (!isRace || attempt === MOST_TRIES) throw error
    }
  }
}

/** The last statement of a chunk: none is committed of an import that was cancelled, or taken over, meanwhile. Throws Stopped. */
async function addCounts(trx: Trx, accountId: number, importId: number, runner: string, counts: Counts): Promise<void> {
  const [row] = await trx.query(sql`
    update change_sets as s
    set counts = s.counts || (
      select coalesce(jsonb_object_agg(key, coalesce((s.counts ->> key)::bigint, 0) + value::bigint), '{}')
      from jsonb_each_text(${JSON.stringify(counts)}::jsonb))
    where s.account_id = ${accountId} and s.id = ${importId} and s.phase = 'merging' and s.runner = ${runner}
    returning s.id`)
  if (!row) throw new Stopped()
}

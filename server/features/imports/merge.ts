import sql from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import { type Merged, mergeChunk, mergeUnchanged, TakenElsewhere } from './chunk.ts'
import { type Counts, Stopped } from './imports.ts'
import type { MergeTerms, Place, Range } from './people.ts'

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
 * Merges whatever waits, chunk after chunk in the order of their places, two at once. Answers whether all was merged. Whoever
 * dies in between has merged whole chunks, and the rest waits for the next who comes.
 */
export async function mergeAll(merging: Merging): Promise<boolean> {
  const { db, accountId, importId } = merging
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    const complete = await onePass(merging)
    if (!complete) return false
    const [left] = await db.query(
      sql`select from import_rows where account_id = ${accountId} and import_id = ${importId} limit 1`,
    )
    if (!left) return true
  }
  throw new Error(`rows are left after ${MOST_PASSES} passes`)
}

async function onePass(merging: Merging): Promise<boolean> {
  const { db, accountId, importId, signal, isOver, chunkRows = CHUNK } = merging
  const ranges = rangesOf(db, accountId, importId, chunkRows)
  let complete = true
  let isOldNews = false
  const lane = async () => {
    for await (const range of ranges) {
      signal.throwIfAborted()
      const mostly = await mergeRange(merging, range, isOldNews)
      isOldNews = mostly === 'unchanged'
      await merging.onChunk()
      if (isOver()) {
        complete = false
        return
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: LANES }, lane))
  const failed = ended.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
  return complete
}

/** Ranges of about `rows` rows that wait, in the order of their places. Several may take from it at once. */
export async function* rangesOf(
  db: Queryable,
  accountId: number,
  importId: number,
  rows: number,
): AsyncGenerator<Range, void> {
  for (let after: Place = { stripe: -1, key: '' }; ; ) {
    const [next] = await db.query<Place & { first: number }>(sql`
      select stripe, key, min(stripe) over () as first from (
        select stripe, key from import_rows
        where account_id = ${accountId} and import_id = ${importId} and (stripe, key) > (${after.stripe}, ${after.key})
        order by stripe, key limit ${rows}
      ) as waiting order by stripe desc, key desc limit 1`)
    if (!next) return
    const { first, ...upTo } = next
    const range = { after: first > after.stripe ? { stripe: first, key: '' } : after, upTo }
    after = upTo
    yield range
  }
}

/**
 * Merges a range and answers what most of its people were. Where that was `unchanged` in the one before, as in a file that
 * comes again, those are looked for first: who is not among them is merged in another transaction.
 */
async function mergeRange(merging: Merging, range: Range, isOldNews: boolean): Promise<'unchanged' | 'other'> {
  const known = isOldNews ? await merged(merging, range, mergeUnchanged) : { counts: {}, left: 1 }
  const rest = known.left > 0 ? (await merged(merging, range, mergeChunk)).counts : {}
  const unchanged = (known.counts.unchanged ?? 0) + (rest.unchanged ?? 0)
  return unchanged > (rest.created ?? 0) + (rest.updated ?? 0) ? 'unchanged' : 'other'
}

async function merged(
  { db, accountId, importId, runner, termsFor }: Merging,
  range: Range,
  act: typeof mergeChunk | typeof mergeUnchanged,
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

import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
import type { ImportOptions } from './options.ts'

/**
 * Stripes of a window. A page of contacts holds about 23 people: of so many stripes, a chunk changes one or two of them,
 * and the next one finds the room that their earlier versions had.
 */
const STRIPES = 32

/** People of a window, of whom a stripe is about a chunk. In any order of addresses they share pages of the table and of its indexes. */
const WINDOW = 160_000

/** In a smaller account a chunk changes much of every page, however it is chosen. */
const FEWEST = 10_000

/** One contact in so many is in the index `contacts_sample`. */
const SAMPLED = 256

/**
 * In which order rows are merged. In that of their addresses, a chunk would change all people of a page at once, as people lie
 * in the order in which they came, of which that is the commonest: all of them would move to other pages, with a new entry in
 * each index. So neighbours wait in different stripes, and each chunk finds the room that the one before has left: most
 * people stay where they are, and no index hears of it. Windows of addresses, one after the other, keep what is worked on
 * within the cache, however large the account.
 */
export class Stripes {
  /** Of an import, so that who entered one behind the other, by one import, is apart in the next. */
  readonly #seed: number
  /** The last address of each window but the last. */
  readonly #ends: readonly string[]
  readonly #stripes: number

  constructor(seed: number, people: number, ends: readonly string[]) {
    this.#seed = seed
    this.#ends = ends
    this.#stripes = people < FEWEST ? 1 : STRIPES
  }

  /** The same for all rows of a key. */
  of(key: string): number {
    return this.#stripes === 1 ? 0 : this.#windowOf(key) * STRIPES + (hash(key, this.#seed) % STRIPES)
  }

  #windowOf(key: string): number {
    let [low, high] = [0, this.#ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (key > this.#ends[middle]!) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** For an import into an account as it is now. An external id says nothing of where its person lies. */
export async function readStripes(
  db: Queryable,
  accountId: number,
  importId: number,
  matchBy: ImportOptions['match_by'],
): Promise<Stripes> {
  const sample = await db.query<{ email: string; nth: number }>(sql`
    select email, nth from (
      select email, row_number() over (order by email) as nth, count(*) over () as all_of_them
      from contacts where account_id = ${accountId} and get_byte(uuid_send(id), 15) = 0
    ) as sample where nth % ${WINDOW / SAMPLED} = 0 or nth = all_of_them order by nth`)
  const ends = sample.slice(0, -1).map(({ email }) => email)
  return new Stripes(importId, (sample.at(-1)?.nth ?? 0) * SAMPLED, matchBy === 'external_id' ? [] : ends)
}

/** FNV-1a over the characters, well mixed: every bit of it depends on each of them. */
function hash(text: string, seed: number): number {
  let mixed = 0x811c9dc5 ^ seed
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}

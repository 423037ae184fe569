import type { Probe } from './probe.ts'

/** A total beyond this is told as "more than", unless it is to be exact. */
export const CAP = 10_000

/** A tenth of a second, in µs. */
const LONG = 100_000
/** To read the events of a contact in a scan of all, where each has ten; in µs. */
const ROW_EVENTS = 2.5

/** Below so many sampled contacts an account is small enough (20,000) to be read whole. */
const SMALL = 80

/**
 * What things cost, in µs, as measured on two cores with everything in memory. Only their proportions matter.
 * ROW: a contact on an ordered walk or a walk through the account; TABLE_ROW: one in a parallel scan of the whole table;
 * TRIGRAMS: to intersect posting lists, with the account's among them and without it; HIT: a contact found by them,
 * fetched and checked; VALUES and VALUE_HIT: the same by values, whose hits are compared once more; ID: a contact looked up by its
 * id; KEPT: one kept and sorted besides. To look up a contact's events costs as much as the question says. What a set of events
 * costs to read is left out: it is read for every set alike.
 */
const ROW = 0.5
const TABLE_ROW = 0.25
const TRIGRAMS = { trigrams: 10_000, text: 4000 }
const HIT = 1.2
const VALUES = 1000
const VALUE_HIT = 3
const ID = 3
const KEPT = 0.6

/**
 * Ways to a whole set: through the trigram index, through its trigrams of all accounts, through the index on values, by the ids
 * that events or lists name, through the account's index entries, through the whole table.
 */
export type Path = 'trigrams' | 'text' | 'values' | 'ids' | 'account' | 'table'

/** From this share of the table on, an account's own posting list costs more to intersect than the others' hits to fetch. */
const MOST_OF_TABLE = 0.9

/** What to do for a page and its total. */
export type Strategy =
  /** Reads the set by one path, and takes page and total from it; at most `limit` of it, whose page counts only if all fit. */
  | { do: 'set'; path: Path; limit: number | null; otherwise: 'ordered' | 'set' }
  /** Walks in order until the page is full; the total is known, not wanted, or counted by a path, as far as is wanted. */
  | { do: 'ordered'; total: 'none' | 'capped' | Path }
  /** Sorts the set for the page alone, and counts it by itself: for sets too large to keep. */
  | { do: 'sorted'; path: Path; total: 'none' | 'capped' | Path }

export interface Question {
  /** Whether the order is that of the ids, which an index has. */
  byId: boolean
  /** What can be looked up: a search text by its index, values by theirs, people by ids. */
  lookedUp: readonly ('text' | 'values' | 'ids')[]
  /** What it costs to look up a contact's events for the filter, and for what is left of it once people are found by their ids. */
  looksUp?: { each: number; besides: number } | undefined
  /** How the total is wanted. */
  counting: 'none' | 'capped' | 'exact'
  /** Rows up to the page's end, those of earlier pages included. */
  rows: number
}

/** Sets larger than this are not kept in memory to be sorted and counted at once. */
const LARGE = 100_000

/**
 * Whether a total is more than the cap without being counted. The sample's counts follow a Poisson distribution: with five standard
 * deviations above what 10,000 hits would show, that is wrong in one case in 100,000.
 */
export function isBeyondCap({ selected, scale }: Probe): boolean {
  const atCap = CAP / scale
  return selected >= atCap + 5 * Math.sqrt(atCap)
}

/** Chooses how to find a page. */
export function chooseStrategy(found: Probe, question: Question): Strategy {
  const { byId, lookedUp, counting, rows } = question
  if (found.seen < SMALL) return { do: 'set', path: 'account', limit: null, otherwise: 'set' }
  const costs = costsOf(found, rows, question.looksUp ?? { each: 0, besides: 0 })
  const scan = scanOf(found)
  const trigrams = found.seen * found.scale >= MOST_OF_TABLE * found.tableRows ? 'text' : 'trigrams'
  const [indexed] = lookedUp
    .map((by): Path => (by === 'text' ? trigrams : by))
    .filter((by) => costs[by] <= costs[scan])
    .toSorted((one, other) => costs[one] - costs[other])
  const path: Path = indexed ?? scan
  const walks = byId && costs.ordered <= costs[path]

  if (counting === 'none' || (counting === 'capped' && isBeyondCap(found))) {
    return pageAlone(found, path, walks, byId, counting === 'none' ? 'none' : 'capped')
  }
  if (counting === 'capped' && path === indexed) {
    if (walks && costs.ordered <= KEPT * found.selected * found.scale) return { do: 'ordered', total: path }
    const wholeAnyway = found.selected > 0 && !walks
    return { do: 'set', path, limit: wholeAnyway ? null : CAP + 1, otherwise: walks ? 'ordered' : 'set' }
  }
  return walks || isLarge(found)
    ? pageAlone(found, path, walks, byId, path)
    : { do: 'set', path, limit: null, otherwise: 'set' }
}

function pageAlone(found: Probe, path: Path, walks: boolean, byId: boolean, total: 'none' | 'capped' | Path): Strategy {
  if (walks) return { do: 'ordered', total }
  return byId && !isLarge(found) && total === 'none'
    ? { do: 'set', path, limit: null, otherwise: 'set' }
    : { do: 'sorted', path, total }
}

/**
 * Whether a strategy takes so long that whoever waits for a number is better off with an estimate.
 * @param readsEvents Whether the filter asks for events; `namedByEvents`: whether the ids are taken from these.
 */
export function takesLong(
  { seen, scale, tableRows }: Probe,
  strategy: Strategy,
  { readsEvents, namedByEvents }: { readsEvents: boolean; namedByEvents: boolean },
): boolean {
  const path = strategy.do === 'ordered' ? strategy.total : strategy.path
  if (path === 'table') return tableRows * (TABLE_ROW + (readsEvents ? ROW_EVENTS : 0)) > LONG
  return path === 'ids' && namedByEvents && seen * scale * ROW_EVENTS > LONG
}

/** The way to a set that asks no index what is in it. */
export function scanOf({ seen, scale, tableRows }: Probe): 'account' | 'table' {
  return TABLE_ROW * tableRows < ROW * scale * seen ? 'table' : 'account'
}

function isLarge({ selected, scale }: Probe): boolean {
  return selected * scale > LARGE
}

function costsOf(
  { seen, matching, listed, selected, passed, scale, tableRows }: Probe,
  rows: number,
  { each, besides }: { each: number; besides: number },
) {
  const evenly = ((ROW + each) * 1.5 * rows * seen) / selected
  // More passed by than chance explains: the matches are all at the far end, and the walk goes there.
  // What events cost is left out: whoever is passed by has few, and the sample makes more of the way than it is.
  const farAway = ROW * scale * passed
  return {
    ordered: selected === 0 ? Number.POSITIVE_INFINITY : passed * selected <= 5 * seen ? evenly : farAway + evenly,
    trigrams: TRIGRAMS.trigrams + HIT * scale * matching,
    text: TRIGRAMS.text + HIT * scale * matching,
    values: VALUES + (VALUE_HIT + each) * scale * matching,
    ids: (ID + besides) * scale * listed,
    account: ROW * scale * seen,
    table: TABLE_ROW * tableRows,
  }
}

import sql, { type Sql } from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { NEWEST_FIRST, type Order, orderBy, positionColumn } from './order.ts'
import { estimate, LOOKED_AT, LOOKED_AT_FIRST, type Probe, probe } from './probe.ts'
import { hasText } from './selection.ts'
import {
  CAP,
  chooseStrategy,
  isBeyondCap,
  type Path,
  type Question,
  type Strategy,
  scanOf,
  takesLong,
} from './strategy.ts'

/** A contact's place in an order: what a cursor holds. */
export interface Place {
  id: string
  position: string | null
}

/** Which contacts, over `contacts as c`: compiled for a walk that ends early, and for all of them. */
export interface Filter {
  few: Sql
  set: Sql
  /** What it costs to look up the events of one contact, in µs; 0 where it asks for none. */
  lookingUp?: number
  /** What the index on values finds for it, and the same as a test of one contact. */
  sought?: { indexed: Sql; tested: Sql } | undefined
  /** The ids that events or lists name, and the same as a test of one contact; and the filter without what these have told. */
  named?: { ids: Sql; tested: Sql; rest: Sql; restLookingUp: number; isNarrow: boolean; byEvents: boolean } | undefined
}

export interface Ask {
  accountId: number
  /** The account and the search text go beside it. */
  filter: Filter | undefined
  q: string | undefined
  order: Order
  /** Only those behind a cursor. */
  behind: Sql | undefined
  limit: number
  offset: number
  /** `estimated`: as `capped` where that is soon known, else from the sample; for the usual order. */
  counting: 'none' | 'estimated' | 'capped' | 'exact'
}

export interface Found {
  places: Place[]
  /** null where none was wanted. */
  total: number | null
  /** Whether there are more than `total`. */
  capped: boolean
  /** Whether `total` is about right, and `places` are some of them. */
  isEstimated?: boolean
}

const ON = 'on'
const OFF = 'off'

/** Planner settings for one transaction, which leave it a single way: after a load its statistics would mislead it. */
function planner(settings: {
  seq: string
  index: string
  bitmap: string
  sort?: string
  loop?: string
  isShared?: true
}): Sql {
  const { seq, index, bitmap, sort = ON, loop = ON, isShared } = settings
  return sql`
    select set_config('enable_seqscan', ${seq}, true), set_config('enable_indexscan', ${index}, true),
      set_config('enable_indexonlyscan', ${index}, true), set_config('enable_bitmapscan', ${bitmap}, true),
      set_config('enable_sort', ${sort}, true), set_config('enable_incremental_sort', ${sort}, true),
      set_config('enable_nestloop', ${loop}, true), set_config('parallel_tuple_cost', ${isShared ? '0' : '0.1'}, true),
      set_config('parallel_setup_cost', ${isShared ? '0' : '1000'}, true), set_config('jit', 'off', true)`
}

/** How each way is left to the planner; also for whoever measures beside it. */
export const PLANNER = {
  ordered: planner({ seq: OFF, index: ON, bitmap: OFF, sort: OFF }),
  trigrams: planner({ seq: OFF, index: OFF, bitmap: ON }),
  text: planner({ seq: OFF, index: OFF, bitmap: ON }),
  values: planner({ seq: OFF, index: OFF, bitmap: ON }),
  // The same for what events or lists name, where indexes alone find these and where months of events are read.
  ids: planner({ seq: OFF, index: ON, bitmap: ON, isShared: true }),
  idsByScans: planner({ seq: ON, index: OFF, bitmap: ON, isShared: true }),
  // Everyone is joined with all that happened: before there are statistics, or for a page, that looks like few with few, and
  // a loop through both took 12 s for 60,000 contacts and 6,000 events, in place of 25 ms.
  account: planner({ seq: OFF, index: ON, bitmap: ON, loop: OFF }),
  // A total that is capped looks cheap to the planner, which would not think workers worth their start: 484 ms in place of 281.
  table: planner({ seq: ON, index: OFF, bitmap: OFF, loop: OFF, isShared: true }),
}

/** What each of these settings is without us. */
const PLANNER_ITSELF = sql`
  select set_config(name, null, true) from unnest(${[
    'enable_seqscan',
    'enable_indexscan',
    'enable_indexonlyscan',
    'enable_bitmapscan',
    'enable_sort',
    'enable_incremental_sort',
    'enable_nestloop',
    'parallel_tuple_cost',
    'parallel_setup_cost',
    'jit',
  ]}::text[]) as name`

/** A search that takes longer holds a connection that others wait for; a million contacts are counted in under one second. */
const LONGEST_S = 30

/** Finds one page of a selection: first learns from a sample how frequent it is, then goes the way that is cheapest for that. */
export async function findPage(db: Database, ask: Ask): Promise<Found> {
  if (!ask.filter && !ask.q) return everyone(db, ask)
  return db.transaction(async (trx) => {
    trx.send(`set local statement_timeout = '${LONGEST_S}s'`)
    const finder = new Finder(trx, ask)
    return finder.follow(await finder.choose())
  })
}

/** How many a filter selects, found the same way, in a transaction that has other work to do: also of what it has just written. */
export async function countIn(trx: Trx, accountId: number, filter: Filter): Promise<number> {
  const none = { q: undefined, behind: undefined, limit: 0, offset: 0 }
  const finder = new Finder(trx, { accountId, filter, order: NEWEST_FIRST, counting: 'exact', ...none })
  const { total } = await finder.follow(await finder.choose())
  trx.send(PLANNER_ITSELF)
  return total!
}

/** Without a condition the index has the order, and PostgreSQL counts by the smallest index there is. */
async function everyone(db: Database, { accountId, order, behind, limit, offset, counting }: Ask): Promise<Found> {
  const account = sql`c.account_id = ${accountId}`
  const [places, [counted]] = await Promise.all([
    db.query<Place>(sql`
      select c.id, ${positionColumn(order)} as position from contacts as c
      where ${account} ${behind ? sql`and ${behind}` : sql``} order by ${orderBy(order)} limit ${limit} offset ${offset}`),
    counting === 'none'
      ? []
      : db.query<{ total: number }>(sql`select count(*) as total from contacts as c where ${account}`),
  ])
  return { places, total: counted?.total ?? null, capped: false }
}

interface Search {
  /** For a scan: whether the row's search column holds the text. */
  scanned: Sql
  /** For the trigram index; the scan's test goes beside it where the index is asked for a part only. */
  indexed: Sql
}

/** LIKE on more than so many characters makes the index intersect ever more lists, each of which only confirms the others. */
const INDEXED_CHARACTERS = 12

function searchOf(q: string | undefined): Search {
  if (q === undefined) return { scanned: sql`true`, indexed: sql`true` }
  const text = [...q].length < 3 ? `\n\n${q}` : q
  const scanned = hasText(q)
  const whole = [...text].length <= INDEXED_CHARACTERS
  return {
    scanned,
    indexed: whole
      ? sql`c.search like '%' || search_key(${text}) || '%'`
      : sql`c.search like '%' || left(search_key(${text}), ${INDEXED_CHARACTERS}::int) || '%' and ${scanned}`,
  }
}

/** Finds pages within a transaction of its own, as the planner's settings stay until its end. */
export class Finder {
  readonly #trx: Trx
  readonly #ask: Ask
  readonly #search: Search
  readonly #cap: number
  /** What the sample says, once it was asked. */
  #probe: Probe | undefined

  /** @param cap How far capped totals are counted; a parameter so that a test can come to it with few contacts. */
  constructor(trx: Trx, ask: Ask, cap = CAP) {
    this.#trx = trx
    this.#ask = ask
    this.#search = searchOf(ask.q)
    this.#cap = cap
  }

  async choose(): Promise<Strategy> {
    const { accountId, filter, q, behind, order, counting, limit, offset } = this.#ask
    const [sought, named] = q === undefined ? [filter?.sought, filter?.named] : []
    this.#trx.send(PLANNER.ordered)
    const probed = async (most: number) => {
      const found = await probe(this.#trx, {
        accountId,
        matches: sought ? sought.tested : this.#search.scanned,
        listed: named?.tested,
        filter: filter?.few ?? sql`true`,
        behind: behind ?? sql`true`,
        descending: order.descending,
        most,
      })
      this.#probe = found
      return found
    }
    const lookedUp: Question['lookedUp'] =
      q !== undefined ? ['text'] : [...(sought ? ['values' as const] : []), ...(named ? ['ids' as const] : [])]
    const looksUp = { each: this.#lookingUp, besides: named?.restLookingUp ?? 0 }
    const asFar = counting === 'estimated' ? 'capped' : counting
    const question = { byId: !order.by, lookedUp, counting: asFar, rows: offset + limit, looksUp } as const
    if (looksUp.each > 0) {
      const first = await probed(LOOKED_AT_FIRST)
      const strategy = chooseStrategy(first, question)
      const isEnough = first.seen < LOOKED_AT_FIRST || (isBeyondCap(first) && counting !== 'exact')
      // Few of the first are named: whom events name is read sooner than what more of the sample would tell.
      const isSettled = ('path' in strategy && strategy.path === 'ids') || this.#takesLong(strategy)
      if (isEnough || isSettled) return strategy
    }
    return chooseStrategy(await probed(LOOKED_AT), question)
  }

  /** Whichever strategy is followed, page and total are the same; only `capped` ones may tell the cap without counting. */
  async follow(strategy: Strategy): Promise<Found> {
    if (this.#takesLong(strategy)) return this.#estimated()
    const { places, total } = await this.#run(strategy)
    const capped = this.#isCapped() && total !== null && total > this.#cap
    return { places, total: capped ? this.#cap : total, capped }
  }

  /** Whether the account is so small a part of the table that its events are found by indexes too. */
  #isPart(): boolean {
    return this.#probe !== undefined && scanOf(this.#probe) === 'account'
  }

  get #lookingUp(): number {
    return this.#ask.filter?.lookingUp ?? 0
  }

  #isCapped(): boolean {
    return this.#ask.counting === 'capped' || this.#ask.counting === 'estimated'
  }

  /** Whether an estimate is wanted in place of this. */
  #takesLong(strategy: Strategy): boolean {
    const { counting, filter } = this.#ask
    const asks = { readsEvents: this.#lookingUp > 0, namedByEvents: filter?.named?.byEvents === true }
    return counting === 'estimated' && this.#probe !== undefined && takesLong(this.#probe, strategy, asks)
  }

  async #estimated(): Promise<Found> {
    const { accountId, filter, limit } = this.#ask
    const selects = sql`(${this.#search.scanned} and ${filter?.few ?? sql`true`})`
    this.#trx.send(PLANNER.ordered)
    const { total, ids } = await estimate(this.#trx, { accountId, selects, each: 1 + this.#lookingUp, limit })
    return { places: ids.map((id) => ({ id, position: null })), total, capped: false, isEstimated: true }
  }

  async #run(strategy: Strategy): Promise<{ places: Place[]; total: number | null }> {
    if (strategy.do === 'set') {
      const found = await this.#set(strategy.path, strategy.limit)
      if (strategy.limit === null || found.total < strategy.limit) return found
      const places =
        strategy.otherwise === 'ordered' ? await this.#sorted('ordered') : (await this.#set(strategy.path, null)).places
      return { places, total: found.total }
    }
    const places = await this.#sorted(strategy.do === 'ordered' ? 'ordered' : strategy.path)
    const { total } = strategy
    if (total === 'none') return { places, total: null }
    return { places, total: total === 'capped' ? this.#cap + 1 : await this.#count(total) }
  }

  /** The set once, for page and total both. */
  async #set(path: Path, limit: number | null): Promise<{ places: Place[]; total: number }> {
    const { order, limit: perPage, offset } = this.#ask
    const way = order.descending ? sql`desc` : sql`asc`
    this.#trx.send(this.#planner(path))
    const rows = await this.#trx.query<{ total: number; id: string | null; position: string | null }>(sql`
      with hits as materialized (
        select c.id, ${order.by?.value ?? sql`null::text`} as value from ${this.#from(path)}
        where ${this.#where(path)} ${limit === null ? sql`` : sql`limit ${limit}`}
      )
      select counted.total, page.id, page.position from (select count(*) as total from hits) as counted left join (
        select id, value::text as position, row_number() over (order by value ${way} nulls last, id ${way}) as nth
        from hits order by value ${way} nulls last, id ${way} limit ${perPage} offset ${offset}
      ) as page on true
      order by page.nth`)
    return { total: rows[0]!.total, places: rows.filter((row): row is typeof row & { id: string } => row.id !== null) }
  }

  /** The page alone: by a walk in the order of an index, or by sorting what a path finds. */
  #sorted(path: Path | 'ordered'): Promise<Place[]> {
    const { order, limit, offset } = this.#ask
    this.#trx.send(this.#planner(path))
    return this.#trx.query<Place>(sql`
      select c.id, ${positionColumn(order)} as position from ${this.#from(path)}
      where ${this.#where(path)} order by ${orderBy(order)} limit ${limit} offset ${offset}`)
  }

  async #count(path: Path): Promise<number> {
    this.#trx.send(this.#planner(path))
    const asFar = this.#isCapped() ? sql`limit ${this.#cap + 1}` : sql``
    const [row] = await this.#trx.query<{ total: number }>(sql`
      select count(*) as total from (select from ${this.#from(path)} where ${this.#where(path)} ${asFar}) as hits`)
    return row!.total
  }

  #planner(path: Path | 'ordered'): Sql {
    return path === 'ids' && !this.#ask.filter?.named?.isNarrow && !this.#isPart() ? PLANNER.idsByScans : PLANNER[path]
  }

  /**
   * `contacts as c`; where ids are named these alone, each looked up by itself: PostgreSQL does not know how many an array will
   * hold, and where it scans in place of that, each contact is compared with all of them one by one.
   */
  #from(path: Path | 'ordered'): Sql {
    const { accountId, filter } = this.#ask
    if (path !== 'ids' || !filter?.named) return sql`contacts as c`
    return sql`unnest(${filter.named.ids}) as named (id) cross join lateral (
      select * from contacts as one where one.account_id = ${accountId} and one.id = named.id offset 0) as c`
  }

  #where(path: Path | 'ordered'): Sql {
    const { accountId, filter, behind } = this.#ask
    // What a search text leaves is few.
    const form =
      path === 'ids' ? filter?.named?.rest : path === 'account' || path === 'table' ? filter?.set : filter?.few
    return sql`${this.#found(path, accountId)} ${form ? sql`and ${form}` : sql``} ${behind ? sql`and ${behind}` : sql``}`
  }

  /** The account and the search text, in the words that leave the path its index and hide the others. */
  #found(path: Path | 'ordered', accountId: number): Sql {
    switch (path) {
      case 'trigrams':
        return sql`(c.account_id + 0) = ${accountId}::bigint and ${this.#search.indexed}`
      case 'values':
        return sql`(c.account_id - 0) = ${accountId}::bigint and ${this.#ask.filter?.sought?.indexed ?? sql`true`} and ${this.#search.scanned}`
      case 'text':
        return sql`(c.account_id - 0) = ${accountId}::bigint and ${this.#search.indexed}`
      default:
        return sql`c.account_id = ${accountId} and ${this.#search.scanned}`
    }
  }
}

import { LRUCache } from 'lru-cache'
import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { settingsFrom } from '../accounts/settings.ts'
import { loadFields } from '../fields/field-set.ts'
import { expand, type NamedList, readList, type StoredList } from './expand.ts'
import type { SmartList } from './membership.ts'
import type { Condition } from './parse.ts'

/** An account's smart lists as they are now, their criteria expanded. */
export interface SmartLists {
  accountId: number
  timeZone: string
  all: TrackedList[]
}

export interface TrackedList extends SmartList {
  version: number
  track: boolean
  /** Acts before this row of the outbox tell nothing of it. */
  since: number
  /** Whether its criteria have been compared with all contacts, and what happened to these is remembered. */
  isSettled: boolean
}

/** Conditions with their values, of all accounts together: those of 300 with a hundred lists each come to 90,000, in 23 MB. */
const MOST_REMEMBERED = 100_000

/**
 * Smart lists of accounts as they were last read, with their criteria parsed, for as long as nothing that they are made of has
 * changed: to read a hundred takes some milliseconds, to see that they are the same half of one. What has not been asked for longest is
 * forgotten.
 */
export class KnownSmartLists {
  readonly #known: LRUCache<number, { mark: string; lists: SmartLists }>

  constructor(most = MOST_REMEMBERED) {
    this.#known = new LRUCache({
      maxSize: most,
      sizeCalculation: ({ lists }) => 1 + lists.all.reduce((sum, { condition }) => sum + sizeOf(condition), 0),
    })
  }

  /** As `loadSmartLists`, at the moment of a transaction's snapshot: `trx` must be of `repeatable read`. */
  async of(trx: Trx, accountId: number): Promise<SmartLists | undefined> {
    const [row] = await trx.query<{ mark: string | null }>(sql`select smart_lists_mark(${accountId}) as mark`)
    const { mark } = row!
    if (mark === null) return undefined
    const known = this.#known.get(accountId)
    if (known?.mark === mark) return known.lists
    const lists = await loadSmartLists(trx, accountId)
    if (lists) this.#known.set(accountId, { mark, lists })
    return lists
  }
}

/** undefined when there are none. */
export async function loadSmartLists(db: Queryable, accountId: number): Promise<SmartLists | undefined> {
  const [rows, [account], fields] = await Promise.all([
    db.query<StoredList & { criteria_version: number; track: boolean; since: number; is_settled: boolean }>(sql`
      select l.id, l.name, l.criteria, l.criteria_version, l.track, coalesce(n.since, 0) as since,
        coalesce(n.version = l.criteria_version and n.happened, false) as is_settled
      from lists as l left join smart_counts as n on n.account_id = l.account_id and n.list_id = l.id
      where l.account_id = ${accountId} and l.criteria is not null order by l.id`),
    db.query<{ settings: Parameters<typeof settingsFrom>[0] }>(
      sql`select settings from accounts where id = ${accountId}`,
    ),
    loadFields(db, accountId),
  ])
  if (rows.length === 0) return undefined
  const known = new Map<number, NamedList>(rows.map((row) => [row.id, readList(row, fields)]))
  const listOf = (id: number) => known.get(id) ?? { id, name: '', condition: undefined } // a static one
  const conditionOf = (id: number): Condition => expand(known.get(id)!.condition!, listOf, 'criteria')
  return {
    accountId,
    timeZone: settingsFrom(account!.settings).time_zone,
    all: rows.map(({ id, criteria_version: version, track, since, is_settled: isSettled }) => ({
      id,
      condition: conditionOf(id),
      version,
      track,
      since,
      isSettled,
    })),
  }
}

/** Conditions with their values: what one takes in memory, roughly. */
function sizeOf(condition: Condition): number {
  switch (condition.is) {
    case 'all':
    case 'any':
      return condition.of.reduce((sum, part) => sum + sizeOf(part), 1)
    case 'not':
    case 'smart':
      return 1 + sizeOf(condition.of)
    case 'test':
      return 1 + condition.values.length
    case 'event':
      return 1 + condition.params.reduce((sum, test) => sum + sizeOf(test), 0)
    case 'tag':
      return condition.tags.length
    case 'list':
      return condition.listIds.length
  }
}

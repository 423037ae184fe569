import sql from 'sql-template-tag'
import type { Queryable } from '../../db/database.ts'
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

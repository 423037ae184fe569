import sql, { join, type Sql } from 'sql-template-tag'
import type { Calendar, Context } from './compile.ts'
import { admitsNone, allows, isAtLeastOne, isThatEvent } from './compile-event.ts'
import { FOR_FEW } from './forms.ts'
import type { Condition } from './parse.ts'
import type { EventCondition } from './parse-event.ts'
import { indexedValues, necessary } from './sought.ts'

/** Contacts whom events name, or static lists, among whom is whoever meets a condition. */
export interface IdsFound {
  /** An array of their ids, each once. */
  ids: Sql
  /** The same as a test of one contact. */
  parts: Condition
  /** What the condition asks of them besides. */
  rest: Condition
  /** Whether to find them takes indexes alone, rather than a scan of months of events. */
  isNarrow: boolean
  /** Whether events are read, of which there may be any number. */
  byEvents: boolean
}

interface Lookup {
  /** `select … ` of their ids, each a statement; who is in any of them is found. */
  statements: Sql[]
  parts: Condition
  /** Whether whoever is found meets the part of the condition that was looked up. */
  isExact: boolean
  /** How much of the account's past is read for it: only to take the less of two. */
  share: number
  isNarrow: boolean
  byEvents: boolean
}

const EVERYONE: Condition = { is: 'all', of: [] }

/** A window of so many days is a part of its month that the index on times reads sooner than a scan the month. */
const NARROW_DAYS = 7

/** undefined where neither events nor lists say who may meet a condition, such as for absence. */
export function idsFor(accountId: number, condition: Condition, calendar: Calendar): IdsFound | undefined {
  const context: Context = { timeZone: calendar.timeZone, now: calendar.now ?? sql`now()`, form: FOR_FEW }
  const found = necessary(condition).flatMap((part) => {
    const lookup = lookupOf(accountId, part, context)
    return lookup ? [{ part, lookup }] : []
  })
  // Values alone are found by their index without a detour by ids.
  const [least] = found.filter(({ part }) => part.is !== 'test' && part.is !== 'tag').toSorted(byShare)
  if (!least) return undefined
  const { part, lookup } = least
  return {
    ids: sql`array(select distinct named.id from (${join(lookup.statements, ' union all ')}) as named (id))`,
    parts: lookup.parts,
    rest: lookup.isExact ? without(condition, part) : condition,
    isNarrow: lookup.isNarrow,
    byEvents: lookup.byEvents,
  }
}

const byShare = (one: { lookup: Lookup }, other: { lookup: Lookup }) => one.lookup.share - other.lookup.share

function lookupOf(accountId: number, condition: Condition, context: Context): Lookup | undefined {
  switch (condition.is) {
    case 'event':
      return admitsNone(condition.count) ? undefined : eventsOf(accountId, condition, context)
    case 'list':
      return {
        statements: [
          sql`select m.contact_id from list_members as m where m.account_id = ${accountId} and m.list_id = any(${condition.listIds}::bigint[])`,
        ],
        ...{ parts: condition, isExact: true, share: 0.01, isNarrow: true, byEvents: false },
      }
    case 'tag':
    case 'test': {
      const indexed = indexedValues(accountId, condition)
      return (
        indexed && {
          statements: [
            sql`select c.id from contacts as c where (c.account_id - 0) = ${accountId}::bigint and ${indexed}`,
          ],
          ...{ parts: condition, isExact: false, share: 0.002, isNarrow: true, byEvents: false },
        }
      )
    }
    case 'any':
      return anyOf(accountId, condition.of, context)
    case 'all':
    case 'smart': {
      const [least] = necessary(condition)
        .flatMap((part) => lookupOf(accountId, part, context) ?? [])
        .toSorted((one, other) => one.share - other.share)
      return least && { ...least, isExact: false }
    }
    default:
      return undefined
  }
}

/** Who meets one of several is found where each of them says who may meet it. */
function anyOf(accountId: number, parts: readonly Condition[], context: Context): Lookup | undefined {
  const lookups = parts.map((part) => lookupOf(accountId, part, context))
  if (lookups.length === 0 || !lookups.every((lookup) => lookup !== undefined)) return undefined
  return {
    statements: lookups.flatMap((lookup) => lookup.statements),
    parts: { is: 'any', of: lookups.map((lookup) => lookup.parts) },
    isExact: lookups.every((lookup) => lookup.isExact),
    share: lookups.reduce((sum, { share }) => sum + share, 0),
    isNarrow: lookups.every((lookup) => lookup.isNarrow),
    byEvents: lookups.some((lookup) => lookup.byEvents),
  }
}

/** `account_id + 0`: in the words of the indexes on times and on names, and hidden from that on contacts. */
function eventsOf(accountId: number, condition: EventCondition, context: Context): Lookup {
  const { types, names, within, count } = condition
  const isNamed = types.length === 0
  const named = isNamed ? sql`and e.type = 'custom' and e.name = any(${names}::text[])` : sql``
  const days = within && within.size / (within.unit === 'h' ? 24 : 1)
  const often = isAtLeastOne(count) ? sql`` : sql`group by e.contact_id having ${allows(count, sql`count(*)`)}`
  return {
    statements: [
      sql`select e.contact_id from events as e
        where (e.account_id + 0) = ${accountId}::bigint ${named} and ${isThatEvent(condition, context)} ${often}`,
    ],
    parts: condition,
    isExact: true,
    share: (days === null ? 1 : Math.min(1, days / 365)) * (isNamed ? 0.001 : 1),
    isNarrow: isNamed || (days !== null && days <= NARROW_DAYS),
    byEvents: true,
  }
}

/** What is left of a condition of which a necessary part is known to hold. */
function without(condition: Condition, part: Condition): Condition {
  if (condition === part) return EVERYONE
  switch (condition.is) {
    case 'all':
      return { is: 'all', of: condition.of.map((one) => without(one, part)).filter((one) => one !== EVERYONE) }
    case 'any':
      return condition.of.length === 1 ? without(condition.of[0]!, part) : condition
    case 'smart':
      return { ...condition, of: without(condition.of, part) }
    default:
      return condition
  }
}

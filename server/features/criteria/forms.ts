import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { whoEver } from './before.ts'
import type { Context } from './compile.ts'
import {
  admitsNone,
  allows,
  isAtLeastOne,
  isNone,
  isThatEvent,
  mostCounted,
  sinceFirst,
  windowEdge,
} from './compile-event.ts'
import { happeningId, type Remembered } from './happened.ts'
import type { EventCondition } from './parse-event.ts'

/** How a condition looks at what stands in other tables, and what it does with an expression that others may need too. */
export interface Form {
  happened: (condition: EventCondition, context: Context) => Sql
  /** In any of these static lists. */
  isMember: (listIds: readonly number[]) => Sql
  /** By their own act. */
  hasLeft: (listId: number) => Sql
  /** Whether `share` takes an expression once for all who need it, rather than repeating it. */
  shares: boolean
  share: (expression: Sql) => Sql
  /** The same for a whole test of a contact, which may be made of such expressions. */
  shareTest: (test: Sql) => Sql
}

const isMember = (listIds: readonly number[]) => sql`exists (
  select from list_members as m
  where m.account_id = c.account_id and m.list_id = any(${[...listIds]}::bigint[]) and m.contact_id = c.id)`

const hasLeft = (listId: number) => sql`exists (
  select from list_opt_outs as o where o.account_id = c.account_id and o.list_id = ${listId} and o.email = c.email)`

/** Looks at the contact's own events among these, `… as e where …`; only at as many as decide. */
const lookingAt = (own: Sql): Form => ({
  isMember,
  hasLeft,
  shares: false,
  share: (expression) => expression,
  shareTest: (test) => test,
  happened({ count, ...which }, context) {
    const events = sql`from ${own} and ${isThatEvent({ count, ...which }, context)}`
    if (isAtLeastOne(count)) return sql`exists (select ${events})`
    if (isNone(count)) return sql`(not exists (select ${events}))`
    return sql`(select ${allows(count, sql`count(*)`)} from (select ${events} limit ${mostCounted(count)}) as counted)`
  },
})

/** Looks at each contact's own events, as many as decide, through the index on them. */
export const FOR_FEW = lookingAt(sql`events as e where e.account_id = c.account_id and e.contact_id = c.id`)

/** For a single contact, whose events the statement has read into `own`: each look at `events` is planned for every month. */
export const FOR_ONE = lookingAt(sql`own as e where true`)

/**
 * Reads an account's events once, and joins what it found. Only ever by `exists` and `not exists`, which PostgreSQL turns
 * into joins: `not in` over ten million events ran for minutes.
 */
export function forSet(accountId: number): Form {
  return {
    isMember,
    hasLeft,
    shares: false,
    share: (expression) => expression,
    shareTest: (test) => test,
    happened(condition, context) {
      const { count } = condition
      const those = sql`e.account_id = ${accountId} and ${isThatEvent(condition, context)}`
      if (isAtLeastOne(count) || isNone(count)) {
        const ever = whoEver(accountId, condition, those)
        const events = ever ? sql`${ever} as e where` : sql`events as e where ${those} and`
        const some = sql`exists (select from ${events} e.contact_id = c.id)`
        return isNone(count) ? sql`(not ${some})` : some
      }
      // Who has no such event is not among the counted: where none is allowed, those are found who have too many or too few.
      const bounds = allows(count, sql`count(*)`)
      const counted = (having: Sql) => sql`exists (select from (
        select e.contact_id from events as e where ${those} group by e.contact_id having ${having}) as counted
        where counted.contact_id = c.id)`
      return admitsNone(count) ? sql`(not ${counted(sql`not ${bounds}`)})` : counted(bounds)
    },
  }
}

/** What is known of contacts without reading their events. */
export interface Knowledge {
  remembered?: Remembered | undefined
  /** The id of an event before which these contacts have none that is read for. */
  since?: string | undefined
}

/**
 * For many criteria over the same few contacts: what several of them need of a contact is taken once, and its events are
 * read once for all, where they are not remembered. Compile with it, then put `joins` behind the contacts in the same
 * statement.
 */
export class Together implements Form {
  readonly shares = true
  readonly #knowledge: Knowledge
  readonly #shared = new Map<string, { expression: Sql; column: Sql }>()
  readonly #tests = new Map<string, { expression: Sql; column: Sql }>()
  readonly #counted = new Map<string, { match: Sql; column: Sql }>()
  /** Where the windows of events begin; null for what looks at every month. */
  readonly #edges: (Sql | null)[] = []
  /** By the ids of the conditions for which events are read: whether these say something else than none would. */
  readonly #happened = new Map<number, Sql>()
  #usesLists = false

  constructor(knowledge: Knowledge = {}) {
    this.#knowledge = knowledge
  }

  share(expression: Sql): Sql {
    return columnFor(this.#shared, expression, 'x.s', (column) => ({ expression, column }))
  }

  shareTest(test: Sql): Sql {
    return columnFor(this.#tests, test, 'y.t', (column) => ({ expression: test, column }))
  }

  happened(condition: EventCondition, context: Context): Sql {
    const id = happeningId(condition)
    const { remembered } = this.#knowledge
    const holdsForNone = admitsNone(condition.count)
    if (remembered?.has(condition)) {
      const isOther = this.share(sql`(${id}::bigint = any(${remembered.column}))`)
      return holdsForNone ? sql`(not ${isOther})` : isOther
    }
    const match = isThatEvent(condition, context)
    this.#edges.push(condition.within && windowEdge(condition.within, context))
    const column = columnFor(this.#counted, match, 'n.c', (column) => ({ match, column }))
    const holds = allows(condition.count, column)
    this.#happened.set(id, holdsForNone ? sql`not ${holds}` : holds)
    return holds
  }

  /** Of the conditions for which events were read: their ids, and which of these are to be remembered of a contact. */
  happenings(): { ids: number[]; happened: Sql } {
    const all = [...this.#happened].toSorted(([a], [b]) => a - b)
    const cases = all.map(([id, isOther]) => sql`case when ${isOther} then ${id}::bigint end`)
    return {
      ids: all.map(([id]) => id),
      happened: cases.length === 0 ? sql`'{}'::bigint[]` : sql`array_remove(array[${join(cases)}]::bigint[], null)`,
    }
  }

  isMember(listIds: readonly number[]): Sql {
    this.#usesLists = true
    return sql`(k.member_of && ${[...listIds]}::bigint[])`
  }

  hasLeft(listId: number): Sql {
    return sql`(${listId}::bigint = any(o.has_left))`
  }

  joins(): Sql {
    const parts = [
      sql`cross join lateral (select array(select m.list_id from list_opt_outs as m where m.account_id = c.account_id and m.email = c.email) as has_left offset 0) as o`,
    ]
    if (this.#usesLists)
      parts.push(
        sql`cross join lateral (select array(select m.list_id from list_members as m where m.account_id = c.account_id and m.contact_id = c.id) as member_of offset 0) as k`,
      )
    for (const [name, taken] of [
      ['x', this.#shared],
      ['y', this.#tests],
    ] as const) {
      const columns = [...taken.values()].map(({ expression, column }) => sql`${expression} as ${bare(column)}`)
      if (columns.length > 0) parts.push(sql`cross join lateral (select ${join(columns)} offset 0) as ${raw(name)}`)
    }
    const counted = [...this.#counted.values()].map(
      ({ match, column }) => sql`count(*) filter (where ${match}) as ${bare(column)}`,
    )
    if (counted.length > 0) {
      const { since } = this.#knowledge
      const known = since === undefined ? empty : sql`and e.id >= ${since}::uuid`
      parts.push(sql`cross join lateral (
        select ${join(counted)} from events as e
        where e.account_id = c.account_id and e.contact_id = c.id ${sinceFirst(this.#edges)} ${known}) as n`)
    }
    return join(parts, '\n')
  }
}

function columnFor<Entry extends { column: Sql }>(
  known: Map<string, Entry>,
  expression: Sql,
  prefix: string,
  make: (column: Sql) => Entry,
): Sql {
  const key = `${expression.text}\n${JSON.stringify(expression.values)}`
  const entry = known.get(key) ?? make(raw(`${prefix}${known.size}`))
  known.set(key, entry)
  return entry.column
}

/** The column's name without that of its subquery. */
function bare(column: Sql): Sql {
  return raw(column.text.replace(/^\w+\./, ''))
}

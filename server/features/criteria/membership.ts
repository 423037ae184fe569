import sql, { join, type Sql } from 'sql-template-tag'
import { type Calendar, compile } from './compile.ts'
import { forSet, type Knowledge, Together } from './forms.ts'
import type { Condition } from './parse.ts'

/** A smart list with its criteria expanded. */
export interface SmartList {
  id: number
  condition: Condition
}

/** For statements that have `contacts as c`. */
interface Membership {
  /** The ids of the lists that the contact is in, in order. */
  inside: Sql
  /** What is to be remembered of its events, and of which conditions: of those for which events were read. */
  happened: Sql
  recounted: number[]
  /** What all this needs behind the contacts. */
  joins: Sql
}

/** Which of these smart lists each contact of a statement is in. */
export function membershipIn(lists: readonly SmartList[], calendar: Calendar, knowledge?: Knowledge): Membership {
  const form = new Together(knowledge)
  const cases = lists
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, condition }) => {
      const isIn = compile({ is: 'smart', listId: id, name: '', of: condition }, calendar, form)
      return sql`case when ${isIn} then ${id}::bigint end`
    })
  const { ids, happened } = form.happenings()
  const inside = sql`array_remove(array[${join(cases)}]::bigint[], null)`
  return { inside, happened, recounted: ids, joins: form.joins() }
}

/** `select c.id, c.email`: everyone in a smart list, less those who have left it. */
export function membersOf(accountId: number, { id, condition }: SmartList, calendar: Calendar): Sql {
  const isIn = compile({ is: 'smart', listId: id, name: '', of: condition }, calendar, forSet(accountId))
  return sql`select c.id, c.email from contacts as c where c.account_id = ${accountId} and ${isIn}`
}

import sql, { join, type Sql } from 'sql-template-tag'
import { type Calendar, compile } from './compile.ts'
import { forSet, Together } from './forms.ts'
import type { Condition } from './parse.ts'

/** A smart list with its criteria expanded. */
export interface SmartList {
  id: number
  condition: Condition
}

/**
 * Which of these smart lists each contact of a statement is in: an array of their ids in order, and the joins that it needs
 * behind `contacts as c`.
 */
export function membershipIn(lists: readonly SmartList[], calendar: Calendar): { inside: Sql; joins: Sql } {
  const form = new Together()
  const cases = lists
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, condition }) => {
      const isIn = compile({ is: 'smart', listId: id, name: '', of: condition }, calendar, form)
      return sql`case when ${isIn} then ${id}::bigint end`
    })
  return { inside: sql`array_remove(array[${join(cases)}]::bigint[], null)`, joins: form.joins() }
}

/** `select c.id, c.email`: everyone in a smart list, less those who have left it. */
export function membersOf(accountId: number, { id, condition }: SmartList, calendar: Calendar): Sql {
  const isIn = compile({ is: 'smart', listId: id, name: '', of: condition }, calendar, forSet(accountId))
  return sql`select c.id, c.email from contacts as c where c.account_id = ${accountId} and ${isIn}`
}

import sql, { join, type Sql } from 'sql-template-tag'
import type { Condition, Test } from './parse.ts'
import type { Value } from './values.ts'

/** What contacts can be looked up by in the index `contacts_values`. */
export interface Sought {
  /** In the words of the index, over `contacts as c`: holds for whomever the condition holds. */
  indexed: Sql
  /** What it stands for. */
  parts: Condition
}

/** Values of one test, each of which is looked up by itself. */
const MOST_VALUES = 20

/**
 * Values of fields that whoever meets a condition must have, and tags, whatever else must hold. undefined where there are none.
 */
export function soughtBy(accountId: number, condition: Condition): Sought | undefined {
  const parts = necessary(condition)
  const tests = parts.filter((part) => part.is === 'test').filter(isLookedUp)
  const single = tests.filter(({ values }) => values.length === 1)
  // Of several values each takes an index scan of its own, which frequent ones make long: only where there is nothing else.
  const chosen = single.length > 0 ? single : tests.slice(0, 1)
  const tags = parts.filter((part) => part.is === 'tag')
  const indexed = [
    ...chosen.map((test) => hasOneOf(accountId, keyOf(test)!, test.values)),
    ...tags.map((tag) => indexedValues(accountId, tag)!),
  ]
  return indexed.length === 0
    ? undefined
    : { indexed: sql`(${join(indexed, ' and ')})`, parts: { is: 'all', of: [...chosen, ...tags] } }
}

/** What the index finds for one test of a value, or for tags; undefined where it does not look these up. */
export function indexedValues(accountId: number, part: Test | Extract<Condition, { is: 'tag' }>): Sql | undefined {
  if (part.is === 'tag') return sql`c.tags && ${part.tags}::text[]`
  return isLookedUp(part) ? hasOneOf(accountId, keyOf(part)!, part.values) : undefined
}

/** The parts of which each must hold. */
export function necessary(condition: Condition): Condition[] {
  switch (condition.is) {
    case 'all':
      return condition.of.flatMap(necessary)
    case 'any':
      return condition.of.length === 1 ? necessary(condition.of[0]!) : [condition]
    case 'smart':
      return necessary(condition.of)
    default:
      return [condition]
  }
}

function keyOf({ subject }: Test): string | undefined {
  return subject.source === 'field' ? subject.field.key : undefined
}

/**
 * While a field is being converted, one value may be stored in two ways. A key with capitals shares its place in the index with
 * one without them, where a contact has both.
 */
function isLookedUp({ subject, op, values }: Test): boolean {
  if (subject.source !== 'field' || (op !== 'eq' && op !== 'in')) return false
  const { key, convertingTo } = subject.field
  const isPlain = (value: Value) => !JSON.stringify(value).includes('\\') // a letter behind that is none of the value
  return (
    convertingTo === null &&
    key === key.toLowerCase() &&
    values.length > 0 &&
    values.length <= MOST_VALUES &&
    values.every(isPlain)
  )
}

function hasOneOf(accountId: number, key: string, values: readonly Value[]): Sql {
  const each = values.map(
    (value) =>
      sql`contact_values(c.account_id, c.fields) @> contact_values(${accountId}, ${JSON.stringify({ [key]: value })}::jsonb)`,
  )
  return sql`(${join(each, ' or ')})`
}

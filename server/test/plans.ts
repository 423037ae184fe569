import type { Statement, Trx } from '../db/database.ts'

/** A node of what `explain (format json)` answers. */
interface Plan {
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Join Filter'?: number
  Plans?: Plan[]
}

/** Rows that all nodes of a plan took in their hands, those that they then left out included. */
function rowsOf(plan: Plan): number {
  const own = plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Join Filter'] ?? 0)
  return own * plan['Actual Loops'] + (plan.Plans ?? []).reduce((sum, below) => sum + rowsOf(below), 0)
}

/**
 * The same transaction, whose every `query` is run once before to be explained, and undone. `handled` says how many rows
 * PostgreSQL went through for the one that took the most: what tells a plan that grows with the square of its input from
 * one that does not, on a machine of any speed.
 */
export function counting(trx: Trx): { trx: Trx; handled: () => number } {
  let most = 0
  const query = async (statement: Statement) => {
    trx.send('savepoint explained')
    const [answer] = await trx.query<{ 'QUERY PLAN': { Plan: Plan }[] }>({
      text: `explain (analyze, timing off, format json) ${statement.text}`,
      values: statement.values,
    })
    trx.send('rollback to savepoint explained')
    most = Math.max(most, rowsOf(answer!['QUERY PLAN'][0]!.Plan))
    return trx.query(statement)
  }
  const counted = new Proxy(trx, {
    get(target, name) {
      if (name === 'query') return query
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { trx: counted, handled: () => most }
}

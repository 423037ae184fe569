import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { testApp } from '../../test/app.ts'
import { sent } from '../../test/imports.ts'
import { keyring } from '../../test/jobs.ts'
import { mergeKnown } from './chunk.ts'
import type { MergeTerms } from './people.ts'

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  Plans?: Plan[]
}

/** How the update of contacts finds those it changes. */
function joinOfUpdate(plan: Plan): string | undefined {
  if (plan['Node Type'] === 'ModifyTable' && plan['Relation Name'] === 'contacts')
    return plan.Plans?.map((each) => each['Node Type']).find((type) => /Join|Loop/.test(type))
  return plan.Plans?.map(joinOfUpdate).find((found) => found !== undefined)
}

test('all whom a chunk changes are found by one join, also where statistics take the chunk for a single row', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const people = 300
  await db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}, 'p' || n || '@example.com', 'subscribed', 'api' from generate_series(1, ${people}::int) as n`)
  await db.query({ text: 'analyze contacts', values: [] })
  const { id } = await sent(made, 'email,first_name\nann@example.com,Ann\n', { update_existing: 'true' })
  const terms: MergeTerms = {
    accountId,
    importId: id,
    actor: 'test',
    keyring,
    matchBy: 'email',
    updateExisting: true,
    listIds: [],
    tags: [],
    state: 'subscribed',
    consent: {},
    hasOptOuts: false,
    keys: ['first_name'],
    defaults: {},
    namesLists: false,
    unsets: false,
    saysMore: false,
    required: [],
  }
  let join: string | undefined
  const undone = db.transaction(async (trx) => {
    // Two thousand keys, and 300 of the chunk that lie close together between two bounds of the histogram.
    await trx.query(sql`
      insert into import_rows (account_id, import_id, key, line, fields)
      select ${accountId}::bigint, ${id}::bigint, 'a' || n, n + 1000, '{}'::jsonb from generate_series(1, 1000) as n union all
      select ${accountId}::bigint, ${id}::bigint, 'z' || n, n + 60000, '{}'::jsonb from generate_series(1, 1000) as n`)
    trx.send('analyze import_rows (account_id, import_id, key, line)')
    await trx.query(sql`
      insert into import_rows (account_id, import_id, key, line, fields)
      select ${accountId}::bigint, ${id}::bigint, 'p' || n || '@example.com', n, '{"first_name": "Bea"}'::jsonb
      from generate_series(1, ${people}::int) as n`)
    const watched: Pick<Trx, 'send' | 'query'> = {
      send: (statement) => trx.send(statement),
      async query<Row>(statement: Sql) {
        if (!statement.text.includes('planned')) return trx.query<Row>(statement)
        const [told] = await trx.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(sql`explain (format json) ${statement}`)
        join = joinOfUpdate(told!['QUERY PLAN'][0].Plan)
        return [{ updated: people }] as Row[]
      },
    }
    await mergeKnown(watched as Trx, terms, { after: 'p', upTo: 'p~', people, isPlain: true })
    throw new Error('undone')
  })
  await assert.rejects(undone, /undone/)
  assert.match(join ?? 'none', /^(Hash|Merge) Join$/)
})

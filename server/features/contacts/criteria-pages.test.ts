import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { testDatabase } from '../../test/database.ts'
import { createAccount } from '../accounts/accounts.ts'
import { expand, type NamedList } from '../criteria/expand.ts'
import { criteria, defineFields, enterPeople, eventful, NOWS, person, world } from '../criteria/generated.ts'
import { parseCriteria } from '../criteria/parse.ts'
import { accepts } from '../criteria/reference.ts'
import { loadFields } from '../fields/field-set.ts'
import { filterOf } from './filter.ts'
import { NEWEST_FIRST, type Order } from './order.ts'
import { type Ask, Finder, findPage } from './page.ts'
import type { Path, Strategy } from './strategy.ts'

/** `CRITERIA_RUNS=500` looks for long, at other cases each time. */
const RUNS = process.env.CRITERIA_RUNS

const scene = fc.constantFrom(...NOWS).chain((now) =>
  fc.record({
    people: fc.array(person(now), { maxLength: 14 }),
    world: world(now),
    given: fc.oneof(criteria(now, [1, 2, 3, 4]), eventful(now, [1, 2, 3, 4])),
    perPage: fc.integer({ min: 1, max: 5 }),
    offset: fc.nat(6),
    cap: fc.integer({ min: 1, max: 8 }),
  }),
)

const BY_ADDRESS: Order = {
  name: 'email',
  descending: false,
  by: { value: sql`c.email`, type: sql`text`, always: true },
}

/** Every way in which a page without a search text may be found; `limit`: as many as a cap lets be counted. */
function strategies(byId: boolean, limit: number, looked: Path[]): Strategy[] {
  const paths: Path[] = ['account', 'table', ...looked]
  return [
    ...paths.flatMap((path): Strategy[] => [
      { do: 'set', path, limit: null, otherwise: 'set' },
      { do: 'set', path, limit, otherwise: byId ? 'ordered' : 'set' },
      { do: 'sorted', path, total: path },
    ]),
    ...(byId ? paths.map((total): Strategy => ({ do: 'ordered', total })) : []),
  ]
}

test('pages of criteria and their totals, exact and capped, are those of the plain evaluator, whichever way they are found', async (t) => {
  const db = await testDatabase(t)
  const { id: accountId } = await createAccount(db, { name: 'Pages' })
  await db.query(defineFields(accountId))
  const fields = await loadFields(db, accountId)
  const vocabulary = { fieldNamed: (tag: string) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
  let [capped, named] = [0, 0]

  const property = fc.asyncProperty(scene, async ({ people, world, given, perPage, offset, cap }) => {
    await enterPeople(db, accountId, people)
    const listOf = (id: number): NamedList => {
      const smart = world.smart[id]
      return { id, name: `List ${id}`, condition: smart === undefined ? undefined : parseCriteria(smart, vocabulary) }
    }
    const calendar = { timeZone: world.timeZone, now: sql`${world.now.toISOString()}::timestamptz` }
    const condition = expand(parseCriteria(JSON.parse(JSON.stringify(given)), vocabulary), listOf, 'criteria')
    const filter = filterOf(accountId, condition, calendar)
    const looked: Path[] = [...(filter.sought ? ['values' as const] : []), ...(filter.named ? ['ids' as const] : [])]
    if (filter.named) named++
    const everyone = await db.query<{ id: string; email: string }>(
      sql`select id, email from contacts where account_id = ${accountId} order by id desc`,
    )
    const accepted = new Set(people.filter((one) => accepts(given, one, world)).map((one) => one.email))
    const members = everyone.filter((one) => accepted.has(one.email))
    const byAddress = members.toSorted((a, b) => (a.email < b.email ? -1 : 1))
    for (const order of [NEWEST_FIRST, BY_ADDRESS]) {
      const expected = (order.by ? byAddress : members).slice(offset, offset + perPage).map((one) => one.id)
      for (const counting of ['exact', 'capped'] as const) {
        const ask: Ask = {
          ...{ accountId, filter, q: undefined, order, behind: undefined, limit: perPage, offset, counting },
        }
        const isBeyond = counting === 'capped' && members.length > cap
        if (isBeyond) capped++
        const ways = strategies(!order.by, counting === 'capped' ? cap + 1 : people.length + 1, looked)
        const found = [
          ...(await Promise.all(
            ways.map((way) =>
              db.transaction((trx) => new Finder(trx, ask, cap).follow(way)).then((page) => ({ way, page })),
            ),
          )),
        ]
        for (const { way, page } of found) {
          const told = JSON.stringify({ given, world, way, counting, cap })
          assert.deepEqual([page.total, page.capped], [isBeyond ? cap : members.length, isBeyond], told)
          assert.deepEqual(
            page.places.map((place) => place.id),
            expected,
            told,
          )
        }
        const chosen = await findPage(db, ask)
        assert.deepEqual([chosen.total, chosen.capped], [members.length, false], 'far below the real cap')
        assert.deepEqual(
          chosen.places.map((place) => place.id),
          expected,
        )
      }
    }
  })
  await fc.assert(property, RUNS ? { numRuns: Number(RUNS) } : { numRuns: 60, seed: 50 })
  assert.ok(capped > 10, `only ${capped} totals came to the cap`)
  assert.ok(named > 10, `only ${named} criteria had people whom events or lists name`)
})

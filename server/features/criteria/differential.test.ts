import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { testDatabase } from '../../test/database.ts'
import { summedUp } from '../../test/summed-up.ts'
import { createAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import { compile } from './compile.ts'
import { expand, type NamedList } from './expand.ts'
import { FOR_FEW, forSet, Together } from './forms.ts'
import { criteria, defineFields, enterPeople, eventful, NOWS, person, summedUpUntil, world } from './generated.ts'
import { among, happeningsIn } from './happened.ts'
import { idsFor } from './ids.ts'
import { parseCriteria, parseStored } from './parse.ts'
import { accepts } from './reference.ts'
import { soughtBy } from './sought.ts'
import { shownForm, storedForm } from './stored.ts'

/** `CRITERIA_RUNS=5000 npm test -- server/features/criteria/differential.test.ts` looks for long, at other cases each time. */
const RUNS = process.env.CRITERIA_RUNS

const scene = fc.constantFrom(...NOWS).chain((now) =>
  fc.record({
    people: fc.array(person(now), { maxLength: 12 }),
    world: world(now),
    until: fc.option(summedUpUntil(now)),
    all: fc.array(fc.oneof({ arbitrary: criteria(now, [1, 2, 3, 4]), weight: 3 }, eventful(now, [1, 2, 3, 4])), {
      minLength: 1,
      maxLength: 8,
    }),
  }),
)

test('compiled criteria select exactly the contacts that the reference accepts, in every form, and are never null', async (t) => {
  const db = await testDatabase(t)
  const { id: accountId } = await createAccount(db, { name: 'Criteria' })
  await db.query(defineFields(accountId))
  const set = await loadFields(db, accountId)
  const vocabulary = { fieldNamed: (tag: string) => set.tagged(tag), fieldNames: () => set.mergeTags }
  const fieldNumbered = (id: number) => set.numbered(id)

  let looked = 0

  const property = fc.asyncProperty(scene, async ({ people, world, until, all: generated }) => {
    const all = JSON.parse(JSON.stringify(generated)) as object[] // as they come in a request
    await enterPeople(db, accountId, people)
    if (until) await summedUp(db, accountId, until)
    const listOf = (id: number): NamedList => {
      const smart = world.smart[id]
      return { id, name: `List ${id}`, condition: smart === undefined ? undefined : parseCriteria(smart, vocabulary) }
    }
    const calendar = { timeZone: world.timeZone, now: sql`${world.now.toISOString()}::timestamptz` }
    const conditions = all.map((given) => {
      const stored = storedForm(given, vocabulary)
      assert.deepEqual(shownForm(stored, fieldNumbered), given)
      const read = parseStored(stored, fieldNumbered)
      assert.deepEqual(read, parseCriteria(given, vocabulary))
      return expand(read, listOf, 'criteria')
    })
    const together = new Together()
    const columns = conditions.map((condition) => compile(condition, calendar, together))
    type Found = { email: string; found: (boolean | null)[]; happened: number[] }
    const shared = await db.query<Found>(sql`
      select c.email, array[${columns.reduce((before, column) => sql`${before}, ${column}`)}] as found, ${together.happenings().happened} as happened
      from contacts as c ${together.joins()} where c.account_id = ${accountId}`)
    // What the events say is remembered, and they are not read again.
    const memory = JSON.stringify(Object.fromEntries(shared.map(({ email, happened }) => [email, happened])))
    const column = sql`array(select value::bigint from jsonb_array_elements_text(${memory}::jsonb -> c.email) as value)`
    const knowing = new Together({ remembered: { has: among(conditions.flatMap(happeningsIn)), column } })
    const known = conditions.map((condition) => compile(condition, calendar, knowing))
    assert.deepEqual(knowing.happenings().ids, [])
    const remembered = await db.query<Pick<Found, 'email' | 'found'>>(sql`
      select c.email, array[${known.reduce((before, column) => sql`${before}, ${column}`)}] as found
      from contacts as c ${knowing.joins()} where c.account_id = ${accountId}`)

    for (const [nth, given] of all.entries()) {
      const told = JSON.stringify({ given, world })
      const expected = people
        .filter((one) => accepts(given, one, world))
        .map((one) => one.email)
        .sort()
      for (const [form, how] of [
        [FOR_FEW, 'few'],
        [forSet(accountId), 'set'],
      ] as const) {
        const condition = compile(conditions[nth]!, calendar, form)
        const found = await db.query<{ email: string; inside: boolean }>(sql`
          select email, ${condition} as inside from contacts as c where c.account_id = ${accountId}`)
        const where = await db.query<{ email: string }>(sql`
          select email from contacts as c where c.account_id = ${accountId} and ${condition}`)
        assert.deepEqual(
          found
            .filter((row) => row.inside === true)
            .map((row) => row.email)
            .sort(),
          expected,
          `${how} ${told}`,
        )
        assert.deepEqual(where.map((row) => row.email).sort(), expected, `${how}, as a condition ${told}`)
        assert.ok(
          found.every((row) => row.inside !== null),
          `${how}, never null: ${told}`,
        )
      }
      const sought = soughtBy(accountId, conditions[nth]!)
      if (sought) {
        const missed = await db.query(sql`
          select from contacts as c where c.account_id = ${accountId} and ${compile(conditions[nth]!, calendar)} and not ${sought.indexed}`)
        assert.equal(missed.length, 0, `what is looked up holds for whom the criteria hold: ${told}`)
      }
      const named = idsFor(accountId, conditions[nth]!, calendar)
      if (named) {
        looked++
        const found = await db.query<{ email: string }>(sql`
          select email from contacts as c where c.account_id = ${accountId} and c.id = any(${named.ids}) and ${compile(named.rest, calendar)}`)
        assert.deepEqual(found.map((row) => row.email).sort(), expected, `by the ids that are named ${told}`)
      }
      for (const [rows, how] of [
        [shared, 'together'],
        [remembered, 'remembered'],
      ] as const) {
        assert.deepEqual(
          rows
            .filter((row) => row.found[nth] === true)
            .map((row) => row.email)
            .sort(),
          expected,
          `${how} ${told}`,
        )
        assert.ok(
          rows.every((row) => row.found[nth] !== null),
          `${how}, never null: ${told}`,
        )
      }
    }
  })
  await fc.assert(property, RUNS ? { numRuns: Number(RUNS) } : { numRuns: 120, seed: 20_261 })
  assert.ok(looked > 50, `only ${looked} criteria had people whom events or lists name`)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { testDatabase } from '../../test/database.ts'
import { createAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import { expand } from './expand.ts'
import { type Explained, explain } from './explain.ts'
import { criteria, defineFields, enterPeople, NOWS, person, world } from './generated.ts'
import { parseCriteria } from './parse.ts'
import { accepts } from './reference.ts'

const RUNS = process.env.CRITERIA_RUNS
const MINUTE = 60_000

const scene = fc.constantFrom(...NOWS).chain((now) =>
  fc.record({
    people: fc.array(person(now), { minLength: 1, maxLength: 2 }),
    world: world(now),
    all: fc.array(criteria(now, [1, 2, 3, 4]), { minLength: 1, maxLength: 4 }),
    /** Minutes from now at which the foretold is put to the test, besides the moments about the change. */
    minutes: fc.array(fc.oneof(fc.nat(120), fc.nat(60 * 24 * 40)), { maxLength: 6 }),
  }),
)

function everyNode(node: Explained): Explained[] {
  return [node, ...(node.of ?? []).flatMap(everyNode)]
}

test('explain says what the reference says, now and until the moment that it names, and the other then', async (t) => {
  const db = await testDatabase(t)
  const { id: accountId } = await createAccount(db, { name: 'Criteria' })
  await db.query(defineFields(accountId))
  const set = await loadFields(db, accountId)
  const vocabulary = { fieldNamed: (tag: string) => set.tagged(tag), fieldNames: () => set.mergeTags }
  let turns = 0

  const property = fc.asyncProperty(scene, async ({ people, world, all: generated, minutes }) => {
    const all = JSON.parse(JSON.stringify(generated)) as object[]
    await enterPeople(db, accountId, people)
    const rows = await db.query<{ id: string; email: string }>(
      sql`select id, email from contacts where account_id = ${accountId}`,
    )
    const condition = (given: object) =>
      expand(
        parseCriteria(given, vocabulary),
        (id) => ({
          id,
          name: `List ${id}`,
          condition: id in world.smart ? parseCriteria(world.smart[id], vocabulary) : undefined,
        }),
        'criteria',
      )
    for (const one of people)
      for (const given of all) {
        const told = JSON.stringify({ given, world })
        const explained = await explain(db, condition(given), {
          accountId,
          contactId: rows.find((row) => row.email === one.email)!.id,
          timeZone: world.timeZone,
          now: sql`${world.now.toISOString()}::timestamptz`,
        })
        const at = (moment: number) => accepts(given, one, { ...world, now: new Date(moment) })
        const outcome = at(world.now.getTime())
        assert.equal(explained!.outcome, outcome, told)
        for (const node of everyNode(explained!)) assert.equal(typeof node.outcome, 'boolean')
        const change = explained!.changes_at === null ? Number.POSITIVE_INFINITY : Date.parse(explained!.changes_at)
        for (const minute of minutes) {
          const moment = world.now.getTime() + minute * MINUTE
          if (moment < change)
            assert.equal(at(moment), outcome, `unchanged after ${minute} min, ${explained!.changes_at}: ${told}`)
        }
        if (change === Number.POSITIVE_INFINITY) continue
        turns++
        assert.equal(at(change - 1), outcome, `just before ${explained!.changes_at}: ${told}`)
        assert.equal(at(change), !outcome, `at ${explained!.changes_at}: ${told}`)
      }
  })
  await fc.assert(property, RUNS ? { numRuns: Number(RUNS) } : { numRuns: 80, seed: 11 })
  assert.ok(turns > 10, 'some were foretold to change')
})

test('explain shows each condition with what it saw', async (t) => {
  const db = await testDatabase(t)
  const { id: accountId } = await createAccount(db, { name: 'Criteria' })
  await db.query(defineFields(accountId))
  const set = await loadFields(db, accountId)
  const vocabulary = { fieldNamed: (tag: string) => set.tagged(tag), fieldNames: () => set.mergeTags }
  const now = NOWS[1]!
  const at = new Date(now.getTime() - 3_600_000)
  const opened = { type: 'email_opened', name: null, at, params: {}, machine: false }
  const someone = {
    email: 'ann@example.com',
    external_id: null,
    state: 'subscribed' as const,
    suppressed: null,
    lists: [1],
    left: [],
  }
  await enterPeople(db, accountId, [
    {
      ...someone,
      fields: { plan: 'Pro', born: '2026-10-30' },
      tags: ['vip'],
      events: [opened, opened],
      created_at: at,
    },
  ])
  const [row] = await db.query<{ id: string }>(sql`select id from contacts where account_id = ${accountId}`)
  const given = {
    all: [
      { field: 'plan', op: 'in', value: ['Free', 'Pro'] },
      { event: 'email_opened', within: '2h', count: { gte: 2 } },
      { not: { field: 'born', op: 'within_next', value: '3d' } },
      { any: [{ tag: 'lead' }, { list: [1, 2] }] },
    ],
  }

  const explained = await explain(db, parseCriteria(given, vocabulary), {
    accountId,
    contactId: row!.id,
    timeZone: 'Europe/Berlin',
    now: sql`${now.toISOString()}::timestamptz`,
  })

  // The hour after: 2026-10-25 12:00 UTC; the day of birth comes within three days on the 27th, which begins at 23:00 UTC.
  const leaves = { changes_at: null, is: 'condition', outcome: true }
  assert.deepEqual(explained, {
    is: 'all',
    outcome: true,
    changes_at: '2026-10-25T13:00:00.000Z',
    of: [
      { ...leaves, condition: { field: 'plan', op: 'in', value: ['Free', 'Pro'] }, seen: 'Pro' },
      {
        ...leaves,
        changes_at: '2026-10-25T13:00:00.000Z',
        condition: { event: 'email_opened', within: '2h', count: { gte: 2 } },
        seen: { count: 2, last_at: '2026-10-25T11:00:00.000Z' },
      },
      {
        is: 'not',
        outcome: true,
        changes_at: '2026-10-26T23:00:00.000Z',
        of: [
          {
            ...leaves,
            outcome: false,
            changes_at: '2026-10-26T23:00:00.000Z',
            condition: { field: 'born', op: 'within_next', value: 3 },
            seen: '2026-10-30',
          },
        ],
      },
      {
        is: 'any',
        outcome: true,
        changes_at: null,
        of: [
          { ...leaves, outcome: false, condition: { tag: 'lead' }, seen: ['vip'] },
          { ...leaves, condition: { list: [1, 2] }, seen: [1] },
        ],
      },
    ],
  })
})

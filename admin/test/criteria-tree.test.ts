import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { criteria, NOWS } from '../../server/features/criteria/generated.ts'
import { OPERATORS } from '../../server/features/criteria/operators.ts'
import type { GroupNode, Node } from '../src/criteria/tree.ts'
import { edited, read, replace, write } from '../src/criteria/tree.ts'

const VALUES = {
  none: undefined,
  one: 'Oslo',
  two: ['2026-01-01', '2026-12-31'],
  many: ['Oslo', 'Bergen'],
  days: '30d',
}

const roundTrip = (json: unknown) => assert.deepEqual(JSON.parse(JSON.stringify(write(read(json)))), json)

test('criteria come out of the builder as they went in', () => {
  fc.assert(
    fc.property(criteria(NOWS[0]!, [1, 2]), (json) => roundTrip(JSON.parse(JSON.stringify(json)))),
    { numRuns: 500 },
  )
})

test('what is no criteria stays as it is, too', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => roundTrip(JSON.parse(JSON.stringify(json)))),
    { numRuns: 500 },
  )
})

test('a name that means something to JavaScript is a name like any other', () => {
  roundTrip(JSON.parse('{"__proto__":0,"":"","constructor":"x"}'))
  roundTrip(JSON.parse('{"event":"x","params":{"__proto__":1,"a":2}}'))
})

test('each operator, in the long form, the short one and as a condition on an event', () => {
  for (const [op, arity] of Object.entries(OPERATORS)) {
    const value = VALUES[arity]
    const long = { field: 'city', op, ...(value === undefined ? {} : { value }) }
    roundTrip(long)
    roundTrip({ any: [{ not: long }, { tag: 'lead' }, { list: [1, 2] }] })
    roundTrip({
      event: 'bought',
      params: [{ param: 'city', op, ...(value === undefined ? {} : { value }) }],
      within: '4w',
    })
  }
  roundTrip({ city: 'Oslo', plan: ['Pro', 'Free'], subscribed: true, tag: 'lead', list: 3, external_id: null })
  roundTrip({ city: 'Oslo' })
  roundTrip({})
  roundTrip({
    event: ['email_opened', 'bought'],
    count: { gte: 2, lt: 9 },
    machine: true,
    params: { category: ['Books'] },
  })
})

test('what is edited is written in the long form, and all the rest as it was', () => {
  const tree = read({ city: 'Oslo', plan: 'Pro' }) as GroupNode
  const [city] = tree.of as [Node & { is: 'test' }]

  const contains = replace(tree, city.key, edited(city, { op: 'contains' }))
  const another = replace(tree, city.key, edited(city, { value: 'Bergen' }))
  const without = replace(tree, city.key, undefined)

  assert.deepEqual(write(contains!), { all: [{ field: 'city', op: 'contains', value: 'Oslo' }, { plan: 'Pro' }] })
  assert.deepEqual(write(another!), { city: 'Bergen', plan: 'Pro' })
  assert.deepEqual(write(without!), { plan: 'Pro' })
})

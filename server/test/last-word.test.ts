import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testApp } from './app.ts'
import { act, LIMITS, newWorld } from './histories.ts'

test('whatever happens to people in whatever order, nobody may be mailed whose own last word was no', async (t) => {
  const made = await testApp(t, LIMITS)
  let confirmed = 0
  let sendable = 0
  const property = fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 40, size: 'max' }), async (acts) => {
    const world = await newWorld(made)
    for (const step of acts) {
      await world.run(step)
      world.check(JSON.stringify(step))
      sendable += world.people.filter((person) => person.sendable.allowed).length
    }
    confirmed += world.tokens.length
  })
  await fc.assert(property, {
    numRuns: Number(process.env.HISTORIES ?? 25),
    seed: 6,
    endOnFailure: true,
    maxSkipsPerRun: 0,
  })
  assert.ok(
    confirmed > 5 && sendable > 50,
    `${confirmed} were asked, ${sendable} could be mailed: else it shows nothing`,
  )
})

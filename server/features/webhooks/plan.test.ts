import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Found, MOST_IN_MESSAGE, messagesOf } from './plan.ts'
import { DELAYS_S, delayAfter } from './retries.ts'

const EPOCH = '0f0e0d0c-0000-4000-8000-000000000000'

const rows = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 3 }),
      times: fc.constantFrom(1, 1, 1, 2, 499, 500, 501, 1200),
      act: fc.constantFrom(null, 1, 2),
      contact: fc.constantFrom('a', 'b', null),
    }),
    { maxLength: 12 },
  )
  .map((runs) => {
    const found: Found[] = []
    let position = 0
    for (const { gap, times, act, contact } of runs) {
      for (let nth = 0; nth < times; nth++) {
        position += gap
        found.push({ position, id: `e${position}`, contact_id: contact && `${contact}${nth}`, change_set_id: act })
      }
    }
    return found
  })

test('of all events found, each up to where there was room is in one message, with those of its act alone', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 20 }), (found, room) => {
      const { messages, stoppedAt } = messagesOf(found, EPOCH, room)
      const byId = new Map(found.map((row) => [row.id, row]))
      const taken = found.filter(({ position }) => stoppedAt === undefined || position <= stoppedAt)

      assert.ok(messages.length <= room)
      assert.ok(stoppedAt === undefined || messages.length === room)
      assert.deepEqual(messages.flatMap(({ event_ids }) => event_ids).sort(), taken.map(({ id }) => id).sort())
      assert.equal(new Set(messages.map(({ message_id }) => message_id)).size, messages.length)
      for (const { kind, event_ids, contact_ids, message_id } of messages) {
        const events = event_ids.map((id) => byId.get(id)!)
        const [first, last] = [events[0]!, events.at(-1)!]
        assert.deepEqual(
          events.map(({ position }) => position),
          events.map(({ position }) => position).sort((a, b) => a - b),
        )
        assert.deepEqual(
          contact_ids,
          [...new Set(events.map(({ contact_id }) => contact_id))].filter((id) => id !== null),
        )
        if (kind === 'event') {
          assert.equal(message_id, first.id)
          assert.equal(events.length, 1)
          assert.ok(first.contact_id === null || first.change_set_id === null)
        } else {
          assert.equal(message_id, `${first.position}-${last.position}-0f0e0d0c`)
          assert.ok(events.length <= MOST_IN_MESSAGE)
          assert.ok(events.every((event) => event.contact_id !== null && event.change_set_id === first.change_set_id))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('events of an act that others come in between are still told together', () => {
  const row = (position: number, change_set_id: number | null): Found => ({
    ...{ position, id: `e${position}`, contact_id: `c${position}`, change_set_id },
  })

  const { messages } = messagesOf([row(1, 7), row(2, null), row(3, 8), row(4, 7)], EPOCH, 10)

  assert.deepEqual(
    messages.map(({ event_ids }) => event_ids),
    [['e1', 'e4'], ['e2'], ['e3']],
  )
})

test('the waits grow from try to try, fill a day, and are never quite the same', () => {
  const waits = (random: number) => DELAYS_S.map((_, at) => delayAfter(at + 1, () => random)!)
  const sum = (list: number[]) => list.reduce((all, wait) => all + wait, 0) / 3600

  for (const random of [0, 0.5, 0.999]) {
    const list = waits(random)
    assert.deepEqual(
      list,
      list.toSorted((a, b) => a - b),
    )
  }
  assert.ok(Math.abs(sum(waits(0.5)) - 23.7) < 0.1)
  assert.ok(sum(waits(0)) > 20 && sum(waits(1)) < 27.5)
  assert.equal(delayAfter(DELAYS_S.length + 1), undefined)
  assert.notEqual(delayAfter(5), delayAfter(5))
})

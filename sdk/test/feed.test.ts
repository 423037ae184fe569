import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FeedEvent, FeedRestartedError, rollcall } from '../src/rollcall.ts'
import { between, withClient } from './live.ts'

test('the feed is followed from its beginning into what happens next, and gone on with from a cursor', async (t) => {
  const { client } = await withClient(t)
  for (const name of ['a', 'b', 'c']) await client.contacts.create({ email: `${name}@example.com` })
  const events: FeedEvent[] = []
  let cursor: string | undefined

  const controller = new AbortController()
  await assert.rejects(async () => {
    for await (const batch of client.events.follow({ limit: 2, signal: controller.signal })) {
      events.push(...batch.events)
      cursor = batch.cursor
      if (events.length === 3) await client.contacts.update('a@example.com', { tags: ['x'] })
      if (events.length === 4) controller.abort(new Error('enough'))
    }
  }, /^Error: enough$/)

  assert.deepEqual(
    events.map(({ type, position }) => [type, position]),
    [
      ['created', 1],
      ['created', 2],
      ['created', 3],
      ['updated', 4],
    ],
  )
  await client.contacts.delete('c@example.com')
  const later: string[] = []
  for await (const batch of client.events.follow({ after: cursor })) {
    later.push(...batch.events.map(({ type }) => type))
    break
  }
  assert.deepEqual(later, ['deleted'])
  const updates: number[] = []
  for await (const batch of client.events.batches({ types: ['updated'] }))
    updates.push(...batch.events.map(({ position }) => position))
  assert.deepEqual(updates, [4], 'batches end where the feed does')
})

test('a feed that has begun anew says from where to go on', async (t) => {
  const url = await between(t, (_request, response) => {
    response.writeHead(410, { 'content-type': 'application/json' })
    response.end('{"errors":"The feed has begun anew","resume_after":"c1","position":1200}')
  })

  await assert.rejects(rollcall({ url, token: 't' }).events.follow().next(), (error) => {
    assert.ok(error instanceof FeedRestartedError)
    assert.deepEqual([error.resumeAfter, error.position], ['c1', 1200])
    return true
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyring, testApp } from '../test/app.ts'
import { fillDemo } from './demo.ts'
import { PEOPLE, people } from './people.ts'

test('the demonstration is believable, the same each time, and changes nothing when it is there', async (t) => {
  const { db, files, filesAt, accountId, get, post, another } = await testApp(t)
  const parts = { db, files, filesAt, keyring, keepFileDays: 1 }
  const now = Date.now()

  const made = await fillDemo(parts, accountId, now)
  assert.deepEqual([made.contacts, made.lists, made.wasThere], [PEOPLE, 7, false])
  assert.ok(made.events > 15_000, `${made.events} events`)
  assert.deepEqual(await fillDemo(parts, accountId, now), { ...made, wasThere: true })
  assert.deepEqual([...people(now)], [...people(now)])

  const lists = (await get('/api/contact_lists')).body as { id: number; name: string; type: string }[]
  for (const { id, name, type } of lists) {
    const { total } = (await get(`/api/contact_lists/${id}/contacts?per_page=1`)).body
    assert.ok(total > 0 && total < PEOPLE + 1, `${name} (${type}) has ${total}`)
  }
  const states = await Promise.all(
    ['subscribed', 'unsubscribed', 'bounced'].map(
      async (state) => (await get(`/api/contacts?state=${state}`)).body.total,
    ),
  )
  assert.equal(
    states.reduce((sum, total) => sum + total),
    PEOPLE,
  )
  const { data } = (await get('/api/contacts?plan=Enterprise&per_page=1')).body
  const events = (await get(`/api/contacts/${data[0].id}/events`)).body.data
  assert.ok(events.length > 0)

  const own = await another()
  await own.call('POST', '/api/contacts', { email: 'ada@example.com' })
  await assert.rejects(fillDemo(parts, own.accountId, now), /has people of its own/)
  assert.equal((await post('/api/contacts/search', { criteria: { tag: 'vip' } })).status, 200)
})

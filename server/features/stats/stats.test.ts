import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, testApp } from '../../test/app.ts'

test('the numbers of an account are those of its contacts, consents and events, day by day in its own time zone', async (t) => {
  const made = await testApp(t)
  const { db, get, post, patch, accountId } = made
  await patch('/api/account', { time_zone: 'Pacific/Auckland' })
  const smart = (await post('/api/contact_lists', { name: 'VIP', criteria: { tag: 'vip' } })).body.id
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  await dispatched(db)
  for (const name of ['ann', 'bob', 'cat'])
    await post('/api/contacts', { email: `${name}@example.com`, tags: ['vip'], list_ids: [list] })
  await dispatched(db)
  await post('/api/contacts', { email: 'dan@example.com', unsubscribed: true })
  await post('/api/contacts/ann@example.com/unsubscribe')
  await patch('/api/contacts/bob@example.com', { tags: [] })
  await made.del(`/api/contact_lists/${list}/contacts/cat@example.com`)
  await dispatched(db)
  const long = new Date(Date.now() - 3 * 86_400_000)
  const { id } = (await get('/api/contacts/cat@example.com')).body.data
  await db.query(sql`
    insert into consents (account_id, id, contact_id, action, grade, source, actor, at)
    values (${accountId}, id_floor(${long}::timestamptz), ${id}, 'granted', 'observed', 'form', 'person', ${long})`)

  const { body } = await get('/api/stats?days=5')
  assert.ok(body.by_state, JSON.stringify(body))
  assert.deepEqual(body.by_state, { subscribed: 2, unsubscribed: 2 })
  assert.deepEqual(body.by_origin, { api: 4 })
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Auckland' }).format(new Date())
  assert.equal(body.days.length, 5)
  assert.deepEqual(body.days.at(-1), { day: today, joined: 3, left: 2, subscribed: 2 })
  assert.deepEqual(
    body.days.map((day: { joined: number }) => day.joined),
    [0, 1, 0, 0, 3],
  )
  assert.deepEqual(
    body.days.map((day: { subscribed: number }) => day.subscribed),
    [0, 1, 1, 1, 2],
  )
  assert.deepEqual(body.moved, [{ list_id: smart, name: 'VIP', entered: 3, left: 1 }])
  const grown = async (of: number) => (await get(`/api/contact_lists/${of}/growth?days=2`)).body.days.at(-1)
  assert.deepEqual(await grown(smart), { day: today, entered: 3, left: 1 })
  assert.deepEqual(await grown(list), { day: today, entered: 3, left: 1 })
  assert.equal((await get('/api/stats?days=0')).status, 422)
  assert.equal((await get('/api/contact_lists/999999/growth')).status, 404)
})

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
    [0, 0, 0, 0, 2],
    'who is entered as unsubscribed was never subscribed before, and permission of long ago says nothing of when they came',
  )
  assert.deepEqual(body.moved, [{ list_id: smart, name: 'VIP', entered: 3, left: 1 }])
  const grown = async (of: number) => (await get(`/api/contact_lists/${of}/growth?days=2`)).body.days.at(-1)
  assert.deepEqual(await grown(smart), { day: today, entered: 3, left: 1, contacts: 2 })
  assert.deepEqual(await grown(list), { day: today, entered: 3, left: 1, contacts: 2 })
  assert.equal((await get('/api/stats?days=0')).status, 422)
  assert.equal((await get('/api/contact_lists/999999/growth')).status, 404)
})

test('who entered a list and who left it is told with names, page by page, by day and by way', async (t) => {
  const made = await testApp(t)
  const { db, get, post, patch, del } = made
  const smart = (await post('/api/contact_lists', { name: 'VIP', criteria: { tag: 'vip' } })).body.id
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  await dispatched(db)
  for (const name of ['ann', 'bob', 'cat'])
    await post('/api/contacts', { email: `${name}@bücher.example`, tags: ['vip'], list_ids: [list] })
  await dispatched(db)
  await post('/api/contacts', { email: 'dan@example.com' }) // in neither: events of others are passed over
  await patch('/api/contacts/ann@bücher.example', { tags: [] })
  const { change_set_id: act } = (
    await del(`/api/contact_lists/${list}/contacts`, { contact_ids: ['bob@bücher.example'] })
  ).body
  await del('/api/contacts/cat@bücher.example')
  await dispatched(db)
  const moves = async (of: number, query = '') => (await get(`/api/contact_lists/${of}/moves${query}`)).body
  const told = async (of: number, query = '') =>
    (await moves(of, query)).data.map((row: { move: string; email: string }) => `${row.move} ${row.email}`)

  assert.deepEqual(await told(smart), [
    'left ann@bücher.example',
    'entered bob@bücher.example',
    'entered ann@bücher.example',
  ])
  assert.deepEqual(await told(list), [
    'left bob@bücher.example',
    'entered bob@bücher.example',
    'entered ann@bücher.example',
  ])
  assert.equal((await moves(list)).data[0].change_set_id, act)
  assert.equal((await moves(list)).data[0].contact_id, (await get('/api/contacts/bob@bücher.example')).body.data.id)
  assert.deepEqual(await told(list, '?move=left'), ['left bob@bücher.example'])
  const first = await moves(list, '?per_page=2')
  assert.equal(first.data.length, 2)
  assert.deepEqual(await told(list, `?per_page=2&cursor=${first.next_cursor}`), ['entered ann@bücher.example'])
  assert.equal((await moves(list, `?per_page=2&cursor=${first.next_cursor}`)).next_cursor, null)
  const today = new Date().toISOString().slice(0, 10)
  assert.equal((await told(list, `?day=${today}`)).length, 3)
  assert.deepEqual(await told(list, '?day=2020-02-29'), [])

  assert.equal((await get(`/api/contact_lists/${list}/moves?day=2021-02-29`)).status, 422)
  assert.equal((await get(`/api/contact_lists/${smart}/moves?cursor=${first.next_cursor}`)).status, 422)
  assert.equal((await get('/api/contact_lists/999999/moves')).status, 404)
})

test('a smart list that becomes a static one keeps its history: nobody enters it by that', async (t) => {
  const { db, get, post, patch } = await testApp(t)
  const smart = (await post('/api/contact_lists', { name: 'VIP', criteria: { tag: 'vip' } })).body.id
  await dispatched(db)
  for (const name of ['ann', 'bob']) await post('/api/contacts', { email: `${name}@example.com`, tags: ['vip'] })
  await dispatched(db)
  assert.equal((await post(`/api/contact_lists/${smart}/convert`)).status, 200)
  await patch('/api/contacts/bob@example.com', { list_ids: [] })
  await dispatched(db)

  const { days } = (await get(`/api/contact_lists/${smart}/growth?days=2`)).body
  assert.deepEqual({ ...days[1], day: null }, { day: null, entered: 2, left: 1, contacts: 1 })
  assert.equal(days[0].contacts, 0, 'before it was there nobody was in it')
  const { data } = (await get(`/api/contact_lists/${smart}/moves`)).body
  assert.deepEqual(
    data.map(({ move }: { move: string }) => move),
    ['left', 'entered', 'entered'],
  )
})

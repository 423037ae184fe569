import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'

const ANN = '/api/contacts/ann@example.com'

test('a timeline has the latest first, what changed under the merge tags of now, and only what it is asked for', async (t) => {
  const { post, patch, get } = await testApp(t)
  const list = (await post('/api/contact_lists', { name: 'One' })).body.id
  const { id } = (await post('/api/contacts', { email: 'ann@example.com', fields: { city: 'Oslo' } })).body.data
  await post('/api/contacts', { email: 'bob@example.com' })
  await patch(ANN, { fields: { city: 'Bergen' }, list_ids_included: [list] })
  await post(`${ANN}/events`, { name: 'login', params: { times: 3 } })
  await post(`${ANN}/events`, { name: 'email_opened' })
  await post(`${ANN}/events`, { name: 'created' })
  const city = (await get('/api/contact_fields')).body.at(-1)
  await patch(`/api/contact_fields/${city.id}`, { merge_tag: 'town' })

  const { body } = await get(`${ANN}/events`)

  assert.deepEqual([body.page, body.per_page, body.total, body.total_pages, body.next_cursor], [1, 50, 5, 1, null])
  assert.deepEqual(
    body.data.map((event: { type: string; name?: string }) => [event.type, event.name]),
    [
      ['custom', 'created'],
      ['email_opened', 'email_opened'],
      ['custom', 'login'],
      ['updated', undefined],
      ['created', undefined],
    ],
  )
  assert.deepEqual(body.data[2].data, { params: { times: 3 } })
  assert.deepEqual(body.data[3].types, ['updated', 'list_added'])
  assert.deepEqual(body.data[3].data, { fields: { town: { from: 'Oslo', to: 'Bergen' } }, lists: { added: [list] } })
  for (const event of body.data) {
    assert.equal(event.contact_id, id)
    assert.match(event.at, /^\d{4}-\d{2}-\d{2}T.*Z$/)
  }
  const types = async (asked: string) =>
    (await get(`${ANN}/events?types=${asked}`)).body.data.map((event: { type: string }) => event.type)
  assert.deepEqual(await types('list_added'), ['updated'], 'any of the types of an event')
  assert.deepEqual(await types('custom, created'), ['custom', 'custom', 'created'])
  assert.deepEqual(await types(''), ['custom', 'email_opened', 'custom', 'updated', 'created'])
  assert.deepEqual(await types('email_bounced'), [])
})

test('pages by number and by cursor show each event once, also while more happen', async (t) => {
  const { post, get } = await testApp(t)
  await post('/api/contacts', { email: 'ann@example.com' })
  for (let n = 0; n < 7; n++) await post(`${ANN}/events`, { name: `n${n}` })
  const names = (body: { data: { name?: string }[] }) => body.data.map((event) => event.name ?? 'created')
  const all = ['n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0', 'created']

  const byNumber = []
  for (let page = 1; page <= 3; page++)
    byNumber.push(...names((await get(`${ANN}/events?per_page=3&page=${page}`)).body))
  assert.deepEqual(byNumber, all)
  assert.deepEqual(names((await get(`${ANN}/events?per_page=3&page=4`)).body), [])

  const byCursor = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body } = await get(`${ANN}/events?per_page=3${cursor && `&cursor=${cursor}`}`)
    assert.equal(body.total, 8)
    byCursor.push(...names(body))
    cursor = body.next_cursor
    await post(`${ANN}/events`, { name: 'later' })
  }
  assert.deepEqual(byCursor, all)

  const { next_cursor } = (await get(`${ANN}/events?per_page=3`)).body
  const other = await get(`${ANN}/events?per_page=3&types=custom&cursor=${next_cursor}`)
  assert.equal(other.status, 422)
})

test('an event of a caller is one event and one act, and changes nothing else of the contact', async (t) => {
  const { post, get, db } = await testApp(t)
  const before = (await post('/api/contacts', { email: 'ann@example.com' })).body

  const answer = await post(`/api/contacts/${before.data.id}/events`, {
    name: ' UserLogin ',
    params: { text: 'ø'.repeat(255), whole: 1, part: 0.5, yes: true, none: null },
  })

  assert.equal(answer.status, 201)
  assert.deepEqual((await get(ANN)).body, before)
  const rows = await db.query<{ type: string; name: string; data: object; acts: number }>(sql`
    select type, name, data, (select count(*) from outbox where event_ids = array[e.id]) as acts
    from events as e where type <> 'created'`)
  assert.deepEqual(rows, [
    {
      type: 'custom',
      name: answer.body.name,
      data: { params: { text: 'ø'.repeat(255), whole: 1, part: 0.5, yes: true, none: null } },
      acts: 1,
    },
  ])
  const tooLong = await post(`${ANN}/events`, { name: 'x'.repeat(256), params: { a: 'x'.repeat(256), b: {} } })
  assert.deepEqual([tooLong.status, Object.keys(tooLong.body.errors)], [422, ['name', 'params']])
  assert.equal(tooLong.body.errors.params.length, 2)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { parseKeyring } from '../../lib/secret.ts'
import { dispatched, keyring, type Tenant, type TestApp, testApp } from '../../test/app.ts'
import { beginEpoch, readHead } from './feed.ts'
import { FeedCursors } from './feed-cursor.ts'
import { record } from './record.ts'

interface Event {
  id: string
  position: number
  type: string
  types: string[]
  contact_id: string | null
  name?: string
  at: string
  data: Record<string, unknown>
}

/** Everything behind a cursor, page by page. */
async function readOn({ call }: Tenant, query = '', from?: string): Promise<{ events: Event[]; cursor: string }> {
  const events: Event[] = []
  for (let cursor = from; ; ) {
    const { status, body } = await call('GET', `/api/events?${query}${cursor === undefined ? '' : `&after=${cursor}`}`)
    assert.equal(status, 200, JSON.stringify(body))
    events.push(...body.data)
    cursor = body.next_cursor as string
    if (!body.has_more) return { events, cursor }
  }
}

async function addPeople(made: TestApp, ...names: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const name of names) ids.push((await made.post('/api/contacts', { email: `${name}@example.com` })).body.data.id)
  return ids
}

test('the feed is read in pages of any size, each event once and in order', async (t) => {
  const made = await testApp(t)
  const ids = await addPeople(made, 'a', 'b', 'c', 'd', 'e')
  await made.patch(`/api/contacts/${ids[1]}`, { tags: ['x'], fields: { company: 'Acme' } })
  await dispatched(made.db)

  const whole = (await readOn(made, 'limit=1000')).events
  assert.deepEqual(
    whole.map(({ position, type, contact_id }) => [position, type, contact_id]),
    [...ids.map((id, at) => [at + 1, 'created', id]), [6, 'updated', ids[1]]],
  )
  assert.deepEqual(whole[5]!.data, { fields: { company: { to: 'Acme' } }, tags: { added: ['x'] } })
  for (const limit of [1, 2, 5, 6]) assert.deepEqual((await readOn(made, `limit=${limit}`)).events, whole)
})

test('the feed is read back from its end, the latest first, and a cursor is the same place both ways', async (t) => {
  const made = await testApp(t)
  const [a, b] = await addPeople(made, 'a', 'b', 'c', 'd')
  await made.del(`/api/contacts/${a}`)
  await dispatched(made.db)
  const whole = (await readOn(made, 'limit=1000')).events
  /** Everything before a cursor, page by page. */
  const readBack = async (query: string, from = 'now') => {
    const events: Event[] = []
    for (let cursor = from; ; ) {
      const { status, body } = await made.get(`/api/events?${query}&before=${cursor}`)
      assert.equal(status, 200, JSON.stringify(body))
      events.push(...body.data)
      cursor = body.next_cursor
      if (!body.has_more) return events
    }
  }

  for (const limit of [1, 2, 5, 6])
    assert.deepEqual(await readBack(`limit=${limit}`), whole.toReversed(), `${limit} a page`)
  assert.deepEqual(
    (await readBack('types=created&limit=2')).map(({ position }) => position),
    [4, 3, 2],
  )
  const { next_cursor: middle } = (await made.get('/api/events?limit=3')).body
  assert.deepEqual(await readBack('limit=2', middle), whole.slice(0, 3).toReversed(), 'up to the cursor')
  assert.deepEqual((await readOn(made, '', middle)).events, whole.slice(3), 'and behind it')
  assert.deepEqual(await readBack('', 'start'), [])

  const named = (await made.get('/api/events?before=now&include=contact_email')).body.data
  assert.deepEqual(
    named.map(({ contact_email }: { contact_email?: string | null }) => contact_email),
    [null, 'd@example.com', 'c@example.com', 'b@example.com', undefined],
  )
  assert.equal(named[3].contact_id, b)
  const both = await made.get('/api/events?before=now&after=start')
  assert.deepEqual([both.status, Object.keys(both.body.errors)], [422, ['before']])
  assert.deepEqual(Object.keys((await made.get('/api/events?before=17')).body.errors), ['before'])
  assert.equal((await made.get('/api/events?include=contact')).status, 422)
})

test('a cursor at the end waits for what comes, and takes any filter', async (t) => {
  const made = await testApp(t)
  const [a] = await addPeople(made, 'a')
  await dispatched(made.db)

  const { cursor } = await readOn(made, 'types=deleted')
  assert.deepEqual((await readOn(made, '', cursor)).events, [])
  await made.patch(`/api/contacts/${a}`, { tags: ['x'] })
  assert.deepEqual((await readOn(made, '', cursor)).events, [], 'it has no place yet')
  await dispatched(made.db)

  assert.deepEqual(
    (await readOn(made, '', cursor)).events.map(({ type }) => type),
    ['updated'],
  )
  assert.deepEqual((await readOn(made, '', 'now')).events, [])
  assert.equal((await readOn(made, '', 'start')).events.length, 2)
})

test('filters keep events of any of the types, and of one contact by any of its names', async (t) => {
  const made = await testApp(t)
  const { post, patch } = made
  const [a, b] = await addPeople(made, 'a', 'b')
  await patch(`/api/contacts/${b}`, { unsubscribed: true, external_id: 'crm-1' })
  await post(`/api/contacts/${a}/events`, { name: 'login' })
  await dispatched(made.db)
  const seen = async (query: string) => (await readOn(made, query)).events.map(({ type }) => type)

  assert.deepEqual(await seen('types=subscribed&limit=1'), ['created', 'created'], 'created into a subscription')
  assert.deepEqual(await seen('types=custom,%20unsubscribed'), ['unsubscribed', 'custom'])
  for (const contact of [b, 'B@Example.com', 'ext:crm-1'])
    assert.deepEqual(await seen(`contact=${contact}`), ['created', 'unsubscribed'])
  assert.deepEqual(await seen(`contact=${b}&types=custom`), [])
})

test('with a filter that hardly anything passes, a page ends after a while and says that there is more', async (t) => {
  const { db, accountId, get } = await testApp(t)
  await db.query(sql`
    with made as (
      insert into events (account_id, type, types) select ${accountId}, 'custom', '{custom}' from generate_series(1, 45000) returning id
    )
    insert into feed (account_id, position, event_id) select ${accountId}, row_number() over (order by id), id from made`)
  await db.query(sql`update feed_heads set position = 45000 where account_id = ${accountId}`)

  const pages: [number, boolean][] = []
  for (let after = 'start'; ; ) {
    const { body } = await get(`/api/events?types=deleted&after=${after}`)
    pages.push([body.data.length, body.has_more])
    if (!body.has_more) break
    after = body.next_cursor
  }

  assert.deepEqual(pages, [
    [0, true],
    [0, true],
    [0, false],
  ])
  const back: boolean[] = []
  for (let before = 'now'; back.at(-1) !== false; ) {
    const { body } = await get(`/api/events?types=deleted&before=${before}`)
    back.push(body.has_more)
    before = body.next_cursor
  }
  assert.deepEqual(back, [true, true, false], 'nor does it go back further at once')
})

test('an event of a removed contact keeps its place and tells nothing but that it was one', async (t) => {
  const made = await testApp(t)
  const [a] = await addPeople(made, 'a', 'b')
  await dispatched(made.db)
  const before = (await readOn(made)).events
  await made.del(`/api/contacts/${a}`)
  await dispatched(made.db)

  const { events } = await readOn(made)

  const { at, ...erased } = events[0]!
  assert.deepEqual(erased, {
    id: before[0]!.id,
    position: 1,
    type: 'erased',
    types: ['erased'],
    data: {},
    contact_id: null,
  })
  assert.ok(Math.abs(Date.parse(at) - Date.parse(before[0]!.at)) < 1000, at)
  assert.deepEqual(events[1], before[1])
  assert.deepEqual([events[2]!.type, events[2]!.contact_id, events[2]!.data], ['deleted', a, {}])
  assert.equal((await readOn(made, 'types=erased')).events.length, 1)
  assert.deepEqual(
    (await readOn(made, `contact=${a}`)).events.map(({ type }) => type),
    ['deleted'],
  )
})

test("a cursor that was made up, or is another account's, is refused with what would be one", async (t) => {
  const made = await testApp(t)
  const other = await made.another()
  await addPeople(made, 'a')
  await dispatched(made.db)
  const { cursor } = await readOn(made)
  const foreign = (await readOn(other)).cursor
  const bytes = Buffer.from(cursor, 'base64url')
  bytes[bytes.length - 1]! ^= 1

  const wrong = [foreign, bytes.toString('base64url'), `${cursor}A`, cursor.slice(1), 'abc', '17', '%20', 'START']
  for (const after of wrong) {
    const answer = await made.get(`/api/events?after=${after}`)
    assert.equal(answer.status, 422, after)
    assert.match(answer.body.errors.after[0], /^is not a cursor of this account's feed: give next_cursor/)
  }
  assert.equal((await other.call('GET', `/api/events?after=${cursor}`)).status, 422)
  assert.equal((await made.get('/api/events?types=opened')).status, 422)
  assert.equal((await made.get('/api/events?contact=nobody@example.com')).status, 422)
  assert.equal((await made.get('/api/events?limit=0')).status, 422)
  assert.equal((await made.get('/api/events?limit=1001')).status, 422)
})

test('a cursor outlives a change of the secret for as long as the old key stands behind the new one', async (t) => {
  const { db, accountId } = await testApp(t)
  const head = await readHead(db, accountId)
  const secrets = ['a-new-secret-that-only-tests-know-0123456789', 'a-secret-that-only-tests-know-0123456789']
  const cursor = new FeedCursors(keyring).write(accountId, head, 0)

  assert.equal(new FeedCursors(parseKeyring(secrets.join(','))).read(accountId, head, cursor), 0)
  assert.throws(() => new FeedCursors(parseKeyring(secrets[0]!)).read(accountId, head, cursor), { code: 'invalid' })
})

/** What putting an older copy back does to the feed: all behind a position is gone, and other things happen after it. */
async function putBack(db: Database, accountId: number, position: number, floor: number | null): Promise<void> {
  await db.query(sql`delete from feed where account_id = ${accountId} and position > ${position}`)
  await db.query(
    sql`update feed_heads set position = ${position}, epoch_floor = ${floor} where account_id = ${accountId}`,
  )
  await beginEpoch(db, accountId)
}

test('after an older copy was put back, a cursor of before gets a 410 with where both tell the same', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const cursors: Record<string, string> = {}
  const noteAs = async (name: string) => {
    await dispatched(db)
    cursors[name] = (await readOn(made)).cursor
  }
  await addPeople(made, 'a', 'b')
  await noteAs('early')
  await addPeople(made, 'c', 'd')
  await noteAs('late')

  await putBack(db, accountId, 3, null)
  await addPeople(made, 'e', 'f', 'g')
  await noteAs('second')
  const ends: Record<string, number> = { early: 2, late: 3 }
  for (const [name, position] of Object.entries(ends)) {
    const answer = await made.get(`/api/events?after=${cursors[name]}`)
    assert.deepEqual([answer.status, answer.body.position], [410, position], name)
    assert.match(answer.body.errors, /begun anew/)
    const { events } = await readOn(made, '', answer.body.resume_after)
    assert.deepEqual(
      events.map((event) => event.position),
      [3, 4, 5, 6].slice(position - 2),
    )
  }
  const stream = await made.call('GET', '/api/events/stream', undefined, { 'last-event-id': cursors.late! })
  assert.deepEqual([stream.status, stream.body.position], [410, 3])

  // The same old copy once more: of what came after it, nothing holds, whichever epoch a cursor is of.
  await putBack(db, accountId, 3, null)
  for (const [name, position] of Object.entries({ ...ends, second: 3 }))
    assert.equal((await made.get(`/api/events?after=${cursors[name]}`)).body.position, position, name)
})

test('what a feed tells after a new epoch is told on by its cursors', async (t) => {
  const made = await testApp(t)
  await addPeople(made, 'a')
  await dispatched(made.db)
  await beginEpoch(made.db, made.accountId)

  const { events, cursor } = await readOn(made)
  await addPeople(made, 'b')
  await dispatched(made.db)

  assert.equal(events.length, 1)
  assert.equal((await readOn(made, '', cursor)).events.length, 1)
})

test('a reader beside 16 writers and three dispatchers sees what was committed once, in one order', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const contacts = await addPeople(made, 'a', 'b', 'c', 'd')
  const committed: string[] = []
  let writing = true
  let telling = true

  const writer = async (nth: number) => {
    for (let round = 0; round < 12; round++) {
      const name = `${nth}-${round}`
      const chosen = contacts.filter(() => Math.random() < 0.4).sort()
      if (chosen.length === 0) chosen.push(contacts[0]!)
      await db
        .transaction(async (trx) => {
          await trx.query(sql`
            select id from contacts where account_id = ${accountId} and id = any(${chosen}::uuid[]) order by id for update`)
          record(
            trx,
            accountId,
            chosen.map((contactId) => ({ contactId, types: ['custom'], name, data: {} })),
          )
          await trx.query(sql`select pg_sleep(${Math.random() * 0.01})`)
          if (Math.random() < 0.2) throw new Error('undone')
        })
        .then(
          () => committed.push(...chosen.map((id) => `${name} ${id}`)),
          () => {},
        )
    }
  }
  const dispatcher = async () => {
    while (writing) await dispatched(db)
  }
  const seen: Event[] = []
  const reader = async () => {
    for (let cursor = 'start', isLast = false; !isLast; ) {
      isLast = !telling
      const read = await readOn(made, 'limit=7', cursor)
      seen.push(...read.events)
      cursor = read.cursor
    }
  }
  const others = [dispatcher(), dispatcher(), dispatcher()]
  const reading = reader()
  await Promise.all(Array.from({ length: 16 }, (_, nth) => writer(nth)))
  writing = false
  await Promise.all(others)
  await dispatched(db) // whoever was at it last may have looked before the last commit
  telling = false
  await reading

  const customs = seen.filter(({ type }) => type === 'custom')
  assert.ok(committed.length > 100)
  assert.deepEqual(customs.map(({ name, contact_id }) => `${name} ${contact_id}`).sort(), committed.sort())
  assert.deepEqual(
    seen.map(({ position }) => position),
    seen.map((_, at) => at + 1),
    'no gaps, none twice',
  )
  assert.deepEqual((await readOn(made)).events, seen, 'and whoever reads later sees the same')
  for (const id of contacts) {
    const timeline = await db.query<{ id: string }>(
      sql`select id from events where account_id = ${accountId} and contact_id = ${id} order by id`,
    )
    assert.deepEqual(
      seen.filter((event) => event.contact_id === id).map((event) => event.id),
      timeline.map((row) => row.id),
      "a contact's events in the order they happened",
    )
  }
})

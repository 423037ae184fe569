import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, dispatched, type TestApp, testApp } from '../../test/app.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { dispatchAll } from '../activity/dispatcher.ts'
import { deleteLists } from './lists.ts'
import { smartListsUsing } from './smart.ts'

async function ok(answer: Promise<Answer>) {
  const { status, body } = await answer
  assert.ok(status < 300, JSON.stringify(body))
  return body
}

async function refused(answer: Promise<Answer>) {
  const { status, body } = await answer
  assert.equal(status, 422, JSON.stringify(body))
  return body.errors as Record<string, string[]>
}

async function contact({ post }: TestApp, name: string, more: object = {}): Promise<string> {
  return (await ok(post('/api/contacts', { email: `${name}@example.com`, ...more }))).data.id
}

interface Transition {
  contact_id: string
  types: string[]
  data: { cause: string; smart_lists: { entered?: number[]; left?: number[] } }
}

/** Transitions in the order of the feed. */
function transitions({ db, accountId }: TestApp): Promise<Transition[]> {
  return db.query<Transition>(sql`
    select e.contact_id, e.types, e.data from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
    where f.account_id = ${accountId} and e.types && '{list_entered,list_left}' order by f.position`)
}

const emails = (body: { data: { email: string }[] }) => body.data.map(({ email }) => email.split('@')[0]).sort()

test('the smart list of the overview is created, read, counted, listed, and shows its criteria as they were written', async (t) => {
  const made = await testApp(t)
  const { get, post, patch } = made
  await contact(made, 'ann', { fields: { company_size: '200+', plan: 'Enterprise' } })
  await contact(made, 'bob', { fields: { company_size: '200+', plan: 'Free' } })
  await contact(made, 'eve', { fields: { company_size: '200+', plan: 'Enterprise' }, unsubscribed: true })
  const criteria = { company_size: '200+', plan: 'Enterprise', subscribed: true }

  const list = await ok(post('/api/contact_lists', { name: 'Enterprise Customers', criteria }))

  assert.deepEqual([list.type, list.criteria, list.contacts_count, list.track], ['smart', criteria, 1, true])
  assert.deepEqual(emails(await ok(get(`/api/contact_lists/${list.id}/contacts`))), ['ann'])
  assert.deepEqual(emails(await ok(get(`/api/contacts?list_id=${list.id}`))), ['ann'])
  assert.deepEqual(emails(await ok(post('/api/contacts/search', { criteria: { not: { list: list.id } } }))), [
    'bob',
    'eve',
  ])
  await dispatched(made.db)
  assert.equal((await ok(get('/api/contact_lists')))[0].contacts_count, 1)
  await contact(made, 'joe', { fields: { company_size: '200+', plan: 'enterprise' } })
  assert.equal((await ok(get(`/api/contact_lists/${list.id}`))).contacts_count, 2, 'exact at once')
  assert.equal((await ok(get('/api/contact_lists')))[0].contacts_count, 1, 'as last told')

  const fields = (await ok(get('/api/contact_fields'))) as { id: number; merge_tag: string }[]
  const plan = fields.find((field) => field.merge_tag === 'plan')!
  await ok(patch(`/api/contact_fields/${plan.id}`, { merge_tag: 'tier' }))
  assert.deepEqual((await ok(get(`/api/contact_lists/${list.id}`))).criteria, {
    company_size: '200+',
    tier: 'Enterprise',
    subscribed: true,
  })
  assert.deepEqual(await refused(made.del(`/api/contact_fields/${plan.id}`)), {
    usage: ['This field is used in the conditions of segment(s): Enterprise Customers.'],
  })
})

test('who enters and leaves is told once, after what caused it; changes of criteria are silent unless asked', async (t) => {
  const made = await testApp(t)
  const { post, patch } = made
  const ann = await contact(made, 'ann', { tags: ['vip'] })
  const { id } = await ok(post('/api/contact_lists', { name: 'VIPs', criteria: { tag: 'vip' } }))
  await dispatched(made.db)
  assert.deepEqual(await transitions(made), [], 'neither the list nor the act before it is told')

  const bob = await contact(made, 'bob', { tags: ['vip'] })
  await ok(patch(`/api/contacts/${ann}`, { tags: [] }))
  await dispatched(made.db)
  await dispatched(made.db)
  assert.deepEqual(
    (await transitions(made)).map((one) => [one.contact_id, one.types, one.data]).sort(),
    [
      [ann, ['list_left'], { cause: 'act', smart_lists: { left: [id] } }],
      [bob, ['list_entered'], { cause: 'act', smart_lists: { entered: [id] } }],
    ].sort(),
  )
  const feed = await made.db.query<{ type: string }>(sql`
    select e.type from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
    where e.contact_id = ${bob} order by f.position`)
  assert.deepEqual(
    feed.map((row) => row.type),
    ['created', 'list_entered'],
  )

  await ok(patch(`/api/contact_lists/${id}`, { criteria: { not: { tag: 'vip' } } }))
  await dispatched(made.db)
  assert.equal((await transitions(made)).length, 2, 'silent')
  await ok(patch(`/api/contact_lists/${id}`, { criteria: { tag: 'vip' }, announce: true }))
  await dispatched(made.db)
  assert.deepEqual(
    (await transitions(made))
      .slice(2)
      .map((one) => [one.contact_id, one.data])
      .sort(),
    [
      [ann, { cause: 'criteria', smart_lists: { left: [id] } }],
      [bob, { cause: 'criteria', smart_lists: { entered: [id] } }],
    ].sort(),
  )
  await ok(patch(`/api/contact_lists/${id}`, { track: false }))
  await ok(patch(`/api/contacts/${bob}`, { tags: [] }))
  await dispatched(made.db)
  assert.equal((await transitions(made)).length, 4, 'not tracked')
  assert.deepEqual(await made.db.query(sql`select * from smart_memberships`), [])
})

test('of many lists, some of which an act concerns, each is told of and kept as its criteria say', async (t) => {
  const made = await testApp(t)
  const ann = await contact(made, 'ann', { fields: { plan: 'none' } })
  const plansOf = (nth: number) => ['P0', 'P1', 'P2', 'P3', 'P4'].filter((_, value) => (nth * 7 + value * 3) % 5 < 2)
  const isIn = new Map<number, (plan: string, tags: string[]) => boolean>()
  for (let nth = 0; nth < 24; nth++) {
    const ofTags = nth % 4 === 3 // and 18 of the field, between them
    const criteria = ofTags ? { tag: `T${nth % 3}` } : { plan: plansOf(nth) }
    const { id } = await ok(made.post('/api/contact_lists', { name: `L${nth}`, criteria }))
    isIn.set(id, (plan, tags) => (ofTags ? tags.includes(`T${nth % 3}`) : plansOf(nth).includes(plan)))
  }
  await dispatched(made.db)

  const told = new Set<number>()
  const steps: [plan: string, tags: string[]][] = [
    ['P0', []],
    ['P0', ['T0', 'T2']],
    ['P1', ['T0', 'T2']],
    ['P3', ['T0', 'T2']],
    ['P3', ['T1']],
    ['none', ['T1']],
    ['P4', ['T0', 'T1']],
    ['P2', []],
    ['none', []],
  ]
  for (const [plan, tags] of steps) {
    const before = (await transitions(made)).length
    await ok(made.patch(`/api/contacts/${ann}`, { fields: { plan }, tags }))
    await dispatched(made.db)
    for (const { data } of (await transitions(made)).slice(before)) {
      for (const id of data.smart_lists.left ?? []) assert.ok(told.delete(id), 'nobody leaves where they are not')
      for (const id of data.smart_lists.entered ?? []) {
        assert.ok(!told.has(id), 'nobody enters twice')
        told.add(id)
      }
    }
    const expected = [...isIn].filter(([, has]) => has(plan, tags)).map(([id]) => id)
    const [kept] = await made.db.query<{ list_ids: number[] }>(
      sql`select list_ids from smart_memberships where account_id = ${made.accountId} and contact_id = ${ann}`,
    )
    assert.deepEqual(
      [...told].toSorted((a, b) => a - b),
      expected,
    )
    assert.deepEqual(kept?.list_ids ?? [], expected)
  }
})

test('a list is kept by whoever speaks of it in any form, not by an event that has a parameter of that name', async (t) => {
  const { post, del } = await testApp(t)
  const a = (await ok(post('/api/contact_lists', { name: 'A' }))).id as number
  await ok(post('/api/contact_lists', { name: 'Plain', criteria: { list: [a], tag: 'x' } }))
  await ok(
    post('/api/contact_lists', { name: 'Nested', criteria: { all: [{ tag: 'x' }, { not: { any: [{ list: a }] } }] } }),
  )
  const b = (await ok(post('/api/contact_lists', { name: 'B' }))).id as number
  await ok(post('/api/contact_lists', { name: 'Event', criteria: { any: [{ event: 'shared', params: { list: b } }] } }))

  assert.deepEqual(await refused(del(`/api/contact_lists/${a}`)), {
    usage: ['This list is used in the conditions of segment(s): Nested, Plain. Change these first.'],
  })
  assert.equal((await del(`/api/contact_lists/${b}`)).status, 204)
})

test('a smart list that comes back to itself is refused, and the way is shown', async (t) => {
  const made = await testApp(t)
  const { post, patch, del } = made
  const make = async (name: string, criteria: object) =>
    (await ok(post('/api/contact_lists', { name, criteria }))).id as number
  const a = await make('A', { tag: 'x' })
  const b = await make('B', { list: a })
  const c = await make('C', { any: [{ list: b }, { tag: 'y' }] })

  assert.deepEqual(await refused(patch(`/api/contact_lists/${a}`, { criteria: { not: { list: c } } })), {
    criteria: ["can't come back to the same smart list: A → C → B → A"],
  })
  assert.deepEqual(await refused(patch(`/api/contact_lists/${a}`, { criteria: { list: a } })), {
    criteria: ["can't come back to the same smart list: A → A"],
  })
  assert.match((await refused(del(`/api/contact_lists/${a}`))).usage![0]!, /segment\(s\): B/)
  assert.match((await refused(post('/api/contact_lists', { name: 'D', criteria: { list: 999 } }))).criteria![0]!, /999/)
  // Two edits at once can't close a circle either.
  const [one, two] = [await make('One', { tag: 'x' }), await make('Two', { tag: 'y' })]
  const answers = await Promise.all([
    patch(`/api/contact_lists/${one}`, { criteria: { list: two } }),
    patch(`/api/contact_lists/${two}`, { criteria: { list: one } }),
  ])
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 422])
})

test('smart lists deleted together may speak of each other; who was in them is forgotten without a word', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post } = made
  await contact(made, 'ann', { tags: ['vip'] })
  const a = (await ok(post('/api/contact_lists', { name: 'A', criteria: { tag: 'vip' } }))).id
  const b = (await ok(post('/api/contact_lists', { name: 'B', criteria: { list: a } }))).id
  const c = (await ok(post('/api/contact_lists', { name: 'C', criteria: { list: b } }))).id
  await dispatched(db)
  const gone = (ids: number[]) =>
    db.transaction((trx) => deleteLists(trx, { accountId, actor: 'test', ip: null }, ids, [smartListsUsing]))

  await assert.rejects(gone([a, b]), {
    messages: { usage: ['This list is used in the conditions of segment(s): C. Change these first.'] },
  })
  assert.equal(await gone([a, b, c]), 3)
  await dispatched(db)

  assert.deepEqual(await transitions(made), [])
  assert.deepEqual(await db.query(sql`select contact_id from smart_memberships`), [])
  assert.deepEqual(await db.query(sql`select list_id from smart_counts`), [])
})

test('criteria never come to name a list that is being deleted, static or smart', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post } = made
  for (const criteria of [undefined, { tag: 'vip' }]) {
    const { id } = await ok(post('/api/contact_lists', { name: 'Going', criteria }))
    const naming = await db.transaction(async (trx) => {
      await deleteLists(trx, { accountId, actor: 'test', ip: null }, [id], [smartListsUsing])
      const answer = post('/api/contact_lists', { name: 'Naming', criteria: { list: id } })
      await waitsForLocks(db, 1)
      return { answer }
    })
    assert.deepEqual(await refused(naming.answer), { criteria: [`name lists that are not there: ${id}`] })
  }
})

test('members of a smart list are not changed by hand; converted, it is a static list of those who were in it', async (t) => {
  const made = await testApp(t)
  const { get, post, del } = made
  const ann = await contact(made, 'ann', { tags: ['vip'] })
  const bob = await contact(made, 'bob')
  const { id } = await ok(post('/api/contact_lists', { name: 'VIPs', criteria: { tag: 'vip' } }))
  await dispatched(made.db)
  const url = `/api/contact_lists/${id}`

  assert.match((await refused(post(`${url}/contacts`, { contact_ids: [bob] }))).base![0]!, /follow from its criteria/)
  assert.match((await refused(del(`${url}/contacts/${ann}`))).base![0]!, /follow from its criteria/)

  const converted = await ok(post(`${url}/convert`))
  assert.equal(converted.added, 1)
  assert.deepEqual([(await ok(get(url))).type, (await ok(get(url))).contacts_count], ['static', 1])
  const diff = await ok(get(`/api/change_sets/${converted.change_set_id}/diff`))
  assert.deepEqual(
    diff.data.map((row: { contact_id: string; action: string }) => [row.contact_id, row.action]),
    [[ann, 'added']],
  )
  await ok(post(`${url}/contacts`, { contact_ids: [bob] }))
  assert.match((await refused(post(`${url}/convert`))).base![0]!, /static list already/)
  await dispatched(made.db)
  assert.deepEqual(await transitions(made), [])
  assert.deepEqual(await made.db.query(sql`select * from smart_memberships`), [])
})

test('who has left a smart list by their own act is in it no more, whatever its criteria say', async (t) => {
  const made = await testApp(t)
  const { get, post } = made
  const ann = await contact(made, 'ann', { tags: ['vip'] })
  await contact(made, 'bob', { tags: ['vip'] })
  const { id } = await ok(post('/api/contact_lists', { name: 'VIPs', criteria: { tag: 'vip' } }))
  await made.db.query(
    sql`insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${id}, 'ann@example.com')`,
  )

  assert.deepEqual(emails(await ok(get(`/api/contact_lists/${id}/contacts`))), ['bob'])
  const explained = await ok(get(`/api/contact_lists/${id}/contacts/${ann}/explain`))
  assert.deepEqual([explained.matches, explained.explanation.list], [false, { id, name: 'VIPs', left: true }])
  assert.equal(explained.explanation.of[0].outcome, true)
})

test('a preview counts and shows; a contact tells its smart lists when asked', async (t) => {
  const made = await testApp(t)
  const { get, post } = made
  const ann = await contact(made, 'ann', { tags: ['vip'], fields: { city: 'Oslo' } })
  await contact(made, 'bob')
  const criteria = { all: [{ tag: 'vip' }, { field: 'city', op: 'contains', value: '.*' }] }
  assert.deepEqual(
    await ok(post('/api/contact_lists/preview', { criteria })),
    { count: 0, sample: [] },
    'taken literally',
  )
  const preview = await ok(post('/api/contact_lists/preview', { criteria: { tag: 'vip' } }))
  assert.deepEqual([preview.count, preview.sample.map((one: { id: string }) => one.id)], [1, [ann]])
  assert.deepEqual(Object.keys(await refused(post('/api/contact_lists/preview', { criteria: { nope: 1 } }))), [
    'criteria.nope',
  ])

  const { id } = await ok(post('/api/contact_lists', { name: 'VIPs', criteria: { tag: 'vip' }, track: false }))
  assert.deepEqual((await ok(get(`/api/contacts/${ann}?include=smart_lists`))).data.smart_lists, [id])
  assert.deepEqual(
    (await ok(get('/api/contacts?include=smart_lists&sort=email'))).data.map(
      (one: { smart_lists: number[] }) => one.smart_lists,
    ),
    [[id], []],
  )
  assert.equal((await ok(get(`/api/contacts/${ann}`))).data.smart_lists, undefined)
})

test('an account without smart lists, and a dispatcher that knows none, leave nothing behind', async (t) => {
  const made = await testApp(t)
  await contact(made, 'ann')
  const { id } = await ok(made.post('/api/contact_lists', { name: 'All', criteria: {} }))
  await dispatchAll(made.db)
  assert.equal((await made.db.query(sql`select * from outbox where kind = 'criteria'`)).length, 1, 'still asked for')
  await dispatched(made.db)
  assert.equal((await made.db.query(sql`select * from smart_memberships`)).length, 1)
  assert.equal((await made.del(`/api/contact_lists/${id}`)).status, 204)
  await dispatched(made.db)
  for (const table of [sql`smart_memberships`, sql`smart_counts`, sql`outbox`])
    assert.deepEqual(await made.db.query(sql`select * from ${table}`), [])
})

test('someone new is in lists by what has happened since, and by what has not, whether it is told with them or later', async (t) => {
  const made = await testApp(t)
  const { post, db } = made
  const bought = { event: 'bought' }
  const lists: Record<string, object> = {
    once: { ...bought, count: { gte: 1 } },
    never: { not: bought },
    atMostOnce: { ...bought, within: '30d', count: { lte: 1 } },
    twice: { ...bought, count: { gte: 2 } },
    entered: { event: 'created' },
  }
  const names = new Map<number, string>()
  for (const [name, criteria] of Object.entries(lists))
    names.set((await ok(post('/api/contact_lists', { name, criteria }))).id, name)
  await dispatched(db)
  const buys = async (id: string) =>
    assert.equal((await post(`/api/contacts/${id}/events`, { name: 'bought' })).status, 201)
  const told = async (id: string) =>
    (await transitions(made))
      .filter(({ contact_id }) => contact_id === id)
      .map(({ data: { smart_lists: to } }) =>
        [to.entered ?? [], to.left ?? []].map((ids) => ids.map((each) => names.get(each))),
      )

  const quiet = await contact(made, 'quiet')
  await dispatched(db)
  const [buyer, later] = [await contact(made, 'buyer'), await contact(made, 'later')]
  await buys(buyer)
  await dispatched(db)
  for (const id of [quiet, buyer, later]) await buys(id)
  await dispatched(db)

  const asNew = [['never', 'atMostOnce', 'entered'], []]
  const hasBought = [['once'], ['never']]
  assert.deepEqual(await told(quiet), [asNew, hasBought])
  assert.deepEqual(await told(later), [asNew, hasBought])
  assert.deepEqual(await told(buyer), [
    [['once', 'atMostOnce', 'entered'], []],
    [['twice'], ['atMostOnce']],
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { waitsForLocks } from '../../test/locks.ts'

const listOf = async ({ post }: TestApp, name = 'News'): Promise<number> =>
  (await post('/api/contact_lists', { name })).body.id

const enter = async ({ post }: TestApp, name: string, more: object = {}): Promise<string> =>
  (await post('/api/contacts', { email: `${name}@example.com`, ...more })).body.data.id

const optOut = ({ db, accountId }: TestApp, listId: number, name: string) =>
  db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${listId}, ${`${name}@example.com`})
    on conflict do nothing`)

/** A list whose members follow from criteria. */
async function smartList({ db, accountId }: TestApp, name = 'Smart'): Promise<number> {
  const [row] = await db.query<{ id: number }>(sql`
    insert into lists (account_id, name, criteria) values (${accountId}, ${name}, '{"all": []}') returning id`)
  return row!.id
}

interface TimelineEvent {
  type: string
  types: string[]
  data: { lists?: { added?: number[]; removed?: number[] } }
  change_set_id?: number
}

const eventsOf = async ({ get }: TestApp, contact: string): Promise<TimelineEvent[]> =>
  (await get(`/api/contacts/${contact}/events`)).body.data

test('of those added at once, each is counted as what became of it, and who was not found is named', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post, get } = made
  const listId = await listOf(made)
  const rows = await db.query<{ id: string; email: string }>(sql`
    insert into contacts (account_id, email, external_id, state, origin)
    select ${accountId}, 'p' || n || '@example.com', 'x-' || n, 'subscribed', 'api' from generate_series(1, 995) as n returning id, email`)
  const ids = rows.map((row) => row.id)
  await post(`/api/contact_lists/${listId}/contacts`, { contact_ids: ids.slice(0, 10) })
  await optOut(made, listId, 'p11')
  await optOut(made, listId, 'p12')
  const nobody = ['019706a8-9612-77be-8586-4f26816b467a', 'nobody+1@example.com', 'ext:x-0']
  const named = [
    ...ids.slice(0, 990),
    'P991@Example.COM',
    'ext:x-992',
    'p993@example.com',
    'ext:x-994',
    ids[994],
    ...nobody,
  ]

  const { status, body } = await post(`/api/contact_lists/${listId}/contacts`, { contact_ids: named })

  assert.equal(status, 200, JSON.stringify(body).slice(0, 300))
  const { change_set_id, ...counts } = body
  assert.deepEqual(counts, { added: 983, already_members: 10, opted_out: 2, not_found: 3, not_found_ids: nobody })
  assert.equal((await get(`/api/contact_lists/${listId}`)).body.contacts_count, 993)
  const set = (await get(`/api/change_sets/${change_set_id}`)).body
  assert.deepEqual(
    [set.kind, set.phase, set.counts],
    ['list_add', 'finished', { added: 983, already_members: 10, opted_out: 2, not_found: 3 }],
  )
  const actions = await db.query(sql`
    select action, count(*) as count from change_rows where change_set_id = ${change_set_id} group by 1 order by 1`)
  assert.deepEqual(actions, [
    { action: 'added', count: 983 },
    { action: 'already_member', count: 10 },
    { action: 'opted_out', count: 2 },
  ])
  const [events] = await db.query<{ count: number }>(sql`
    select count(*) as count from events where change_set_id = ${change_set_id} and type = 'list_added'`)
  assert.equal(events!.count, 983)

  const again = await post(`/api/contact_lists/${listId}/contacts`, { contact_ids: named })
  assert.deepEqual([again.body.added, again.body.already_members, again.body.opted_out], [0, 993, 2])
})

test('what can not be added is refused, and nobody is', async (t) => {
  const made = await testApp(t)
  const { call, get } = made
  const listId = await listOf(made)
  const ann = await enter(made, 'ann')
  const url = `/api/contact_lists/${listId}/contacts`

  for (const method of ['POST', 'DELETE']) {
    for (const contact_ids of [
      [],
      [ann, ann],
      [ann, ann.toUpperCase()],
      [ann, 'nonsense'],
      [ann, 5],
      [ann, null],
      ann,
    ]) {
      const { status, body } = await call(method, url, { contact_ids })
      assert.deepEqual([status, Object.keys(body.errors)], [422, ['contact_ids']], JSON.stringify(contact_ids))
    }
    const many = Array.from({ length: 1001 }, (_, n) => `p${n}@example.com`)
    assert.match((await call(method, url, { contact_ids: many })).body.errors.contact_ids[0], /maximum is 1000/)
    assert.equal((await call(method, url, {})).status, 422)
    assert.equal((await call(method, '/api/contact_lists/999/contacts', { contact_ids: [ann] })).status, 404)
  }
  assert.equal((await get(url)).body.total, 0)
})

test('contacts leave a list by id, address and external id, one by one and together, with an event that names it', async (t) => {
  const made = await testApp(t)
  const { post, del, get } = made
  const listId = await listOf(made)
  const other = await listOf(made, 'Other')
  const ids: string[] = []
  for (const name of ['ann', 'bob', 'eve', 'joe', 'liv'])
    ids.push(await enter(made, name, { external_id: `x/${name}`, list_ids: [listId, other] }))
  const url = `/api/contact_lists/${listId}/contacts`

  for (const ref of [ids[0], 'bob%40example.com', `ext:${encodeURIComponent('x/eve')}`]) {
    assert.equal((await del(`${url}/${ref}`)).status, 204, ref)
    assert.equal((await del(`${url}/${ref}`)).status, 404, `${ref} again`)
  }
  assert.equal((await del(`${url}/nobody@example.com`)).status, 404)
  assert.equal((await del(`${url}/nonsense`)).status, 404)
  assert.equal((await del(`/api/contact_lists/999/contacts/${ids[3]}`)).status, 404)
  const together = await del(url, { contact_ids: [ids[0], 'joe@example.com', 'ext:x/liv', 'nobody@example.com'] })

  const { change_set_id, ...counts } = together.body
  assert.deepEqual(counts, { removed: 2, not_members: 1, not_found: 1, not_found_ids: ['nobody@example.com'] })
  assert.equal((await get(url)).body.total, 0)
  assert.equal((await get(`/api/contact_lists/${other}/contacts`)).body.total, 5)
  for (const [n, id] of ids.entries()) {
    const [last, first, ...more] = await eventsOf(made, id)
    assert.deepEqual([last!.types, last!.data], [['list_removed'], { lists: { removed: [listId] } }])
    assert.equal(last!.change_set_id, n < 3 ? undefined : change_set_id)
    assert.deepEqual(
      [first!.types, first!.data.lists?.added?.toSorted()],
      [
        ['created', 'subscribed', 'list_added'],
        [listId, other],
      ],
    )
    assert.equal(more.length, 0)
  }
  const added = await post(url, { contact_ids: [ids[0]] })
  const [back] = await eventsOf(made, ids[0]!)
  assert.deepEqual(
    [back!.type, back!.data, back!.change_set_id],
    ['list_added', { lists: { added: [listId] } }, added.body.change_set_id],
  )
})

test("a smart list's members can't be changed by hand", async (t) => {
  const made = await testApp(t)
  const { post, del, patch } = made
  const smart = await smartList(made)
  const plain = await listOf(made)
  const ann = await enter(made, 'ann')
  const url = `/api/contact_lists/${smart}/contacts`

  for (const answer of [
    await post(url, { contact_ids: [ann] }),
    await del(url, { contact_ids: [ann] }),
    await del(`${url}/${ann}`),
    await post(`/api/contact_lists/${smart}/merge`, { list_ids: [plain] }),
    await post(`/api/contact_lists/${plain}/merge`, { list_ids: [smart] }),
    await post('/api/contacts', { email: 'bob@example.com', list_ids: [smart] }),
    await patch('/api/contacts/ann@example.com', { list_ids_included: [smart] }),
  ])
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
})

test('the members of a list are filtered, ordered and paged as all contacts are', async (t) => {
  const made = await testApp(t)
  const { get } = made
  const listId = await listOf(made)
  for (let n = 0; n < 9; n++)
    await enter(made, `p${n}`, {
      fields: { company: n % 2 ? 'Acme' : 'Beta' },
      ...(n === 8 ? {} : { list_ids: [listId] }),
    })
  const url = `/api/contact_lists/${listId}/contacts`
  const emails = async (query: string) =>
    (await get(`${url}?${query}`)).body.data.map((row: { email: string }) => row.email.split('@')[0])

  assert.deepEqual(await emails('company=acme&sort=email'), ['p1', 'p3', 'p5', 'p7'])
  assert.deepEqual(await emails('q=p3'), ['p3'])
  assert.deepEqual(await emails('q=p8'), [])
  assert.deepEqual(await emails('sort=-email&page=2&per_page=3'), ['p4', 'p3', 'p2'])
  const seen: string[] = []
  for (let query = 'per_page=3'; query; ) {
    const { body } = await get(`${url}?${query}`)
    assert.equal(body.total, 8)
    seen.push(...body.data.map((row: { email: string }) => row.email))
    query = body.next_cursor ? `per_page=3&cursor=${encodeURIComponent(body.next_cursor)}` : ''
  }
  assert.equal(new Set(seen).size, 8)
  assert.equal(seen.length, 8)
  assert.equal((await get(`${url}?nothing=1`)).status, 422)
})

test('who opts out while they are being added stays out', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post } = made
  const listId = await listOf(made)
  const ann = await enter(made, 'ann')

  const adding = await db.transaction(async (trx) => {
    await trx.query(sql`select id from contacts where account_id = ${accountId} and id = ${ann} for update`)
    const adding = post(`/api/contact_lists/${listId}/contacts`, { contact_ids: [ann] })
    await waitsForLocks(db, 1)
    await trx.query(sql`
      insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${listId}, 'ann@example.com')`)
    return { answer: adding }
  })

  const { body } = await adding.answer
  assert.deepEqual([body.added, body.opted_out], [0, 1])
})

interface Model {
  /** By list: its members. */
  members: Map<string, Set<string>>
  optedOut: Map<string, Set<string>>
  contacts: Set<string>
}

const LISTS = ['x', 'y', 'z']
const PEOPLE = ['a', 'b', 'c', 'd', 'e', 'f']

const people = fc.uniqueArray(fc.constantFrom(...PEOPLE), { minLength: 1, maxLength: 4 })
const aList = fc.constantFrom(...LISTS)
const step = fc.oneof(
  fc.record({ act: fc.constant('add' as const), list: aList, people }),
  fc.record({ act: fc.constant('remove' as const), list: aList, people }),
  fc.record({ act: fc.constant('optOut' as const), list: aList, people }),
  fc.record({ act: fc.constant('delete' as const), list: aList, people }),
  fc.record({ act: fc.constant('merge' as const), list: aList, people, from: aList }),
)

test('whatever is done to lists, their members are those of a model in memory', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post, del } = made

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await db.query(sql`delete from contacts where account_id = ${accountId}`)
      await db.query(sql`delete from list_members where account_id = ${accountId}`)
      await db.query(sql`delete from list_opt_outs where account_id = ${accountId}`)
      await db.query(sql`delete from lists where account_id = ${accountId}`)
      const model: Model = {
        members: new Map(LISTS.map((name) => [name, new Set()])),
        optedOut: new Map(LISTS.map((name) => [name, new Set()])),
        contacts: new Set(),
      }
      const ids = new Map<string, number>()
      for (const name of LISTS) ids.set(name, await listOf(made, name))

      for (const { act, list, people, ...more } of steps) {
        const members = model.members.get(list)!
        const out = model.optedOut.get(list)!
        const url = `/api/contact_lists/${ids.get(list)}/contacts`
        const contact_ids = people.map((name) => `${name}@example.com`)
        if (act === 'add') {
          for (const name of people.filter((name) => !model.contacts.has(name))) await enter(made, name)
          for (const name of people) model.contacts.add(name)
          const expected = {
            added: people.filter((name) => !members.has(name) && !out.has(name)).length,
            already_members: people.filter((name) => members.has(name)).length,
          }
          const { body } = await post(url, { contact_ids })
          assert.deepEqual({ added: body.added, already_members: body.already_members }, expected)
          for (const name of people) if (!out.has(name)) members.add(name)
        } else if (act === 'remove') {
          const { body } = await del(url, { contact_ids })
          assert.equal(body.removed, people.filter((name) => members.delete(name)).length)
          assert.equal(body.not_found, people.filter((name) => !model.contacts.has(name)).length)
        } else if (act === 'optOut') {
          // What the person's own act does: out of the list, and kept out.
          for (const name of people) {
            await optOut(made, ids.get(list)!, name)
            out.add(name)
            if (members.delete(name)) await del(`${url}/${name}@example.com`)
          }
        } else if (act === 'delete') {
          await del('/api/contacts/batch', { contact_ids })
          for (const name of people) {
            model.contacts.delete(name)
            for (const list of model.members.values()) list.delete(name)
          }
        } else {
          const { from } = more as { from: string }
          const answer = await post(`/api/contact_lists/${ids.get(list)}/merge`, { list_ids: [ids.get(from)] })
          assert.equal(answer.status, list === from ? 422 : 200, JSON.stringify(answer.body))
          if (list === from) continue
          const source = model.members.get(from)!
          for (const name of source) if (!out.has(name)) members.add(name)
          for (const name of model.optedOut.get(from)!) if (!members.has(name)) out.add(name)
          source.clear()
          model.optedOut.get(from)!.clear()
          ids.set(from, await listOf(made, from))
        }
      }

      for (const name of LISTS) {
        const id = ids.get(name)!
        const stored = await db.query<{ email: string }>(sql`
          select c.email from list_members as m left join contacts as c on c.account_id = m.account_id and c.id = m.contact_id
          where m.account_id = ${accountId} and m.list_id = ${id} order by c.email`)
        assert.deepEqual(
          stored.map((row) => row.email),
          [...model.members.get(name)!].sort().map((person) => `${person}@example.com`),
        )
        const out = await db.query<{ email: string }>(sql`
          select email from list_opt_outs where account_id = ${accountId} and list_id = ${id} order by email`)
        assert.deepEqual(
          out.map((row) => row.email),
          [...model.optedOut.get(name)!].sort().map((person) => `${person}@example.com`),
        )
      }
      const [strays] = await db.query<{ count: number }>(sql`
        select count(*) as count from list_members as m where not exists (
          select from lists as l where l.account_id = m.account_id and l.id = m.list_id)`)
      assert.equal(strays!.count, 0)
    }),
    { numRuns: 40 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { formOf, signUp } from '../../test/forms.ts'
import { person } from '../../test/imports.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { latestMail, linkIn, press } from '../../test/permission.ts'

const listOf = async ({ post }: TestApp, name: string): Promise<number> =>
  (await post('/api/contact_lists', { name })).body.id

const enter = async ({ post }: TestApp, name: string, list_ids: number[]): Promise<string> =>
  (await post('/api/contacts', { email: `${name}@example.com`, list_ids })).body.data.id

const optOut = ({ db, accountId }: TestApp, listId: number, name: string, at = '2025-01-01') =>
  db.query(sql`
    insert into list_opt_outs (account_id, list_id, email, at) values (${accountId}, ${listId}, ${`${name}@example.com`}, ${at})`)

const members = async ({ get }: TestApp, listId: number): Promise<string[]> =>
  (await get(`/api/contact_lists/${listId}/contacts?sort=email`)).body.data.map(
    (row: { email: string }) => row.email.split('@')[0],
  )

test('lists are merged: who left the target stays out, who left a source is kept out, and the sources are gone', async (t) => {
  const made = await testApp(t)
  const { post, get, db } = made
  const [target, first, second] = [await listOf(made, 'T'), await listOf(made, 'A'), await listOf(made, 'B')]
  const there = await enter(made, 'there', [target])
  const both = await enter(made, 'both', [target, first])
  const fresh = await enter(made, 'fresh', [first, second])
  const left = await enter(made, 'left', [second])
  const half = await enter(made, 'half', [second])
  await optOut(made, target, 'left')
  await optOut(made, first, 'half') // out of one source, in by the other
  await optOut(made, first, 'gone', '2025-03-01')
  await optOut(made, second, 'gone', '2025-02-01')
  await optOut(made, second, 'there')

  const { status, body } = await post(`/api/contact_lists/${target}/merge`, { list_ids: [first, second] })

  assert.equal(status, 200, JSON.stringify(body))
  const { change_set_id, ...counts } = body
  assert.deepEqual(counts, { added: 2, already_members: 1, opted_out: 1, merged_list_ids: [first, second] })
  assert.deepEqual(await members(made, target), ['both', 'fresh', 'half', 'there'])
  for (const id of [first, second]) assert.equal((await get(`/api/contact_lists/${id}`)).status, 404)
  const out = await db.query(sql`
    select list_id, email, (at at time zone 'UTC')::date as at from list_opt_outs order by email`)
  assert.deepEqual(out, [
    { list_id: target, email: 'gone@example.com', at: '2025-02-01' },
    { list_id: target, email: 'left@example.com', at: '2025-01-01' },
  ])
  const [rows] = await db.query<{ count: number }>(sql`select count(*) as count from list_members`)
  assert.equal(rows!.count, 4)
  for (const [id, added] of [
    [there, false],
    [both, false],
    [left, false],
    [fresh, true],
    [half, true],
  ] as const) {
    const [event] = (await get(`/api/contacts/${id}/events`)).body.data
    assert.equal(event.change_set_id === change_set_id, added)
    if (added) assert.deepEqual([event.type, event.data], ['list_added', { lists: { added: [target] } }])
  }
  const sets = (await get('/api/change_sets')).body.data as { kind: string; phase: string; counts: object }[]
  assert.deepEqual(
    sets.map(({ kind, phase, counts }) => [kind, phase, counts]),
    [
      ['list_delete', 'finished', { members: 3 }],
      ['list_delete', 'finished', { members: 2 }],
      ['list_merge', 'finished', { added: 2, already_members: 1, opted_out: 1 }],
    ],
  )
})

/** Links to confirm that these have asked for by a form for a list, which speaks of it no more afterwards. */
async function signedUpFor(made: TestApp, listId: number, names: readonly string[]): Promise<Map<string, string>> {
  const form = await formOf(made, { list_ids: [listId] })
  const links = new Map<string, string>()
  for (const name of names) {
    const email = `${name}@example.com`
    await signUp(made, form, { email })
    links.set(name, linkIn(await latestMail(made, email)))
  }
  assert.equal((await made.patch(`/api/forms/${form.id}`, { list_ids: [] })).status, 200)
  return links
}

test('who is asked to confirm a list that is merged meanwhile joins the one it is merged into, but for who has left that', async (t) => {
  const made = await testApp(t)
  const { app, post } = made
  const [target, source, other] = [await listOf(made, 'T'), await listOf(made, 'S'), await listOf(made, 'O')]
  for (const [name, list] of [
    ['out', target],
    ['again', source],
  ] as const) {
    await enter(made, name, [])
    await post(`/api/contacts/${name}@example.com/unsubscribe`, { list_id: list })
  }
  const links = await signedUpFor(made, source, ['fresh', 'out', 'again'])
  const [elsewhere] = (await signedUpFor(made, other, ['elsewhere'])).values()

  const { status, body } = await post(`/api/contact_lists/${target}/merge`, { list_ids: [source] })

  assert.equal(status, 200, JSON.stringify(body))
  assert.match((await app.inject(links.get('fresh')!)).body, /get mail from First about “T”\?/)
  assert.match((await app.inject(links.get('out')!)).body, /get mail from First\?/)
  for (const link of [...links.values(), elsewhere!]) assert.equal((await press(made, link)).status, 200)
  assert.deepEqual(await members(made, target), ['again', 'fresh'])
  assert.deepEqual(await members(made, other), ['elsewhere'])
  assert.equal((await person(made, 'out@example.com')).state, 'subscribed')
  const [word] = (await made.get('/api/contacts/fresh@example.com/consents')).body.data
  assert.deepEqual([word.action, word.grade, word.list_id], ['granted', 'observed', target])
})

test('of a list that is deleted meanwhile, a confirmation leaves the rest as it was', async (t) => {
  const made = await testApp(t)
  const list = await listOf(made, 'S')
  const [link] = (await signedUpFor(made, list, ['ann'])).values()
  assert.equal((await made.del(`/api/contact_lists/${list}`)).status, 204)

  assert.match((await made.app.inject(link!)).body, /get mail from First\?/)
  assert.equal((await press(made, link!)).status, 200)

  const { state, list_ids } = await person(made, 'ann@example.com')
  assert.deepEqual([state, list_ids], ['subscribed', []])
})

test('who confirms at the very moment in which their list is merged is in the other', async (t) => {
  const made = await testApp(t)
  const { db, post } = made
  const [target, source] = [await listOf(made, 'T'), await listOf(made, 'S')]
  const [early, late] = (await signedUpFor(made, source, ['early', 'late'])).values()
  const merging = () => post(`/api/contact_lists/${target}/merge`, { list_ids: [source] })
  /** The first has done all but tell of it when the second begins, and waits until then. */
  const meanwhile = (first: () => Promise<unknown>, second: () => Promise<unknown>) =>
    db.transaction(async (trx) => {
      await trx.query(sql`lock table outbox in exclusive mode`)
      const one = first()
      await waitsForLocks(db, 1)
      const two = second()
      await waitsForLocks(db, 2)
      return { both: Promise.all([one, two]) }
    })

  await (await meanwhile(() => press(made, early!), merging)).both
  assert.deepEqual(await members(made, target), ['early'])
  assert.equal((await press(made, late!)).status, 200)
  assert.deepEqual(await members(made, target), ['early', 'late'])

  const third = await listOf(made, 'U')
  const [last] = (await signedUpFor(made, target, ['last'])).values()
  const onward = () => post(`/api/contact_lists/${third}/merge`, { list_ids: [target] })
  await (await meanwhile(onward, () => press(made, last!))).both
  assert.deepEqual(await members(made, third), ['early', 'last', 'late'])
})

test('what can not be merged is refused, and nothing is changed', async (t) => {
  const made = await testApp(t)
  const { post, get } = made
  const [target, source] = [await listOf(made, 'T'), await listOf(made, 'A')]
  await enter(made, 'ann', [source])
  const { accountId: _, call } = await made.another()
  const foreign = (await call('POST', '/api/contact_lists', { name: 'Foreign' })).body.id
  const merge = (list_ids: unknown, into: unknown = target) =>
    post(`/api/contact_lists/${into}/merge`, list_ids === undefined ? {} : { list_ids })

  assert.deepEqual((await merge([target, source])).body.errors, {
    list_ids: ["can't hold the list that they are merged into"],
  })
  assert.deepEqual((await merge([source, source])).body.errors, { list_ids: ['names the same list twice'] })
  assert.deepEqual((await merge([source, 999_999, foreign])).body.errors, {
    list_ids: [`not found: 999999, ${foreign}`],
  })
  for (const bad of [undefined, [], ['x'], [0], [-1], [1.5], 'x', source])
    assert.equal((await merge(bad)).status, 422, JSON.stringify(bad))
  assert.equal((await merge([source], 999_999)).status, 404)
  assert.equal((await merge([source], foreign)).status, 404)
  assert.deepEqual(await members(made, source), ['ann'])
  assert.deepEqual(await members(made, target), [])
  assert.equal((await get('/api/change_sets')).body.total, 0)
})

test('a list that a smart one speaks of is not merged away, however the smart one names it', async (t) => {
  const made = await testApp(t)
  const { post, get } = made
  const [target, a, b, c] = [
    await listOf(made, 'T'),
    await listOf(made, 'A'),
    await listOf(made, 'B'),
    await listOf(made, 'C'),
  ]
  await enter(made, 'ann', [a])
  await post('/api/contact_lists', { name: 'Short', criteria: { list: [b, target], tag: 'x' } })
  await post('/api/contact_lists', { name: 'Long', criteria: { any: [{ not: { list: [target, c] } }, { tag: 'x' }] } })

  const { status, body } = await post(`/api/contact_lists/${target}/merge`, { list_ids: [a, b, c] })

  assert.equal(status, 422)
  assert.deepEqual(body.errors, {
    usage: ['This list is used in the conditions of segment(s): Long, Short. Change these first.'],
  })
  assert.deepEqual(await members(made, target), [])
  assert.equal((await get('/api/contact_lists')).body.length, 6)
  assert.equal((await post(`/api/contact_lists/${target}/merge`, { list_ids: [a] })).status, 200)
  assert.deepEqual(await members(made, target), ['ann'])
})

test('nobody is lost who comes into a source while it is being merged', async (t) => {
  const made = await testApp(t)
  const { post } = made
  for (let round = 0; round < 6; round++) {
    const [target, source] = [await listOf(made, `T${round}`), await listOf(made, `S${round}`)]
    const people = await Promise.all(
      Array.from({ length: 8 }, (_, n) => enter(made, `r${round}p${n}`, n === 0 ? [source] : [])),
    )

    const [merged, ...added] = await Promise.all([
      post(`/api/contact_lists/${target}/merge`, { list_ids: [source] }),
      ...people.slice(1).map((id) => post(`/api/contact_lists/${source}/contacts`, { contact_ids: [id] })),
    ])

    assert.equal(merged.status, 200)
    const came = added.filter((answer) => answer.status === 200).length
    for (const answer of added) assert.ok([200, 404].includes(answer.status), JSON.stringify(answer.body))
    assert.equal((await members(made, target)).length, 1 + came)
  }
})

test('who opts out of the target while it takes in a source stays out', async (t) => {
  const made = await testApp(t)
  const { db, accountId, post } = made
  const [target, source] = [await listOf(made, 'T'), await listOf(made, 'A')]
  const ann = await enter(made, 'ann', [source])

  const { merging } = await db.transaction(async (trx) => {
    await trx.query(sql`select id from contacts where account_id = ${accountId} and id = ${ann} for update`)
    const merging = post(`/api/contact_lists/${target}/merge`, { list_ids: [source] })
    await waitsForLocks(db, 1)
    await trx.query(sql`
      insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${target}, 'ann@example.com')`)
    return { merging }
  })

  const { body } = await merging
  assert.deepEqual([body.added, body.opted_out], [0, 1])
})

test('two lists merged into each other at once make one list with everyone', async (t) => {
  const made = await testApp(t)
  const [one, two] = [await listOf(made, '1'), await listOf(made, '2')]
  await enter(made, 'ann', [one])
  await enter(made, 'bob', [two])

  const answers = await Promise.all([
    made.post(`/api/contact_lists/${one}/merge`, { list_ids: [two] }),
    made.post(`/api/contact_lists/${two}/merge`, { list_ids: [one] }),
  ])

  const won = answers[0].status === 200 ? one : two
  assert.deepEqual(answers.map((answer) => answer.status === 200).sort(), [false, true], JSON.stringify(answers))
  assert.ok(answers.every((answer) => [200, 404, 422].includes(answer.status)))
  assert.deepEqual(await members(made, won), ['ann', 'bob'])
})

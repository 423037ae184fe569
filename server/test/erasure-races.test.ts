import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type Answer, type TestApp, testApp } from './app.ts'
import { fill, formOf, taken } from './forms.ts'
import { countsOf, run, sent, took } from './imports.ts'
import { waitsForLocks } from './locks.ts'
import { confirmationLink, pathOf, press, unsubscribeLink } from './permission.ts'

const SUPPRESSED = { status: 422, body: { errors: { email: ['is suppressed'] } } }
const said = ({ status, body }: Pick<Answer, 'status' | 'body'>) => ({ status, body })

/** Two acts at the same moment: the first has done all but tell of it when the second begins, and waits until then. */
async function meanwhile<A, B>({ db }: TestApp, first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  const acts = await db.transaction(async (trx) => {
    await trx.query(sql`lock table outbox in exclusive mode`)
    const one = first()
    await waitsForLocks(db, 1)
    const two = second()
    await waitsForLocks(db, 2)
    return { all: Promise.all([one, two]) } // a promise by itself would be waited for here
  })
  return acts.all
}

const erasing =
  ({ del }: TestApp, email: string) =>
  () =>
    del(`/api/contacts/${email}/gdpr_delete`)

/** Nobody has the address, and nobody can enter it. */
async function assertGone({ db, accountId, get, post }: TestApp, email: string): Promise<void> {
  assert.equal((await get(`/api/contacts/${email}`)).status, 404, email)
  assert.deepEqual(said(await post('/api/contacts', { email })), SUPPRESSED, email)
  for (const table of ['contacts', 'change_rows', 'list_opt_outs'])
    assert.deepEqual(
      await db.query({
        text: `select email from ${table} where account_id = $1 and email = $2`,
        values: [accountId, email],
      }),
      [],
      table,
    )
  const told = await db.query(
    sql`select data from events where account_id = ${accountId} and data::text like ${`%${email}%`}`,
  )
  assert.deepEqual(told, [], email)
}

test('erased at the very moment when the address is entered, or signs up to be asked, it is gone in the end', async (t) => {
  const made = await testApp(t)
  const { post, db, accountId } = made
  const creating =
    (email: string, more = {}) =>
    () =>
      post('/api/contacts', { email, fields: { first_name: 'Ann' }, ...more })

  const [created, erased] = await meanwhile(made, creating('ann@example.com'), erasing(made, 'ann@example.com'))
  assert.deepEqual([created.status, erased.status, erased.body.counts.contacts], [201, 200, 1])
  await assertGone(made, 'ann@example.com')

  const [first, refused] = await meanwhile(made, erasing(made, 'bob@example.com'), creating('bob@example.com'))
  assert.equal(first.status, 200)
  assert.deepEqual(said(refused), SUPPRESSED)

  const asking = creating('cat@example.com', { double_opt_in: true })
  const [pending] = await meanwhile(made, asking, erasing(made, 'cat@example.com'))
  assert.equal(pending.body.data.state, 'pending')
  await assertGone(made, 'cat@example.com')
  const left = await db.query(sql`
    select 'mail' as what from messages where account_id = ${accountId} union all select 'link' from confirmations where account_id = ${accountId}`)
  assert.deepEqual(left, [], 'and with it the mail that asks')
})

test('erased at the very moment when a form that they have sent is taken, or before that, they are not entered', async (t) => {
  const made = await testApp(t)
  const { db } = made
  const form = await formOf(made)
  await fill(made, form, { email: 'ann@example.com' })
  await meanwhile(made, () => taken(made), erasing(made, 'ann@example.com'))
  await assertGone(made, 'ann@example.com')

  await fill(made, form, { email: 'bob@example.com' })
  const [erased] = await meanwhile(made, erasing(made, 'bob@example.com'), () => taken(made))
  assert.equal(erased.body.counts.sign_ups, 1)
  await assertGone(made, 'bob@example.com')
  assert.deepEqual(await db.query(sql`select from sign_ups`), [])
})

test('erased at the very moment when they confirm, they have not', async (t) => {
  const made = await testApp(t)
  const { post } = made
  const links: string[] = []
  for (const email of ['ann@example.com', 'bob@example.com']) {
    await post('/api/contacts', { email, double_opt_in: true })
    links.push(await confirmationLink(made, email))
  }
  const [confirmed] = await meanwhile(made, () => press(made, links[0]!), erasing(made, 'ann@example.com'))
  assert.equal(confirmed.status, 200)
  await assertGone(made, 'ann@example.com')

  const [, late] = await meanwhile(made, erasing(made, 'bob@example.com'), () => press(made, links[1]!))
  assert.ok(late.status >= 400, String(late.status))
  await assertGone(made, 'bob@example.com')
})

test('erased at the very moment when they leave a list by a link, or before that, nothing of it is kept', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  const links = new Map<string, string>()
  for (const email of ['ann@example.com', 'bob@example.com']) {
    await made.post('/api/contacts', { email, list_ids: [list] })
    links.set(email, await unsubscribeLink(made, email, list))
  }
  const leaving = (email: string) => () => press(made, links.get(email)!)

  const [left] = await meanwhile(made, leaving('ann@example.com'), erasing(made, 'ann@example.com'))
  assert.equal(left.status, 200)
  await assertGone(made, 'ann@example.com')

  const [, late] = await meanwhile(made, erasing(made, 'bob@example.com'), leaving('bob@example.com'))
  assert.equal(late.status, 200)
  await assertGone(made, 'bob@example.com')
  assert.equal((await leaving('bob@example.com')()).status, 200)
  await assertGone(made, 'bob@example.com')
})

test('removed at the very moment when they leave by a link, their word outlives them', async (t) => {
  const made = await testApp(t)
  const links: string[] = []
  for (const email of ['ann@example.com', 'bob@example.com']) {
    await made.post('/api/contacts', { email })
    links.push(await unsubscribeLink(made, email))
  }
  await meanwhile(
    made,
    () => made.del('/api/contacts/ann@example.com'),
    () => press(made, links[0]!),
  )
  await meanwhile(
    made,
    () => press(made, links[1]!),
    () => made.del('/api/contacts/bob@example.com'),
  )
  for (const email of ['ann@example.com', 'bob@example.com'])
    assert.equal((await made.post('/api/contacts', { email })).body.data.state, 'unsubscribed', email)
})

test('erased at the very moment when addresses change hands, both of the person are gone, and nobody else', async (t) => {
  const made = await testApp(t)
  const { post, patch, get, del } = made
  const idOf = async (email: string) => (await post('/api/contacts', { email })).body.data.id as string
  const moving = (from: string, to: string) => () => patch(`/api/contacts/${from}`, { email: to })

  // To another address: whoever is named by id goes with that, too.
  const ann = await idOf('ann@example.com')
  const [moved, erased] = await meanwhile(made, moving(ann, 'ann.new@example.com'), () =>
    del(`/api/contacts/${ann}/gdpr_delete`),
  )
  assert.deepEqual([moved.status, erased.status], [200, 200])
  await assertGone(made, 'ann@example.com')
  await assertGone(made, 'ann.new@example.com')

  const bob = await idOf('bob@example.com')
  const [, late] = await meanwhile(made, erasing(made, 'bob@example.com'), moving(bob, 'bob.new@example.com'))
  assert.equal(late.status, 404)
  assert.equal((await post('/api/contacts', { email: 'bob.new@example.com' })).status, 201)

  // Someone comes to have the address: who has it when it is erased is the person.
  const cat = await idOf('cat@example.com')
  await meanwhile(made, moving(cat, 'dan@example.com'), erasing(made, 'dan@example.com'))
  await assertGone(made, 'cat@example.com')
  await assertGone(made, 'dan@example.com')

  const eve = await idOf('eve@example.com')
  const [, refused] = await meanwhile(made, erasing(made, 'fay@example.com'), moving(eve, 'fay@example.com'))
  assert.deepEqual(said(refused), SUPPRESSED)
  assert.equal((await get('/api/contacts/eve@example.com')).status, 200)

  // A former address that somebody else is entering is theirs.
  const gil = await idOf('gil@example.com')
  await patch(`/api/contacts/${gil}`, { email: 'gil.new@example.com' })
  const [other] = await meanwhile(
    made,
    () => post('/api/contacts', { email: 'gil@example.com' }),
    erasing(made, 'gil.new@example.com'),
  )
  assert.equal(other.status, 201)
  await assertGone(made, 'gil.new@example.com')
  assert.equal((await get('/api/contacts/gil@example.com')).body.data.id, other.body.data.id)
  assert.equal((await patch('/api/contacts/gil@example.com', { email: 'gil@example.com' })).status, 200)
})

test('erased at the very moment when a file or its revert gives somebody the address, it is nobody’s', async (t) => {
  const made = await testApp(t)
  const rename = (externalId: string, email: string) =>
    sent(made, `external_id,email\n${externalId},${email}\n`, { match_by: 'external_id', update_existing: 'true' })
  await made.post('/api/contacts', { email: 'ann@example.com', external_id: 'a' })
  await made.post('/api/contacts', { email: 'bob@example.com', external_id: 'b' })
  const one = await rename('a', 'gone@example.com')
  const [, kept] = await meanwhile(made, erasing(made, 'gone@example.com'), () => run(made, one.id))
  assert.deepEqual(countsOf(kept), { rows_read: 1, suppressed: 1 })
  assert.equal((await made.get('/api/contacts/ann@example.com')).status, 200)
  await assertGone(made, 'gone@example.com')

  const { id } = await run(made, (await rename('b', 'robert@example.com')).id)
  await made.post(`/api/change_sets/${id}/revert`)
  await meanwhile(made, erasing(made, 'bob@example.com'), () => taken(made))
  assert.equal((await made.get('/api/contacts/robert@example.com')).status, 200)
  assert.equal((await made.get('/api/contacts/bob@example.com')).status, 404)
  assert.deepEqual(said(await made.post('/api/contacts', { email: 'bob@example.com' })), SUPPRESSED)
})

test('erased at the very moment when an import enters them, or between its reading and that, they are gone, and its numbers add up', async (t) => {
  const made = await testApp(t)
  const { db, post, get, accountId } = made
  const file = (name: string) =>
    `email,first_name\n${name}@example.com,Ann\n${name}@example.com,Anna\nole@example.com,Ole\n`
  const one = await sent(made, file('ann'), { update_existing: 'true' })
  const [entered] = await meanwhile(made, () => run(made, one.id), erasing(made, 'ann@example.com'))
  assert.deepEqual(countsOf(entered), { rows_read: 3, created: 2, duplicate: 1 })
  await assertGone(made, 'ann@example.com')

  const two = await sent(made, file('bob'), { update_existing: 'true' })
  const [, kept] = await meanwhile(made, erasing(made, 'bob@example.com'), () => run(made, two.id))
  assert.deepEqual(countsOf(kept), { rows_read: 3, unchanged: 1, duplicate: 1, suppressed: 1 })
  await assertGone(made, 'bob@example.com')

  const { id } = await took(made, file('cat'), { dry_run: 'true' })
  assert.equal((await erasing(made, 'cat@example.com')()).status, 200)
  assert.deepEqual(await db.query(sql`select key from import_rows where account_id = ${accountId}`), [
    { key: 'ole@example.com' },
  ])
  assert.equal((await post(`/api/contact_imports/${id}/apply`)).status, 200)
  await made.runJobs()
  const done = (await get(`/api/contact_imports/${id}`)).body
  assert.deepEqual([done.phase, countsOf(done)], ['finished', { rows_read: 3, unchanged: 1, suppressed: 2 }])
  await assertGone(made, 'cat@example.com')
  assert.equal((await get('/api/contacts/ole@example.com')).status, 200)
})

test('erased at the very moment when a mail provider tells of them, nothing of it is kept', async (t) => {
  const made = await testApp(t)
  const { post } = made
  const hook = pathOf((await post('/api/provider_hooks', { provider: 'generic' })).body.url)
  const telling = (email: string) => () =>
    post(hook, [{ email, at: new Date().toISOString(), id: email, type: 'complained', reason: 'spam' }])
  await post('/api/contacts', { email: 'ann@example.com' })
  const [told] = await meanwhile(made, telling('ann@example.com'), erasing(made, 'ann@example.com'))
  assert.equal(told.body.recorded, 1)
  await assertGone(made, 'ann@example.com')

  await post('/api/contacts', { email: 'bob@example.com' })
  const [, late] = await meanwhile(made, erasing(made, 'bob@example.com'), telling('bob@example.com'))
  assert.equal(late.body.recorded, 0)
  await assertGone(made, 'bob@example.com')
})

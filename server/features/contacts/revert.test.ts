import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { imported } from '../../test/imports.ts'
import { keyring } from '../../test/jobs.ts'
import { counting } from '../../test/plans.ts'
import { openChangeSet } from '../activity/change-sets.ts'
import { revertLines } from './revert-chunk.ts'

type Contact = Record<string, unknown> & { id: string }

async function contact({ get }: TestApp, email: string): Promise<Contact | undefined> {
  return (await get(`/api/contacts/${email}`)).body.data
}

/** What is said of a contact, without when it was said. */
function said(of: Contact | undefined) {
  if (!of) return undefined
  const { updated_at: _, ...rest } = of
  return rest
}

async function reverted(made: TestApp, id: number, url = '/api/change_sets'): Promise<Record<string, unknown>> {
  const answer = await made.post(`${url}/${id}/revert`, {})
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  await made.runJobs()
  const set = (await made.get(`/api/change_sets/${answer.body.change_set_id}`)).body
  assert.equal(set.phase, 'finished')
  return set.counts
}

async function withOld(t: TestContext) {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id as number
  await made.post('/api/contacts', {
    email: 'old@example.com',
    fields: { first_name: 'Old', city: 'Oslo' },
    tags: ['kept'],
  })
  return { ...made, list }
}

const FILE = 'email,first_name,city,tags\nold@example.com,Changed,Rome,fresh\nnew@example.com,New,Bern,fresh\n'

test('an import is taken back as a whole: who was new is gone, who was there is as before', async (t) => {
  const made = await withOld(t)
  const before = await contact(made, 'old@example.com')
  const done = await imported(made, FILE, { update_existing: 'true', list_id: String(made.list) })
  assert.deepEqual([done.created_contacts_count, done.updated_contacts_count], [1, 1])

  const preview = await made.post(`/api/contact_imports/${done.id}/revert`, { dry_run: true })
  assert.deepEqual(preview.body.counts, { removed: 1, restored: 1, kept: 0, gone: 0 })
  const counts = await reverted(made, done.id, '/api/contact_imports')

  assert.deepEqual(counts, { removed: 1, restored: 1, kept: 0, gone: 0 })
  assert.equal(await contact(made, 'new@example.com'), undefined)
  assert.deepEqual(said(await contact(made, 'old@example.com')), said(before))
  const after = (await made.get(`/api/contact_imports/${done.id}`)).body
  assert.deepEqual([after.status, after.phase], ['finished', 'reverted'])
  assert.equal((await made.post(`/api/contact_imports/${done.id}/revert`, {})).status, 409)
  // Whom the import itself had entered leaves no mark of having left: the next file can bring them again.
  assert.deepEqual(await made.db.query(sql`select value from suppressions`), [])
  const again = await imported(made, FILE)
  assert.equal(again.created_contacts_count, 1)
  assert.equal((await contact(made, 'new@example.com'))?.state, 'subscribed')
})

test('what was changed since stays, and is told; the rest returns', async (t) => {
  const made = await withOld(t)
  const done = await imported(made, FILE, { update_existing: 'true', list_id: String(made.list) })
  await made.patch('/api/contacts/old@example.com', { fields: { city: 'Paris' } })
  await made.patch('/api/contacts/new@example.com', { fields: { city: 'Basel' } })

  const counts = await reverted(made, done.id)

  assert.deepEqual(counts, { removed: 0, restored: 0, kept: 2, gone: 0 })
  const old = await contact(made, 'old@example.com')
  assert.deepEqual([old?.fields, old?.tags, old?.list_ids], [{ first_name: 'Old', city: 'Paris' }, ['kept'], []])
  const fresh = await contact(made, 'new@example.com')
  assert.deepEqual([fresh?.fields, fresh?.tags, fresh?.list_ids], [{ first_name: 'New', city: 'Basel' }, [], []])
  assert.equal(fresh?.state, 'none', 'the permission that the import asserted is taken back with it')
  const sets = (await made.get('/api/change_sets')).body.data
  const rows = (await made.get(`/api/change_sets/${sets[0].id}/diff`)).body.data
  assert.deepEqual(
    rows.map((row: { action: string; problem: { kept: unknown } }) => [row.action, row.problem.kept]),
    [
      ['kept', { fields: ['city'] }],
      ['kept', { contact: 'it was changed by others since' }],
    ],
  )
})

test('a permission that was withdrawn since is never given back', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  const done = await imported(made, 'email,state\nann@example.com,unsubscribed\n')
  assert.equal((await contact(made, 'ann@example.com'))?.state, 'unsubscribed')
  await made.db.query(sql`update contacts set state_reason = 'person' where email = 'ann@example.com'`)

  const counts = await reverted(made, done.id)

  assert.deepEqual(counts, { removed: 0, restored: 0, kept: 1, gone: 0 })
  assert.equal((await contact(made, 'ann@example.com'))?.state, 'unsubscribed')
})

test('batches and memberships are taken back too; who has left a list meanwhile stays out, and who is gone is counted', async (t) => {
  const made = await withOld(t)
  const [a, b] = [
    await contact(made, 'old@example.com'),
    (await made.post('/api/contacts', { email: 'b@example.com' })).body.data,
  ]
  const batch = await made.patch('/api/contacts/batch', {
    contact_ids: [a!.id, b.id],
    fields: { city: 'Rome' },
    tags_added: ['x'],
  })
  const added = await made.post(`/api/contact_lists/${made.list}/contacts`, { contact_ids: [a!.id, b.id] })
  assert.deepEqual(await reverted(made, added.body.change_set_id), { removed: 0, restored: 2, kept: 0, gone: 0 })
  assert.equal((await made.get(`/api/contact_lists/${made.list}`)).body.contacts_count, 0)
  await made.del('/api/contacts/b@example.com')

  assert.deepEqual(await reverted(made, batch.body.change_set_id), { removed: 0, restored: 1, kept: 0, gone: 1 })
  assert.deepEqual(said(await contact(made, 'old@example.com')), said(a))

  await made.post(`/api/contact_lists/${made.list}/contacts`, { contact_ids: [a!.id] })
  const out = await made.del(`/api/contact_lists/${made.list}/contacts`, { contact_ids: [a!.id] })
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${made.list}, 'old@example.com')`)
  await reverted(made, out.body.change_set_id)
  assert.deepEqual((await contact(made, 'old@example.com'))?.list_ids, [])
  const removal = await made.del('/api/contacts/batch', { contact_ids: [a!.id] })
  assert.equal((await made.post(`/api/change_sets/${removal.body.change_set_id}/revert`)).status, 409)
})

test('a revert that is broken off goes on where it was, and each person is taken back once', async (t) => {
  const made = await testApp(t)
  const people = Array.from({ length: 2500 }, (_, at) => `p${at}@example.com,N${at}`).join('\n')
  const done = await imported(made, `email,first_name\n${people}\n`)
  const { body } = await made.post(`/api/change_sets/${done.id}/revert`)
  const { revertJobs } = await import('./revert.ts')
  const { keyring } = await import('../../test/jobs.ts')
  const [job] = revertJobs(made.db, keyring)
  const stop = new AbortController()
  const payload = { accountId: made.accountId, changeSetId: done.id, revertId: body.change_set_id }
  const running = job!.run(payload, stop.signal)
  while ((await made.get('/api/contacts')).body.total === 2500) await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort(new Error('the worker ends'))
  await assert.rejects(running)
  assert.ok((await made.get('/api/contacts')).body.total > 0, 'it was broken off in the middle')

  await made.runJobs()

  const set = (await made.get(`/api/change_sets/${body.change_set_id}`)).body
  assert.deepEqual([set.phase, set.counts], ['finished', { removed: 2500, restored: 0, kept: 0, gone: 0 }])
  assert.equal((await made.get('/api/contacts')).body.total, 0)
  const deleted = await made.db.query(
    sql`select count(*) as count from events where type = 'deleted' group by contact_id having count(*) <> 1`,
  )
  assert.deepEqual(deleted, [])
})

test('the work of taking an act back grows with its people, not with their square', async (t) => {
  const PEOPLE = 1000
  const made = await withOld(t)
  await made.db.query(sql`
    insert into contacts (account_id, email, state, fields, tags, origin)
    select ${made.accountId}, 'p' || n || '@example.org', 'subscribed', '{}', '{}', 'api' from generate_series(1, ${PEOPLE}::int) as n`)
  const selection = { q: 'example.org' }
  const acts = [
    { type: 'add_tags', tags: ['crowd'] },
    { type: 'add_to_list', list_id: made.list },
    { type: 'remove_from_list', list_id: made.list },
  ]
  const ids: number[] = []
  for (const action of acts) {
    const { id } = (await made.post('/api/contacts/bulk', { selection, action })).body
    await made.runJobs()
    ids.push(id)
  }

  for (const [at, id] of ids.entries()) {
    const [counts, rows] = await made.db.transaction(async (trx) => {
      const revertId = await openChangeSet(trx, made.accountId, { kind: 'revert', actor: 'token:1' })
      // What an earlier chunk has left, which no line of this one may be compared with.
      trx.send(sql`
        insert into change_rows (account_id, change_set_id, line, action)
        select ${made.accountId}, ${revertId}, -n, 'restored' from generate_series(1, ${PEOPLE}::int) as n`)
      const watched = counting(trx)
      const act = { accountId: made.accountId, changeSetId: id, revertId, actor: 'token:1', keyring }
      return [await revertLines(watched.trx, act, 0, PEOPLE), watched.handled()] as const
    })

    // The one act that has been undone by the next has nothing left to give back.
    assert.equal(counts.restored + counts.kept, PEOPLE, `act ${at}: ${JSON.stringify(counts)}`)
    assert.ok(rows > PEOPLE && rows < 200 * PEOPLE, `${acts[at]!.type}: ${rows} rows for ${PEOPLE} people`)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { hmac } from '../../lib/secret.ts'
import { testApp } from '../../test/app.ts'
import { countsOf, imported } from '../../test/imports.ts'
import { keyring } from '../../test/jobs.ts'

test('by external id people are found whatever their address, and get that of the file', async (t) => {
  const made = await testApp(t)
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  const ann = (await made.post('/api/contacts', { email: 'ann@old.example', external_id: '1', list_ids: [list] })).body
    .data
  await made.post('/api/contacts', { email: 'bob@example.com', external_id: '2' })
  await made.post('/api/contacts', { email: 'cid@example.com' })
  await made.post('/api/contacts', { email: 'leaver@old.example', external_id: '6', unsubscribed: true })
  await made.db.query(
    sql`insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${list}, 'ann@new.example')`,
  )
  const gone = hmac(keyring, 'suppression', 'erased@example.com')
  await made.db.query(sql`
    insert into suppressions (account_id, kind, value, key_id, reason, source)
    values (${made.accountId}, 'hmac', ${gone.value}, ${gone.keyId}, 'erased', 'test')`)
  const file = [
    'external_id,email,first_name',
    '1,ann@new.example,Ann', // another address
    '2,cid@example.com,Bob', // which is somebody else's
    '3,cid@example.com,Cid', // whom no other external id names yet
    '4,dan@example.com,Dan', // new
    '5,,Eve', // new, without an address
    '6,leaver@new.example,Leo', // who had left
    '7,erased@example.com,Fay', // new, erased
    '2,erased@example.com,', // known, to an address that was erased
  ].join('\n')

  const dry = await imported(made, file, { match_by: 'external_id', update_existing: 'true', dry_run: 'true' })
  const done = await imported(made, file, { match_by: 'external_id', update_existing: 'true' })

  assert.deepEqual(countsOf(dry), countsOf(done))
  assert.deepEqual(countsOf(done), {
    rows_read: 8,
    created: 1,
    updated: 3,
    rejected: 1,
    suppressed: 2,
    duplicate: 1,
    kept_unsubscribed: 1,
  })
  const moved = (await made.get('/api/contacts/ext:1')).body.data
  assert.deepEqual(
    [moved.id, moved.email, moved.fields.first_name, moved.list_ids],
    [ann.id, 'ann@new.example', 'Ann', []],
  )
  const event = (await made.get(`/api/contacts/${ann.id}/events`)).body.data[0]
  assert.deepEqual(event.data.email, { from: 'ann@old.example', to: 'ann@new.example' })
  assert.equal((await made.get('/api/contacts/ext:2')).body.data.email, 'bob@example.com')
  assert.equal((await made.get('/api/contacts/ext:3')).body.data.email, 'cid@example.com')
  assert.equal((await made.get('/api/contacts/ext:4')).body.data.email, 'dan@example.com')
  const leaver = (await made.get('/api/contacts/ext:6')).body.data
  assert.deepEqual([leaver.email, leaver.state], ['leaver@new.example', 'unsubscribed'])
  // The address that was left comes back as left.
  const old = (await made.post('/api/contacts', { email: 'leaver@old.example' })).body.data
  assert.equal(old.state, 'unsubscribed')
  const rows = await made.db.query<{ row: string }>(
    sql`select to_jsonb(k)::text as row from change_rows as k where action = 'suppressed'`,
  )
  assert.ok(rows.length === 4 && rows.every(({ row }) => !row.includes('erased@')))

  const revert = await made.post(`/api/contact_imports/${done.id}/revert`)
  await made.runJobs()
  const { counts } = (await made.get(`/api/change_sets/${revert.body.change_set_id}`)).body
  assert.deepEqual(counts, { removed: 1, restored: 2, kept: 1, gone: 0 })
  assert.equal((await made.get('/api/contacts/ext:1')).body.data.email, 'ann@old.example')
  assert.equal((await made.get('/api/contacts/cid@example.com')).body.data.external_id, null)
  // Someone has entered the old address meanwhile: it stays theirs.
  assert.equal((await made.get('/api/contacts/ext:6')).body.data.email, 'leaver@new.example')
})

test('an address and an external id of two people are a conflict, never a merge', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com', external_id: '1' })
  await made.post('/api/contacts', { email: 'bob@example.com', external_id: '2' })
  const file =
    'email,external_id,first_name\nann@example.com,2,X\nnew@example.com,1,Y\nbob@example.com,3,Bob\nfirst@example.com,9,F\nsecond@example.com,9,S\n'

  const dry = await imported(made, file, { update_existing: 'true', dry_run: 'true' })
  const done = await imported(made, file, { update_existing: 'true' })

  assert.deepEqual(countsOf(done), { rows_read: 5, created: 1, updated: 1, rejected: 3 })
  assert.deepEqual(countsOf(dry), countsOf(done), 'also of who is first among new ones')
  const errors = (await made.call('GET', `/api/contact_imports/${done.id}/errors`)).body as string
  assert.equal(errors.match(/identity_conflict/g)?.length, 3)
  assert.equal((await made.get('/api/contacts/ext:3')).body.data.email, 'bob@example.com')
  assert.equal((await made.get('/api/contacts/ann@example.com')).body.data.fields.first_name, undefined)
})

test('a trial knows whose address a row takes, and what was left under either; of a chain the last who can move does', async (t) => {
  const made = await testApp(t)
  const news = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  const people = { ann: 1, bob: 2, cid: 3, dan: 4, eve: 5, fay: 6 }
  for (const [name, id] of Object.entries(people))
    await made.post('/api/contacts', { email: `${name}@example.com`, external_id: String(id) })
  for (const address of ['ann@example.com', 'bob@new.example'])
    await made.db.query(
      sql`insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${news}, ${address})`,
    )
  for (const [mark, address] of [
    ['withdrawn', 'cid@new.example'],
    ['erased', 'erased@example.com'],
  ] as const) {
    const { value, keyId } = hmac(keyring, 'suppression', address)
    await made.db.query(sql`
      insert into suppressions (account_id, kind, value, key_id, reason, source)
      values (${made.accountId}, 'hmac', ${value}, ${keyId}, ${mark}, 'test')`)
  }
  const file = [
    'external_id,email',
    '1,ann@new.example', // left News under the old address
    '2,bob@new.example', // left it under the new one
    '3,cid@new.example', // withdrew under the new one
    '4,eve@example.com', // which is Eve's until she moves: a conflict
    '5,eve@new.example',
    '5,erased@example.com', // the last row counts: an address that was erased
    '6,erased@example.com', // as is hers
  ].join('\n')
  const parts = { match_by: 'external_id', update_existing: 'true', list_id: String(news) }
  const rowsOf = async (id: number) =>
    (await made.db.query(sql`
      select line, email, action, after, problem from change_rows where change_set_id = ${id} order by line`)) as unknown[]

  const dry = await imported(made, file, { ...parts, dry_run: 'true' })
  const done = await imported(made, file, parts)

  assert.deepEqual(countsOf(done), {
    rows_read: 7,
    updated: 3,
    rejected: 1,
    suppressed: 2,
    duplicate: 1,
    opted_out: 2,
  })
  assert.deepEqual(countsOf(dry), countsOf(done))
  assert.deepEqual(await rowsOf(dry.id), await rowsOf(done.id))
  assert.ok(!JSON.stringify(await rowsOf(done.id)).includes('erased@'))
  assert.equal((await made.get('/api/contacts/ext:3')).body.data.state, 'unsubscribed')
  assert.equal((await made.get('/api/contacts/ext:5')).body.data.email, 'eve@example.com')
})

test('who gives up an address and who is to get it in one file: what is said of them is what they are', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com', external_id: '1' })
  await made.post('/api/contacts', { email: 'bob@example.com', external_id: '2' })
  const file = 'external_id,email\n1,bob@example.com\n2,bob@new.example\n'
  const parts = { match_by: 'external_id', update_existing: 'true' }

  const done = await imported(made, file, parts)

  assert.deepEqual(countsOf(done), { rows_read: 2, updated: 1, rejected: 1 })
  assert.equal((await made.get('/api/contacts/ext:1')).body.data.email, 'ann@example.com')
  assert.equal((await made.get('/api/contacts/ext:2')).body.data.email, 'bob@new.example')
  assert.deepEqual(
    countsOf(await imported(made, file, parts)),
    { rows_read: 2, updated: 1, unchanged: 1 },
    'free by now',
  )
  assert.equal((await made.get('/api/contacts/ext:1')).body.data.email, 'bob@example.com')
})

test('an address that two external ids want is that of the later row, and the other is a conflict', async (t) => {
  const made = await testApp(t)
  const file = 'external_id,email,first_name\n2,new@example.com,Two\n1,new@example.com,One\n'
  const parts = { match_by: 'external_id', update_existing: 'true' }

  const dry = await imported(made, file, { ...parts, dry_run: 'true' })
  const done = await imported(made, file, parts)

  assert.deepEqual(countsOf(done), { rows_read: 2, created: 1, rejected: 1 })
  assert.deepEqual(countsOf(dry), countsOf(done))
  const { id, external_id } = (await made.get('/api/contacts/new@example.com')).body.data
  assert.equal(external_id, '1')
  const events = (await made.get(`/api/contacts/${id}/events`)).body.data as { types: string[] }[]
  assert.equal(events.length, 1)
})

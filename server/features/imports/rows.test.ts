import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { assertWhole } from '../../test/import-whole.ts'
import { applied, countsOf, filesIn, person, rowsLeft, run, sent, took, upload } from '../../test/imports.ts'
import { rangesOf } from './merge.ts'

test('a header alone brings nobody and ends well', async (t) => {
  const made = await testApp(t)

  const done = await took(made, 'email,first_name\r\n')

  assert.deepEqual([done.phase, countsOf(done), done.problem], ['finished', {}, null])
  assert.equal((await made.get('/api/contacts')).body.total, 0)
  assert.deepEqual(filesIn(made), [])
})

test('a file without a column for the address is refused at once, names its columns, and is gone again', async (t) => {
  const made = await testApp(t)

  const answer = await upload(made, 'name,city\nAnn,Oslo\n')

  assert.equal(answer.status, 422)
  assert.match(answer.body.errors.file[0], /no column for the address.*name, city/)
  const byId = await upload(made, 'email,city\na@example.com,Oslo\n', { match_by: 'external_id' })
  assert.match(byId.body.errors.file[0], /no column for the external id/)
  assert.equal((await made.get('/api/contact_imports')).body.total, 0)
  assert.deepEqual(filesIn(made), [])
})

test('values become what their fields are: numbers as text, text as numbers, words for true and false', async (t) => {
  const made = await testApp(t)
  for (const field of [
    { name: 'Code', type: 'text' },
    { name: 'Age', type: 'integer' },
    { name: 'Score', type: 'number' },
    { name: 'Vip', type: 'boolean' },
    { name: 'Plan', type: 'select', options: ['1', 'Pro'] },
  ])
    await made.post('/api/contact_fields', field)
  const rows = [
    'a@example.com,007,41,1.5,TRUE,1',
    'b@example.com,12.50,42.0,1e3,yes,pro ',
    'c@example.com,true,-3,.5,1,PRO',
    'd@example.com,1e3,0,0,No,1',
    'e@example.com,x,0,7,off,Pro',
    'f@example.com,x,forty,7,on,Pro',
    'g@example.com,x,1.5,7,on,Pro',
    'h@example.com,x,1,seven,perhaps,Gold',
  ]

  const done = await took(made, `email,code,age,score,vip,plan\n${rows.join('\n')}\n`)

  assert.deepEqual(countsOf(done), { rows_read: 8, created: 5, rejected: 3 })
  const fieldsOf = async (name: string) => (await person(made, `${name}@example.com`)).fields
  assert.deepEqual(await fieldsOf('a'), { code: '007', age: 41, score: 1.5, vip: true, plan: '1' })
  assert.deepEqual(await fieldsOf('b'), { code: '12.50', age: 42, score: 1000, vip: true, plan: 'Pro' })
  assert.deepEqual(await fieldsOf('c'), { code: 'true', age: -3, score: 0.5, vip: true, plan: 'Pro' })
  assert.deepEqual(await fieldsOf('d'), { code: '1e3', age: 0, score: 0, vip: false, plan: '1' })
  assert.deepEqual(await fieldsOf('e'), { code: 'x', age: 0, score: 7, vip: false, plan: 'Pro' })
  const causes = done.errors.map((cause: { field: string; count: number; line: number }) => [
    cause.field,
    cause.count,
    cause.line,
  ])
  assert.deepEqual(causes.sort(), [
    ['age', 2, 7],
    ['plan', 1, 9],
    ['score', 1, 9],
    ['vip', 1, 9],
  ])
  const age = done.errors.find((cause: { field: string }) => cause.field === 'age')
  assert.deepEqual(
    [age.column, age.message, age.values],
    [
      'age',
      'must be an integer',
      [
        { value: 'forty', count: 1 },
        { value: '1.5', count: 1 },
      ],
    ],
  )
})

test('semicolons with decimal commas go into number fields, also where a point stands in a column before', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Score', type: 'number' })
  await made.post('/api/contact_fields', { name: 'Size', type: 'integer' })

  const done = await took(
    made,
    'email;score;size\na@example.com;1.234,5;12\nb@example.com;0,25;7\nc@example.com;12;1.000\n',
  )

  assert.deepEqual(countsOf(done), { rows_read: 3, created: 3 }, JSON.stringify(done.errors))
  assert.equal(done.detected.delimiter, ';')
  assert.deepEqual((await person(made, 'a@example.com')).fields, { score: 1234.5, size: 12 })
  assert.deepEqual((await person(made, 'b@example.com')).fields, { score: 0.25, size: 7 })
})

test('later rows of a person count, field by field, in whatever letter case the address is written', async (t) => {
  const made = await testApp(t)
  const filler = Array.from({ length: 50_000 }, () => 'same@example.com,,,x,').join('\n')
  const file = `email,first_name,last_name,code,tags\nAnn@Example.com,Ann,Old,1,first\n${filler}\n ANN@example.COM,,New,,last\n`

  const done = await took(made, file)

  assert.deepEqual(countsOf(done), { rows_read: 50_002, created: 2, duplicate: 50_000 })
  const ann = await person(made, 'ann@example.com')
  assert.deepEqual([ann.fields, ann.tags], [{ first_name: 'Ann', last_name: 'New', code: '1' }, ['first', 'last']])
  const events = (await made.get(`/api/contacts/${ann.id}/events`)).body.data
  assert.equal(events.length, 1, 'one act, one event')
  const rows = await made.db.query(sql`select line, action from change_rows where contact_id = ${ann.id} order by line`)
  assert.deepEqual(rows, [
    { line: 2, action: 'duplicate' },
    { line: 50_003, action: 'created' },
  ])
  assert.equal(await rowsLeft(made), 0)
})

test('an ambiguous date stops before anything changes, is not passed over, and date_order goes on', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Joined', type: 'date' })
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id

  const asked = await took(made, 'email,joined,new_field\na@example.com,03/04/2024,x\nb@example.com,05/06/2024,y\n', {
    list_id: String(list),
  })

  assert.deepEqual([asked.phase, asked.status], ['ready', 'started'])
  assert.match(asked.problem, /joined can be read with the day or the month first.*date_order/)
  assert.equal((await made.get('/api/contacts')).body.total, 0)
  assert.equal((await made.get('/api/contact_fields')).body.length, 3, 'no field was defined')
  const unanswered = await made.post(`/api/contact_imports/${asked.id}/apply`, {})
  assert.equal(unanswered.status, 422, JSON.stringify(unanswered.body))
  assert.match(unanswered.body.errors.date_order[0], /joined/)
  const done = await applied(made, asked.id, { date_order: 'dmy' })
  assert.deepEqual([done.phase, done.problem, countsOf(done)], ['finished', null, { rows_read: 2, created: 2 }])
  assert.equal((await person(made, 'a@example.com')).fields.joined, '2024-04-03')
  assert.deepEqual(filesIn(made), [])
})

test('what is no option is mended by value_mapping for the whole file, without a new upload', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Pro', 'Free'] })
  const file =
    'email,Plan\na@example.com,pro plan\nb@example.com,Pro Plan\nc@example.com,free\nd@example.com,n/a\ne@example.com,gold\n'

  const tried = await took(made, file, { dry_run: 'true' })
  assert.deepEqual([tried.phase, countsOf(tried)], ['ready', { rows_read: 5, created: 1, rejected: 4 }])
  assert.deepEqual(
    tried.errors[0].values.slice(0, 2).map((each: { value: string }) => each.value),
    ['pro plan', 'Pro Plan'],
  )
  const done = await applied(made, tried.id, { value_mapping: { plan: { 'pro plan': 'Pro', 'n/a': null } } })

  assert.deepEqual([done.phase, countsOf(done)], ['finished', { rows_read: 5, created: 4, rejected: 1 }])
  assert.equal((await person(made, 'b@example.com')).fields.plan, 'Pro')
  assert.deepEqual((await person(made, 'd@example.com')).fields, {})
  const errors = (await made.get(`/api/contact_imports/${done.id}/errors`)).body
  assert.equal(errors, 'email,Plan,error\r\ne@example.com,gold,"plan: is not one of Pro, Free"\r\n')
})

test('rules trim, split a name, take the address out of a mailbox and the first of several', async (t) => {
  const made = await testApp(t)
  const file =
    'mailbox,name,others\n"Ann B. Lee <ann@example.com>",,\n"Bob <bob@example.com>","Lee, Robert",\n"x@example.com; y@example.com",Prince,\n'
  const rules = { mailbox: ['first_address', 'address'], name: ['trim', 'full_name'] }

  const done = await took(made, file, {
    field_mapping: JSON.stringify({ mailbox: 'email', name: '' }),
    rules: JSON.stringify(rules),
  })

  assert.deepEqual(countsOf(done), { rows_read: 3, created: 3 }, JSON.stringify(done.errors))
  assert.deepEqual((await person(made, 'ann@example.com')).fields, { first_name: 'Ann B.', last_name: 'Lee' })
  assert.ok(await person(made, 'x@example.com'))
  const [told] = await made.db.query(sql`
    select e.data -> 'fields' as fields from events as e join contacts as c using (account_id) where c.id = e.contact_id and c.email = 'ann@example.com'`)
  assert.deepEqual(told, { fields: { first_name: { to: 'Ann B.' }, last_name: { to: 'Lee' } } })
})

test('of two columns that bring a full name the later counts, whichever of them is a field', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Display' })
  const parts = {
    field_mapping: JSON.stringify({ display: 'display', name: 'full_name' }),
    rules: JSON.stringify({ display: ['full_name'] }),
  }
  await took(made, 'display,name,email\n"Moe, Zoe",Ann Lee,ann@example.com\n', parts)
  await took(made, 'name,display,email\nAnn Lee,"Moe, Zoe",zoe@example.com\n', parts)

  const nameOf = async (email: string) => {
    const { first_name, last_name } = (await person(made, email)).fields
    return [first_name, last_name]
  }
  assert.deepEqual(await nameOf('ann@example.com'), ['Ann', 'Lee'])
  assert.deepEqual(await nameOf('zoe@example.com'), ['Zoe', 'Moe'])
})

test('a full name that changes is told, and taken back', async (t) => {
  const made = await testApp(t)
  const mapping = { field_mapping: JSON.stringify({ name: 'full_name' }), update_existing: 'true' }
  await took(made, 'email,name\nann@example.com,Ann Lee\n', mapping)
  const { id } = await took(made, 'email,name\nann@example.com,Ann Moe\n', mapping)
  const [row] = await made.db.query(sql`select before, after from change_rows where change_set_id = ${id}`)
  const [told] = await made.db.query(
    sql`select data from events where change_set_id = ${id} and contact_id is not null`,
  )

  assert.deepEqual(row, { before: { fields: { last_name: 'Lee' } }, after: { fields: { last_name: 'Moe' } } })
  assert.deepEqual(told, { data: { fields: { last_name: { from: 'Lee', to: 'Moe' } } } })
  await made.post(`/api/contact_imports/${id}/revert`)
  await made.runJobs()
  assert.deepEqual((await person(made, 'ann@example.com')).fields, { first_name: 'Ann', last_name: 'Lee' })
})

test('skip_invalid: false changes nothing while one row is bad, whether the file or the account says so', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'owner@example.com', external_id: '1' })
  const file = 'email,external_id,brand_new\na@example.com,,x\nb@example.com,1,y\nc@example,,z\n'

  const failed = await took(made, file, { skip_invalid: 'false', update_existing: 'true' })

  assert.deepEqual([failed.status, failed.phase], ['failed', 'failed'])
  assert.match(failed.problem, /2 rows are invalid, and nothing was imported/)
  assert.equal((await made.get('/api/contacts')).body.total, 1)
  assert.equal((await made.get('/api/contact_fields')).body.length, 2)
  const errors = (await made.get(`/api/contact_imports/${failed.id}/errors`)).body
  assert.match(errors, /identity_conflict/)
  const done = await applied(made, failed.id, { skip_invalid: true })
  assert.deepEqual([done.phase, countsOf(done)], ['finished', { rows_read: 3, created: 1, rejected: 2 }])
})

test('a list that is deleted while people go into it fails the import with the reason; another list goes on with it', async (t) => {
  const made = await testApp(t)
  const [list, other] = [
    (await made.post('/api/contact_lists', { name: 'A' })).body.id,
    (await made.post('/api/contact_lists', { name: 'B' })).body.id,
  ]
  const { id } = await sent(made, `email\n${Array.from({ length: 100 }, (_, n) => `p${n}@example.com`).join('\n')}\n`, {
    list_id: String(list),
  })
  const interrupted = await run(made, id, { chunkRows: 10, isOver: async () => true })
  assert.equal(interrupted.phase, 'merging')
  assert.ok(interrupted.created_contacts_count > 0 && interrupted.created_contacts_count < 100)

  assert.equal((await made.del(`/api/contact_lists/${list}`)).status, 204)
  const failed = await run(made, id)
  const refused = await made.post(`/api/contact_imports/${id}/apply`, { list_ids: [other], date_order: 'dmy' })
  const done = await applied(made, id, { list_ids: [other] })

  assert.deepEqual([failed.phase, failed.file.kept], ['failed', true])
  assert.match(failed.problem, /list_ids not found/)
  assert.deepEqual([refused.status, Object.keys(refused.body.errors)], [422, ['date_order']])
  assert.deepEqual([done.phase, countsOf(done)], ['finished', { rows_read: 100, created: 100 }])
  const [members] = await made.db.query<{ count: number }>(
    sql`select count(*) as count from list_members where list_id = ${other}`,
  )
  assert.equal(members!.count, 100 - interrupted.created_contacts_count)
})

test('rows of one person are in one chunk, however far apart they stand in the file', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const all = Array.from({ length: 1000 }, (_, n) => `p${n}@example.com`)
  const file = `email,company\n${[1, 2, 3].map((nth) => all.map((email) => `${email},N${nth}`).join('\n')).join('\n')}\n`
  const { id } = await sent(made, file, { update_existing: 'true', dry_run: 'true' })
  await run(made, id)

  const chunks: number[] = []
  for await (const { after, upTo, people, isPlain } of rangesOf(db, accountId, id, 400)) {
    const [chunk] = await db.query<{ rows: number; people: number }>(sql`
      select count(*) as rows, count(distinct key) as people from import_rows
      where account_id = ${accountId} and import_id = ${id} and key > ${after} and key <= ${upTo}`)
    assert.deepEqual(chunk, { rows: 3 * people, people })
    assert.equal(isPlain, false)
    chunks.push(people)
  }
  assert.deepEqual(chunks, [...Array(7).fill(134), 62], 'of 400 rows, and the rest of the last person')
  await made.post(`/api/contact_imports/${id}/apply`)
  const done = await run(made, id, { chunkRows: 400 })

  assert.deepEqual(countsOf(done), { rows_read: 3000, created: 1000, duplicate: 2000 })
  await assertWhole(made, [id])
  const [said] = await db.query(sql`
    select count(*) as people, count(*) filter (where fields ->> 'company' = 'N3') as last from contacts where account_id = ${accountId}`)
  assert.deepEqual(said, { people: 1000, last: 1000 })
})

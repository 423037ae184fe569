import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { exported, withPeople } from '../../test/exported.ts'
import { expireExports } from './housekeeping.ts'

test('an export has every contact with all that is known, in a gzipped CSV unless asked otherwise', async (t) => {
  const made = await withPeople(t)

  const { text, url, format, bytes, progress, response } = await exported(made, {})

  assert.equal(format, 'csv.gz')
  assert.match(url, /^http:\/\/localhost(:80)?\/download\/[\w-]+\/contacts-\d+\.csv\.gz$/)
  assert.deepEqual(progress, { written: 3, total: 3 })
  assert.equal(response.headers['content-type'], 'application/gzip')
  assert.equal(bytes, response.rawPayload.length)
  const moment = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00/g
  const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/g
  assert.equal(
    text.replace(moment, 'AT').replace(uuid, 'ID'),
    [
      'id,email,external_id,state,first_name,last_name,born,age,tags,lists,created_at,updated_at',
      `ID,ann@example.com,'=7,subscribed,Ann,"O'Neil, ""Q""",01.05.1980,-4,"a b,vip","Customers,""News, """"weekly""""""",AT,AT`,
      `ID,bob@example.com,,subscribed,'=1+1,"line\nbreak",,,"",Customers,AT,AT`,
      'ID,cleo@example.com,,unsubscribed,Клео,,,,"",,AT,AT',
      '',
    ].join('\n'),
  )
})

test('columns are those that are named, in their order, and formulas stay with raw', async (t) => {
  const made = await withPeople(t)
  const fields = ['first_name', 'email', 'list_ids', 'subscribed', 'status', 'sendable', 'origin', 'FIRST_NAME'].slice(
    0,
    7,
  )

  const { text } = await exported(made, { format: 'csv', fields, raw: true })

  assert.deepEqual(text.split('\n').slice(0, 3), [
    'first_name,email,list_ids,subscribed,status,sendable,origin',
    `Ann,ann@example.com,"${made.customers},${made.news}",true,subscribed,true,api`,
    `=1+1,bob@example.com,${made.customers},true,subscribed,true,api`,
  ])
})

test('NDJSON has typed values', async (t) => {
  const made = await withPeople(t)

  const { text, response } = await exported(made, {
    format: 'ndjson',
    fields: ['email', 'born', 'age', 'tags', 'lists', 'list_ids', 'sendable', 'external_id', 'last_name'],
  })

  assert.equal(response.headers['content-type'], 'application/x-ndjson')
  assert.deepEqual(
    String(text)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      {
        email: 'ann@example.com',
        born: '1980-05-01',
        age: -4,
        tags: ['a b', 'vip'],
        lists: ['Customers', 'News, "weekly"'],
        list_ids: [made.customers, made.news],
        sendable: true,
        external_id: '=7',
        last_name: 'O\'Neil, "Q"',
      },
      {
        email: 'bob@example.com',
        born: null,
        age: null,
        tags: [],
        lists: ['Customers'],
        list_ids: [made.customers],
        sendable: true,
        external_id: null,
        last_name: 'line\nbreak',
      },
      {
        email: 'cleo@example.com',
        born: null,
        age: null,
        tags: [],
        lists: [],
        list_ids: [],
        sendable: false,
        external_id: null,
        last_name: null,
      },
    ],
  )
})

test('an export holds those who are selected, by every way of selecting', async (t) => {
  const made = await withPeople(t)
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email) values (${made.accountId}, ${made.customers}, 'bob@example.com')`)
  const who = async (body: object) =>
    String((await exported(made, { format: 'csv', fields: ['email'], ...body })).text)
      .trim()
      .split('\n')
      .slice(1)
      .map((email) => email.split('@')[0])
      .join()

  assert.equal(await who({}), 'ann,bob,cleo')
  assert.equal(await who({ q: 'bob' }), 'bob')
  assert.equal(await who({ q: 'nobody' }), '')
  assert.equal(await who({ list_id: made.customers }), 'ann,bob')
  assert.equal(await who({ list_id: [made.news, made.customers] }), 'ann,bob')
  assert.equal(await who({ list_id: null }), 'ann,bob,cleo')
  assert.equal(await who({ list_id: made.customers, sendable: true }), 'ann')
  assert.equal(await who({ list_id: made.customers, sendable: false }), 'bob')
  assert.equal(await who({ sendable: true }), 'ann,bob')
  assert.equal(await who({ sendable: false }), 'cleo')
  assert.equal(await who({ tag: 'vip' }), 'ann')
  assert.equal(await who({ state: ['unsubscribed', 'none'] }), 'cleo')
  assert.equal(await who({ status: 'subscribed', q: 'a' }), 'ann')
  assert.equal(await who({ criteria: { first_name: '=1+1' } }), 'bob')
  assert.equal(await who({ criteria: { not: { field: 'age', op: 'lt', value: 0 } }, status: 'subscribed' }), 'bob')
  const list = (value: unknown) => ({ name: 'list_id', operator: 'equal', value })
  const status = (value: unknown) => ({ name: 'subscription_status', operator: 'equal', value })
  assert.equal(await who({ filters: [] }), 'ann,bob,cleo')
  assert.equal(await who({ filters: [list([made.customers, 999_999])] }), 'ann,bob')
  assert.equal(await who({ filters: [list([999_999])] }), '')
  assert.equal(await who({ filters: [status('unsubscribed')] }), 'cleo')
  assert.equal(await who({ filters: [list([made.customers]), status('unsubscribed')] }), '')
})

test('smart lists are exported as they are at that moment, less those who have left them', async (t) => {
  const made = await withPeople(t)
  const who = async (body: object) =>
    String((await exported(made, { format: 'csv', fields: ['email'], ...body })).text)
      .trim()
      .split('\n')
      .slice(1)
      .map((email) => email.split('@')[0])
      .join()
  const make = async (name: string, criteria: object): Promise<number> =>
    (await made.post('/api/contact_lists', { name, criteria })).body.id
  const all = await make('All', { field: 'email', op: 'contains', value: '@' })
  const subscribed = await make('Subscribed', { all: [{ list: all }, { subscribed: true }] })
  const negative = await make('Negative', { field: 'age', op: 'lt', value: 0 })
  await made.db.query(sql`
    insert into list_opt_outs (account_id, list_id, email)
    values (${made.accountId}, ${subscribed}, 'bob@example.com'), (${made.accountId}, ${made.customers}, 'ann@example.com')`)

  assert.equal(await who({ list_id: all }), 'ann,bob,cleo')
  assert.equal(await who({ list_id: subscribed }), 'ann')
  assert.equal(await who({ list_id: [negative, made.news] }), 'ann')
  assert.equal(await who({ list_id: all, sendable: true }), 'ann,bob')
  assert.equal(await who({ list_id: all, sendable: false }), 'cleo')
  // Through a list, static or smart, that they have not left.
  assert.equal(await who({ list_id: [subscribed, made.customers], sendable: true }), 'ann,bob')
  assert.equal(await who({ list_id: made.customers, sendable: true }), 'bob')
  assert.equal(await who({ list_id: [negative, made.customers], sendable: false }), '')
  assert.equal(await who({ criteria: { not: { list: subscribed } } }), 'bob,cleo')
  assert.equal(await who({ q: 'b', list_id: all }), 'bob')
  const filter = (value: unknown) => ({ filters: [{ name: 'list_id', operator: 'equal', value }] })
  assert.equal(await who(filter([subscribed, 999_999])), 'ann')
  assert.equal(await who({ ...filter([all]), sendable: true }), 'ann,bob')
})

test('a request that asks for what is not there is told all that is wrong', async (t) => {
  const made = await withPeople(t)
  const refused = async (body: object) => {
    const answer = await made.post('/api/contact_exports', body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    return answer.body.errors
  }
  const faults = await refused({ fields: ['email', 'shoe', 'email'], criteria: { hat: 1 }, state: 'asleep' })
  assert.deepEqual(Object.keys(faults).sort(), ['criteria.hat', 'fields', 'state'])
  assert.match(
    faults.fields[0],
    /^has an unknown name, shoe: there are id, email, .*, first_name, last_name, born, age$/,
  )
  assert.deepEqual(await refused({ fields: ['email', 'first_name', 'First_Name'] }), {
    fields: ['names first_name twice'],
  })
  assert.deepEqual(await refused({ list_id: [made.customers, 77_777] }), { list_id: ['not found: 77777'] })
  assert.deepEqual(Object.keys(await refused({ format: 'pdf', fields: [], colour: 1 })).sort(), [
    'colour',
    'fields',
    'format',
  ])
  for (const filters of [
    'invalid',
    {},
    null,
    ['list_id'],
    [{ name: 'list_id', operator: 'equal' }],
    [{ name: 'list_id', operator: 'equal', value: ['1'] }],
    [{ name: 'list_id', operator: 'equal', value: [1.5] }],
    [{ name: 'list_id', operator: 'not_equal', value: [1] }],
    [{ name: 'subscription_status', operator: 'equal', value: 'pending' }],
    [{ name: 'email', operator: 'equal', value: 'a' }],
    [{ name: 'list_id', operator: 'equal', value: [1], more: true }],
  ])
    assert.deepEqual(await refused({ filters }), { filters: 'invalid' }, JSON.stringify(filters))
  assert.equal((await made.get('/api/contact_exports')).body.total, 0, 'nothing was begun')
})

test('an export goes from created over finished to expired, and then has neither link nor file', async (t) => {
  const made = await withPeople(t)
  const asked = (await made.post('/api/contact_exports', { format: 'csv' })).body
  assert.deepEqual([asked.status, asked.phase, asked.url, asked.expires_at], ['created', 'queued', null, null])
  for (const time of [asked.created_at, asked.updated_at])
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  await made.runJobs()
  const finished = (await made.get(`/api/contact_exports/${asked.id}`)).body
  assert.deepEqual([finished.status, finished.phase], ['finished', 'finished'])
  const hours = (Date.parse(finished.expires_at) - Date.now()) / 3_600_000
  assert.ok(hours > 23.9 && hours <= 24, `${hours}`)
  const file = async () =>
    (await made.db.query<{ file: string | null }>(sql`select file from exports where id = ${asked.id}`))[0]?.file
  const key = `${made.accountId}/exports/${await file()}`
  assert.ok((await made.files.size(key))! > 0)

  await expireExports(made.db, made.files)
  assert.equal((await made.get(`/api/contact_exports/${asked.id}`)).body.phase, 'finished', 'not yet')
  await made.db.query(sql`update exports set expires_at = now() where id = ${asked.id}`)
  const between = (await made.get(`/api/contact_exports/${asked.id}`)).body
  assert.deepEqual([between.status, between.phase, between.url], ['finished', 'expired', null])
  await expireExports(made.db, made.files)

  const expired = (await made.get(`/api/contact_exports/${asked.id}`)).body
  assert.deepEqual([expired.status, expired.phase, expired.url], ['finished', 'expired', null])
  assert.equal(await made.files.size(key), null)
  assert.equal((await made.get(`/api/contact_exports/${asked.id}/download`)).status, 404)
  assert.equal((await made.app.inject({ url: new URL(finished.url).pathname })).statusCode, 404)
  await made.db.query(sql`update exports set updated_at = now() - interval '31 days' where id = ${asked.id}`)
  await expireExports(made.db, made.files)
  assert.equal((await made.get(`/api/contact_exports/${asked.id}`)).status, 404)
})

test('an export that is removed takes its file along', async (t) => {
  const made = await withPeople(t)
  const { id, url } = await exported(made, { format: 'csv' })
  const [row] = await made.db.query<{ file: string }>(sql`select file from exports where id = ${id}`)

  assert.equal((await made.del(`/api/contact_exports/${id}`)).status, 204)

  assert.equal((await made.get(`/api/contact_exports/${id}`)).status, 404)
  assert.equal((await made.del(`/api/contact_exports/${id}`)).status, 404)
  assert.equal((await made.app.inject({ url: new URL(url).pathname })).statusCode, 404)
  assert.equal((await made.get('/api/contact_exports')).body.total, 0)
  const key = `${made.accountId}/exports/${row!.file}`
  for (const end = Date.now() + 60_000; (await made.files.size(key)) !== null; )
    assert.ok(Date.now() < end, 'the file goes')
})

test('what a process that was killed has not removed goes with the next housekeeping', async (t) => {
  const made = await withPeople(t)
  const { id } = await exported(made, { format: 'csv' })
  await made.db.query(sql`update exports set phase = 'removed' where id = ${id}`)
  const stuck = (await made.post('/api/contact_exports', {})).body.id
  await made.db.query(
    sql`update exports set phase = 'running', updated_at = now() - interval '3 days' where id = ${stuck}`,
  )

  await expireExports(made.db, made.files)

  assert.deepEqual(await made.db.query(sql`select id, phase, file, error from exports order by id`), [
    { id: stuck, phase: 'failed', file: null, error: 'It was broken off too often' },
  ])
  const left = (await made.get(`/api/contact_exports/${stuck}`)).body
  assert.deepEqual([left.status, left.phase, left.url], ['finished', 'failed', null])
})

test('exports are listed, the newest first, and each account sees its own', async (t) => {
  const made = await testApp(t)
  const other = await made.another()
  for (let n = 0; n < 3; n++) await made.post('/api/contact_exports', { format: 'csv', q: String(n) })
  const { body } = await made.get('/api/contact_exports?per_page=2')
  assert.deepEqual(
    [body.total, body.total_pages, body.data.map((row: { request: { q: string } }) => row.request.q)],
    [3, 2, ['2', '1']],
  )
  const { id } = body.data[0]
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/download'],
  ] as const)
    assert.equal((await other.call(method, `/api/contact_exports/${id}${path}`)).status, 404)
  assert.equal((await other.call('GET', '/api/contact_exports')).body.total, 0)
})

test('an account has so many exports waiting and no more', async (t) => {
  const made = await testApp(t)
  const other = await made.another()
  for (let n = 0; n < 20; n++) assert.equal((await made.post('/api/contact_exports', {})).status, 201)

  const refused = await made.post('/api/contact_exports', {})

  assert.equal(refused.status, 422)
  assert.match(refused.body.errors.base[0], /^There are 20 exports that wait to be written: wait for them/)
  assert.equal((await other.call('POST', '/api/contact_exports', {})).status, 201)
  const { id } = (await made.get('/api/contact_exports')).body.data[0]
  await made.del(`/api/contact_exports/${id}`)
  assert.equal((await made.post('/api/contact_exports', {})).status, 201)
})

test('an export whose field is removed before it is written says so', async (t) => {
  const made = await withPeople(t)
  await made.post('/api/contact_exports', { criteria: { first_name: 'Ann' } })
  await made.db.query(
    sql`update fields set removed_at = now() where account_id = ${made.accountId} and merge_tag = 'first_name'`,
  )

  await made.runJobs()

  const [failed] = (await made.get('/api/contact_exports')).body.data
  assert.deepEqual([failed.status, failed.phase, failed.url], ['finished', 'failed', null])
  assert.match(failed.error, /^criteria\.first_name is not a/)
  assert.equal((await made.get(`/api/contact_exports/${failed.id}/download`)).status, 409)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { exported, withPeople } from '../../test/exported.ts'

test('a link needs no token, takes ranges, and is made for one export alone', async (t) => {
  const made = await withPeople(t)
  const { url, text, id } = await exported(made, { format: 'csv' })
  const path = new URL(url).pathname
  const get = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET', at = path) =>
    made.app.inject({ method, url: at, headers })

  const whole = await get()
  assert.equal(whole.statusCode, 200)
  assert.equal(whole.headers['content-disposition'], `attachment; filename="contacts-${id}.csv"`)
  assert.equal(whole.headers['accept-ranges'], 'bytes')
  const size = Buffer.byteLength(text)
  assert.equal(whole.headers['content-length'], String(size))
  const head = await get({}, 'HEAD')
  assert.deepEqual([head.statusCode, head.headers['content-length'], head.payload], [200, String(size), ''])
  const etag = String(whole.headers.etag)
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 0],
    ['bytes=5-', 5, size - 1],
    ['bytes=-7', size - 7, size - 1],
    [`bytes=3-${size + 100}`, 3, size - 1],
    [`bytes=-${size + 100}`, 0, size - 1],
  ] as const) {
    const part = await get({ range, 'if-range': etag })
    assert.equal(part.statusCode, 206, range)
    assert.equal(part.headers['content-range'], `bytes ${start}-${end}/${size}`)
    assert.deepEqual(part.rawPayload, whole.rawPayload.subarray(start, end + 1))
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    const beyond = await get({ range })
    assert.deepEqual([beyond.statusCode, beyond.headers['content-range']], [416, `bytes */${size}`])
  }
  for (const headers of [
    { range: 'bytes=0-1,3-4' },
    { range: 'lines=1-2' },
    { range: 'bytes=5-2' },
    { range: 'bytes=-' },
    { range: 'bytes=0-0', 'if-range': '"another"' },
    { range: 'bytes=0-0', 'if-range': 'Wed, 21 Oct 2015 07:28:00 GMT' },
  ])
    assert.equal((await get(headers as Record<string, string>)).statusCode, 200, JSON.stringify(headers))

  const other = await exported(made, { format: 'csv', fields: ['email'] })
  const link = path.split('/')[2]!
  for (const wrong of [
    link.replace(`-${id}-`, `-${other.id}-`),
    link.replace(/^\d+/, '2'),
    link.replace(/-(\d{10})-/, (_all, seconds) => `-${Number(seconds) + 1}-`),
    `${link.slice(0, -1)}${link.endsWith('0') ? '1' : '0'}`,
    link.toUpperCase(),
    '1-1-1-1-1',
    'x',
  ])
    assert.equal((await get({}, 'GET', `/download/${wrong}/contacts.csv`)).statusCode, 404, wrong)
})

test('links begin with PUBLIC_URL where there is one', async (t) => {
  const made = await testApp(t, { PUBLIC_URL: 'https://people.example.com/rollcall/' })
  const { id } = (await made.post('/api/contact_exports', {})).body
  await made.runJobs()
  const { url } = (await made.get(`/api/contact_exports/${id}`)).body
  assert.ok(url.startsWith('https://people.example.com/rollcall/download/'), url)
})

test('a link that has expired says so', async (t) => {
  const made = await withPeople(t)
  const { url, id } = await exported(made, { format: 'csv' })
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 25 * 3_600_000 })
  const late = await made.app.inject({ url: new URL(url).pathname })
  assert.deepEqual([late.statusCode, late.json()], [404, { error: 'This link has expired: ask for the export again' }])
  assert.equal((await made.get(`/api/contact_exports/${id}`)).body.url, null)
})

test('only so many exports are streamed at once, and a client that leaves makes room', async (t) => {
  const made = await withPeople(t)
  await made.db.query(sql`
    update contacts set fields = jsonb_build_object('born', repeat('x', 20000000)) where account_id = ${made.accountId}`)
  const base = await made.app.listen({ port: 0, host: '127.0.0.1' })
  const { id } = (await made.post('/api/contact_exports', { format: 'csv' })).body
  const url = `${base}/api/contact_exports/${id}/download`
  const headers = { 'api-token': made.token, connection: 'close' }
  const leave = new AbortController()
  const open = await Promise.all(Array.from({ length: 4 }, () => fetch(url, { headers, signal: leave.signal })))
  assert.deepEqual(
    open.map((response) => response.status),
    [200, 200, 200, 200],
  )
  const fifth = await fetch(url, { headers })
  assert.equal(fifth.status, 503)
  await fifth.text()

  leave.abort()

  for (const end = Date.now() + 60_000; ; ) {
    const response = await fetch(url, { headers })
    await response.text()
    if (response.status === 200) break
    assert.ok(Date.now() < end, 'there is room again')
  }
})

test('a few contacts are streamed before the export is finished, and afterwards from its file', async (t) => {
  const made = await withPeople(t)
  const { id } = (await made.post('/api/contact_exports', { format: 'csv', fields: ['email', 'first_name'] })).body
  const expected = `email,first_name\nann@example.com,Ann\nbob@example.com,'=1+1\ncleo@example.com,Клео\n`

  const early = await made.get(`/api/contact_exports/${id}/download`)
  assert.deepEqual([early.status, early.body], [200, expected])
  assert.equal(early.headers['content-disposition'], `attachment; filename="contacts-${id}.csv"`)
  await made.runJobs()
  const late = await made.get(`/api/contact_exports/${id}/download`)
  assert.deepEqual([late.status, late.body], [200, expected])

  await made.db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${made.accountId}, n || '@example.org', 'none', 'api' from generate_series(1, 10000) as n`)
  const large = (await made.post('/api/contact_exports', { format: 'csv', fields: ['email'] })).body
  const refused = await made.get(`/api/contact_exports/${large.id}/download`)
  assert.equal(refused.status, 409)
  assert.match(refused.body.errors, /^there are 10003 contacts, of which at most 10000 are streamed: wait until/)
})

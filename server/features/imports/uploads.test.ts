import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeXlsx } from 'hucre/xlsx'
import { type Answer, testApp } from '../../test/app.ts'
import { countsOf, filesIn, form, person, run, took, upload } from '../../test/imports.ts'

test('what is wrong with the options is a 422 at once that names each, and the file is gone again', async (t) => {
  const made = await testApp(t)
  const file = 'email,plan,note\na@example.com,x,y\n'
  const cases: [Record<string, string | string[]>, string, RegExp][] = [
    [{ nonsense: '1' }, 'nonsense', /is not an option/],
    [{ update_existing: 'perhaps' }, 'update_existing', /true or false/],
    [{ list_id: '777' }, 'list_id', /not found: 777/],
    [{ list_id: 'x' }, 'list_ids.0', /integer/],
    [{ tags: 'x'.repeat(81) }, 'tags', /too long/],
    [{ field_mapping: '{"plan":"note2","note":"NOTE2"}' }, 'field_mapping', /(plan and note|note and plan) both go to/],
    [{ field_mapping: '{"gone":"plan"}' }, 'field_mapping', /gone: not a column of the file/],
    [{ field_mapping: 'plan' }, 'field_mapping', /object/],
    [{ 'value_mapping[gone][a]': 'b' }, 'value_mapping', /not columns of the file: gone/],
    [{ 'rules[note]': 'shout' }, 'rules.note.0', /not included in the list: trim, full_name, address, first_address/],
    [{ state: 'active' }, 'state', /not included in the list: none, pending, subscribed/],
    [{ consent: '{"obtained_at":"soon"}' }, 'consent.obtained_at', /is not a date/],
    [{ recipe_id: '99' }, 'recipe_id', /./],
    [{ encoding: 'klingon' }, 'file', /./],
    [{ format: 'xlsx' }, 'file', /./],
  ]

  for (const [parts, place, message] of cases) {
    const answer = await upload(made, file, parts)
    assert.equal(answer.status, 422, JSON.stringify([parts, answer.body]))
    assert.match(JSON.stringify(answer.body.errors[place]), message, JSON.stringify([parts, answer.body]))
    assert.deepEqual(filesIn(made), [], JSON.stringify(parts))
  }
  for (const nothing of [null, '', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 255, 254, 0, 1])]) {
    const answer = await upload(made, nothing)
    assert.deepEqual([answer.status, Object.keys(answer.body.errors)], [422, ['file']])
  }
  assert.equal(
    (await upload(made, file, { 'field_mapping[plan]': 'tags', 'field_mapping[note]': 'tags', dry_run: 'true' }))
      .status,
    201,
    'several columns may hold tags',
  )
  assert.equal(filesIn(made).length, 1)
  const bare = await made.call('POST', '/api/contact_imports', file, { 'content-type': 'text/csv' })
  assert.equal(bare.status, 400)
  assert.match(bare.body.errors, /Send a form .* with the file as its part `file`/)
})

test('what stands beside the file is bounded part by part and in all', async (t) => {
  const made = await testApp(t)
  const long = 'x'.repeat(1_048_576)
  const refusal = async (tags: string[]) =>
    (await upload(made, 'email\na@example.com\n', { 'tags[]': tags })).body.errors

  assert.match((await refusal([`${long}x`]))['tags[]'][0], /is too long/)
  assert.deepEqual(await refusal([long, long, long, long, 'x']), {
    base: ['says too much beside the file (maximum is 4194304 characters in all)'],
  })
  assert.deepEqual(filesIn(made), [])
})

test('NULs and halves of pairs reject their row wherever they stand, and break nothing', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_fields', { name: 'Plan', type: 'select', options: ['Pro'] })
  const emoji = `${'x'.repeat(254)}😀`
  const rows = [
    'a@example.com,Pro,ok',
    'b@example.com,P\0ro,x',
    'c@example.com,Pro,x\0y',
    'd\0@example.com,Pro,x',
    `e@example.com,${emoji},x`,
    'f@example.com,Pro,"\0"',
  ]

  const done = await took(made, `email,plan,n\0ote\n${rows.join('\n')}\n`)

  assert.deepEqual(
    [done.phase, countsOf(done)],
    ['finished', { rows_read: 6, created: 1, rejected: 5 }],
    JSON.stringify(done),
  )
  const errors = (await made.get(`/api/contact_imports/${done.id}/errors`)).body
  assert.equal(errors.trimEnd().split('\r\n').length, 6)
  assert.ok(!errors.includes('\0'))
})

test('a connection that is cut in the middle of an upload leaves no file and no import', async (t) => {
  const made = await testApp(t)
  const { port } = new URL(await made.app.listen({ port: 0, host: '127.0.0.1' }))
  const { body, headers } = form(`email\n${'somebody@example.com\n'.repeat(20_000)}`)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `POST /api/contact_imports HTTP/1.1\r\nhost: x\r\napi-token: ${made.token}\r\ncontent-length: ${body.length}\r\ncontent-type: ${headers['content-type']}\r\n\r\n`,
  )
  socket.write(body.subarray(0, body.length / 2))
  while (filesIn(made).length === 0) await sleep(20)

  socket.destroy()

  for (let tries = 0; filesIn(made).length > 0; tries++) {
    assert.ok(tries < 3000, `left after a minute: ${filesIn(made)}`)
    await sleep(20)
  }
  assert.equal((await made.get('/api/contact_imports')).body.total, 0)
})

test('the same upload with the same key is answered once, and only the first file is kept', async (t) => {
  const made = await testApp(t)
  const { body, headers } = form('email\na@example.com\n')
  const send = (payload = body) =>
    made.call('POST', '/api/contact_imports', payload, { ...headers, 'idempotency-key': 'k1' })

  const first = await send()
  const again = await send()
  const other = await send(form('email\nb@example.com\n').body)

  assert.deepEqual([first.status, again.status, other.status], [201, 201, 422])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  assert.deepEqual(again.body, first.body)
  assert.deepEqual([filesIn(made).length, (await made.get('/api/contact_imports')).body.total], [1, 1])
  assert.deepEqual(countsOf(await run(made, first.body.id)), { rows_read: 1, created: 1 })
  assert.deepEqual(filesIn(made), [])
})

test('imports answer under every spelling, to their own account alone, with people paged and as CSV, and mended rows come again', async (t) => {
  const made = await testApp(t)
  const stranger = await made.another()
  const rows = Array.from({ length: 5 }, (_, n) => `p${n}@example.com,N${n}`)

  const done = await took(made, `email,first_name\n${rows.join('\n')}\nbroken,"=1+1, ""x"""\n`)

  const prefix = `/api/accounts/${made.accountId}`
  for (const path of ['/contact_imports', '/contacts/imports'].flatMap((each) => [`/api${each}`, `${prefix}${each}`])) {
    assert.equal((await made.get(`${path}/${done.id}`)).body.id, done.id, path)
    assert.equal((await made.get(path)).body.total, 1, path)
  }
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/errors'],
    ['GET', '/contacts'],
    ['GET', '/progress'],
    ['POST', '/apply'],
    ['POST', '/cancel'],
  ]) {
    assert.equal((await stranger.call(method!, `/api/contact_imports/${done.id}${path}`)).status, 404, path)
  }
  assert.equal((await stranger.call('GET', '/api/contact_imports')).body.total, 0)
  assert.equal((await made.get('/api/contact_imports/999')).status, 404)

  const seen: { email: string; id: string; action: string }[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answer['body'] = (
      await made.get(`/api/contact_imports/${done.id}/contacts?per_page=2${cursor && `&cursor=${cursor}`}`)
    ).body
    seen.push(...page.data)
    cursor = page.next_cursor
  }
  assert.deepEqual(
    seen.map(({ email, action }) => `${email} ${action}`),
    rows.map((row) => `${row.split(',')[0]} created`),
  )
  const csv = (await made.get(`/api/contact_imports/${done.id}/contacts?format=csv`)).body.trimEnd().split('\r\n')
  assert.deepEqual([csv[0], csv[1], csv.length], ['email,id,action,line', `p0@example.com,${seen[0]!.id},created,2`, 6])

  const errors: string = (await made.get(`/api/contact_imports/${done.id}/errors`)).body
  const mended = await took(made, errors.replace('broken', 'mended@example.com'))
  assert.deepEqual(countsOf(mended), { rows_read: 1, created: 1 }, JSON.stringify(mended.errors))
  assert.deepEqual((await person(made, 'mended@example.com')).fields, { first_name: '=1+1, "x"' })
})

test('progress is told over a connection until the import ends, and is not asked for once the listener has left', async (t) => {
  const made = await testApp(t)
  const base = await made.app.listen({ port: 0, host: '127.0.0.1' })
  const { id } = (await upload(made, 'email\na@example.com\n')).body
  const follow = (signal?: AbortSignal) =>
    fetch(`${base}/api/contact_imports/${id}/progress`, {
      headers: { 'api-token': made.token },
      ...(signal && { signal }),
    })

  const leaving = new AbortController()
  const left = await follow(leaving.signal)
  await left.body!.getReader().read()
  leaving.abort()
  const response = await follow()
  const text = response.text()
  await sleep(600)
  await run(made, id)

  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const told = (await text)
    .split('\n\n')
    .filter((event) => event.startsWith('event: progress'))
    .map((event) => JSON.parse(event.split('data: ')[1]!))
  assert.equal(told[0].phase, 'queued')
  assert.deepEqual([told.at(-1).phase, told.at(-1).created_contacts_count], ['finished', 1])
  for (let tries = 0; (await connections(made.app.server)) > 1; tries++) {
    assert.ok(tries < 1200, 'the listener who left is still served')
    await sleep(50)
  }
})

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

test('a workbook whose first sheet has no addresses is refused, and the answer names the other sheets', async (t) => {
  const made = await testApp(t)
  const book = await writeXlsx({
    sheets: [
      { name: 'Read me', rows: [['These are our customers'], ['See the next sheet']] },
      { name: 'Customers', rows: [['email'], ['ann@example.com']] },
    ],
  })
  const file = Buffer.from(book)

  const refused = await upload(made, file, {}, 'customers.xlsx')
  const done = await took(made, file, { sheet: 'customers' }, 'customers.xlsx')

  assert.equal(refused.status, 422)
  assert.match(refused.body.errors.file[0], /Only the sheet Read me was read.*`sheet`.*Customers/)
  assert.deepEqual(countsOf(done), { rows_read: 1, created: 1 })
})

import assert from 'node:assert/strict'
import { createReadStream, openAsBlob, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { temporaryHome } from '../../server/test/app.ts'
import { ImportFailedError, type ImportFile, InvalidError, RollcallError, rollcall } from '../src/rollcall.ts'
import { between, giveBack, passOn, withClient } from './live.ts'

const CSV = 'Email Address,First\nann@example.com,Ann\nbob@example.com,"Böb\n""B"""\n'

test('a file is imported in whatever form a program has it', async (t) => {
  const made = await withClient(t)
  const path = join(temporaryHome(t), 'people.csv')
  writeFileSync(path, CSV)
  const bytes = new TextEncoder().encode(CSV)
  const forms: [string, () => ImportFile | Promise<ImportFile>][] = [
    ['text', () => CSV],
    ['bytes', () => bytes],
    ['a blob', () => new Blob([CSV])],
    ['a file that is opened', () => openAsBlob(path)],
    ["Node's stream of a file", () => createReadStream(path, { highWaterMark: 7 })],
    ["the web's stream", () => new Blob([CSV]).stream()],
    [
      'pieces as they are made',
      async function* () {
        for (const sign of CSV) yield sign
      },
    ],
  ]
  for (const [name, form] of forms) {
    const tenant = await made.another(name)
    const client = rollcall({ url: made.origin, token: tenant.token })
    const { id: listId } = await client.lists.create({ name: 'Members' })

    const id = await client.importContacts(await form(), {
      list_id: listId,
      tags: ['new', 'of 2026'],
      field_mapping: { 'Email Address': 'email', First: 'first_name' },
      file_name: 'my "people".csv',
    })
    const done = await client.waitForImport(id)

    assert.deepEqual([done.phase, done.created_contacts_count, done.rejected_rows_count], ['finished', 2, 0], name)
    const bob = await client.contacts.get('bob@example.com')
    assert.deepEqual(
      [bob.fields, bob.tags, bob.list_ids],
      [{ first_name: 'Böb\n"B"' }, ['new', 'of 2026'], [listId]],
      name,
    )
  }
})

test('contacts mean the same as JSON, as a file because there are options, and as they are made one by one', async (t) => {
  const made = await withClient(t)
  const people = [
    { email: 'old@example.com', fields: { first_name: 'Newer', age: 41, vip: true, since: '2025-01-31' }, tags: ['a'] },
    { email: 'new@example.com', external_id: 'x1', fields: { zip: '0471' } },
  ]
  async function* oneByOne() {
    yield* people
  }
  const results: unknown[] = []
  for (const [source, options] of [
    [people, undefined],
    [people, { skip_invalid: true }],
    [oneByOne(), undefined],
  ] as const) {
    const client = rollcall({ url: made.origin, token: (await made.another()).token })
    await client.contacts.create({ email: 'old@example.com', fields: { first_name: 'Old', last_name: 'Er' } })

    const seen: string[] = []
    const id = await client.importContacts(source, options)
    const done = await client.waitForImport(id, { onProgress: ({ phase }) => seen.push(phase) })

    assert.equal(seen.at(-1), 'finished')
    const people = await Promise.all(['old@example.com', 'new@example.com'].map((email) => client.contacts.get(email)))
    const mapping: unknown[] = []
    for await (const row of client.importedContacts(id)) mapping.push([row.email, row.id, row.action])
    assert.deepEqual(mapping, [
      ['old@example.com', people[0]!.id, 'updated'],
      ['new@example.com', people[1]!.id, 'created'],
    ])
    results.push([
      done.created_contacts_count,
      done.updated_contacts_count,
      people.map(({ fields, tags, external_id }) => ({ fields, tags, external_id })),
    ])
  }
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
})

test('a stream is read as the service takes it, never ahead as a whole', async (t) => {
  let made = 0
  let largestLead = 0
  let taken = 0
  const size = 64 * 1024
  const url = await between(t, async (request, response) => {
    for await (const chunk of request) {
      taken += chunk.length
      largestLead = Math.max(largestLead, made * size - taken)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":1}')
  })
  async function* endless() {
    for (; made < 400; made++) yield new Uint8Array(size).fill(97)
  }

  await rollcall({ url, token: 't' }).imports.upload(endless())

  assert.ok(taken > 400 * size, `${taken} bytes came`)
  assert.ok(largestLead < 8 * 1024 * 1024, `${largestLead} bytes were on the way at once, of ${taken}`)
})

test('an upload that can be sent again is; a stream is not, and its source is told to stop', async (t) => {
  const made = await withClient(t)
  let asked = 0
  const url = await between(t, async (request, response) => {
    if (++asked === 1) return request.socket.destroy()
    await giveBack(await passOn(made.origin, request), response)
  })
  const client = rollcall({ url, token: made.token })

  const { id } = await client.imports.upload(CSV)
  assert.equal((await client.imports.wait(id)).created_contacts_count, 2)
  const before = asked

  let isStopped = false
  async function* pieces() {
    try {
      for (;;) yield new Uint8Array(1024)
    } finally {
      isStopped = true
    }
  }
  const cut = await between(t, (request) => request.once('data', () => request.socket.destroy()))
  await assert.rejects(rollcall({ url: cut, token: 't' }).imports.upload(pieces()), /can not be reached/)
  assert.equal(asked, before)
  for (let waited = 0; !isStopped && waited < 6000; waited++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(isStopped)
})

test('what is wrong with an import is told where it is found', async (t) => {
  const { client } = await withClient(t)

  await assert.rejects(client.imports.create([{ email: 'nobody' }]), (error) => {
    assert.ok(error instanceof InvalidError)
    assert.equal(error.contacts[0]?.email, 'nobody')
    assert.match(error.message, /^nobody: email: is invalid/)
    return true
  })
  await assert.rejects(client.imports.upload('', {}), InvalidError)
  const { id } = await client.imports.upload('email\nnobody\n', { skip_invalid: false })
  await assert.rejects(client.waitForImport(id), (error) => {
    assert.ok(error instanceof ImportFailedError)
    assert.equal(error.import.phase, 'failed')
    return true
  })
  assert.match(await (await client.imports.rejectedRows(id)).text(), /nobody/)
})

test('an import that waits for a word is answered as ready, then applied and taken back', async (t) => {
  const { client } = await withClient(t)

  const { id } = await client.imports.upload(CSV, { dry_run: true })
  const ready = await client.imports.wait(id)
  assert.deepEqual([ready.phase, (await client.contacts.list()).total], ['ready', 0])
  await client.imports.apply(id)
  assert.equal((await client.imports.wait(id)).created_contacts_count, 2)
  await client.imports.revert(id)
  for (;;) if ((await client.imports.wait(id)).phase === 'reverted') break
  assert.equal((await client.contacts.list()).total, 0)
  const all: number[] = []
  for await (const each of client.imports.all()) all.push(each.id)
  assert.deepEqual(all, [id])
})

test('an export is waited for, and its file is fetched without the token', async (t) => {
  const { client } = await withClient(t)
  await client.contacts.create({ email: 'a@example.com' })

  const { id } = await client.exports.create({ format: 'csv.gz' })
  const done = await client.exports.wait(id)

  const file = await fetch(done.url!)
  assert.match(gunzipSync(Buffer.from(await file.arrayBuffer())).toString(), /a@example\.com/)
  await client.exports.delete(id)
  await assert.rejects(client.exports.get(id), RollcallError)
})

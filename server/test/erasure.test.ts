import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import sql, { raw } from 'sql-template-tag'
import { Database } from '../db/database.ts'
import { replayJournal } from '../features/privacy/journal.ts'
import { openSealed } from '../lib/secret.ts'
import { dispatched, keyring, type TestApp, testApp } from './app.ts'
import { databaseCopy } from './database.ts'
import { columns, EMAIL, OLD_EMAIL, withEverything } from './everything.ts'
import { sent, took } from './imports.ts'
import { waitsForLocks } from './locks.ts'
import { until } from './until.ts'
import { sendAll } from './webhooks.ts'

/** Her addresses in every form in which they could stand somewhere; the names and values that only she had. */
const FORMS = [EMAIL, OLD_EMAIL].flatMap((email) => [
  email,
  encodeURIComponent(email),
  encodeURIComponent(encodeURIComponent(email)),
  email.replace('@', '\\u0040'),
  email.split('@')[0]!,
  ...[0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + email)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4)
      .slice(0, -4),
  ),
  Buffer.from(email).toString('hex'),
  Buffer.from(email, 'utf16le').toString('latin1'),
  hash('sha256', email),
])
const WORDS = [...FORMS, 'Lindqvist', 'crm-4711', 'Bergen harbour', 'very-personal']

/**
 * Tables that hold nobody, each with the reason: who adds one says here why an erasure may pass it over, or sees to it that
 * the erasure reaches it, and that `withEverything` puts her there.
 */
const HOLDS_NOBODY: Record<string, string> = {
  accounts: 'names of tenants',
  account_users: 'ids of people who work here, who are no contacts',
  api_tokens: 'names that callers give to tokens',
  audit_log: 'rows and numbers',
  erasures: 'a receipt: numbers; whom to look for is sealed, and gone in the end',
  feed: 'positions',
  feed_heads: 'positions',
  fields: 'what an account keeps of people, of nobody',
  forms: 'what an account asks of everyone',
  provider_events: 'halves of hashes of ids that a provider gave',
  provider_hooks: 'secrets and numbers',
  sign_ups: 'sealed, taken and gone within moments; who signs up is asked to confirm, as everyone is who was erased',
  smart_counts: 'numbers',
  smart_looks: 'moments',
  user_links: 'invitations of people who work here, who are no contacts',
  templates: 'what an account writes to everyone',
}

const textOf = (value: unknown) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value))

/** Every place of the database and of the file store in which any of these texts stands. */
async function placesOf({ db, filesAt, accountId }: TestApp, texts: readonly string[]): Promise<Set<string>> {
  const places = new Set<string>()
  const look = (place: string, content: string) => {
    const lower = content.toLowerCase()
    if (texts.some((text) => lower.includes(text.toLowerCase()))) places.add(place)
  }
  const kinds = ['text', 'character varying', 'jsonb', 'json', 'text[]', 'jsonb[]', 'name', 'bytea', 'inet']
  for (const { table, column } of await columns(db, kinds)) {
    for (const { value } of await db.query<{ value: unknown }>(
      sql`select case when pg_typeof(${raw(`"${column}"`)})::text = 'bytea' then null else ${raw(`"${column}"`)}::text end as value from ${raw(table)}`,
    ))
      if (value !== null) look(`${table}.${column}`, textOf(value))
  }
  for (const [table, column, purpose] of [
    ['idempotency_keys', 'answer', 'idempotency'],
    ['messages', 'content', 'mail'],
    ['erasures', 'pending', 'erasure'],
  ] as const) {
    const rows = await db.query<{ sealed: Buffer }>(
      sql`select ${raw(column)} as sealed from ${raw(table)} where account_id = ${accountId} and ${raw(column)} is not null`,
    )
    for (const { sealed } of rows) look(`${table}.${column}`, openSealed(keyring, purpose, sealed))
  }
  const root = join(filesAt.home, 'files')
  for (const name of readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
    const bytes = readFileSync(join(name.parentPath, name.name))
    const content = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    look(`file ${name.parentPath.slice(root.length)}`, `${name.name} ${content.toString('latin1')}`)
    look(`file ${name.parentPath.slice(root.length)}`, content.toString('utf8'))
  }
  return places
}

/** Beside what stands in every table for a contact: whatever else may name her. */
async function fillTheRest(made: TestApp, id: string): Promise<void> {
  const { post, db, accountId } = made
  const ok = async (answer: Promise<{ status: number; body: { id: number } }>) => {
    const { status, body } = await answer
    assert.ok(status < 300, JSON.stringify(body))
    return body.id
  }
  const list = await ok(post('/api/contact_lists', { name: 'Left' }))
  await ok(post('/api/contacts', { email: 'neighbour@example.com', fields: { first_name: 'Nils' } }))
  assert.equal((await post(`/api/contacts/${id}/unsubscribe`, { list_id: list })).status, 200)
  await ok(
    post('/api/contact_lists', {
      name: 'By address',
      criteria: { any: [{ field: 'email', op: 'eq', value: EMAIL }, { tag: 'z' }] },
    }),
  )
  await ok(post('/api/contact_lists', { name: 'May be mailed', criteria: { sendable: true } }))
  await ok(post('/api/webhooks', { url: 'https://example.com/x', criteria: { email: EMAIL.toUpperCase() } }))
  await ok(
    post('/api/import_recipes', {
      name: 'Hers',
      columns: ['email'],
      options: { value_mapping: { email: { her: EMAIL } } },
    }),
  )
  await ok(post('/api/contacts/bulk', { selection: { q: EMAIL }, action: { type: 'add_tags', tags: ['q'] } }))
  await ok(post('/api/contact_exports', { format: 'csv.gz' }))
  await ok(post('/api/contact_exports', { format: 'ndjson', criteria: { email: EMAIL } }))
  await made.runJobs()
  await took(made, `email,first_name,age\n${EMAIL},Mara,notanumber\nother@example.com,Ole,1\n`, {
    dry_run: 'true',
    'field_mapping[age]': 'level',
  })
  const waiting = await sent(
    made,
    `email,first_name\n${EMAIL},Mara Lindqvist\nother@example.com,Ole\n`,
    {},
    `${EMAIL}.csv`,
  )
  await db.query(sql`update change_sets set phase = 'failed' where account_id = ${accountId} and id = ${waiting.id}`)
  await dispatched(db)
  await sendAll(db)
  // Last of all, so that the outbox names them as well.
  assert.ok((await post('/api/suppressions', { entries: [hash('sha256', OLD_EMAIL)] })).status < 300)
  assert.ok((await post('/api/suppressions', { entries: [EMAIL] })).status < 300)
}

test('after an erasure nothing is left of a person, in any form, in any table or file', async (t) => {
  const { id, ...made } = await withEverything(t)
  const { db, del, get, accountId } = made
  await fillTheRest(made, id)
  const before = await placesOf(made, WORDS)
  const tables = new Set((await columns(db, ['bigint'], 'account_id')).map(({ table }) => table))
  const reached = new Set([...before].map((place) => place.split('.')[0]!))
  const aboutContacts = new Set(
    (await columns(db, ['uuid', 'uuid[]']))
      .filter(({ column }) => /^contact_ids?$/.test(column))
      .map(({ table }) => table),
  )
  for (const table of tables)
    assert.ok(
      reached.has(table) || aboutContacts.has(table) || table in HOLDS_NOBODY,
      `${table}: put her there in the test, and see that the erasure reaches it; or say in HOLDS_NOBODY why it holds nobody`,
    )
  for (const place of [
    'contacts.email',
    'lists.criteria',
    'webhooks.criteria',
    'exports.request',
    'change_sets.options',
    'idempotency_keys.answer',
    'messages.content',
  ])
    assert.ok(before.has(place), `${place} names her: ${[...before].join(', ')}`)
  assert.ok([...before].filter((place) => place.startsWith('file')).length >= 2, [...before].join(', '))

  const { status, body: receipt } = await del(`/api/contacts/${EMAIL}/gdpr_delete`)
  assert.equal(status, 200, JSON.stringify(receipt))
  await made.runJobs()
  await dispatched(db)
  await sendAll(db)

  assert.deepEqual([...(await placesOf(made, WORDS))], [])
  for (const table of aboutContacts) {
    const rows = await db.query(
      sql`select from ${raw(table)} as r where to_jsonb(r) ->> 'contact_id' = ${id} or to_jsonb(r) -> 'contact_ids' ? ${id}`,
    )
    const stays = { events: 1, deliveries: rows.length }[table] ?? 0
    assert.equal(rows.length, stays, table)
  }
  const done = (await get(`/api/erasures/${receipt.id}`)).body
  assert.equal(done.status, 'finished', JSON.stringify(done))
  for (const what of [
    'contacts',
    'events',
    'consents',
    'messages',
    'change_rows',
    'stored_exports',
    'uploads',
    'idempotency_keys',
    'suppressions',
  ])
    assert.ok(done.counts[what] > 0, `${what}: ${JSON.stringify(done.counts)}`)
  assert.deepEqual((await get('/api/erasures')).body.data, [done])
  const audit = await db.query(
    sql`select action, data from audit_log where account_id = ${accountId} order by id desc limit 1`,
  )
  assert.deepEqual(audit, [{ action: 'contact_erased', data: { erasure_id: receipt.id } }])
  assert.equal((await get(`/api/contacts/${EMAIL}`)).status, 404)
  assert.equal((await get('/api/contacts/neighbour@example.com')).status, 200)
})

test('the erased do not come back: by no creation, change of address, import or revert; and nobody else is kept out', async (t) => {
  const made = await testApp(t)
  const { post, patch, del, get } = made
  const one = (await took(made, 'email\nann@example.com\nbob@example.com\n')).id
  await post('/api/contacts', { email: 'cat@example.com' })
  assert.equal((await del('/api/contacts/ann@example.com/gdpr_delete')).status, 200)

  const suppressed = { errors: { email: ['is suppressed'] } }
  for (const answer of [
    await post('/api/contacts', { email: 'ANN@example.com' }),
    await patch('/api/contacts/cat@example.com', { email: 'ann@example.com' }),
    await patch('/api/contacts/ann@example.com', { email: 'ann@example.com' }),
  ])
    assert.deepEqual([answer.status, answer.body], [422, suppressed])
  const again = await took(made, 'email\nann@example.com\nbob@example.com\ndan@example.com\n', {
    update_existing: 'true',
  })
  assert.deepEqual(
    [again.suppressed_contacts_count, again.created_contacts_count, again.unchanged_contacts_count],
    [1, 1, 1],
  )
  assert.equal((await post(`/api/change_sets/${one}/revert`)).status, 200)
  await made.runJobs()
  assert.equal((await get('/api/contacts/ann@example.com')).status, 404)
  assert.deepEqual(
    (await get('/api/contacts?sort=email')).body.data.map(({ email }: { email: string }) => email),
    ['cat@example.com', 'dan@example.com'],
  )
  // An address that no contact has, and one that is unknown in every way, are erased as well; a contact that is not there is not.
  assert.equal((await del('/api/contacts/ann@example.com/gdpr_delete')).status, 200)
  assert.equal((await del('/api/contacts/who@example.com/gdpr_delete')).status, 200)
  assert.equal((await del('/api/contacts/0197f2c0-0000-7000-8000-000000000000/gdpr_delete')).status, 404)
})

test('erased at the very moment when the address is created, or imported, it is gone in the end', async (t) => {
  const made = await testApp(t)
  const { db, post, del, get, accountId } = made
  const held = async (work: () => Promise<void>) => {
    let running: Promise<void> | undefined
    await db.transaction(async (trx) => {
      // Whoever enters someone has to wait for this, with the address entered and not committed.
      await trx.query(sql`lock table outbox in exclusive mode`)
      running = work()
      await running
    })
  }
  // A creation that has entered the address waits to be told of; the erasure waits for the address.
  let created: Promise<{ status: number }> | undefined
  let erased: Promise<{ status: number }> | undefined
  await held(async () => {
    created = post('/api/contacts', { email: 'ann@example.com', fields: { first_name: 'Ann' } })
    await waitsForLocks(db, 1)
    erased = del('/api/contacts/ann@example.com/gdpr_delete')
    await waitsForLocks(db, 2)
  })
  assert.equal((await created!).status, 201)
  assert.equal((await erased!).status, 200)
  assert.equal((await get('/api/contacts/ann@example.com')).status, 404)

  // The other way round: an erasure that has written its mark waits; who enters the address waits for it, and is refused.
  await held(async () => {
    erased = del('/api/contacts/bob@example.com/gdpr_delete')
    await waitsForLocks(db, 1)
    created = post('/api/contacts', { email: 'bob@example.com' })
    await waitsForLocks(db, 2)
  })
  assert.equal((await erased!).status, 200)
  assert.equal((await created!).status, 422)

  // An import that has read its file, and waits with a row of hers: its rows go, and its numbers add up.
  const { id } = await took(made, 'email,state\ncat@example.com,\ndan@example.com,\n', { dry_run: 'true' })
  assert.equal((await del('/api/contacts/cat@example.com/gdpr_delete')).status, 200)
  assert.deepEqual(await db.query(sql`select key from import_rows where account_id = ${accountId}`), [
    { key: 'dan@example.com' },
  ])
  assert.equal((await post(`/api/contact_imports/${id}/apply`)).status, 200)
  await until(async () => {
    await made.runJobs()
    return (await get(`/api/contact_imports/${id}`)).body.phase !== 'validating'
  })
  const done = (await get(`/api/contact_imports/${id}`)).body
  assert.equal(done.rows_read, done.created_contacts_count + done.rejected_rows_count + done.suppressed_contacts_count)
  assert.equal((await get('/api/contacts/cat@example.com')).status, 404)
})

test('an older copy of the database that is put back brings nobody back who was erased since', async (t) => {
  const made = await testApp(t)
  const { post, del, db, accountId } = made
  for (const name of ['ann', 'bob', 'cat']) await post('/api/contacts', { email: `${name}@example.com` })
  await del('/api/contacts/cat@example.com/gdpr_delete')
  const copy = await databaseCopy(t, db)
  await del('/api/contacts/ann@example.com/gdpr_delete')
  await del('/api/contacts/never-there@example.com/gdpr_delete')

  const old = new Database({ url: copy, max: 4 })
  try {
    const left = () =>
      old.query<{ email: string }>(sql`select email from contacts where account_id = ${accountId} order by email`)
    assert.deepEqual(
      (await left()).map(({ email }) => email),
      ['ann@example.com', 'bob@example.com'],
    )
    assert.equal(await replayJournal(old, { files: made.files, keyring, queue: made.queue }), 2)
    assert.deepEqual(
      (await left()).map(({ email }) => email),
      ['bob@example.com'],
    )
    assert.equal(await replayJournal(old, { files: made.files, keyring, queue: made.queue }), 0)
    const marks = await old.query(
      sql`select reason from suppressions where account_id = ${accountId} and kind = 'hmac'`,
    )
    assert.deepEqual(marks, [{ reason: 'erased' }, { reason: 'erased' }, { reason: 'erased' }])
  } finally {
    await old.close()
  }
})

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import type { Database } from '../db/database.ts'
import { renewSamples } from '../features/privacy/samples.ts'
import { dispatched, type TestApp, testApp } from './app.ts'
import { columns, EMAIL, OLD_EMAIL, withEverything } from './everything.ts'
import { fill, formOf, signUp } from './forms.ts'
import { sent, took } from './imports.ts'
import { confirmationLink, press } from './permission.ts'
import { formsOf, placesOf } from './places.ts'
import { sendAll } from './webhooks.ts'

/** Of someone else, though hers stands in it. */
const NEIGHBOUR = `anna-${EMAIL}`
const WORDS = [...[EMAIL, OLD_EMAIL].flatMap(formsOf), ...['Lindqvist', 'crm-4711', 'Bergen harbour', 'very-personal']]

/**
 * Tables that hold nobody, each with the reason: who adds one says here why an erasure may pass it over, or sees to it that
 * the erasure reaches it, and that `withEverything` puts her there.
 */
const HOLDS_NOBODY: Record<string, string> = {
  'pgboss.bam': 'commands of the queue itself',
  'pgboss.instance': 'processes',
  'pgboss.job': 'ids alone, and of failures nothing that was quoted',
  'pgboss.job_dependency': 'ids of jobs',
  'pgboss.queue': 'names of queues',
  'pgboss.queue_stats': 'numbers',
  'pgboss.schedule': 'nothing is scheduled there',
  'pgboss.subscription': 'nothing is published there',
  'pgboss.version': 'a number',
  'pgboss.warning': 'names of queues and numbers',
  accounts: 'names of tenants',
  account_users: 'ids of people who work here, who are no contacts',
  api_tokens: 'names that callers give to tokens',
  audit_log: 'rows and numbers',
  erasures: 'a receipt: numbers; whom to look for is sealed, and gone in the end',
  feed: 'positions',
  feed_heads: 'positions',
  form_counts: 'numbers',
  forms: 'what an account asks everyone',
  fields: 'what an account keeps of people, of nobody',
  happened_until: 'ids of events',
  provider_events: 'halves of hashes of ids that a provider gave',
  provider_hooks: 'secrets and numbers',
  restored_jobs: 'ids, between a restore and the start after it',
  smart_counts: 'numbers',
  smart_looks: 'moments',
  migrations: 'names of files',
  sessions: 'of people who work here, who are no contacts',
  word_journals: 'ids of files, in which no erased person stands',
  users: 'people who work here, who are no contacts',
  user_links: 'invitations of people who work here, who are no contacts',
  templates: 'what an account writes to everyone',
}

/** Tables that are neither reached, nor about contacts, nor known to hold nobody. */
async function unaccounted(
  db: Database,
  reached: ReadonlySet<string>,
  aboutContacts: ReadonlySet<string>,
): Promise<string[]> {
  const tables = await db.query<{ name: string }>(sql`
    select c.oid::regclass::text as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition
    order by 1`)
  return tables
    .map(({ name }) => name)
    .filter((name) => !reached.has(name) && !aboutContacts.has(name) && !(name in HOLDS_NOBODY))
}

/** Beside what stands in every table for a contact: whatever else may name her. */
async function fillTheRest(made: TestApp, id: string): Promise<void> {
  const { post, patch, call, db, accountId } = made
  const ok = async (answer: Promise<{ status: number; body: { id: number } }>) => {
    const { status, body } = await answer
    assert.ok(status < 300, JSON.stringify(body))
    return body.id
  }
  const list = await ok(post('/api/contact_lists', { name: 'Left' }))
  await ok(post('/api/contacts', { email: NEIGHBOUR, fields: { first_name: 'Nils' } }))
  assert.equal((await post(`/api/contacts/${id}/unsubscribe`, { list_id: list })).status, 200)
  await ok(
    post('/api/contact_lists', {
      name: 'By address',
      criteria: { any: [{ field: 'email', op: 'in', value: [EMAIL, NEIGHBOUR] }, { tag: 'z' }] },
      description: `For ${NEIGHBOUR}, not for\n${EMAIL}`,
    }),
  )
  await ok(call('POST', '/api/contacts', { email: 'ole@example.com' }, { 'idempotency-key': `entered-by-${EMAIL}` }))
  await call('DELETE', '/api/contacts/nobody@example.com', undefined, { 'idempotency-key': `gone-${id.toUpperCase()}` })
  await ok(post('/api/contact_lists', { name: 'May be mailed', criteria: { sendable: true } }))
  await ok(post('/api/webhooks', { url: 'https://example.com/x', criteria: { email: EMAIL.toUpperCase() } }))
  await ok(
    post('/api/import_recipes', {
      name: 'Hers',
      columns: ['email'],
      options: { value_mapping: { email: { her: EMAIL } } },
    }),
  )
  await ok(post('/api/views', { name: `As ${EMAIL}`, q: EMAIL, criteria: { email: EMAIL } }))
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
  // Which nobody takes before she is erased, and which would bring her back.
  assert.equal((await fill(made, await formOf(made), { email: EMAIL.toUpperCase() })).status, 200)
  // Last of all, so that the outbox has her acts as well, and the samples the rows.
  assert.equal((await patch(`/api/contacts/${id}`, { fields: { place: 'Bergen harbour 3' } })).status, 200)
  assert.ok((await post('/api/suppressions', { entries: [hash('sha256', OLD_EMAIL)] })).status < 300)
  assert.ok((await post('/api/suppressions', { entries: [EMAIL] })).status < 300)
  await db.query(sql`analyze`)
}

test('after an erasure nothing is left of a person, in any form, in any table or file', async (t) => {
  const { id, ...made } = await withEverything(t)
  const { db, del, get, accountId } = made
  await fillTheRest(made, id)
  const before = await placesOf(made, WORDS)
  const reached = new Set([...before].map((place) => place.split('.')[0]!))
  const aboutContacts = new Set(
    (await columns(db, ['uuid', 'uuid[]']))
      .filter(({ column }) => /^contact_ids?$/.test(column))
      .map(({ table }) => table),
  )
  assert.deepEqual(
    await unaccounted(db, reached, aboutContacts),
    [],
    'put her there in the test, and see that the erasure reaches it; or say in HOLDS_NOBODY why it holds nobody',
  )
  for (const place of [
    'contacts.email',
    'lists.criteria',
    'webhooks.criteria',
    'exports.request',
    'change_sets.options',
    'idempotency_keys.answer',
    'idempotency_keys.key',
    'messages.content',
    'outbox.details',
    'sign_ups.content',
    'samples of contacts',
  ])
    assert.ok(before.has(place), `${place} names her: ${[...before].join(', ')}`)
  assert.ok([...before].filter((place) => place.startsWith('file')).length >= 2, [...before].join(', '))

  const { status, body: receipt } = await del(`/api/contacts/${EMAIL}/gdpr_delete`)
  assert.equal(status, 200, JSON.stringify(receipt))
  await made.runJobs()
  await dispatched(db)
  await sendAll(db)
  // Nobody else is harmed whose address only looks like hers.
  assert.equal((await get(`/api/contacts/${NEIGHBOUR}`)).status, 200)
  const [byAddress] = (await get('/api/contact_lists')).body.filter(
    ({ name }: { name: string }) => name === 'By address',
  )
  const { criteria, description } = (await get(`/api/contact_lists/${byAddress.id}`)).body
  assert.deepEqual(criteria.any[0].value, ['erased@erased.invalid', NEIGHBOUR])
  assert.equal(description, `For ${NEIGHBOUR}, not for\nerased@erased.invalid`)
  // Hers stands in that one, so it goes as well.
  assert.equal((await del(`/api/contacts/${NEIGHBOUR}/gdpr_delete`)).status, 200)
  await made.runJobs()
  await dispatched(db)
  await sendAll(db)
  await renewSamples(db)
  assert.deepEqual([...(await placesOf(made, WORDS))], [])
  for (const table of aboutContacts) {
    const rows = await db.query(
      sql`select from ${raw(table)} as r where to_jsonb(r) ->> 'contact_id' = ${id} or to_jsonb(r) -> 'contact_ids' ? ${id}`,
    )
    const stays = { events: 1, deliveries: rows.length }[table] ?? 0
    assert.equal(rows.length, stays, table)
  }
  const keys = await db.query(sql`select key from idempotency_keys where lower(key) like ${`%${id}%`}`)
  assert.deepEqual(keys, [])
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
  assert.deepEqual((await get('/api/erasures')).body.data[1], done)
  const audit = await db.query(
    sql`select action, data from audit_log where account_id = ${accountId} order by id desc limit 1 offset 1`,
  )
  assert.deepEqual(audit, [{ action: 'contact_erased', data: { erasure_id: receipt.id } }])
  assert.equal((await get(`/api/contacts/${EMAIL}`)).status, 404)
})

test('a table that is added without a word is found, whatever it is and whatever its columns are', async (t) => {
  const { db } = await testApp(t)
  const known = new Set(await unaccounted(db, new Set(), new Set()))
  await db.query(sql`create table letters (said text)`)
  await db.query(sql`create materialized view figures as select 1 as n`)

  const found = await unaccounted(db, known, new Set())
  assert.deepEqual(found, ['figures', 'letters'])
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

test('who comes back as a form lets them, and confirms, is as anyone again; until then nothing but that brings them back', async (t) => {
  const made = await testApp(t)
  const { post, patch, del, get } = made
  await post('/api/contacts', { email: 'ann@example.com' })
  await del('/api/contacts/ann@example.com/gdpr_delete')
  await signUp(made, await formOf(made, { double_opt_in: false }), { email: 'ann@example.com' })
  assert.equal((await get('/api/contacts/ann@example.com')).body.data.sendable.allowed, false)
  await took(made, 'email,state\nann@example.com,subscribed\n', { update_existing: 'true' })
  await patch('/api/contacts/ann@example.com', { unsubscribed: false })
  assert.equal((await get('/api/contacts/ann@example.com')).body.data.state, 'pending')

  assert.equal((await press(made, await confirmationLink(made, 'ann@example.com'))).status, 200)
  assert.equal((await get('/api/contacts/ann@example.com')).body.data.sendable.allowed, true)
  assert.equal((await del('/api/contacts/ann@example.com')).status, 204)
  assert.equal(
    (await post('/api/contacts', { email: 'ann@example.com' })).status,
    201,
    'nothing of the erasure is left',
  )
})

import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import sql from 'sql-template-tag'
import { Value } from 'typebox/value'
import yauzl from 'yauzl'
import { caller, testApp } from '../../test/app.ts'
import { EMAIL, withEverything } from '../../test/everything.ts'
import { PersonDocument } from './schemas.ts'

async function filesIn(zip: Buffer): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const archive = await yauzl.fromBufferPromise(zip)
  for await (const entry of archive.eachEntry()) {
    found.set(entry.fileName, await text(await archive.openReadStreamPromise(entry)))
  }
  return found
}

test('everything held of a person is in one document, and as files', async (t) => {
  const { id, ...made } = await withEverything(t)
  const answer = await made.get(`/api/contacts/${EMAIL}/export`)
  const person = answer.body

  assert.equal(answer.status, 200)
  assert.deepEqual([...Value.Errors(PersonDocument, person)], [], 'as the document of the API says')
  assert.equal(person.contact.email, EMAIL)
  assert.ok(person.fields.some(({ merge_tag }: { merge_tag: string }) => merge_tag === 'place'))
  const count = async (table: string) => {
    const tables: Record<string, ReturnType<typeof sql>> = {
      events: sql`events`,
      consents: sql`consents`,
      mails: sql`messages`,
      changes: sql`change_rows`,
    }
    const [row] = await made.db.query<{ count: number }>(
      sql`select count(*) as count from ${tables[table]!} where contact_id = ${id}::uuid`,
    )
    return row!.count
  }
  for (const section of ['events', 'consents', 'mails', 'changes']) {
    assert.ok(person[section].length > 0, section)
    assert.equal(person[section].length, await count(section), section)
  }
  assert.equal(person.mails[0].to, EMAIL)
  assert.ok(person.changes.some((row: { file_name: string }) => row.file_name === 'members.csv'))
  assert.ok(person.changes.some((row: { after: object }) => JSON.stringify(row.after).includes('Bergen harbour 2')))
  assert.ok(person.recipients.some(({ url }: { url: string }) => url.endsWith('/echo')))
  assert.ok(person.suppressions.some(({ reason }: { reason: string }) => reason === 'complaint'))
  assert.ok(
    person.lists.some(({ since }: { since: string | null }) => since !== null),
    'the lists of now',
  )
  assert.ok(
    person.lists.some((list: { left_at: string | null }) => list.left_at !== null),
    'and of before',
  )

  const zipped = await made.app.inject({
    url: `/api/contacts/${id}/export?format=zip`,
    headers: { 'api-token': made.token },
  })
  const files = await filesIn(zipped.rawPayload)
  assert.deepEqual(
    [...files.keys()].sort(),
    [
      'index.html',
      'person.json',
      ...Object.keys(person)
        .filter((key) => Array.isArray(person[key]) && key !== 'fields')
        .map((key) => `${key}.csv`),
    ].sort(),
  )
  const { exported_at, ...rest } = JSON.parse(files.get('person.json')!)
  assert.deepEqual({ exported_at: person.exported_at, ...rest }, person)
  for (const section of ['events', 'consents', 'mails', 'changes', 'lists'])
    assert.equal(parse(files.get(`${section}.csv`)!, { columns: true }).length, person[section].length, section)
})

test('of many events none is missing or told twice, and a page shows hostile values as text', async (t) => {
  const { post, get, db, accountId, app, token } = await testApp(t)
  const { id } = (
    await post('/api/contacts', {
      email: 'ann@example.com',
      fields: { first_name: '<script>alert(1)</script>', last_name: '=HYPERLINK("x")' },
    })
  ).body.data
  await db.query(sql`
    insert into events (account_id, contact_id, type, types, name, data)
    select ${accountId}::bigint, ${id}::uuid, 'custom', '{custom}', 'seen', jsonb_build_object('params', jsonb_build_object('n', n)) from generate_series(1, 2500) as n`)
  await db.query(sql`
    insert into consents (account_id, contact_id, action, grade, source, actor, data)
    values (${accountId}, ${id}, 'granted', 'observed', 'form', 'person', '{"wording": "<img src=x onerror=alert(1)>"}')`)

  const { events } = (await get(`/api/contacts/${id}/export`)).body
  assert.equal(new Set(events.map((event: { id: string }) => event.id)).size, 2501)
  const zip = await app.inject({ url: `/api/contacts/${id}/export?format=zip`, headers: { 'api-token': token } })
  const files = await filesIn(zip.rawPayload)
  const proof = await app.inject({ url: `/api/contacts/${id}/consents.html`, headers: { 'api-token': token } })
  for (const html of [files.get('index.html')!, proof.body]) {
    assert.match(html, /&lt;(script|img)/)
    assert.doesNotMatch(html, /<(script|img)/)
  }
  assert.match(String(proof.headers['content-security-policy']), /default-src 'none'/)
  assert.equal((await caller(app, undefined)('GET', `/api/contacts/${id}/export`)).status, 401)
  assert.equal((await get('/api/contacts/nobody@example.com/export')).status, 404)
})

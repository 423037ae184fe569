import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { Database } from '../db/database.ts'
import { replayJournal } from '../features/privacy/journal.ts'
import { Refusal } from '../lib/refusal.ts'
import { parseKeyring } from '../lib/secret.ts'
import { keyring, type TestApp, testApp } from './app.ts'
import { atEnd, databaseCopy } from './database.ts'
import { SECRET } from './jobs.ts'
import { waitsForLocks } from './locks.ts'
import { freePort, rollcall } from './program.ts'
import { until } from './until.ts'

const folder = ({ filesAt, accountId }: TestApp) => join(filesAt.home, 'files', String(accountId), 'erasures')

/** A copy of the database as it is now, opened. */
async function putAside(t: TestContext, { db }: TestApp): Promise<Database> {
  const copy = new Database({ url: await databaseCopy(t, db), max: 4 })
  atEnd(t, () => copy.close())
  return copy
}

const emailsIn = async (db: Database, accountId: number): Promise<string[]> =>
  (
    await db.query<{ email: string }>(sql`select email from contacts where account_id = ${accountId} order by email`)
  ).map(({ email }) => email)

test('an older copy of the database that is put back brings nobody back who was erased since', async (t) => {
  const made = await testApp(t)
  const { post, patch, del, accountId, files, queue } = made
  for (const name of ['ann', 'bob', 'cat', 'dan']) await post('/api/contacts', { email: `${name}@example.com` })
  await del('/api/contacts/cat@example.com/gdpr_delete')
  await patch('/api/contacts/dan@example.com', { email: 'dan.two@example.com' })
  const old = await putAside(t, made)
  // Under another address than the copy knows.
  await patch('/api/contacts/dan.two@example.com', { email: 'dan.three@example.com' })
  const erased = [
    (await del('/api/contacts/ann@example.com/gdpr_delete')).body,
    (await del('/api/contacts/dan.three@example.com/gdpr_delete')).body,
    (await del('/api/contacts/never-there@example.com/gdpr_delete')).body,
  ]
  for (const name of readdirSync(folder(made)))
    assert.doesNotMatch(readFileSync(join(folder(made), name), 'utf8'), /ann|dan|never|example/)

  assert.deepEqual(await emailsIn(old, accountId), ['ann@example.com', 'bob@example.com', 'dan.two@example.com'])
  // Two processes that start at once.
  const parts = { files, keyring, queue }
  await Promise.all([replayJournal(old, parts), replayJournal(old, parts)])
  assert.deepEqual(await emailsIn(old, accountId), ['bob@example.com'])
  assert.equal(await replayJournal(old, parts), 0)
  const marks = await old.query<{ reason: string; count: number }>(
    sql`select reason, count(*) as count from suppressions where account_id = ${accountId} and kind = 'hmac' group by 1`,
  )
  assert.deepEqual(marks, [{ reason: 'erased', count: 6 }])
  const receipts = await old.query<{ id: string; created_at: Date }>(
    sql`select id, created_at from erasures where account_id = ${accountId} order by id desc limit 3`,
  )
  assert.deepEqual(
    receipts.map(({ id, created_at }) => [id, created_at.toISOString()]).reverse(),
    erased.map(({ id, created_at }) => [id, created_at]),
  )
  const told = await old.query(sql`
    select contact_id from change_rows where account_id = ${accountId} and email is not null
    union all select contact_id from events where account_id = ${accountId} and data::text ~ 'ann|dan'`)
  assert.deepEqual(told, [])
})

test('with an older copy the service answers nobody before the erased are gone from it', {
  timeout: 280_000,
}, async (t) => {
  const made = await testApp(t)
  const { post, del, token, filesAt } = made
  await post('/api/contacts', { email: 'ann@example.com' })
  await post('/api/contacts', { email: 'bob@example.com' })
  const old = await putAside(t, made)
  await del('/api/contacts/ann@example.com/gdpr_delete')

  const port = await freePort()
  const ask = (name: string) =>
    fetch(`http://127.0.0.1:${port}/api/contacts/${name}@example.com`, { headers: { 'api-token': token } }).then(
      ({ status }) => status,
      () => 0,
    )
  const program = await old.transaction(async (trx) => {
    await trx.query(sql`lock table erasures in exclusive mode`)
    const started = rollcall(filesAt.home, ['start'], {
      DATABASE_URL: old.url,
      ROLLCALL_SECRET: SECRET,
      PORT: String(port),
    })
    atEnd(t, () => started.child.kill('SIGKILL'))
    await waitsForLocks(old, 1)
    await until(async () => (await ask('bob')) !== 0)
    assert.deepEqual([await ask('ann'), await ask('bob')], [503, 503])
    return started
  })
  await until(async () => (await ask('ann')) !== 503)
  assert.deepEqual([await ask('ann'), await ask('bob')], [404, 200], program.err())
  program.child.kill('SIGTERM')
  const { err } = await program.ended
  assert.match(err, /applied from the journal/)
  assert.doesNotMatch(err, /ann@example/)
})

test('a journal of which something is missing is refused, before any of it is applied', async (t) => {
  const made = await testApp(t)
  const { post, del, accountId, files, queue } = made
  for (const name of ['ann', 'bob']) await post('/api/contacts', { email: `${name}@example.com` })
  const old = await putAside(t, made)
  for (const name of ['ann', 'bob']) await del(`/api/contacts/${name}@example.com/gdpr_delete`)
  const left = ['ann@example.com', 'bob@example.com']

  const others = parseKeyring('another-secret-that-only-this-test-knows-01')
  await assert.rejects(replayJournal(old, { files, keyring: others, queue }), (error) => {
    assert.ok(error instanceof Refusal)
    assert.match(error.message, /key [0-9a-f]{8}, which ROLLCALL_SECRET/)
    return true
  })
  assert.deepEqual(await emailsIn(old, accountId), left)

  const name = readdirSync(folder(made))[0]!
  const path = join(folder(made), name)
  const whole = readFileSync(path)
  for (const damaged of [
    whole.subarray(0, 40),
    Buffer.from('{}'),
    Buffer.from(String(whole).replace(`:${accountId},`, ':99,')),
  ]) {
    writeFileSync(path, damaged)
    await assert.rejects(replayJournal(old, { files, keyring, queue }), (error) => {
      assert.ok(error instanceof Refusal && error.message.includes(name), String(error))
      return true
    })
    assert.deepEqual(await emailsIn(old, accountId), left)
  }
  writeFileSync(path, whole)
  writeFileSync(join(folder(made), 'notes.txt'), 'no entry')
  assert.equal(await replayJournal(old, { files, keyring: [...keyring, ...others], queue }), 2)
  assert.deepEqual(await emailsIn(old, accountId), [])
})

test('an erasure that fails leaves no entry, one that is tried again leaves one, and one whose entry fails has not been', async (t) => {
  const made = await testApp(t)
  const { post, del, get, db } = made
  const entries = () => readdirSync(folder(made))
  const failing = (when: string, code: string) =>
    db.query({
      text: `create or replace function fail() returns trigger language plpgsql as $$ begin
        if ${when} then raise exception 'no' using errcode = '${code}'; end if; return null; end $$`,
      values: [],
    })
  await db.query(sql`create sequence tries`)
  await failing('false', '40001')
  // When it commits: by then the entry has been written.
  await db.query(
    sql`create constraint trigger fails after insert on erasures deferrable initially deferred for each row execute function fail()`,
  )
  for (const name of ['ann', 'bob', 'cat']) await post('/api/contacts', { email: `${name}@example.com` })

  await failing('true', 'P0001')
  assert.equal((await del('/api/contacts/ann@example.com/gdpr_delete')).status, 500)
  assert.deepEqual(entries(), [])
  assert.equal((await get('/api/contacts/ann@example.com')).status, 200)

  await failing(`nextval('tries') = 1`, '40001')
  const { status, body } = await del('/api/contacts/bob@example.com/gdpr_delete')
  assert.equal(status, 200)
  assert.deepEqual(entries(), [`${body.id}.json`])
  assert.equal(body.erasure_id, body.id)

  const place = folder(made)
  renameSync(place, `${place}.aside`)
  writeFileSync(place, 'no folder can be made here')
  assert.ok((await del('/api/contacts/cat@example.com/gdpr_delete')).status >= 500)
  rmSync(place)
  renameSync(`${place}.aside`, place)
  assert.equal((await get('/api/contacts/cat@example.com')).status, 200)
  assert.deepEqual(entries(), [`${body.id}.json`])
})

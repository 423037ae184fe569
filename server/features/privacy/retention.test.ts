import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import sql from 'sql-template-tag'
import { dispatched, testApp } from '../../test/app.ts'
import { filesIn, took } from '../../test/imports.ts'
import { summedUp } from '../../test/summed-up.ts'
import { applyRetention } from './retention.ts'

const DAY_MS = 86_400_000
const log = pino({ level: 'silent' })

test('each account keeps events, mails and rows of acts as long as it says, and a month that nobody keeps goes whole', async (t) => {
  const made = await testApp(t)
  const { db, files, post, patch, get, accountId } = made
  const other = await made.another()
  const now = new Date()
  const [before, long] = [new Date(now.getTime() - 40 * DAY_MS), new Date(now.getTime() - 400 * DAY_MS)]
  for (const moment of [before, long]) await db.query(sql`select make_event_partitions(${moment}::date, 0)`)
  const { id } = (await post('/api/contacts', { email: 'ann@example.com' })).body.data
  for (const [account, moment] of [
    [accountId, before],
    [accountId, long],
    [other.accountId, before],
    [other.accountId, long],
  ] as const)
    await db.query(sql`
      insert into events (account_id, id, contact_id, type, types, at) values (${account}, id_floor(${moment}::timestamptz), ${id}, 'custom', '{custom}', ${moment})`)
  await db.query(sql`
    insert into messages (account_id, id, contact_id, template, template_version, phase, content) values
      (${accountId}, id_floor(${before}::timestamptz), ${id}, 'x', 1, 'sent', '\\x00'), (${accountId}, new_id(), ${id}, 'x', 1, 'sent', '\\x00')`)
  const imported = await took(made, 'email\nbob@example.com\n')
  await db.query(
    sql`update change_sets set finished_at = ${before} where account_id = ${accountId} and id = ${imported.id}`,
  )
  await db.query(sql`
    insert into unchanged_rows (account_id, change_set_id, line, action, contact_id)
    values (${accountId}, ${imported.id}, 9, 'unchanged', ${id}), (${accountId}, ${imported.id}, 12, 'unchanged', null)`)
  const count = async (account: number) => {
    const [row] = await db.query<Record<string, number>>(sql`
      select (select count(*) from events where account_id = ${account} and type = 'custom') as events,
        (select count(*) from messages where account_id = ${account}) as mails,
        (select count(*) from change_rows where account_id = ${account}) as rows`)
    return row
  }
  const months = async () => (await db.query(sql`select from pg_inherits where inhparent = 'events'::regclass`)).length
  const monthsBefore = await months()

  for (const account of [accountId, other.accountId]) await summedUp(db, account)
  const summed = () =>
    db.query<{ account_id: number; rows: number }>(sql`
      select u.account_id, (select count(*) from happened_before as h where h.account_id = u.account_id and h.custom) as rows
      from happened_until as u order by 1`)

  await applyRetention({ db, files, log }, now)
  assert.deepEqual(await count(accountId), { events: 2, mails: 2, rows: 3 }, 'for good, unless it says otherwise')
  const ofTwo = (rows: number) => [
    { account_id: accountId, rows },
    { account_id: other.accountId, rows: 1 },
  ]
  assert.deepEqual(await summed(), ofTwo(1))

  assert.equal((await patch('/api/account', { retention: { events_days: 30, mails_days: 30 } })).status, 200)
  const settings = (await patch('/api/account', { retention: { changes_days: 30 } })).body
  assert.deepEqual((settings.data ?? settings).retention, { events_days: 30, mails_days: 30, changes_days: 30 })
  await applyRetention({ db, files, log }, now)
  assert.deepEqual(await count(accountId), { events: 0, mails: 1, rows: 0 })
  assert.deepEqual(await count(other.accountId), { events: 2, mails: 0, rows: 0 }, 'the other keeps its own')
  assert.equal(await months(), monthsBefore)
  assert.deepEqual(await summed(), ofTwo(0), 'what has gone is not among what ever happened')
  const refused = await post(`/api/change_sets/${imported.id}/revert`)
  assert.deepEqual([refused.status, JSON.stringify(refused.body).includes('retention')], [409, true])
  assert.equal((await get(`/api/contact_imports/${imported.id}`)).body.created_contacts_count, 1)

  for (const account of await db.query<{ id: number }>(sql`select id from accounts`))
    await db.query(sql`update accounts set settings = '{"retention": {"events_days": 100}}' where id = ${account.id}`)
  await applyRetention({ db, files, log }, now)
  assert.equal(await months(), monthsBefore - 1)
  assert.deepEqual(await summed(), [], 'everybody is to be summed up anew')
  assert.deepEqual(await count(other.accountId), { events: 1, mails: 0, rows: 0 })
})

test('whose events go enters and leaves smart lists that count them, and is told so with its cause', async (t) => {
  const made = await testApp(t)
  const { db, files, post, patch, get, accountId } = made
  const now = new Date()
  const [before, long] = [new Date(now.getTime() - 40 * DAY_MS), new Date(now.getTime() - 400 * DAY_MS)]
  const ids: string[] = []
  for (const name of ['ann', 'bob', 'eve'])
    ids.push((await post('/api/contacts', { email: `${name}@example.com` })).body.data.id)
  const [ann, bob, eve] = ids as [string, string, string]
  await dispatched(db)
  for (const [id, moment] of [
    [ann, long],
    [bob, before],
    [eve, new Date(long.getTime() + 1)],
    [eve, now],
  ] as const) {
    await db.query(sql`select make_event_partitions(${moment}::date, 0)`)
    await db.query(sql`
      insert into events (account_id, id, contact_id, type, types, name, at)
      values (${accountId}, id_floor(${moment}::timestamptz), ${id}, 'custom', '{custom}', 'bought', ${moment})`)
  }
  const list = async (name: string, criteria: object) =>
    (await post('/api/contact_lists', { name, criteria })).body.id as number
  const bought = await list('Bought', { event: 'bought' })
  const never = await list('Never', { not: { event: 'bought' } })
  await dispatched(db)
  const retain = async (days: number) => {
    assert.equal((await patch('/api/account', { retention: { events_days: days } })).status, 200)
    await applyRetention({ db, files, log }, now)
  }
  const counts = () =>
    Promise.all([bought, never].map(async (id) => (await get(`/api/contact_lists/${id}`)).body.contacts_count))
  const told = () =>
    db.query<{ contact_id: string; data: object }>(sql`
      select e.contact_id, e.data from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
      where f.account_id = ${accountId} and e.types && '{list_entered,list_left}' order by f.position`)
  const left = { cause: 'retention', smart_lists: { entered: [never], left: [bought] } }

  await retain(300) // a month that nobody keeps is dropped
  assert.deepEqual(await counts(), [2, 1], 'exact at once')
  await dispatched(db)
  assert.deepEqual(await told(), [{ contact_id: ann, data: left }])
  await retain(30) // and rows are removed from one that is kept
  assert.deepEqual(await counts(), [1, 2])
  await dispatched(db)
  assert.deepEqual(
    await told(),
    [ann, bob].map((contact_id) => ({ contact_id, data: left })),
  )
  assert.deepEqual(await counts(), [1, 2])

  await retain(30)
  await db.query(
    sql`insert into outbox (account_id, event_ids, size, kind) values (${accountId}, '{}', 0, 'comparison')`,
  )
  await dispatched(db) // which fails where the comparison of all finds someone
  assert.equal((await told()).length, 2)
})

test('one job removes whatever is no longer kept, says what, and lets nothing stop the rest', async (t) => {
  const made = await testApp(t)
  const { db, files, post, patch, get, accountId } = made
  const long = new Date(Date.now() - 400 * DAY_MS)
  const { id } = (await post('/api/contacts', { email: 'ann@example.com' })).body.data
  const trial = await took(made, 'email\nbob@example.com\n', { dry_run: 'true' })
  await post('/api/contact_exports', { format: 'csv' })
  await made.runJobs()
  assert.equal(filesIn(made).length, 2)
  await db.query(sql`update imports set keep_file_until = now() where account_id = ${accountId} and id = ${trial.id}`)
  await db.query(sql`update exports set expires_at = now() where account_id = ${accountId}`)
  await db.query(sql`
    insert into messages (account_id, id, contact_id, template, template_version, phase, content)
    values (${accountId}, id_floor(${long}::timestamptz), ${id}, 'x', 1, 'sent', '\\x00')`)
  await db.query(sql`
    insert into events (account_id, id, contact_id, type, types, at) values (${accountId}, id_floor(${long}::timestamptz), ${id}, 'custom', '{custom}', ${long})`)
  await patch('/api/account', { retention: { events_days: 30, mails_days: 30, changes_days: 30 } })
  const told: unknown[] = []
  const parts = { db, files, log: { info: (what: unknown) => void told.push(what) } }

  await db.query(sql`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$`)
  await db.query(sql`create trigger refuses before delete on messages for each row execute function refuse()`)
  await assert.rejects(applyRetention(parts), /not now/)
  await db.query(sql`drop trigger refuses on messages`)
  await applyRetention(parts)
  await applyRetention(parts)

  const removed = [{ uploads: 1, exports: 1, events: 1 }, { mails: 1 }]
  assert.deepEqual(
    told,
    removed.map((those) => ({ accountId, removed: those })),
  )
  const { data } = (await get('/api/audit')).body as { data: { action: string; data: unknown }[] }
  assert.deepEqual(
    data
      .filter(({ action }) => action === 'retention_applied')
      .map((entry) => entry.data)
      .reverse(),
    removed,
  )
  assert.deepEqual(filesIn(made), [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, type TestApp, testApp } from '../../test/app.ts'
import { askForLooks } from './looks.ts'

async function askedFor({ db, accountId }: TestApp): Promise<string[]> {
  const rows = await db.query<{ kind: string }>(
    sql`select kind from outbox where account_id = ${accountId} order by kind`,
  )
  return rows.map((row) => row.kind)
}

/** As if so much time had passed since the last look. */
async function age({ db, accountId }: TestApp, column: 'looked_at' | 'compared_at', by: string): Promise<void> {
  await db.query(
    column === 'looked_at'
      ? sql`update smart_looks set looked_at = looked_at - ${by}::interval where account_id = ${accountId}`
      : sql`update smart_looks set compared_at = compared_at - ${by}::interval where account_id = ${accountId}`,
  )
}

test('the clock is looked at within a minute for windows of hours, within an hour for days, and not for what time leaves alone', async (t) => {
  const made = await testApp(t)
  const make = async (name: string, criteria: object) =>
    (await made.post('/api/contact_lists', { name, criteria })).body.id as number
  await make('Timeless', { tag: 'vip' })
  await dispatched(made.db)
  await age(made, 'looked_at', '10 days')
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), [])

  await make('Days', { event: 'email_opened', within: '30d' })
  await dispatched(made.db)
  await askForLooks(made.db)
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), ['clock'], 'once, however often it is asked for')
  await dispatched(made.db)
  await age(made, 'looked_at', '10 minutes')
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), [])

  await make('Hours', { not: { event: 'email_opened', within: '3h' } })
  await dispatched(made.db)
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), ['clock'])
})

test('events that leave their window together, and a suppression that ends, are told by a look alone, once', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const { id } = (await made.post('/api/contacts', { email: 'ann@example.com' })).body.data
  await db.query(sql`
    insert into events (account_id, contact_id, type, types, at)
    select ${accountId}, ${id}::uuid, 'email_opened', '{email_opened}', now() - interval '2 hours' from generate_series(1, 2)`)
  await db.query(sql`
    insert into suppressions (account_id, kind, value, reason, source, expires_at)
    values (${accountId}, 'address', 'ann@example.com', 'manual', 'test', now() + interval '1 hour')`)
  await made.post('/api/contact_lists', { name: 'Opened', criteria: { event: 'email_opened', within: '3h' } })
  await made.post('/api/contact_lists', { name: 'Sendable', criteria: { sendable: true } })
  await dispatched(db)
  const told = () =>
    db.query(
      sql`select type, data ->> 'cause' as cause from events where types && '{list_entered,list_left}' order by id`,
    )
  assert.deepEqual(await told(), [])

  // Everything a good hour earlier is as if the clock had gone on by as much.
  await db.query(sql`update events set at = at - interval '61 minutes' where type = 'email_opened'`)
  await age(made, 'looked_at', '61 minutes')
  await askForLooks(db)
  await dispatched(db)
  assert.deepEqual(await told(), [{ type: 'list_left', cause: 'clock' }])

  await db.query(sql`update suppressions set expires_at = expires_at - interval '61 minutes'`)
  await age(made, 'looked_at', '61 minutes')
  await askForLooks(db)
  await dispatched(db)
  assert.deepEqual(await told(), [
    { type: 'list_left', cause: 'clock' },
    { type: 'list_entered', cause: 'clock' },
  ])
})

test('once a day all is compared; what is found to be wrong is put right, told, and counted', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.post('/api/contact_lists', { name: 'All', criteria: {} })
  await dispatched(made.db)
  await made.db.query(sql`delete from smart_memberships`)
  await age(made, 'compared_at', '25 hours')
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), ['comparison'])

  await assert.rejects(dispatched(made.db), /membership last told of 1 contacts was wrong/)

  const [look] = await made.db.query<{ differences: number }>(sql`select differences from smart_looks`)
  assert.equal(look!.differences, 1)
  assert.equal((await made.db.query(sql`select from smart_memberships`)).length, 1)
  await age(made, 'compared_at', '25 hours')
  await askForLooks(made.db)
  await dispatched(made.db)
})

test('criteria whose row in the outbox was lost, and days that begin elsewhere, are taken over without a word', async (t) => {
  const made = await testApp(t)
  const born = new Date(Date.now()).toISOString().slice(0, 10)
  for (const days of [-1, 0, 1]) {
    const day = new Date(Date.parse(born) + days * 86_400_000).toISOString().slice(0, 10)
    await made.post('/api/contacts', { email: `d${days}@example.com`, fields: { born: day } })
  }
  await made.post('/api/contact_lists', { name: 'Today', criteria: { field: 'born', op: 'within_last', value: 0 } })
  await made.db.query(sql`delete from outbox where kind = 'criteria'`)
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), ['acts', 'acts', 'acts', 'criteria'])
  await dispatched(made.db)

  // One of these is another day than UTC's at any hour.
  for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    await made.call('PATCH', '/api/account', { time_zone: zone })
    await askForLooks(made.db)
    assert.deepEqual(await askedFor(made), ['clock'])
    await dispatched(made.db)
    assert.deepEqual(await askedFor(made), ['criteria'], 'to all contacts it is as an edit')
    await dispatched(made.db)
    const [list] = await made.db.query<{ id: number }>(sql`select id from lists`)
    const members = (await made.get(`/api/contact_lists/${list!.id}/contacts`)).body.data.map(
      (one: { id: string }) => one.id,
    )
    const told = await made.db.query<{ contact_id: string }>(sql`select contact_id from smart_memberships`)
    assert.deepEqual(
      told.map((row) => row.contact_id),
      members,
    )
  }
})

test('another time zone is taken over by criteria that time leaves alone, but that know days', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com' })
  await made.db.query(sql`update contacts set created_at = '2026-03-01T11:00:00Z'`)
  const criteria = { field: 'created_at', op: 'on', value: '2026-03-01' }
  const list = (await made.post('/api/contact_lists', { name: 'Entered', criteria })).body
  await dispatched(made.db)
  const told = async () =>
    (await made.db.query(sql`select from smart_memberships where list_ids @> ${[list.id]}::bigint[]`)).length
  assert.equal(await told(), 1)

  await made.call('PATCH', '/api/account', { time_zone: 'Pacific/Kiritimati' }) // where it is the second already
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), ['clock'])
  await dispatched(made.db)
  await dispatched(made.db)

  assert.equal(await told(), 0)
  assert.equal((await made.get(`/api/contact_lists/${list.id}/contacts`)).body.total, 0)
  await askForLooks(made.db)
  assert.deepEqual(await askedFor(made), [], 'once')
})

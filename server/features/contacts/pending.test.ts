import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { keyring, type TestApp, testApp } from '../../test/app.ts'
import { person, took } from '../../test/imports.ts'
import { confirmationLink, press } from '../../test/permission.ts'
import { expirePending, forgetConfirmations } from './pending.ts'

const later = async ({ db }: TestApp, days: number) => {
  await db.query(sql`update contacts set state_at = state_at - make_interval(days => ${days})`)
  await db.query(sql`
    update confirmations set created_at = created_at - make_interval(days => ${days}), expires_at = expires_at - make_interval(days => ${days})`)
}
const expire = ({ db }: TestApp, batch?: number) => expirePending({ db, keyring, days: 30 }, batch)

test('who never confirms is again what they were, or gone if they were created pending', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  await took(made, 'email,state\nknown@example.com,none\nfile@example.com,pending\nleft@example.com,none\n')
  await post('/api/contacts/left@example.com/unsubscribe')
  for (const email of ['known', 'left']) await post(`/api/contacts/${email}@example.com/resubscribe`)
  await post('/api/contacts', { email: 'new@example.com', double_opt_in: true })
  await post('/api/contacts', { email: 'toggled@example.com', double_opt_in: true })
  for (const unsubscribed of [true, false]) await patch('/api/contacts/toggled@example.com', { unsubscribed })
  assert.equal((await person(made, 'known@example.com')).state, 'pending')
  await later(made, 29)
  await expire(made)
  assert.equal((await get('/api/contacts?state=pending')).body.total, 4, 'not yet')

  await later(made, 2)
  await expire(made)

  assert.equal((await person(made, 'known@example.com')).state, 'none')
  assert.equal((await person(made, 'left@example.com')).state, 'unsubscribed')
  assert.equal((await person(made, 'toggled@example.com')).state, 'none', 'on whom others have acted since stays')
  for (const email of ['new', 'file']) assert.equal((await get(`/api/contacts/${email}@example.com`)).status, 404)
  const [set] = (await get('/api/change_sets')).body.data
  assert.deepEqual([set.kind, set.counts], ['pending_expiry', { deleted: 2, updated: 2 }])
  const diff = (await get(`/api/change_sets/${set.id}/diff`)).body.data as { action: string }[]
  assert.deepEqual(diff.map(({ action }) => action).sort(), ['deleted', 'deleted', 'updated', 'updated'])
  const back = await post('/api/contacts', { email: 'new@example.com' })
  assert.equal(back.body.data.state, 'subscribed', 'never to have answered is no withdrawal')
})

test('who was there before they were asked stays, also when a bulk act on them is taken back', async (t) => {
  const made = await testApp(t)
  await took(made, 'email,state\nann@example.com,none\n')
  await made.post('/api/contacts/ann@example.com/resubscribe')
  const { id } = (await made.post('/api/contacts/bulk', { selection: {}, action: { type: 'unsubscribe' } })).body
  await made.runJobs()
  assert.equal((await person(made, 'ann@example.com')).state, 'unsubscribed')

  await made.post(`/api/change_sets/${id}/revert`)
  await made.runJobs()
  assert.equal((await person(made, 'ann@example.com')).state, 'pending')
  await later(made, 31)
  await expire(made)

  assert.equal((await person(made, 'ann@example.com')).state, 'none')
})

test('a link that still works, and one that is being followed, keep their person waiting', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com', double_opt_in: true })
  await later(made, 31)
  const link = await confirmationLink(made, 'ann@example.com')
  await expire(made)
  assert.equal((await person(made, 'ann@example.com')).state, 'pending')

  await made.db.query(sql`update confirmations set expires_at = now()`)
  await made.db.transaction(async (trx) => {
    await trx.query(sql`select from contacts for update`)
    await expire(made)
  })
  assert.equal((await person(made, 'ann@example.com')).state, 'pending')
  await expire(made)
  assert.equal((await made.get('/api/contacts')).body.total, 0)
  assert.equal((await press(made, link)).status, 404)
})

test('many end their waiting batch by batch, also when two workers do it at once', async (t) => {
  const made = await testApp(t)
  await made.db.query(sql`
    insert into contacts (account_id, email, state, state_reason, state_before, state_at, origin)
    select ${made.accountId}, n || '@example.com', 'pending', 'import', case when n % 2 = 0 then 'none' end, now() - interval '1 year', 'test'
    from generate_series(1, 25) as n`)

  await Promise.all([expire(made, 4), expire(made, 4)])
  await expire(made, 4)

  const [left] = await made.db.query<{ none: number; all: number }>(
    sql`select count(*) filter (where state = 'none') as none, count(*) as all from contacts`,
  )
  assert.deepEqual(left, { none: 12, all: 12 })
  const [told] = await made.db.query<{ updated: number; deleted: number }>(sql`
    select count(*) filter (where type = 'updated') as updated, count(*) filter (where type = 'deleted') as deleted from events`)
  assert.deepEqual(told, { updated: 12, deleted: 13 })
})

test('links are forgotten a month after they have ended', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contacts', { email: 'ann@example.com', double_opt_in: true })
  await press(made, await confirmationLink(made, 'ann@example.com'))
  await later(made, 30)
  await forgetConfirmations(made.db)
  assert.equal((await made.db.query(sql`select from confirmations`)).length, 2)

  await later(made, 8)
  await forgetConfirmations(made.db)
  assert.equal((await made.db.query(sql`select from confirmations`)).length, 0)
})

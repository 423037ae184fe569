import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, testApp } from '../../test/app.ts'

test('the age of the outbox and what waits in it are told by account', async (t) => {
  const { app, db, accountId, post, another } = await testApp(t)
  const second = await another()
  const figure = async (name: string, account: number): Promise<number> => {
    const { body } = await app.inject({ url: '/metrics' })
    const [, value] = new RegExp(`^${name}\\{account="${account}"\\} (\\S+)$`, 'm').exec(body) ?? []
    assert.ok(value !== undefined, `${name} of ${account}`)
    return Number(value)
  }
  assert.equal(await figure('rollcall_outbox_age_seconds', accountId), 0)
  assert.equal(await figure('rollcall_feed_lag_events', accountId), 0)

  const { id } = (await post('/api/contacts', { email: 'a@example.com' })).body.data
  await post('/api/contacts', { email: 'b@example.com' })
  const list = (await post('/api/contact_lists', { name: 'News' })).body.id
  await post(`/api/contact_lists/${list}/contacts`, { contact_ids: [id, 'b@example.com'] })
  await db.query(sql`
    update outbox set at = at - interval '90 s' where id = (select min(id) from outbox where account_id = ${accountId})`)

  assert.equal(
    await figure('rollcall_feed_lag_events', accountId),
    5,
    'two created, two added, one change set finished',
  )
  const age = await figure('rollcall_outbox_age_seconds', accountId)
  assert.ok(age >= 90 && age < 100, `${age}`)
  assert.equal(await figure('rollcall_feed_lag_events', second.accountId), 0)
  assert.equal(await figure('rollcall_outbox_age_seconds', second.accountId), 0)

  await dispatched(db)
  assert.equal(await figure('rollcall_feed_lag_events', accountId), 0)
  assert.equal(await figure('rollcall_outbox_age_seconds', accountId), 0)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { dispatched, type TestApp, testApp } from '../../test/app.ts'

async function withSendable(t: Parameters<typeof testApp>[0]): Promise<TestApp> {
  const made = await testApp(t)
  for (const email of ['ann@example.com', 'bob@example.com', 'joe@example.org']) {
    const { status } = await made.post('/api/contacts', { email })
    assert.equal(status, 201)
  }
  const all = (await made.post('/api/contact_lists', { name: 'Sendable', criteria: { sendable: true } })).body.id
  await made.post('/api/contact_lists', { name: 'Through another', criteria: { not: { list: all } } })
  await made.post('/api/contact_lists', { name: 'Of no concern', criteria: { field: 'email', op: 'is_set' } })
  await dispatched(made.db)
  return made
}

/** Who was told to have entered or left since the last call, with the lists by name. */
async function told({ db, accountId }: TestApp, seen: Set<string>): Promise<string[]> {
  await dispatched(db)
  const rows = await db.query<{ id: string; said: string }>(sql`
    select e.id, split_part(c.email, '@', 1) || ' ' || (e.data ->> 'cause') || ' ' || coalesce((
        select string_agg('+' || name, ' ' order by name) from lists as l
        where l.account_id = e.account_id and e.data -> 'smart_lists' -> 'entered' @> to_jsonb(l.id)) || ' ', '') || coalesce((
        select string_agg('-' || name, ' ' order by name) from lists as l
        where l.account_id = e.account_id and e.data -> 'smart_lists' -> 'left' @> to_jsonb(l.id)), '') as said
    from events as e join contacts as c on c.account_id = e.account_id and c.id = e.contact_id
    where e.account_id = ${accountId} and e.types && '{list_entered,list_left}' order by c.email`)
  const fresh = rows.filter(({ id }) => !seen.has(id))
  for (const { id } of fresh) seen.add(id)
  return fresh.map(({ said }) => said.trim())
}

/** Has everything compared with everyone: whatever was not told would be found now. */
async function differences({ db, accountId }: TestApp): Promise<number> {
  await db.query(sql`
    insert into outbox (account_id, event_ids, size, kind, details) values (${accountId}, '{}', 0, 'comparison', '{}')`)
  await dispatched(db)
  const [look] = await db.query<{ differences: number }>(
    sql`select differences from smart_looks where account_id = ${accountId}`,
  )
  return look!.differences
}

test('who may not be mailed any more leaves what is for who may, and comes back with the permission', async (t) => {
  const made = await withSendable(t)
  const seen = new Set<string>()
  const suppress = (...entries: string[]) => made.post('/api/suppressions', { entries })

  await suppress('ann@example.com', 'nobody@example.com')
  assert.deepEqual(await told(made, seen), ['ann suppression +Through another -Sendable'])
  await suppress('ann@example.com')
  assert.deepEqual(await told(made, seen), [], 'who is suppressed twice has left once')

  await suppress('example.com')
  assert.deepEqual(await told(made, seen), ['bob suppression +Through another -Sendable'])
  assert.equal(await differences(made), 0)

  for (const { id } of (await made.get('/api/suppressions?kind=domain')).body.data)
    assert.equal((await made.del(`/api/suppressions/${id}`)).status, 204)
  assert.deepEqual(await told(made, seen), ['bob suppression +Sendable -Through another'])
  for (const { id, value } of (await made.get('/api/suppressions')).body.data)
    if (value.startsWith('ann')) await made.del(`/api/suppressions/${id}`)
  assert.deepEqual(await told(made, seen), ['ann suppression +Sendable -Through another'])
  assert.equal(await differences(made), 0)
})

test('nothing is asked for where no smart list depends on who may be mailed', async (t) => {
  const made = await testApp(t)
  await made.post('/api/contact_lists', { name: 'Any', criteria: { field: 'email', op: 'is_set' } })
  await dispatched(made.db)

  await made.post('/api/suppressions', { entries: ['example.com'] })

  assert.deepEqual(await made.db.query(sql`select kind from outbox`), [])
})

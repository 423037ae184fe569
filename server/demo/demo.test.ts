import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import { dispatched, keyring, testApp } from '../test/app.ts'
import { columns } from '../test/everything.ts'
import { demoParts, fillDemo } from './demo.ts'
import { FILES, PEOPLE, people } from './people.ts'

test('the demonstration is believable, the same each time, and changes nothing when it is there', async (t) => {
  const { db, files, filesAt, config, accountId, get, post, another } = await testApp(t)
  const parts = demoParts({ db, files, filesAt, keyring, config })
  const now = Date.now()

  const made = await fillDemo(parts, accountId, now)
  assert.deepEqual([made.contacts, made.lists, made.wasThere], [PEOPLE, 7, false])
  assert.ok(made.events > 40_000, `${made.events} events`)
  assert.deepEqual(await fillDemo(parts, accountId, now), { ...made, wasThere: true })
  assert.deepEqual([...people(now)], [...people(now)])
  await dispatched(db)
  // Who is compared is looked up, not looked for among all that the account has recorded: 276 million entries were read so, in two minutes.
  const [read] = await db.query<{ entries: number }>(sql`
    select coalesce(sum(idx_tup_read), 0)::bigint as entries from pg_stat_user_indexes where relname like 'events\\_%'`)
  assert.ok(read!.entries < 100 * made.events, `${read!.entries} entries of indexes for ${made.events} events`)

  const lists = (await get('/api/contact_lists')).body as { id: number; name: string; type: string }[]
  for (const { id, name, type } of lists) {
    const { total } = (await get(`/api/contact_lists/${id}/contacts?per_page=1&count=exact`)).body
    assert.ok(total > 0 && total < PEOPLE, `${name} (${type}) has ${total}`)
  }
  const { by_state, by_origin, days, mail, moved } = (await get('/api/stats?days=365')).body
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count)
  assert.deepEqual([sum(by_state), sum(by_origin)], [PEOPLE, PEOPLE])
  assert.deepEqual(Object.keys(by_state).sort(), ['bounced', 'pending', 'subscribed', 'unsubscribed'])
  assert.deepEqual(Object.keys(by_origin).sort(), ['api', 'form', 'import'])
  const busy = days.filter(({ joined }: { joined: number }) => joined > 0).length
  assert.ok(busy > 300, `somebody joined on ${busy} of 365 days`)
  assert.ok(days[0].subscribed > 900 && days[0].subscribed < days.at(-1).subscribed / 2, `from ${days[0].subscribed}`)
  for (const [type, count] of Object.entries(mail)) assert.ok((count as number) > 0, type)
  assert.equal(moved.length, 4)
  const imports = (await get('/api/contact_imports')).body.data as {
    file: { name: string }
    created_contacts_count: number
  }[]
  assert.deepEqual(
    imports.map(({ file, created_contacts_count }) => [file.name, created_contacts_count]).reverse(),
    FILES.map(({ name, people: count }) => [name, count]),
  )
  const [form] = (await get('/api/stats/forms?days=30')).body.data
  assert.ok(form.sign_ups > form.confirmed && form.confirmed > 50, JSON.stringify([form.sign_ups, form.confirmed]))

  const own = await another()
  await own.call('POST', '/api/contacts', { email: 'ada@example.com' })
  await assert.rejects(fillDemo(parts, own.accountId, now), /has people of its own/)
  assert.equal((await post('/api/contacts/search', { criteria: { tag: 'vip' } })).status, 200)
})

test('every table of the demonstration tells the same story', async (t) => {
  const { db, files, filesAt, config, accountId, get } = await testApp(t)
  await fillDemo(demoParts({ db, files, filesAt, keyring, config }), accountId)
  await dispatched(db)
  const none = async (what: string, query: ReturnType<typeof sql>) => assert.deepEqual(await db.query(query), [], what)

  await none(
    'the feed has every event once, without gaps, in the order in which they happened',
    sql`
      select * from (
        select f.position, e.id, row_number() over (order by e.id) as nth from events as e
        full join feed as f on f.account_id = ${accountId} and f.event_id = e.id where e.account_id = ${accountId} or e.id is null
      ) as placed where position is distinct from nth limit 3`,
  )
  await none(
    'an id holds the moment of its event',
    sql`
    select id, at from events where account_id = ${accountId}
      and (id < id_floor(at) or id >= id_floor(at + interval '2 milliseconds')) and change_set_id is null limit 3`,
  )
  await none(
    'everybody begins by being created, when their contact says so',
    sql`
    select * from (
      select distinct on (e.contact_id) e.contact_id, e.type, e.at, c.created_at from events as e
      join contacts as c on c.account_id = ${accountId} and c.id = e.contact_id
      where e.account_id = ${accountId} order by e.contact_id, e.id
    ) as first where type <> 'created' or abs(extract(epoch from at - created_at)) > 5 limit 3`,
  )
  await none(
    'the last state that was told is that of now',
    sql`
    select c.id, c.state, told.state from contacts as c left join (
      select distinct on (contact_id) contact_id, data #>> '{state,to}' as state from events
      where account_id = ${accountId} and data ? 'state' order by contact_id, id desc
    ) as told on told.contact_id = c.id
    where c.account_id = ${accountId} and told.state is distinct from c.state limit 3`,
  )
  await none(
    'the ledger says the same',
    sql`
    select c.id, c.state, said.action from contacts as c left join (
      select distinct on (contact_id) contact_id, action from consents
      where account_id = ${accountId} and not data ? 'list_id' order by contact_id, at desc, id desc
    ) as said on said.contact_id = c.id
    where c.account_id = ${accountId} and coalesce(said.action, 'none') <>
      case c.state when 'pending' then 'none' when 'unsubscribed' then 'withdrawn' else 'granted' end limit 3`,
  )
  await none(
    'fields and tags are what was told last',
    sql`
    select c.id, key, value, told.last from contacts as c, lateral jsonb_each(c.fields) as field left join lateral (
      select e.data #> array['fields', key, 'to'] as last from events as e
      where e.account_id = ${accountId} and e.contact_id = c.id and e.data #> array['fields', key] is not null order by e.id desc limit 1
    ) as told on true
    where c.account_id = ${accountId} and told.last is distinct from value limit 3`,
  )
  const told = (way: 'lists' | 'smart_lists', into: string, out: string) => sql`
    select distinct on (contact_id, list_id) contact_id, list_id, way from (
      select e.id, e.contact_id, list_id::bigint, 'in' as way from events as e, jsonb_array_elements_text(e.data #> ${`{${way},${into}}`}::text[]) as list_id
      where e.account_id = ${accountId}
      union all
      select e.id, e.contact_id, list_id::bigint, 'out' from events as e, jsonb_array_elements_text(e.data #> ${`{${way},${out}}`}::text[]) as list_id
      where e.account_id = ${accountId}
    ) as moves order by contact_id, list_id, id desc`
  await none(
    'who is in a list has come into it, and not gone since',
    sql`
    select * from (${told('lists', 'added', 'removed')}) as told
    full join (select contact_id, list_id from list_members where account_id = ${accountId}) as m using (contact_id, list_id)
    where (told.way = 'in') is distinct from (m is not null) and not (told.way = 'out' and m is null) limit 3`,
  )
  await none(
    'who was told to have entered or left a smart list is in it, or not',
    sql`
    select * from (${told('smart_lists', 'entered', 'left')}) as told
    left join (
      select contact_id, unnest(list_ids) as list_id, true as is_in from smart_memberships where account_id = ${accountId}
    ) as m using (contact_id, list_id)
    where (told.way = 'in') <> coalesce(m.is_in, false) limit 3`,
  )
  await none(
    'each mail that was told of is there, and no other but those that failed',
    sql`
    select * from (
      select (data ->> 'message_id')::uuid as id from events where account_id = ${accountId} and data ? 'message_id'
    ) as told full join (select id, phase from messages where account_id = ${accountId}) as m using (id)
    where (m.phase = 'sent') is distinct from true and m.phase is distinct from 'failed' limit 3`,
  )
  await none(
    'who waits has a link',
    sql`
    select c.id from contacts as c where c.account_id = ${accountId} and c.state = 'pending'
      and not exists (select from confirmations as k where k.account_id = ${accountId} and k.contact_id = c.id and k.used_at is null) limit 3`,
  )
  await none('nothing waits for the dispatcher', sql`select kind from outbox where account_id = ${accountId}`)
  await none(
    'nothing lies in the future',
    sql`select id from events where account_id = ${accountId} and at > now() limit 1`,
  )
  const [hook] = (await get('/api/provider_hooks')).body.data
  const [taken] = await db.query<{ count: number }>(sql`
    select count(*) as count from events where account_id = ${accountId} and data ? 'hook_id'`)
  assert.equal(hook.counts.recorded, taken!.count)
  for (const { table } of await columns(db, ['uuid'], 'contact_id'))
    await none(
      `nobody who is not there stands in ${table}`,
      sql`
      select contact_id from ${raw(table)} as t where contact_id is not null
        and not exists (select from contacts as c where c.account_id = t.account_id and c.id = t.contact_id) limit 3`,
    )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { SmartListFollower } from '../lists/follower.ts'
import { BulkPace, mayMeet, readWaiting, type Waiting } from './batch.ts'
import { noteChangeSets } from './change-sets.ts'
import { dispatch, type Follower } from './dispatcher.ts'
import { record, recording } from './record.ts'

/** More than a request can name: bulk. */
const MANY = 1200

async function enterMany({ db, accountId }: TestApp): Promise<string[]> {
  const rows = await db.query<{ id: string }>(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}, n || '@example.com', 'subscribed', 'test' from generate_series(1, ${MANY}) as n returning id`)
  return rows.map((row) => row.id)
}

/** An act on all of these contacts, of one change set, with its end. */
async function bulk(
  { db, accountId }: TestApp,
  ids: readonly string[],
  changeSetId: number,
  tag: string,
): Promise<void> {
  await db.transaction(async (trx) => {
    const acts = sql`
      select id as contact_id, '{updated}'::text[] as types, ${tag}::text as name, null::timestamptz as at, '{}'::jsonb as data
      from changed`
    trx.send(sql`
      with changed as (
        update contacts set tags = array_append(tags, ${tag}) where account_id = ${accountId} and id = any(${[...ids]}::uuid[]) returning id
      ), ${recording(accountId, acts, changeSetId)} select`)
    record(
      trx,
      accountId,
      [{ contactId: null, types: ['change_set_finished'], name: `end ${changeSetId}`, data: {} }],
      changeSetId,
    )
  })
}

async function small({ db, accountId }: TestApp, ids: readonly string[], tag: string): Promise<void> {
  await db.transaction(async (trx) => {
    await trx.query(sql`
      update contacts set tags = array_append(tags, ${tag}) where account_id = ${accountId} and id = any(${[...ids]}::uuid[])`)
    record(
      trx,
      accountId,
      ids.map((contactId) => ({ contactId, types: ['updated'], name: tag, data: {} })),
    )
  })
}

/** The feed as the names of acts, each where its first event stands; transitions as the tag of their list. */
async function feedOf({ db, accountId }: TestApp, contactId?: string): Promise<string[]> {
  const rows = await db.query<{ what: string }>(sql`
    select coalesce(e.name, e.type) as what from feed as f join events as e on e.account_id = f.account_id and e.id = f.event_id
    where f.account_id = ${accountId} and (${contactId ?? null}::uuid is null or e.contact_id = ${contactId ?? null}::uuid)
    order by f.position`)
  return rows.map((row) => row.what)
}

const firsts = (feed: readonly string[]) => [...new Set(feed)]

test('a small act overtakes bulk acts about other people, and waits where it is about the same', async (t) => {
  const made = await testApp(t)
  const ids = await enterMany(made)
  const [inBulk, other, third] = [ids[0]!, ids.at(-1)!, ids.at(-2)!]
  const touched = ids.slice(0, 1100)
  await bulk(made, touched, 7, 'first bulk')
  await bulk(made, touched, 8, 'second bulk')
  await small(made, [other], 'free')
  await small(made, [inBulk, third], 'same people')
  await small(made, [third], 'behind one that waits')

  await dispatch(made.db, made.accountId)

  assert.deepEqual(firsts(await feedOf(made)), ['free', 'first bulk', 'second bulk'])
  await dispatch(made.db, made.accountId)
  await dispatch(made.db, made.accountId)
  const feed = firsts(await feedOf(made))
  assert.deepEqual(feed.slice(0, 3), ['free', 'first bulk', 'second bulk'])
  assert.ok(feed.indexOf('end 7') > feed.indexOf('first bulk') && feed.indexOf('end 8') > feed.indexOf('second bulk'))
  assert.ok(feed.indexOf('behind one that waits') > feed.indexOf('same people'))
  assert.deepEqual(await feedOf(made, inBulk), ['first bulk', 'second bulk', 'same people'])
})

test('small acts are told before what else there is to do is done, be it a bulk act or a comparison', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const ids = await enterMany(made)
  const breaksAt = (nth: number): Follower => {
    let done = 0
    const step = async () => {
      if (++done === nth) throw new Error('broken down')
    }
    return {
      afterActs: async (_trx, _account, { position }) => step().then(() => position),
      attend: async (_trx, _account, _item, { position }) => step().then(() => ({ position, done: true })),
    }
  }

  await bulk(made, ids.slice(1), 7, 'bulk')
  await small(made, [ids[0]!], 'free')
  await assert.rejects(dispatch(db, accountId, breaksAt(2)), /broken down/)
  assert.deepEqual(await feedOf(made), ['free'])
  await dispatch(db, accountId, breaksAt(0))
  assert.deepEqual(firsts(await feedOf(made)), ['free', 'bulk'])

  await db.query(
    sql`insert into outbox (account_id, event_ids, size, kind) values (${accountId}, '{}', 0, 'comparison')`,
  )
  await small(made, [ids[0]!], 'free again')
  await assert.rejects(dispatch(db, accountId, breaksAt(2)), /broken down/)
  assert.equal((await feedOf(made)).at(-1), 'free again')
  assert.equal((await db.query(sql`select from outbox where account_id = ${accountId}`)).length, 1)
})

test('what follows from acts of which more wait stands behind the last of them', async (t) => {
  const made = await testApp(t)
  const ids = await enterMany(made)
  const follower = new SmartListFollower({ onDifferences: (_, contacts) => assert.fail(`${contacts} differ`) })
  await made.post('/api/contact_lists', { name: 'Small', criteria: { tag: 'small' } })
  await made.post('/api/contact_lists', { name: 'Bulk', criteria: { tag: 'bulk' } })
  while ((await made.db.query(sql`select from outbox`)).length > 0) await dispatch(made.db, made.accountId, follower)
  const someone = ids[0]!
  await small(made, [someone], 'small')
  await bulk(made, ids, 7, 'bulk')
  await small(made, [ids[1]!], 'small')

  // The first batch places the small act before the bulk one; its contact is already as the bulk act has left it.
  while ((await made.db.query(sql`select from outbox`)).length > 0) await dispatch(made.db, made.accountId, follower)

  assert.deepEqual(await feedOf(made, someone), ['small', 'bulk', 'list_entered'])
  const own = await feedOf(made, ids[1]!)
  assert.deepEqual(
    own.filter((what) => what !== 'list_entered'),
    ['bulk', 'small'],
  )
  assert.equal(own.at(-1), 'list_entered')
  const [told] = await made.db.query<{ count: number }>(sql`select count(*) as count from smart_memberships`)
  assert.equal(told!.count, ids.length)
})

/** Acts on the account, of so many events each. */
async function acts({ db, accountId }: TestApp, sizes: readonly number[]): Promise<void> {
  await db.transaction(async (trx) => {
    for (const size of sizes) {
      const events = sql`
        select null::uuid as contact_id, '{custom}'::text[] as types, null::text as name, null::timestamptz as at, '{}'::jsonb as data
        from generate_series(1, ${size}::int)`
      trx.send(sql`with ${recording(accountId, events, null)} select`)
    }
  })
}

async function placed({ db, accountId }: TestApp): Promise<number> {
  const [head] = await db.query<{ position: number; last: number }>(sql`
    select position, (select max(position) from feed where account_id = ${accountId}) as last
    from feed_heads where account_id = ${accountId}`)
  assert.equal(head!.position, head!.last)
  return head!.position
}

test('one transaction places whole acts, of at most 20,000 events, or 5000 where acts are bulk of which nothing is known; one act at least', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const round = async () => [await dispatch(db, accountId), await placed(made)]

  await acts(
    made,
    Array.from({ length: 25 }, () => 1000),
  )
  assert.deepEqual(await round(), [20, 20_000])
  assert.deepEqual(await round(), [5, 25_000])

  await acts(made, [3000, 2000, 4000, 30_000, 2000])
  assert.deepEqual(await round(), [2, 30_000])
  assert.deepEqual(await round(), [1, 34_000])
  assert.deepEqual(await round(), [1, 64_000])
  assert.deepEqual(await round(), [1, 66_000])
  assert.deepEqual(await round(), [0, 66_000])
})

test('bulk acts that took little time are twice as many in the next transaction, 20,000 at most; after a failure 5000 again', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const pace = new BulkPace()
  const round = async () => [await dispatch(db, accountId, undefined, pace), await placed(made)]
  const most = () => [pace.most(accountId), pace.most(accountId + 1), pace.most(accountId, 2)]
  await acts(made, [2000, 3000, 4000, 4000, 4000, 4000, 4000, 2000])
  assert.deepEqual(most(), [5000, 5000, 5000])

  assert.deepEqual(await round(), [2, 5000])
  assert.ok(most()[0]! > 5000, 'to place 5000 takes a tenth of half a second')
  pace.took(accountId, 12_000, 400)
  assert.deepEqual(most(), [15_000, 5000, 7500])
  pace.took(accountId, 6000, 10)
  assert.deepEqual(most(), [12_000, 5000, 6000])
  pace.took(accountId, 1000, 1)
  pace.took(accountId, 0, 600)
  assert.deepEqual(most(), [12_000, 5000, 6000], 'of few nothing is learnt')
  assert.deepEqual(await round(), [3, 17_000])
  pace.took(accountId, 15_000, 10)
  assert.equal(pace.most(accountId), 20_000)
  pace.took(accountId, 20_000, 3000)
  assert.equal(pace.most(accountId), 5000)
  assert.deepEqual(await round(), [1, 21_000])
  pace.took(accountId, 10_000, 100)
  pace.forget(accountId)
  assert.equal(pace.most(accountId), 5000)
})

test('acts that are noted at once each have a row in the outbox, with their change set', async (t) => {
  const { db, accountId } = await testApp(t)

  await db.transaction(async (trx) => {
    const noted = ['A', 'B'].map((name, nth) => ({ options: { list_id: nth, name }, counts: { members: nth } }))
    noteChangeSets(trx, accountId, { kind: 'list_delete', actor: 'test' }, noted)
  })

  const rows = await db.query<{ change_set_id: number; sets: number[]; size: number; name: string }>(sql`
    select o.change_set_id, array(select e.change_set_id from events as e where e.id = any(o.event_ids)) as sets, o.size,
      s.options ->> 'name' as name
    from outbox as o join change_sets as s on s.account_id = o.account_id and s.id = o.change_set_id order by o.id`)
  assert.deepEqual(
    rows.map(({ change_set_id, sets, size, name }) => [sets, size, name, change_set_id === sets[0]]),
    rows.map(({ change_set_id }, nth) => [[change_set_id], 1, ['A', 'B'][nth], true]),
  )
  assert.equal(rows.length, 2)
})

test('acts meet where the contacts between which they are do; acts about nobody meet none, and unknown ones any', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const ids = (await enterMany(made)).toSorted()
  const waiting = () => db.transaction((trx) => readWaiting(trx, accountId))
  await bulk(made, ids.slice(0, 1100), 7, 'first')
  await small(made, [ids[1150]!, ids[1099]!], 'meets')
  await small(made, [ids[1199]!], 'alone')
  await bulk(made, ids.slice(1100, 1198), 8, 'behind')
  const rows = await waiting()

  const acts = ['first', 'end 7', 'meets', 'alone', 'behind', 'end 8']
  assert.equal(rows.length, acts.length)
  const meeting = rows.flatMap((row, at) =>
    rows.slice(at + 1).flatMap((other, nth) => (mayMeet([row], [other]) ? [`${acts[at]}, ${acts[at + 1 + nth]}`] : [])),
  )
  assert.deepEqual(meeting, ['first, meets', 'meets, behind'])
  assert.deepEqual(
    [mayMeet(rows, []), mayMeet(rows.slice(0, 2), rows.slice(3)), mayMeet(rows.slice(0, 2), rows.slice(2))],
    [false, false, true],
  )
  const [first, alone] = [rows[0]!, rows[3]!]
  const times = (row: Waiting, count: number) => Array.from({ length: count }, () => row)
  assert.deepEqual(
    [mayMeet(times(first, 4), times(alone, 9000)), mayMeet(times(first, 1000), times(alone, 9000))],
    [false, true],
  )
  const unknown = { ...rows[0]!, first_contact: null, last_contact: null }
  assert.deepEqual([mayMeet([unknown], [rows[3]!]), mayMeet([rows[1]!], [unknown])], [true, true])
})

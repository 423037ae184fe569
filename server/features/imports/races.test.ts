import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { assertWhole } from '../../test/import-whole.ts'
import { countsOf, person, rowsLeft, run, runParts, sent } from '../../test/imports.ts'
import { runJobs } from '../../test/jobs.ts'
import { waitsForLocks } from '../../test/locks.ts'
import { press, unsubscribeLink } from '../../test/permission.ts'
import { importJobs } from './jobs.ts'

const LIMIT = { timeout: 280_000 }

test(
  'two imports of the same people with crossing external ids, and API writes meanwhile, leave everything whole',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const people = Array.from({ length: 200 }, (_, n) => `p${String(n).padStart(3, '0')}@example.com`)
    const file = (ids: number[], name: string) =>
      `email,external_id,first_name\n${people.map((email, at) => `${email},${at % 4 === 0 ? ids[at] : ''},${name}`).join('\n')}\n`
    const up = people.map((_, at) => at)
    const imports = [
      await sent(made, file(up, 'One'), { update_existing: 'true' }),
      await sent(made, file(up.toReversed(), 'Two'), { update_existing: 'true' }),
    ]

    let isDone = false
    const writes = (async () => {
      const statuses = new Set<number>()
      for (let nth = 0; !isDone; nth++) {
        const [one, two, three] = [11, 7, 5].map((step) => people[(nth * step) % 200]!)
        const answers = await Promise.all([
          made.patch(`/api/contacts/${one}`, { fields: { last_name: `L${nth}` } }),
          made.del(`/api/contacts/${two}`),
          made.post('/api/contacts', { email: three }),
        ])
        for (const { status } of answers) statuses.add(status)
      }
      return statuses
    })()
    const done = await Promise.all(imports.map(({ id }) => run(made, id, { chunkRows: 20 })))
    isDone = true

    assert.deepEqual(
      [...(await writes)].filter((status) => ![200, 201, 204, 404, 422].includes(status)),
      [],
    )
    assert.deepEqual(
      done.map(({ phase, rows_read }) => [phase, rows_read]),
      [
        ['finished', 200],
        ['finished', 200],
      ],
    )
    assert.equal(await rowsLeft(made), 0)
    const [twice] = await made.db.query<{ count: number }>(sql`
    select count(*) as count from (select line from change_rows group by change_set_id, line having count(*) > 1) as t`)
    assert.equal(twice!.count, 0)
    await assertWhole(
      made,
      imports.map(({ id }) => id),
    )
  },
)

test('a person deleted while an import runs is either entered anew or gone, and no row is lost', LIMIT, async (t) => {
  const made = await testApp(t)
  const people = Array.from({ length: 40 }, (_, n) => `p${String(n).padStart(2, '0')}@example.com`)
  for (const email of ['p05@example.com', 'p35@example.com']) await made.post('/api/contacts', { email })
  const { id } = await sent(made, `email,first_name\n${people.map((email) => `${email},New`).join('\n')}\n`, {
    update_existing: 'true',
  })
  await run(made, id, { chunkRows: 10, isOver: async () => true })

  for (const email of ['p05@example.com', 'p35@example.com'])
    assert.equal((await made.del(`/api/contacts/${email}`)).status, 204)
  const done = await run(made, id)

  assert.deepEqual(countsOf(done), { rows_read: 40, created: 39, updated: 1 })
  assert.equal((await made.get('/api/contacts')).body.total, 39)
  assert.equal((await made.get('/api/contacts/p05@example.com')).status, 404)
  const kept = await made.db.query(sql`select email, before, after from change_rows where line = 7`)
  assert.deepEqual(kept, [{ email: null, before: null, after: null }], 'the change set forgets whom it was about')
  await assertWhole(made, [id])
})

test('a giant import yields its turn to those of other accounts, and is gone on with after them', LIMIT, async (t) => {
  const made = await testApp(t)
  const file = (rows: number) => `email\n${Array.from({ length: rows }, (_, n) => `p${n}@example.com`).join('\n')}\n`
  const giant = await sent(made, file(600))
  const others = await Promise.all(Array.from({ length: 3 }, () => made.another()))
  const small = await Promise.all(others.map((tenant) => sent({ ...made, ...tenant }, file(3))))
  const { isOver: _, ...parts } = runParts(made, { chunkRows: 10 })

  await runJobs(made.db, importJobs(parts, made.queue, 0))

  assert.deepEqual(countsOf((await made.get(`/api/contact_imports/${giant.id}`)).body), {
    rows_read: 600,
    created: 600,
  })
  const ended = await made.db.query<{ id: number }>(
    sql`select id from change_sets where phase = 'finished' order by finished_at`,
  )
  assert.deepEqual([ended.length, ended.at(-1)!.id], [4, giant.id], 'the giant ends last')
  assert.equal(small.length, 3)
  const [turns] = await made.db.query<{ count: number }>(sql`
    select count(*) as count from pgboss.job where name = 'imports.run' and group_id = ${String(made.accountId)}`)
  assert.ok(turns!.count > 1, `${turns!.count} turns`)
})

test('who leaves a list by a link at the very moment when a file enters them is not in it', LIMIT, async (t) => {
  const made = await testApp(t)
  const { db } = made
  // The second time the chunks before have brought new people alone, and by that it expects such people.
  for (const [name, earlier] of [
    ['ann', []],
    ['cid', ['c1', 'c2', 'c3', 'c4']],
  ] as const) {
    const list = (await made.post('/api/contact_lists', { name: `News for ${name}` })).body.id
    const [leaves, joins, ...others] = [name, `${name}s`, ...earlier].map((each) => `${each}@example.com`)
    await made.post('/api/contacts', { email: leaves, list_ids: [list] })
    const link = await unsubscribeLink(made, leaves!, list)
    await made.del(`/api/contacts/${leaves}`)
    await db.query(sql`delete from suppressions`) // where somebody was removed, nobody is entered the short way
    const { id } = await sent(made, ['email', ...others, leaves, joins].join('\n'), { list_id: String(list) })

    const acts = await db.transaction(async (trx) => {
      await trx.query(sql`lock table list_opt_outs in exclusive mode`)
      const leaving = press(made, link)
      await waitsForLocks(db, 1)
      const merging = run(made, id, { chunkRows: 2 })
      await waitsForLocks(db, 2)
      return { all: Promise.all([leaving, merging]) }
    })
    const [left, merged] = await acts.all

    assert.equal(left.status, 200)
    const rows = earlier.length + 2
    assert.deepEqual(countsOf(merged), { rows_read: rows, created: rows, opted_out: 1 })
    assert.deepEqual((await person(made, leaves!)).list_ids, [])
    assert.deepEqual((await person(made, joins!)).list_ids, [list])
  }
})

/** Eight people in a list, and an import by which nothing of them changes: merged in chunks of two, the last of them by the short way. */
async function unchanged(made: TestApp) {
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  const emails = Array.from({ length: 8 }, (_, n) => `p${n}@example.com`)
  for (const email of emails)
    await made.post('/api/contacts', { email, fields: { first_name: 'Ann' }, list_ids: [list] })
  const { id } = await sent(made, `email,first_name\n${emails.map((email) => `${email},Ann`).join('\n')}\n`, {
    update_existing: 'true',
    list_id: String(list),
  })
  return { list, emails, id, merge: () => run(made, id, { chunkRows: 2 }) }
}

/** What the import's row of somebody says: by the lines of the file of `unchanged`. */
async function rowOf({ db, accountId }: TestApp, id: number, nth: number) {
  const [row] = await db.query<{ action: string; email: string | null }>(sql`
    select action, email from change_rows where account_id = ${accountId} and change_set_id = ${id} and line = ${nth + 2}`)
  return row!
}

test(
  'a chunk of unchanged people waits for nobody: who is being changed was compared before that',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { db, accountId } = made
    const { emails, merge } = await unchanged(made)
    const done = await db.transaction(async (trx) => {
      await trx.query(sql`
      update contacts set fields = '{"first_name": "Bea"}' where account_id = ${accountId} and email = ${emails[6]}`)
      return merge()
    })
    assert.deepEqual(countsOf(done), { rows_read: 8, unchanged: 8 })
    assert.equal((await person(made, emails[6]!)).fields.first_name, 'Bea')
    assert.equal(await rowsLeft(made), 0)
  },
)

test(
  'who is removed while a chunk that found them unchanged is not yet committed is not named by its row',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { db } = made
    const { emails, id, merge } = await unchanged(made)
    // The chunk of the last two stops when it keeps the row of the last.
    await db.query(sql`
    create function wait_at_last() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(4711); return new; end $$`)
    await db.query(sql`
    create trigger wait_at_last before insert on unchanged_rows for each row when (new.line = 9) execute function wait_at_last()`)

    const acts = await db.transaction(async (trx) => {
      await trx.query(sql`select pg_advisory_xact_lock(4711)`)
      const merging = merge()
      await waitsForLocks(db, 1)
      const removing = made.del(`/api/contacts/${emails[7]}`)
      await waitsForLocks(db, 2)
      return { all: Promise.all([merging, removing]) }
    })
    const [done, removed] = await acts.all

    assert.deepEqual([countsOf(done), removed.status], [{ rows_read: 8, unchanged: 8 }, 204])
    assert.deepEqual(await rowOf(made, id, 7), { action: 'unchanged', email: null })
    assert.deepEqual(await rowOf(made, id, 6), { action: 'unchanged', email: emails[6] })
  },
)

test(
  'who is being removed when a chunk of unchanged people comes is waited for, and comes in again',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { db } = made
    const { list, emails, id, merge } = await unchanged(made)
    const acts = await db.transaction(async (trx) => {
      await trx.query(sql`lock table outbox in exclusive mode`) // where a removal says what it did, last of all
      const removing = made.del(`/api/contacts/${emails[7]}`)
      await waitsForLocks(db, 1)
      const merging = merge()
      await waitsForLocks(db, 2)
      return { all: Promise.all([merging, removing]) }
    })
    const [done, removed] = await acts.all

    assert.deepEqual([countsOf(done), removed.status], [{ rows_read: 8, unchanged: 7, created: 1 }, 204])
    assert.deepEqual((await person(made, emails[7]!)).list_ids, [list])
    assert.deepEqual(await rowOf(made, id, 7), { action: 'created', email: emails[7] })
    assert.equal(await rowsLeft(made), 0)
  },
)

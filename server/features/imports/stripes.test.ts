import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { assertWhole } from '../../test/import-whole.ts'
import { countsOf, rowsLeft, run, sent } from '../../test/imports.ts'
import { rangesOf } from './merge.ts'
import { readStripes, Stripes } from './stripes.ts'

const addresses = (count: number) =>
  Array.from({ length: count }, (_, n) => `p${String(n).padStart(6, '0')}@example.com`)

test('neighbours are spread evenly over the stripes of their window, by each import in another way', () => {
  const ends = ['p004999@example.com', 'p009999@example.com']
  const [one, two] = [new Stripes(1, 10_000, ends), new Stripes(2, 10_000, ends)]
  const all = addresses(15_000)

  const stripes = all.map((key) => one.of(key))
  assert.deepEqual(
    all.map((key) => one.of(key)),
    stripes,
  )
  for (const [window, first] of [0, 5000, 10_000].entries()) {
    const inWindow = stripes.slice(first, first + 5000)
    assert.ok(inWindow.every((stripe) => stripe >> 5 === window))
    const sizes = [...Map.groupBy(inWindow, (stripe) => stripe).values()].map(({ length }) => length)
    assert.equal(sizes.length, 32)
    assert.ok(Math.min(...sizes) > 100 && Math.max(...sizes) < 220, `of 5,000 on average 156 each: ${sizes}`)
  }
  const same = all.filter((key) => one.of(key) === two.of(key)).length
  assert.ok(same > 300 && same < 650, `of 15,000 one in 32 has the same place by chance: ${same}`)
})

test('an account of few people has one stripe, a larger one as many windows as it needs', async (t) => {
  const { db, accountId } = await testApp(t)
  assert.equal((await readStripes(db, accountId, 1, 'email')).of('z@example.com'), 0)
  // As many as 400,000 people would be, of whom one in 256 is in the sample: the last byte of their ids says so.
  await db.query(sql`
    insert into contacts (account_id, id, email, state, origin)
    select ${accountId}, ('01890000-0000-7000-8000-' || lpad(to_hex(n), 10, '0') || '00')::uuid, 'p' || lpad(n::text, 6, '0') || '@example.com', 'none', 'test'
    from generate_series(1, 1563) as n`)

  const byEmail = await readStripes(db, accountId, 1, 'email')
  const windowOf = (n: number) => byEmail.of(`p${String(n).padStart(6, '0')}@example.com`) >> 5
  assert.deepEqual([1, 625, 626, 1250, 1251, 9999].map(windowOf), [0, 0, 1, 1, 2, 2])
  const byId = await readStripes(db, accountId, 1, 'external_id')
  assert.ok(addresses(2000).every((key) => byId.of(key) < 32))
})

test('a chunk changes few people of each page of the table, and all rows of a person', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const all = addresses(20_000)
  await db.query(sql`
    insert into contacts (account_id, email, state, fields, origin)
    select ${accountId}, email, 'subscribed', jsonb_build_object('company', 'x', 'last_name', repeat('x', 40)), 'test'
    from unnest(${all}::text[]) as email`)
  // Each twice, so that rows of one person have to come together: the later one counts.
  const file = `email,company\n${[1, 2].map((nth) => all.map((email) => `${email},N${nth}`).join('\n')).join('\n')}\n`
  const { id } = await sent(made, file, { update_existing: 'true', dry_run: 'true' })
  await run(made, id)

  const stripes = await db.query<{ rows: number }>(sql`
    select count(*) as rows from import_rows where account_id = ${accountId} and import_id = ${id} group by stripe order by stripe`)
  let read = 0
  const ends = stripes.map(({ rows }) => (read += rows))
  let begins = 0
  for await (const { after, upTo } of rangesOf(db, accountId, id, 500)) {
    const [chunk] = await db.query<{ rows: number; people: number; pages: number }>(sql`
      select count(*) as rows, count(distinct c.id) as people, count(distinct (c.ctid::text::point)[0]) as pages
      from import_rows as r join contacts as c on c.account_id = r.account_id and c.email = r.key
      where r.account_id = ${accountId} and r.import_id = ${id}
        and (r.stripe, r.key) > (${after.stripe}, ${after.key}) and (r.stripe, r.key) <= (${upTo.stripe}, ${upTo.key})`)
    const { rows, people, pages } = chunk!
    assert.equal(rows, 2 * people)
    assert.ok(pages > 0.6 * people, `of 40 people on a page, one or two are changed at once: ${JSON.stringify(chunk)}`)
    const near = ends.filter((end) => end >= begins + 438 && end <= begins + 562)
    assert.equal(
      begins + rows,
      near.at(-1) ?? Math.min(begins + 500, 40_000),
      'of 500 rows, or up to the end of a stripe near that',
    )
    begins += rows
  }
  assert.equal(begins, 40_000)
  await made.post(`/api/contact_imports/${id}/apply`)
  const done = await run(made, id, { chunkRows: 500 })

  assert.deepEqual(countsOf(done), { rows_read: 40_000, updated: 20_000, duplicate: 20_000 })
  await assertWhole(made, [id])
  assert.equal(await rowsLeft(made), 0)
  const [said] = await db.query(sql`
    select count(*) as people, count(*) filter (where fields ->> 'company' = 'N2') as changed from contacts where account_id = ${accountId}`)
  assert.deepEqual(said, { people: 20_000, changed: 20_000 })
})

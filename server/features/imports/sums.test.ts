import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { hmac } from '../../lib/secret.ts'
import { keyring, testApp } from '../../test/app.ts'
import { assertWhole } from '../../test/import-whole.ts'
import { applied, countsOf, rowsLeft, run, sent, took } from '../../test/imports.ts'

const NAMES = Array.from({ length: 12 }, (_, n) => `p${n}@example.com`)
const STATES = ['none', 'pending', 'subscribed', 'unsubscribed', 'bounced']
const email = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
  fc.constantFrom('', 'bad', 'P1@EXAMPLE.com', ' p2@example.com '),
)
const row = fc.record({
  email,
  external_id: fc.constantFrom('', '', '', '', '', '', '', '1', '2'),
  age: fc.constantFrom('', '1', '2', 'x'),
  tags: fc.constantFrom('', 'a', 'a,b', 'c'),
  state: fc.constantFrom('', '', ...STATES, 'strange'),
  lists: fc.constantFrom('', '', 'One', 'Two', 'Nowhere'),
})
const known = fc.record({
  email: fc.constantFrom(...NAMES),
  was: fc.constantFrom(...STATES, 'withdrawn', 'erased'),
  external_id: fc.constantFrom(null, null, '1', '2'),
  left: fc.boolean(),
})
const options = fc.record({
  update_existing: fc.boolean(),
  clear_empty: fc.boolean(),
  match_by: fc.constantFrom('email', 'email', 'external_id'),
  all: fc.boolean(),
  state: fc.constantFrom('', ...STATES),
})

/** Whether an external id is claimed by two addresses, or the other way round: who then has it is seen when it is done. */
function idsMeet(rows: readonly { email: string; external_id: string }[]): boolean {
  const pairs = rows
    .filter((each) => each.external_id !== '')
    .map((each) => ({ id: each.external_id, email: each.email.trim().toLowerCase() }))
  const count = (of: (pair: (typeof pairs)[number]) => string) => new Set(pairs.map(of)).size
  const both = count(({ id, email }) => `${id} ${email}`)
  return count(({ id }) => id) < both || count(({ email }) => email) < both
}

/**
 * Whether a row has the address that another gives up, by which their external id takes them to another: whether it is free
 * by then depends on which of the two is looked at first.
 */
function isGivenUp(
  rows: readonly { email: string; external_id: string }[],
  people: readonly { email: string; external_id: string | null }[],
): boolean {
  const leaving = people.filter(
    (known) => known.external_id !== null && rows.some((row) => row.external_id === known.external_id),
  )
  return leaving.some((known) =>
    rows.some((row) => row.email.trim().toLowerCase() === known.email && row.external_id !== known.external_id),
  )
}

test('counts add up, a trial says what is then done, and nobody who has left is brought back, for any file', async (t) => {
  const made = await testApp(t)
  const { db } = made

  const property = fc.asyncProperty(
    fc.array(row, { minLength: 1, maxLength: 40 }),
    fc.uniqueArray(known, { maxLength: 8, selector: ({ email }) => email }),
    options,
    // What a chunk expects depends on the one before: few files have more than one otherwise.
    fc.constantFrom(2, 5, 5000),
    async (rows, people, { all, state, ...given }, chunkRows) => {
      const tenant = await made.another()
      const { accountId, call } = tenant
      const world = {
        ...made,
        ...tenant,
        get: (url: string) => call('GET', url),
        post: (url: string, body?: unknown) => call('POST', url, body),
      }
      const [one] = [
        (await call('POST', '/api/contact_lists', { name: 'One' })).body.id,
        (await call('POST', '/api/contact_lists', { name: 'Two' })).body.id,
      ]
      await call('POST', '/api/contact_fields', { name: 'Age', type: 'integer' })
      const taken = new Set<string>()
      for (const { email, was, external_id, left } of people) {
        if (left)
          await db.query(
            sql`insert into list_opt_outs (account_id, list_id, email) values (${accountId}, ${one}, ${email})`,
          )
        if (was === 'withdrawn' || was === 'erased') {
          const { value, keyId } = hmac(keyring, 'suppression', email)
          await db.query(sql`
            insert into suppressions (account_id, kind, value, key_id, reason, source) values (${accountId}, 'hmac', ${value}, ${keyId}, ${was}, 'test')`)
          continue
        }
        const id = external_id !== null && !taken.has(external_id) ? external_id : null
        if (id !== null) taken.add(id)
        await db.query(sql`
          insert into contacts (account_id, email, external_id, state, origin) values (${accountId}, ${email}, ${id}, ${was}, 'test')`)
      }
      const file = `email,external_id,age,tags,state,lists\n${rows
        .map((each) =>
          Object.values(each)
            .map((cell) => `"${cell}"`)
            .join(','),
        )
        .join('\n')}\n`
      const parts = {
        ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])),
        ...(all ? { list_id: String(one) } : {}),
        ...(state ? { state } : {}),
      }

      const tried = await took(world, file, { ...parts, dry_run: 'true' })
      const [before] = await db.query<{ count: number }>(
        sql`select count(*) as count from events where account_id = ${accountId} and change_set_id = ${tried.id}`,
      )
      assert.equal(before!.count, 0, 'a trial changes nothing')
      const done = await applied(world, tried.id, {}, { chunkRows })

      assert.equal(done.phase, 'finished', done.problem)
      assert.equal(done.rows_read, rows.filter((each) => Object.values(each).some((cell) => cell.trim() !== '')).length)
      const { opted_out: _, kept_unsubscribed: __, rows_read: read, ...parts_of } = countsOf(done)
      assert.equal(
        Object.values(parts_of).reduce((sum, count) => sum + count, 0),
        read,
      )
      if (!idsMeet(rows) && !isGivenUp(rows, people)) assert.deepEqual(countsOf(tried), countsOf(done))
      assert.equal(await rowsLeft(made), 0)
      await assertWhole({ ...tenant, db }, [tried.id])
      const back = await db.query<{ email: string }>(sql`
        select email from contacts where account_id = ${accountId} and state = 'subscribed' and email = any(${people
          .filter(({ was }) => ['unsubscribed', 'bounced', 'withdrawn', 'erased', 'pending'].includes(was))
          .map(({ email }) => email)}::text[])`)
      assert.deepEqual(back, [])
      const inside = await db.query(sql`
        select c.email from list_members as m join contacts as c on c.account_id = m.account_id and c.id = m.contact_id
          join list_opt_outs as o on o.account_id = m.account_id and o.list_id = m.list_id and o.email = c.email
        where m.account_id = ${accountId}`)
      assert.deepEqual(inside, [])
    },
  )

  await fc.assert(property, { numRuns: 6, interruptAfterTimeLimit: 60_000, endOnFailure: true })
})

for (const intoList of [true, false])
  test(`a file that comes again${intoList ? '' : ', into no list'}, with little new in it, or with all of them changed, is merged as a trial says, chunk by chunk`, async (t) => {
    const made = await testApp(t)
    const { db } = made
    const { id: list } = (await made.post('/api/contact_lists', { name: 'All' })).body
    await made.post('/api/contact_fields', { name: 'Age', type: 'integer' })
    const name = (n: number) => `p${String(n).padStart(3, '0')}@example.com`
    const row = (n: number, age = n, tags = 'a,b') => `${name(n)},${age},"${tags}"\n`
    const people = Array.from({ length: 140 }, (_, n) => row(n)).join('')
    const parts = { ...(intoList ? { list_id: String(list) } : {}), update_existing: 'true', tags: 'all' }
    await took(made, `email,age,tags\n${people}`, parts)
    await made.patch(`/api/contacts/${name(50)}`, { unsubscribed: true })
    await made.del(`/api/contacts/${name(60)}`)
    await db.query(sql`
    delete from list_members as m using contacts as c where m.account_id = c.account_id and c.id = m.contact_id and c.email = ${name(70)}`)
    const again = people
      .replace(row(80), row(80, 81))
      .replace(row(90), row(90, 90, 'a,c'))
      .replace(row(100), row(100) + row(100))
      .replace(row(110), row(110) + row(110, 111))
      .replace(row(120), `${row(120)}p120x@example.com,1,a\n`)
      .replace(row(130), `${name(130)},,\n`)
    const rowsOf = (id: number) =>
      db.query<{ line: number; unnamed: boolean }>(sql`
      select line, email, action, before, after, problem, contact_id is null as unnamed from change_rows where change_set_id = ${id} order by line`)

    const older = again.replace(/,(\d+),/g, (_, age) => `,${Number(age) + 1000},`)
    const cases = [
      { given: { clear_empty: 'true' }, file: again, mostly: 'unchanged' },
      { given: { update_existing: 'false' }, file: again, mostly: 'unchanged' },
      { given: {}, file: older, mostly: 'updated' },
    ]
    for (const { given, file, mostly } of cases) {
      const options = { ...parts, ...given }
      const tried = await took(made, `email,age,tags\n${file}`, { ...options, dry_run: 'true' })
      const said = await rowsOf(tried.id)
      const { id } = await sent(made, `email,age,tags\n${file}`, options)
      const done = await run(made, id, { chunkRows: 10 })

      assert.deepEqual(countsOf(done), countsOf(tried))
      assert.ok(done[`${mostly}_contacts_count`] > 125 && done.kept_unsubscribed_contacts_count === 1)
      // Whoever is new has no id in a trial.
      assert.deepEqual(
        (await rowsOf(id)).map((each) =>
          each.unnamed === said[each.line - 2]!.unnamed ? each : { ...each, unnamed: true },
        ),
        said,
      )
      await assertWhole(made, [id])
      await made.post(`/api/contact_imports/${id}/revert`)
      await made.runJobs()
    }
  })

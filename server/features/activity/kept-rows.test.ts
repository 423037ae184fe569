import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { type TestApp, testApp } from '../../test/app.ts'
import { assertWhole } from '../../test/import-whole.ts'
import { countsOf, run, sent, took } from '../../test/imports.ts'
import { type Place, readKept } from './kept-rows.ts'

type Db = TestApp['db']

const ACCOUNT = 4711
const LIMIT = { timeout: 120_000 }

interface Row {
  by: 'line' | 'contact'
  /** null: nobody, as of a row that was refused or whose person was erased. */
  contact: number | null
}

const idOf = (contact: number) => `00000000-0000-7000-8000-${String(contact).padStart(12, '0')}`
const ofAny = (contact: number | null) => (contact === null ? null : idOf(contact))

/** Rows of an act whose lines are their places in `rows`, beside those of another act and another account. */
async function keep(db: Db, rows: readonly Row[]): Promise<void> {
  await db.query(sql`delete from change_rows where account_id in (${ACCOUNT}, ${ACCOUNT + 1})`)
  const values = rows.map((row, at) => ({ line: at + 1, contact_id: ofAny(row.contact), by: row.by }))
  for (const [account, act] of [
    [ACCOUNT, 1],
    [ACCOUNT, 2],
    [ACCOUNT + 1, 1],
  ])
    await db.query(sql`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as row (line bigint, contact_id uuid, by text)
      ), by_line as (
        insert into change_rows (account_id, change_set_id, line, action, contact_id)
        select ${account}::bigint, ${act}::bigint, line, 'updated', contact_id from given where by = 'line'
      )
      insert into unchanged_rows (account_id, change_set_id, line, action, contact_id)
      select ${account}::bigint, ${act}::bigint, line, 'unchanged', contact_id from given where by = 'contact'`)
}

async function pagesOf(db: Db, limit: number, ofSomebody: boolean) {
  const read: [number, string | null][] = []
  for (let after: Place | undefined; ; ) {
    const { rows, next } = await readKept(db, ACCOUNT, 1, { after, limit, ofSomebody })
    assert.ok(rows.length === limit || !next, 'a page that is not the last is full')
    read.push(...rows.map(({ line, contact_id }): [number, string | null] => [line, contact_id]))
    if (!next) return read
    after = next
  }
}

test('pages of any size have each row of an act once: by line, then the unchanged by contact', LIMIT, async (t) => {
  const { db } = await testApp(t)
  const row = fc.record<Row>({
    by: fc.constantFrom('line' as const, 'contact' as const),
    contact: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 25 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (...given) => {
        const [rows, limit, ofSomebody] = given
        await keep(db, rows)
        const all = rows.map((each, at) => ({ ...each, line: at + 1 })).filter(({ contact }) => contact || !ofSomebody)
        const last = Number.POSITIVE_INFINITY // nobody's come behind
        const expected = [
          ...all.filter(({ by }) => by === 'line'),
          ...all
            .filter(({ by }) => by === 'contact')
            .toSorted((a, b) => (a.contact ?? last) - (b.contact ?? last) || a.line - b.line),
        ]
        assert.deepEqual(
          await pagesOf(db, limit, ofSomebody),
          expected.map(({ line, contact }) => [line, ofAny(contact)]),
        )
      },
    ),
    { numRuns: 60 },
  )
})

test(
  'no page of the unchanged reads more than itself, and a person is found among them by one look',
  LIMIT,
  async (t) => {
    const { db } = await testApp(t)
    await db.query(sql`
    insert into unchanged_rows (account_id, change_set_id, line, action, contact_id)
    select ${ACCOUNT}, 1 + n % 5, n, 'unchanged', (${'00000000-0000-7000-8000-'}::text || lpad((n * 7919 % 50000)::text, 12, '0'))::uuid
    from generate_series(1, 50000) as n`)
    await db.query({ text: 'vacuum analyze unchanged_rows', values: [] })
    const read = (act: (trx: Trx) => Promise<unknown>) =>
      db.transaction(async (trx) => {
        const rows = async () => {
          const [row] = await trx.query<{ rows: number }>(sql`
            select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int as rows from pg_stat_xact_user_tables where relname = 'unchanged_rows'`)
          return row!.rows
        }
        const before = await rows() // of transactions whose numbers have not gone out
        await act(trx)
        return (await rows()) - before
      })
    const page = (after: Place) => read((trx) => readKept(trx, ACCOUNT, 1, { after, limit: 50 }))
    const named = sql`select line from change_rows where account_id = ${ACCOUNT} and contact_id = ${idOf(7)}::uuid`
    for (const rows of [await page([40_000]), await page([3, idOf(20_000)])])
      assert.ok(rows >= 51 && rows <= 60, `${rows}`)
    assert.equal(await read((trx) => trx.query(named)), 1)
  },
)

const name = (n: number) => `p${String(n).padStart(2, '0')}@example.com`

/** Uploads forty people who are there, in the opposite of their order; of every tenth it says another age. */
async function nearlyUnchanged(made: TestApp): Promise<{ id: number; apart: () => Promise<(string | null)[]> }> {
  const file = (age: (n: number) => number) =>
    `email,age\n${Array.from({ length: 40 }, (_, n) => `${name(39 - n)},${age(39 - n)}\n`).join('')}`
  await took(
    made,
    file(() => 1),
  )
  const { id } = await sent(
    made,
    file((n) => (n % 10 === 5 ? 2 : 1)),
    { update_existing: 'true' },
  )
  return {
    id,
    async apart() {
      const rows = await made.db.query<{ email: string | null }>(sql`
        select email from unchanged_rows where account_id = ${made.accountId} and change_set_id = ${id}`)
      return rows.map(({ email }) => email)
    },
  }
}

test(
  'all whom an import found unchanged are told page by page and as CSV, also when one was erased since',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { get, call, del } = made
    const { id, apart } = await nearlyUnchanged(made)
    await run(made, id, { chunkRows: 5 })
    const kept = await apart()
    assert.ok(kept.length > 10 && kept.includes(name(17)), 'most of them are kept by contact, and so is who is erased')
    assert.equal((await del(`/api/contacts/${name(17)}/gdpr_delete`)).status, 200)
    await made.runJobs()

    const paged = async (path: string) => {
      const found: { email: string | null; action: string }[] = []
      for (let cursor = ''; ; ) {
        const { body } = await get(`${path}?per_page=7${cursor}`)
        found.push(...body.data)
        if (body.next_cursor === null) return found
        cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`
      }
    }
    const people = await paged(`/api/contact_imports/${id}/contacts`)
    const diff = await paged(`/api/change_sets/${id}/diff`)
    const csv = String((await call('GET', `/api/contact_imports/${id}/contacts?format=csv`)).body)
    const told = Array.from({ length: 40 }, (_, n) => `${name(n)} ${n % 10 === 5 ? 'updated' : 'unchanged'}`).toSpliced(
      17,
      1,
    )
    const words = ({ email, action }: { email: string | null; action: string }) => `${email ?? 'nobody'} ${action}`
    assert.deepEqual(people.map(words).sort(), told)
    assert.deepEqual(diff.map(words).sort(), ['nobody unchanged', ...told])
    const lines = csv.trim().split(/\r?\n/).slice(1)
    assert.deepEqual(lines.map((line) => line.replace(/,.*?,/, ' ').replace(/,\d+$/, '')).sort(), told)
  },
)

test(
  'whom an import has kept as unchanged is not merged again when its rows were lost and its file is read anew',
  LIMIT,
  async (t) => {
    const made = await testApp(t)
    const { id, apart } = await nearlyUnchanged(made)
    let chunks = 0
    await run(made, id, { chunkRows: 5, isOver: async () => ++chunks === 6 })
    const before = (await apart()).length
    assert.ok(before > 10, 'it was cut off behind some who are kept by contact')
    await made.db.query(sql`delete from import_rows where account_id = ${made.accountId} and import_id = ${id}`)

    const done = await run(made, id, { chunkRows: 5 })

    assert.deepEqual(countsOf(done), { rows_read: 40, unchanged: 36, updated: 4 })
    assert.ok((await apart()).length >= before)
    await assertWhole(made, [id])
  },
)

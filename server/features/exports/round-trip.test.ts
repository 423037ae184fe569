import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { defuse } from '../../lib/spreadsheet-cell.ts'
import { type TestApp, testApp } from '../../test/app.ts'
import { testDatabase } from '../../test/database.ts'
import { noLinks } from '../../test/exported.ts'
import { FIELDS, LIST_NAMES, type Somebody, somebody, spoilable } from '../../test/people.ts'
import { coerceValue, displayValue } from '../fields/coerce.ts'
import { loadFields } from '../fields/field-set.ts'
import { itemsOf } from '../imports/cells.ts'
import { readMoment } from '../imports/moments.ts'
import { type Cell, openTable } from '../imports/reading/table.ts'
import { defused } from './cells.ts'
import { type ExportRequest, FORMATS } from './request.ts'
import { writeContacts } from './write.ts'

test('PostgreSQL keeps the same texts from being formulas as the library does', async (t) => {
  const db = await testDatabase(t)
  const texts = spoilable.filter((text) => text.isWellFormed() && !text.includes('\0'))
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 50, maxLength: 200 }), async (said) => {
      const rows = await db.query<{ cell: string }>(sql`
        select ${defused(sql`text`)} as cell from unnest(${said}::text[]) with ordinality as given (text, nth) order by nth`)
      assert.deepEqual(
        rows.map((row) => row.cell),
        said.map(defuse),
      )
    }),
    { numRuns: 40 },
  )
})

/** Fields of every type, lists, and these people in them, written straight into the tables. */
async function populate(made: TestApp, people: readonly Somebody[]): Promise<void> {
  const { db, accountId } = made
  await db.query(sql`delete from contacts where account_id = ${accountId}`)
  await db.query(sql`delete from list_members where account_id = ${accountId}`)
  await db.query(sql`
    with person as (
      select value, nth from jsonb_array_elements(${JSON.stringify(people)}::jsonb) with ordinality as given (value, nth)
    ), entered as (
      insert into contacts (account_id, email, external_id, state, fields, tags, origin, created_at)
      select ${accountId}, 'p' || nth || '@example.com', value ->> 'external_id', value ->> 'state', value -> 'fields',
        array(select jsonb_array_elements_text(value -> 'tags')), 'api', now() - nth * interval '1 day 1.234567 s'
      from person order by nth
      returning id, email
    )
    insert into list_members (account_id, list_id, contact_id)
    select ${accountId}, l.id, entered.id from entered
    join person on entered.email = 'p' || nth || '@example.com'
    join lists as l on l.account_id = ${accountId} and value -> 'lists' @> to_jsonb(array_position(${LIST_NAMES}::text[], l.name) - 1)`)
}

async function withFields(t: TestContext) {
  const made = await testApp(t)
  for (const { value: _value, ...field } of FIELDS) {
    const answer = await made.post('/api/contact_fields', { name: field.merge_tag, ...field })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
  }
  for (const name of LIST_NAMES) assert.equal((await made.post('/api/contact_lists', { name })).status, 200)
  return made
}

/** The rows of an export as the import's reader finds them in its file, each by column. */
async function readBack({ db, accountId }: TestApp, request: ExportRequest): Promise<Record<string, Cell>[]> {
  const signal = AbortSignal.timeout(60_000)
  const { taken } = await writeContacts(db, { accountId, request, mostMs: 60_000, signal, links: noLinks }, buffer)
  const table = await openTable({ open: async () => Readable.from([taken]), name: `people.${request.format}` }, {})
  const rows = (await Array.fromAsync(table.rows())).flat()
  assert.deepEqual(
    rows.filter(({ problem }) => problem !== undefined),
    [],
  )
  return rows.map(({ cells }) => Object.fromEntries(table.columns.map((name, at) => [name, cells[at] ?? null])))
}

for (const format of FORMATS) {
  test(`what is exported as ${format} is read again without change`, async (t) => {
    const made = await withFields(t)
    const fields = await loadFields(made.db, made.accountId)
    await fc.assert(
      fc.asyncProperty(fc.array(somebody, { minLength: 1, maxLength: 60 }), async (people) => {
        const known = people.map((person, at) =>
          person.external_id ? { ...person, external_id: `${person.external_id}${at}` } : person,
        )
        await populate(made, known)

        const rows = await readBack(made, { format })
        assert.equal(rows.length, known.length)
        const stored = await made.db.query<{ id: string; created_at: Date }>(
          sql`select id, created_at from contacts where account_id = ${made.accountId} order by id`,
        )
        for (const [at, person] of known.entries()) {
          const row = rows[at]!
          assert.equal(row.id, stored[at]!.id)
          assert.equal(row.email, `p${at + 1}@example.com`)
          assert.equal(row.external_id || null, person.external_id)
          assert.equal(row.state, person.state)
          assert.deepEqual(itemsOf(row.tags!), person.tags)
          assert.deepEqual(
            itemsOf(row.lists!),
            person.lists.toSorted((a, b) => a - b).map((list) => LIST_NAMES[list]),
          )
          const lost = Date.parse(readMoment(row.created_at, 'iso')!) - stored[at]!.created_at.getTime()
          assert.ok(Math.abs(lost) < (format === 'xlsx' ? 1000 : 1), `${row.created_at}`) // a sheet is read by seconds
          for (const field of fields.active) {
            const before = person.fields[field.mergeTag] ?? null
            const read = coerceValue(field, row[field.mergeTag])
            assert.ok(read.ok, `${field.mergeTag}: ${JSON.stringify(row[field.mergeTag])}`)
            assert.deepEqual(read.value, before, `${field.mergeTag}: ${JSON.stringify(row[field.mergeTag])}`)
            const isExact = format.startsWith('csv') && (field.type === 'date' || field.type === 'boolean')
            if (isExact && before !== null) assert.equal(row[field.mergeTag], displayValue(field, before))
          }
        }
      }),
      { numRuns: 25 },
    )
  })
}

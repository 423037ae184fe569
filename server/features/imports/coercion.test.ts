import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { testApp } from '../../test/app.ts'
import { applied, countsOf, person, run, sent, took } from '../../test/imports.ts'

const FIELDS = [
  { name: 'Note', type: 'text' },
  { name: 'Age', type: 'integer', min: 18, max: 120 },
  { name: 'Score', type: 'number', default: 5 },
  { name: 'Plan', type: 'select', options: ['Free', 'Pro', '1'], default: 'Free', required: true },
  { name: 'Joined', type: 'date', format: 'DD.MM.YYYY' },
  { name: 'Born', type: 'date' },
  { name: 'Vip', type: 'boolean', default: false },
  { name: 'City', type: 'text', required: true },
]
const value = fc.oneof(
  fc.constantFrom('', ' ', '18', '17', '120.0', '+5', '.5', '5.', '-0', '0x10', '9007199254740993', '007'),
  fc.constantFrom(
    'true',
    'YES',
    'off',
    '1',
    'pro ',
    'FREE',
    'gold',
    '2024-02-29',
    '2023-02-29',
    '31.12.2024',
    '2024-01-01T23:00:00-05:00',
    'Jan',
  ),
  fc.string({ maxLength: 12, unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text)),
  fc.constant('x'.repeat(256)),
)
/** Mostly what the field takes, so that some rows are taken whole. */
const or = (...good: string[]) => fc.oneof({ weight: 14, arbitrary: fc.constantFrom('', ...good) }, value)
const row = fc.record({
  note: or('007', 'true', "it's"),
  age: or('18', '120.0', '+50', '1e2'),
  score: or('.5', '-7', '1.25', '1e2'),
  plan: or('pro ', 'FREE', '1'),
  joined: or('31.12.2024', '2024-02-29'),
  born: or('2024-02-29', '2024-01-01T23:00:00-05:00'),
  vip: or('YES', 'off', '1'),
  city: or('Oslo', ' Bergen ', 'Ålesund'),
})

test('a row of a file becomes the same contact, or the same messages, as its values sent to the API', async (t) => {
  const made = await testApp(t)
  for (const field of FIELDS) assert.equal((await made.post('/api/contact_fields', field)).status, 201)
  const rows = fc.sample(row, 150)
  const tags = Object.keys(rows[0]!) as (keyof (typeof rows)[number])[]
  // A file takes an apostrophe off that its writer has put before what looks like a formula; the API takes texts as they are.
  const quoted = (text: string) => `"${(/^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  const file = `email,${tags.join(',')}\r\n${rows.map((each, nth) => [`f${nth}@example.com`, ...tags.map((tag) => quoted(each[tag]))].join(',')).join('\r\n')}\r\n`

  // Numbers with a point, dates in ISO or the field's own notation: what both read without asking.
  const done = await took(made, file, { date_order: 'ymd' })

  const refused = new Map(
    (
      await made.db.query<{ line: number; problem: { errors: object } }>(
        sql`select line, problem from change_rows where action = 'rejected'`,
      )
    ).map(({ line, problem }) => [line, problem.errors]),
  )
  let created = 0
  for (const [nth, each] of rows.entries()) {
    const given = Object.fromEntries(Object.entries(each).filter(([, text]) => text.trim() !== ''))
    const answer = await made.post('/api/contacts', { email: `a${nth}@example.com`, fields: given })
    if (answer.status === 201) {
      created++
      assert.deepEqual(
        (await person(made, `f${nth}@example.com`)).fields,
        answer.body.data.fields,
        JSON.stringify(each),
      )
    } else {
      const errors = (refused.get(nth + 2) ?? {}) as Record<string, unknown>
      const { city, ...others } = answer.body.errors
      // What is wrong with values is told before what a new contact lacks.
      assert.deepEqual(
        errors,
        Object.keys(others).length > 0 && given.city === undefined ? others : answer.body.errors,
        `${JSON.stringify(each)} ${city}`,
      )
    }
  }
  assert.ok(created > 0 && created < rows.length)
  assert.equal(done.created_contacts_count, created)
})

test('a field that is converted or removed between a trial and its application is met as it then is', async (t) => {
  const made = await testApp(t)
  const code = (await made.post('/api/contact_fields', { name: 'Code', type: 'text' })).body.id
  const old = (await made.post('/api/contact_fields', { name: 'Old', type: 'text' })).body.id
  const tried = await took(made, 'email,code,old\na@example.com,12,x\nb@example.com,twelve,y\n', { dry_run: 'true' })
  assert.deepEqual(countsOf(tried), { rows_read: 2, created: 2 })

  assert.equal((await made.post(`/api/contact_fields/${code}/convert`, { type: 'integer' })).status, 200)
  assert.equal((await made.del(`/api/contact_fields/${old}`)).status, 204)
  const done = await applied(made, tried.id)

  assert.deepEqual(countsOf(done), { rows_read: 2, created: 1, rejected: 1 })
  assert.deepEqual([done.errors[0].field, done.errors[0].count], ['code', 1])
  assert.deepEqual((await person(made, 'a@example.com')).fields, { code: 12, old: 'x' }, 'the column makes a new field')
})

test('when a field is converted in the middle of merging, the rest is read anew, and what was merged stays', async (t) => {
  const made = await testApp(t)
  const code = (await made.post('/api/contact_fields', { name: 'Code', type: 'text' })).body.id
  const list = (await made.post('/api/contact_lists', { name: 'News' })).body.id
  const rows = Array.from(
    { length: 60 },
    (_, n) => `p${String(n).padStart(2, '0')}@example.com,${n % 2 ? n : 'word'},${n > 50 ? 'News' : ''}`,
  )
  const { id } = await sent(made, `email,code,lists\n${rows.join('\n')}\n`)
  const cut = await run(made, id, { chunkRows: 10, isOver: async () => true })
  assert.ok(cut.created_contacts_count >= 10 && cut.created_contacts_count < 50)

  const answer = await made.post(`/api/contact_fields/${code}/convert`, { type: 'integer', discard: true })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.equal((await made.del(`/api/contact_lists/${list}`)).status, 204)
  const done = await run(made, id, { chunkRows: 10 })

  assert.equal(done.phase, 'finished', done.problem)
  const left = rows.slice(cut.created_contacts_count)
  const good = left.filter((each) => !each.includes('word') && !each.includes('News')).length
  assert.deepEqual(countsOf(done), {
    rows_read: 60,
    created: cut.created_contacts_count + good,
    rejected: left.length - good,
  })
  assert.equal((await made.get('/api/contacts')).body.total, cut.created_contacts_count + good)
})

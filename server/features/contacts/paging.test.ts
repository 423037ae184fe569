import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'

async function enter(made: TestApp, rows: { fields: object; tags?: string[] }[], prefix: string): Promise<void> {
  await made.db.query(sql`
    insert into contacts (account_id, email, state, fields, tags, origin)
    select ${made.accountId}, ${prefix} || n || '@example.com', 'subscribed', fields, '{}', 'test'
    from jsonb_to_recordset(${JSON.stringify(rows.map((row, n) => ({ ...row, n })))}::jsonb) as t (n int, fields jsonb)`)
}

/** Walks through all pages; `between` runs before each but the first. */
async function walk(
  made: TestApp,
  query: string,
  perPage: number,
  between: () => Promise<void>,
): Promise<{ id: string; email: string }[][]> {
  const pages: { id: string; email: string }[][] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const answer = await made.get(
      `/api/contacts?${query}&per_page=${perPage}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    )
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    pages.push(answer.body.data)
    cursor = answer.body.next_cursor
    if (cursor !== null) await between()
  }
  return pages
}

const sorts = [
  '',
  'id',
  '-id',
  'email',
  '-email',
  'created_at',
  '-created_at',
  'updated_at',
  'city',
  '-city',
  'age',
  '-age',
  'born',
  'external_id',
]
const fields = fc.record(
  {
    city: fc.constantFrom('Oslo', 'oslo', 'Århus', ''),
    age: fc.constantFrom(-1, 0, 2, 10, 0.5),
    born: fc.constantFrom('2020-01-01', '1999-12-31'),
  },
  { requiredKeys: [] },
)

test('cursor pages show everyone once, in one order, also while people are being entered', async (t) => {
  const made = await testApp(t)
  for (const [name, type] of [
    ['city', 'text'],
    ['age', 'number'],
    ['born', 'date'],
  ])
    await made.post('/api/contact_fields', { name, type })

  const property = fc.asyncProperty(
    fc.array(fields, { maxLength: 30 }),
    fc.constantFrom(...sorts),
    fc.integer({ min: 1, max: 7 }),
    fc.boolean(),
    async (people, sort, perPage, adding) => {
      await made.db.query(sql`delete from contacts where account_id = ${made.accountId}`)
      await enter(
        made,
        people.map((given) => ({ fields: given })),
        'p',
      )
      let added = 0
      const between = async () => {
        // Where those who come stand behind and a page holds one of them, the walk would never end.
        if (adding && added < 20) await enter(made, [{ fields: { city: 'Oslo', age: 0 } }], `late${added++}-`)
      }

      const pages = await walk(made, `sort=${sort}`, perPage, between)

      const seen = pages.flat()
      assert.equal(new Set(seen.map((contact) => contact.id)).size, seen.length, 'nobody twice')
      const early = seen.filter((contact) => contact.email.startsWith('p'))
      assert.equal(early.length, people.length, 'everyone who was there')
      for (const page of pages.slice(0, -1)) assert.equal(page.length, perPage)
      if (!adding) {
        const whole = (await made.get(`/api/contacts?sort=${sort}&per_page=1000`)).body.data as { id: string }[]
        assert.deepEqual(
          seen.map((contact) => contact.id),
          whole.map((contact) => contact.id),
          'the order of one large page',
        )
        const byNumber = await Promise.all(
          pages.map((_, at) => made.get(`/api/contacts?sort=${sort}&per_page=${perPage}&page=${at + 1}`)),
        )
        assert.deepEqual(
          byNumber.flatMap((answer) => answer.body.data.map((contact: { id: string }) => contact.id)),
          seen.map((contact) => contact.id),
        )
      }
    },
  )
  await fc.assert(property, { numRuns: 60, seed: 7 })
})

test('a page tells its number, its size, the total and how many pages there are', async (t) => {
  const made = await testApp(t)
  await enter(
    made,
    Array.from({ length: 5 }, () => ({ fields: {} })),
    'p',
  )

  const { body } = await made.get('/api/contacts?page=2&per_page=2')

  assert.deepEqual(
    { ...body, data: body.data.length, next_cursor: typeof body.next_cursor },
    { data: 2, page: 2, per_page: 2, total: 5, total_pages: 3, next_cursor: 'string' },
  )
})

test('a cursor is good for its own query and account alone', async (t) => {
  const made = await testApp(t)
  await enter(
    made,
    Array.from({ length: 5 }, () => ({ fields: {} })),
    'p',
  )
  const other = await made.another()
  const { next_cursor: cursor } = (await made.get('/api/contacts?per_page=2&state=subscribed')).body
  const refused = [
    () => made.get(`/api/contacts?per_page=2&cursor=${cursor}`),
    () => made.get(`/api/contacts?per_page=2&state=none&cursor=${cursor}`),
    () => made.get(`/api/contacts?per_page=2&state=subscribed&sort=email&cursor=${cursor}`),
    () => made.get(`/api/contacts?per_page=2&state=subscribed&cursor=${cursor.slice(0, -2)}`),
    () => made.get('/api/contacts?cursor=abc'),
    () => made.get(`/api/contacts?cursor=${Buffer.from('[1,2,3]').toString('base64url')}`),
    () => other.call('GET', `/api/contacts?per_page=2&state=subscribed&cursor=${cursor}`),
  ]

  for (const ask of refused) {
    const answer = await ask()
    assert.equal(answer.status, 422)
    assert.match(answer.body.errors.cursor[0], /next_cursor/)
  }
  assert.equal((await made.get(`/api/contacts?per_page=2&state=subscribed&cursor=${cursor}`)).body.data.length, 2)
})

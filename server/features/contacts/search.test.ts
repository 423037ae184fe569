import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { compile } from '../criteria/compile.ts'
import { parseCriteria } from '../criteria/parse.ts'
import { soughtBy } from '../criteria/sought.ts'
import { loadFields } from '../fields/field-set.ts'
import { NEWEST_FIRST, type Order } from './order.ts'
import { type Ask, countIn, type Filter, Finder } from './page.ts'
import type { Probe } from './probe.ts'
import { vocabularyOf } from './selection.ts'
import { chooseStrategy, type Path, type Question, type Strategy } from './strategy.ts'

interface Person {
  email: string
  first: string | null
  last: string | null
}

const PARTS = [
  'a',
  'an',
  'ann',
  'bo',
  'o_b',
  'x+y',
  'mü',
  'mÜl',
  'ler',
  '50%',
  'x',
  "o'br",
  'ØR',
  'zz',
  'mu\u0308',
  '##/',
  '€ (a)',
  'S23T',
]
const word = fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''))
const person: fc.Arbitrary<Person> = fc.record({
  email: fc
    .tuple(word, fc.uuid(), fc.constantFrom('gmail.com', 'ab.no', 'müller.de', 'xn--mller-kva.ab.no'))
    .map(([name, id, domain]) => `${name.replace('%', '').toLowerCase()}.${id.slice(0, 4)}@${domain}`),
  first: fc.option(word),
  last: fc.option(fc.tuple(word, word).map((words) => words.join(' '))),
})
const needle = fc.oneof(
  word,
  fc.constantFrom(
    '@gmail',
    'gmail.com',
    'gmail@',
    'A',
    'Zz',
    '_',
    '%',
    'n b',
    '+',
    '##',
    '(/)',
    '\\',
    '.no',
    'l',
    '@mü',
    'müller.ab',
    'xn--m',
    '€',
    '/€',
    '23',
  ),
)

const lower = (text: string) => text.normalize('NFC').replace(/[A-ZÀ-Þ]/g, (letter) => letter.toLowerCase())

/** What q means, without a database. */
function matches({ email, first, last }: Person, q: string): boolean {
  const shown = email.replace('xn--mller-kva', 'müller')
  const texts = [email, shown, [first, last].filter((name) => name !== null).join(' '), last ?? ''].map(lower)
  const wanted = lower(q.trim())
  if ([...wanted].length < 3)
    return (
      [email, first ?? last ?? '', last ?? ''].map(lower).some((text) => text.startsWith(wanted)) ||
      texts.some((text) => text.startsWith(wanted))
    )
  return texts.some((text) => text.includes(wanted))
}

async function enter({ db, accountId }: TestApp, people: Person[]): Promise<string[]> {
  const rows = await db.query<{ id: string; email: string }>(sql`
    insert into contacts (account_id, email, state, fields, origin)
    select ${accountId}, email, case when n % 3 = 0 then 'none' else 'subscribed' end,
      jsonb_strip_nulls(jsonb_build_object('first_name', first, 'last_name', last)), 'test'
    from jsonb_to_recordset(${JSON.stringify(people.map((person, n) => ({ ...person, n })))}::jsonb) as t (n int, email text, first text, last text)
    order by n returning id, email`)
  return rows.map((row) => row.id)
}

const PATHS: Path[] = ['trigrams', 'text', 'account', 'table']

type Chosen = { subscribed: true } | { first_name: string[] }

/** Whether it holds for the person entered as the nth. */
function holds(chosen: Chosen | undefined, { first }: Person, n: number): boolean {
  if (!chosen) return true
  if ('subscribed' in chosen) return n % 3 !== 0
  return first !== null && chosen.first_name.some((name) => name.toLowerCase() === first.toLowerCase())
}

function strategiesFor({ order, counting, filter }: Ask): Strategy[] {
  const paths: Path[] = filter?.sought ? [...PATHS, 'values'] : PATHS
  const totals: ('none' | Path)[] = counting === 'none' ? ['none'] : paths
  return [
    ...paths.flatMap((path): Strategy[] => [
      { do: 'set', path, limit: null, otherwise: 'set' },
      { do: 'set', path, limit: 10_001, otherwise: 'set' },
      ...totals.map((total): Strategy => ({ do: 'sorted', path, total })),
    ]),
    ...(!order.by ? totals.map((total): Strategy => ({ do: 'ordered', total })) : []),
  ]
}

test('every way of finding a page finds the same: what the words mean, in order, with its total', async (t) => {
  const made = await testApp(t)
  const byName: Order = {
    name: 'first',
    descending: false,
    by: { value: sql`lower(c.fields ->> 'first_name') collate "C"`, type: sql`text` },
  }

  const fields = await loadFields(made.db, made.accountId)
  const filterOf = (chosen: Chosen): Filter => {
    const condition = parseCriteria(chosen, vocabularyOf(fields))
    const tested = compile(condition, { timeZone: 'UTC' })
    const sought = soughtBy(made.accountId, condition)
    return { few: tested, set: tested, sought: sought && { indexed: sought.indexed, tested } }
  }

  const property = fc.asyncProperty(
    fc.uniqueArray(person, { maxLength: 40, selector: (one) => one.email }),
    fc.array(needle, { minLength: 1, maxLength: 4 }),
    fc.oneof(
      fc.constantFrom<Chosen | undefined>(undefined, { subscribed: true }),
      fc.record({ first_name: fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }) }),
    ),
    fc.nat(5),
    async (people, needles, chosen, offset) => {
      const filter = chosen && filterOf(chosen)
      await made.db.query(sql`delete from contacts where account_id = ${made.accountId}`)
      const ids = await enter(made, people)
      for (const q of needles) {
        const expected = ids
          .filter((_, n) => matches(people[n]!, q) && holds(chosen, people[n]!, n))
          .sort()
          .reverse()
        for (const order of [NEWEST_FIRST, byName]) {
          const ask: Ask = {
            accountId: made.accountId,
            filter,
            q: q.normalize('NFC'),
            order,
            behind: undefined,
            limit: 7,
            offset,
            counting: 'capped',
          }
          const pages = await Promise.all(
            strategiesFor(ask).map(async (strategy) => {
              const found = await made.db.transaction((trx) => new Finder(trx, ask).follow(strategy))
              return { strategy, ...found }
            }),
          )
          for (const { strategy, places, total, capped } of pages) {
            const told = JSON.stringify({ q, strategy, people: people.length })
            assert.deepEqual([total, capped], [expected.length, false], told)
            assert.deepEqual(
              places.map((place) => place.id),
              order.by ? pages[0]!.places.map((place) => place.id) : expected.slice(offset, offset + 7),
              told,
            )
          }
        }
      }
    },
  )
  await fc.assert(property, { numRuns: 25, seed: 11 })
})

test('the exact address stands first and is counted once, on pages by number and by cursor', async (t) => {
  const made = await testApp(t)
  await enter(made, [
    { email: 'ann@example.com', first: null, last: null },
    ...Array.from({ length: 9 }, (_, n) => ({ email: `${n}.ann@example.com`, first: null, last: null })),
  ])
  const emails = (answer: { body: { data: { email: string }[] } }) => answer.body.data.map((contact) => contact.email)

  const first = await made.get('/api/contacts?q=ANN@example.com&per_page=3')
  assert.equal(first.body.total, 10)
  assert.equal(emails(first)[0], 'ann@example.com')
  const byNumber = [...emails(first)]
  for (let page = 2; page <= 4; page++)
    byNumber.push(...emails(await made.get(`/api/contacts?q=ann@example.com&per_page=3&page=${page}`)))
  const byCursor = [...emails(first)]
  for (let cursor = first.body.next_cursor; cursor; ) {
    const next = await made.get(`/api/contacts?q=ANN@example.com&per_page=3&cursor=${cursor}`)
    assert.equal(next.body.total, 10)
    byCursor.push(...emails(next))
    cursor = next.body.next_cursor
  }

  assert.equal(new Set(byNumber).size, 10)
  assert.deepEqual(byNumber, byCursor)
  assert.deepEqual(
    byNumber.slice(1),
    Array.from({ length: 9 }, (_, n) => `${8 - n}.ann@example.com`),
    'the newest first',
  )
})

test('more than 10,000 are told as such, of a text as of criteria, and counted when asked', async (t) => {
  const made = await testApp(t)
  await made.db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${made.accountId}, 'p' || n || '@' || case when n % 10 < 9 then 'many' else 'few' end || '.example', 'subscribed', 'test'
    from generate_series(1, 30000) as n`)

  const capped = (await made.get('/api/contacts?q=many.example&per_page=2')).body
  const exact = (await made.get('/api/contacts?q=many.example&per_page=2&count=exact')).body
  const few = (await made.get('/api/contacts?q=few.example&per_page=2')).body
  const none = (await made.get('/api/contacts?q=nowhere')).body

  assert.deepEqual([capped.total, capped.total_is_capped, capped.data.length], [10_000, true, 2])
  assert.deepEqual(
    [exact.total, exact.total_is_capped, exact.data[0].email],
    [27_000, undefined, 'p30000@many.example'],
  )
  assert.deepEqual(
    [few.total, few.total_is_capped, few.data.map((one: { email: string }) => one.email)],
    [3000, undefined, ['p29999@few.example', 'p29989@few.example']],
  )
  assert.deepEqual([none.total, none.data], [0, []])
  const next = (await made.get(`/api/contacts?q=many.example&per_page=2&cursor=${capped.next_cursor}`)).body
  assert.deepEqual([next.total, next.total_is_capped], [10_000, true], 'a cursor remembers what the first page counted')

  const criteria = { email_domain: 'many.example' }
  const everyone = (await made.get('/api/contacts?per_page=2')).body
  const filtered = (await made.get('/api/contacts?email_domain=many.example&per_page=1000')).body
  const last = (await made.get('/api/contacts?email_domain=many.example&per_page=1000&page=27')).body
  const counted = (await made.post('/api/contacts/search', { criteria, per_page: 1000, count: 'exact' })).body
  const preview = (await made.post('/api/contact_lists/preview', { criteria })).body
  const told = (await made.post('/api/contact_lists/preview', { criteria, count: 'exact' })).body
  const small = (await made.post('/api/contact_lists/preview', { criteria: { email_domain: 'few.example' } })).body

  assert.deepEqual([everyone.total, everyone.total_is_capped], [30_000, undefined], 'without a condition')
  assert.deepEqual([filtered.total, filtered.total_is_capped, filtered.total_pages], [10_000, true, 10])
  assert.deepEqual([last.data.length, last.total_pages, last.next_cursor], [1000, 10, null])
  const beyond = (await made.get('/api/contacts?email_domain=many.example&per_page=1000&page=10')).body
  assert.equal(beyond.total_pages, 11, 'who goes by number is led beyond the cap')
  assert.deepEqual([counted.total, counted.total_is_capped, counted.total_pages], [27_000, undefined, 27])
  assert.deepEqual([preview.count, preview.count_is_capped, preview.sample.length], [10_000, true, 10])
  assert.deepEqual([told.count, told.count_is_capped], [27_000, undefined])
  assert.deepEqual([small.count, small.count_is_capped], [3000, undefined])

  const many = sql`split_part(c.email, '@', 2) = 'many.example'`
  const planner = () => sql`
    select name, setting from pg_settings where name like 'enable\_%' or name like 'parallel\_%' or name = 'jit' order by name`
  const within = await made.db.transaction(async (trx) => ({
    total: await countIn(trx, made.accountId, { few: many, set: many }),
    settings: await trx.query(planner()),
  }))
  assert.deepEqual(within, { total: 27_000, settings: await made.db.query(planner()) }, 'and leaves no trace')
})

test('what takes long is estimated from the sample where that is asked for, and whatever is soon known is not', async (t) => {
  const made = await testApp(t)
  const { db, accountId } = made
  await db.query(sql`
    insert into contacts (account_id, email, state, origin)
    select ${accountId}, 'p' || n || '@' || case when n % 10 < 9 then 'many' else 'few' end || '.example', 'subscribed', 'test'
    from generate_series(1, 60000) as n`)
  await db.query(sql`
    insert into events (account_id, contact_id, type, types, name)
    select account_id, id, 'custom', '{custom}', 'Bought' from contacts
    where account_id = ${accountId} and email like '%@few.example'`)
  const [sampled] = await db.query<{ few: number }>(sql`
    select count(*) as few from contacts
    where account_id = ${accountId} and email like '%@few.example' and get_byte(uuid_send(id), 15) = 0`)
  const preview = async (criteria: object, count?: string) =>
    (await made.post('/api/contact_lists/preview', { criteria, ...(count ? { count } : {}) })).body

  const about = await preview({ event: 'Bought', count: { gte: 1 } }, 'estimated')
  const digits = sampled!.few < 30 ? 1 : 2
  assert.deepEqual(
    [about.count, about.count_is_estimated, about.count_is_capped],
    [Number((sampled!.few * 256).toPrecision(digits)), true, undefined],
  )
  assert.equal(about.sample.length, Math.min(sampled!.few, 10))
  for (const { email } of about.sample) assert.match(email, /@few\.example$/)

  const nobody = await preview({ event: 'Sold' }, 'estimated')
  assert.deepEqual([nobody.count, nobody.count_is_estimated, nobody.sample], [0, true, []])
  const exact = await preview({ event: 'Bought' }, 'exact')
  const capped = await preview({ event: 'Bought' })
  for (const { count, count_is_estimated } of [exact, capped])
    assert.deepEqual([count, count_is_estimated], [6000, undefined])
  const field = await preview({ email_domain: 'few.example' }, 'estimated')
  assert.deepEqual([field.count, field.count_is_estimated], [6000, undefined], 'a scan of these takes no time')
  const most = await preview({ not: { event: 'Bought' } }, 'estimated')
  assert.deepEqual([most.count, most.count_is_capped, most.count_is_estimated], [10_000, true, undefined])
  const everyone = await preview({}, 'estimated')
  assert.deepEqual([everyone.count, everyone.count_is_estimated], [60_000, undefined])
})

test('a strategy goes with how frequent the matches are and where they lie', () => {
  const large: Probe = { seen: 3000, matching: 0, listed: 0, selected: 0, passed: 0, scale: 333, tableRows: 1_300_000 }
  const asked: Question = { byId: true, lookedUp: ['text'], counting: 'capped', rows: 51 }
  const chosen = (probed: Partial<Probe>, more: Partial<Question> = {}) =>
    chooseStrategy({ ...large, ...probed }, { ...asked, ...more })

  assert.deepEqual(
    chosen({ seen: 4 }),
    { do: 'set', path: 'account', limit: null, otherwise: 'set' },
    'a small account is read whole',
  )
  assert.deepEqual(chosen({}), { do: 'set', path: 'trigrams', limit: 10_001, otherwise: 'set' }, 'rare: by trigrams')
  assert.deepEqual(
    chosen({ tableRows: 1_100_000 }),
    { do: 'set', path: 'text', limit: 10_001, otherwise: 'set' },
    'by the text alone where the account is most of the table',
  )
  assert.deepEqual(
    chosen({ matching: 36, selected: 36, passed: 80 }),
    { do: 'ordered', total: 'trigrams' },
    'middling: a walk for the page, and a count',
  )
  assert.deepEqual(
    chosen({ matching: 1350, selected: 1350, passed: 2 }),
    { do: 'ordered', total: 'capped' },
    'frequent: a walk, and no count',
  )
  assert.deepEqual(
    chosen({ matching: 700, selected: 700, passed: 2300 }),
    { do: 'sorted', path: 'trigrams', total: 'capped' },
    'frequent, but only among the oldest',
  )
  assert.deepEqual(
    chosen({}, { lookedUp: [] }),
    { do: 'set', path: 'table', limit: null, otherwise: 'set' },
    'nothing an index could look up',
  )
  assert.deepEqual(
    chosen({ matching: 6, selected: 2, passed: 900 }, { lookedUp: ['values'] }),
    { do: 'set', path: 'values', limit: null, otherwise: 'set' },
    'a rare value',
  )
  assert.deepEqual(
    chosen({ matching: 700, selected: 20, passed: 90 }, { lookedUp: ['values'], counting: 'exact' }),
    { do: 'ordered', total: 'table' },
    'a frequent one',
  )
  assert.deepEqual(
    chosen(
      { matching: 30, selected: 20, passed: 90 },
      { lookedUp: ['values'], looksUp: { each: 80, besides: 80 }, counting: 'exact' },
    ),
    { do: 'set', path: 'table', limit: null, otherwise: 'set' },
    'whose events would be looked up one by one',
  )
  const events = { each: 40, besides: 0 }
  const first = { seen: 250, matching: 250, scale: 4000 }
  assert.deepEqual(
    chosen({ ...first, listed: 1, selected: 1 }, { lookedUp: ['ids'], looksUp: events }),
    { do: 'set', path: 'ids', limit: null, otherwise: 'set' },
    'few whom events name',
  )
  assert.deepEqual(
    chosen({ ...first, listed: 1 }, { lookedUp: ['values', 'ids'], looksUp: events, counting: 'exact' }),
    { do: 'set', path: 'ids', limit: null, otherwise: 'set' },
    'the rarer of two that can be looked up',
  )
  assert.deepEqual(
    chosen({ ...first, listed: 20, selected: 20 }, { lookedUp: ['ids'], looksUp: events }),
    { do: 'ordered', total: 'capped' },
    'many: a walk',
  )
  assert.deepEqual(
    chosen({ ...first, listed: 200, selected: 3, passed: 60 }, { lookedUp: ['ids'], looksUp: events }),
    { do: 'ordered', total: 'table' },
    'many, of whom few are meant',
  )
  assert.deepEqual(chosen({ matching: 3000, selected: 0 }, { lookedUp: [], counting: 'exact' }), {
    do: 'set',
    path: 'table',
    limit: null,
    otherwise: 'set',
  })
  assert.deepEqual(chosen({ matching: 3000, selected: 600, passed: 5 }, { lookedUp: [], counting: 'exact' }), {
    do: 'ordered',
    total: 'table',
  })
  assert.deepEqual(chosen({ seen: 100, scale: 256, tableRows: 50_000_000 }, { lookedUp: [] }).do, 'set')
  assert.equal(
    (chosen({ seen: 100, scale: 256, tableRows: 50_000_000 }, { lookedUp: [] }) as { path: Path }).path,
    'account',
    'a middling account in a huge table',
  )
})

test('a domain is found as people write it and as it is stored, a name by composed and by decomposed letters', async (t) => {
  const { post, get } = await testApp(t)
  await post('/api/contacts', {
    email: 'müller@bücher.example',
    fields: { first_name: 'Zoe\u0308', last_name: 'Lee & Co. (##/)' },
  })
  await post('/api/contacts', { email: 'ann@example.com' })

  for (const q of [
    'müller@bücher',
    'mu\u0308ller@bu\u0308cher.example',
    'BÜCHER.ex',
    'xn--bcher',
    'Zoë',
    'zoe\u0308',
    'ë lee',
    'zo',
    '##/',
    '& co',
  ]) {
    const { body } = await get(`/api/contacts?q=${encodeURIComponent(q)}`)
    assert.deepEqual([body.total, body.data[0]?.email], [1, 'müller@bücher.example'], q)
  }
  for (const q of ['#/', '(/', 'ü', 'bücher.de', 'zoe', '##/)x']) {
    assert.equal((await get(`/api/contacts?q=${encodeURIComponent(q)}`)).body.total, 0, q)
  }
})

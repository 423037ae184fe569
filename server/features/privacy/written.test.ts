import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { normaliseEmail } from '../../lib/email.ts'
import { testDatabase } from '../../test/database.ts'
import { finderOf, patternInDatabase } from './written.ts'

const ANN = 'ann@xn--mller-kva.example'

const NAMED = [
  'ann@müller.example',
  'ANN@Müller.Example',
  'Ann <ann@xn--mller-kva.example>',
  'ann@mu\u0308ller.example', // put together from parts
  'to ann@müller.example.',
  'mailto:ann@müller.example?subject=x',
  'ann@müller.example.csv.gz',
  JSON.stringify({ note: `first\nann@müller.example` }),
]
const OTHERS = [
  'joann@müller.example',
  'x-ann@müller.example',
  'x.ann@müller.example',
  'x+ann@müller.example',
  'ann@müller.example.org',
  'ann@müller.examples',
  'ann@müller.example-old.org',
  'annemüller.example',
  'ann@müllerxexample',
]

test('an address is found as people write it, and not inside of another', async (t) => {
  const db = await testDatabase(t)
  const finder = finderOf([ANN, 'bob@example.com'])
  const pattern = patternInDatabase([ANN, 'bob@example.com'])
  for (const [texts, isNamed] of [
    [NAMED, true],
    [OTHERS, false],
  ] as const)
    for (const text of texts) {
      assert.equal(finder.test(text), isNamed, text)
      const [row] = await db.query<{ is: boolean }>(sql`select ${text}::text ~* ${pattern} as is`)
      assert.equal(row!.is, isNamed, `in PostgreSQL: ${text}`)
    }
})

const LOCAL = "abzXYé0.+-_!#$%&'*/=?^`{|}~"
const sign = fc.constantFrom(...LOCAL, ...' <>",;:\\\n()[]@äжß日')
const email = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...LOCAL), minLength: 1, maxLength: 6 }),
    fc.constantFrom('ex.org', 'é.ex', 'b.co'),
  )
  .map(([local, domain]) => normaliseEmail(`${local}@${domain}`))
  .filter((read) => read.ok)
  .map((read) => (read as { email: string }).email)

test('PostgreSQL and Node find the same addresses in the same texts, whatever stands around them', async (t) => {
  const db = await testDatabase(t)
  const around = fc.string({ unit: sign, maxLength: 3 })
  const texts = (of: string[]) =>
    fc.array(fc.tuple(around, fc.constantFrom(...of, ...of.map((one) => one.toUpperCase())), around), {
      minLength: 20,
      maxLength: 20,
    })
  let named = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(email, { minLength: 1, maxLength: 2 }).chain((emails) => fc.tuple(fc.constant(emails), texts(emails))),
      async ([emails, parts]) => {
        const all = parts.map((part) => part.join(''))
        const finder = finderOf(emails)
        const rows = await db.query<{ is: boolean }>(
          sql`select text ~* ${patternInDatabase(emails)} as is from unnest(${all}::text[]) with ordinality as t (text, nth) order by nth`,
        )
        assert.deepEqual(
          rows.map(({ is }) => is),
          all.map((text) => finder.test(text)),
        )
        named += rows.filter(({ is }) => is).length
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(named > 300, String(named))
})

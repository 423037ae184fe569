import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readAll, refused, sourceOf } from '../../../test/tables.ts'

test('contacts are read back as they were written, as NDJSON, an array or a document, in any chunks', async () => {
  const scalar = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 9 }),
    fc.constantFrom('],[{}"\\', '\n', '"'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.array(fc.string()),
  )
  const contact = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd e', 'é"{'), scalar, {
    minKeys: 1,
    noNullPrototype: true,
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(contact, { minLength: 1, maxLength: 10 }),
      fc.constantFrom('lines', 'array', 'document', 'pretty'),
      fc.integer({ min: 1, max: 30 }),
      async (contacts, how, size) => {
        const storable = contacts.map(
          (each) => JSON.parse(JSON.stringify(each).replaceAll('\\u0000', '')) as Record<string, unknown>,
        )
        const text =
          how === 'lines'
            ? storable.map((each) => JSON.stringify(each)).join('\r\n')
            : how === 'array'
              ? JSON.stringify(storable)
              : how === 'document'
                ? JSON.stringify({ list_id: 3, note: '"contacts":[', contacts: storable, more: [1, { contacts: [] }] })
                : JSON.stringify({ contacts: storable }, null, 2)

        const { columns, rows } = await readAll(
          sourceOf(text, size),
          how === 'lines' ? { format: 'ndjson' } : { format: 'json' },
        )

        const read = rows.map(({ cells }) =>
          Object.fromEntries(
            columns.flatMap((name, at) => (cells[at] === undefined || cells[at] === null ? [] : [[name, cells[at]]])),
          ),
        )
        assert.deepEqual(
          read,
          storable.filter((each) => Object.values(each).some((value) => value !== '')),
        )
      },
    ),
    { numRuns: 300 },
  )
})

test('which JSON it is shows in the content', async () => {
  const format = async (text: string) => (await readAll(text)).detected.format
  assert.equal(await format('{"email":"a@example.com"}\n{"email":"b@example.com"}'), 'ndjson')
  assert.equal(await format('{"email":"a@example.com"}'), 'ndjson')
  assert.equal(await format('\ufeff [{"email":"a@example.com"}]'), 'json')
  assert.equal(await format('{"contacts":[{"email":"a@example.com"}]}'), 'json')
  assert.equal(await format('{\n  "contacts": [\n{"email":"a@example.com"}\n]\n}'), 'json')
  assert.equal(await format('[id],{name}\n1,2'), 'csv')
})

test('fields of a contact stand beside its other keys, other objects under dotted names', async () => {
  const { columns, cells } = await readAll(
    '{"email":"a","fields":{"plan":"Pro","email":"x"},"address":{"city":"Wien"}}\n{"fields":{"age":3},"new":[1,{"a":2}]}',
  )

  assert.deepEqual(columns, ['email', 'plan', 'email (2)', 'address.city', 'age', 'new'])
  assert.deepEqual(cells, [
    ['a', 'Pro', 'x', 'Wien'],
    [null, null, null, null, 3, [1, { a: 2 }]],
  ])
})

test('a bad line is the problem of its row, with where in it', async () => {
  const { rows } = await readAll(
    '{"a":1}\n{"a":1,}\n\n[1]\n{"a":"\\u0000"}\n{"a":"\\ud800"}\n{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}}}}}}}\n{"a":2}\n',
  )

  assert.deepEqual(
    rows.map(({ line }) => line),
    [1, 2, 4, 5, 6, 7, 8],
  )
  assert.match(rows[1]!.problem!, /is not correct JSON at its character 8/)
  assert.match(rows[2]!.problem!, /is not a JSON object/)
  assert.match(rows[3]!.problem!, /NUL.* at a/)
  assert.match(rows[4]!.problem!, /surrogate/)
  assert.match(rows[5]!.problem!, /too deep/)
  assert.deepEqual(rows[6], { line: 8, cells: [2] })
})

test('a bad contact of a document is the problem of its row', async () => {
  const { rows } = await readAll('[{"a":1},{"a":},5,"x",{"a":2}]')
  assert.deepEqual(
    rows.map(({ line, problem }) => [line, problem !== undefined]),
    [
      [1, false],
      [2, true],
      [3, true],
      [4, true],
      [5, false],
    ],
  )
})

test('a key named __proto__ is a column like any other', async () => {
  const { columns, cells } = await readAll('{"__proto__":"x","constructor":"y"}')
  assert.deepEqual(columns, ['__proto__', 'constructor'])
  assert.deepEqual(cells, [['x', 'y']])
})

test('a document that ends too early, has no contacts, or commas that are wrong is refused', async () => {
  await assert.rejects(readAll('{"contacts":[{"a":1},{"a"'), refused(/ends too early, in or after contact number 2/))
  await assert.rejects(readAll('[{"a":1}'), refused(/ends too early/))
  await assert.rejects(readAll('{\n"people": [{"a":1}]}'), refused(/no array of contacts/))
  await assert.rejects(readAll('[{"a":1} {"a":2}]'), refused(/comma too many or too few before contact number 2/))
  await assert.rejects(readAll('[{"a":1},,{"a":2}]'), refused(/comma too many/))
})

test('a contact of megabytes is refused with where it stands', async () => {
  const long = `"${'x'.repeat(2 ** 21)}"`
  await assert.rejects(readAll(`{"a":1}\n{"a":${long}}`), refused(/line 2 is longer/))
  await assert.rejects(readAll(`[{"a":1},{"a":${long}}]`), refused(/contact number 2 is longer/))
})

test('keys beyond the thousandth are a problem, and gzip is read', async () => {
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`k${at}`, at])))
  assert.match((await readAll(gzipSync(wide))).rows[0]!.problem!, /beyond the 1000/)
})

test('no contacts are a table without rows', async () => {
  assert.deepEqual((await readAll('[]')).rows, [])
  assert.deepEqual((await readAll('{"contacts": []}')).rows, [])
})

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import sql from 'sql-template-tag'
import { type TestApp, testApp } from '../../test/app.ts'
import { runJobs, takeJobs } from '../../test/jobs.ts'
import { coerceValue } from './coerce.ts'
import { convertValuesJob } from './convert.ts'
import { FIELD_TYPES, type FieldType, type FieldValue } from './definition.ts'
import type { SweepPayload } from './removal.ts'

type Payload = { [Key in keyof typeof SweepPayload.properties]: number }

const JOB = 'fields.convert'

/** A field with values that stand there as they are given, one contact each; answers the field's address. */
async function withValues(made: TestApp, definition: object, values: readonly unknown[]): Promise<string> {
  const { post, db, accountId } = made
  const field = await post('/api/contact_fields', definition)
  assert.equal(field.status, 201, JSON.stringify(field.body))
  await db.query(sql`
    insert into contacts (account_id, email, state, origin, fields)
    select ${accountId}, 'c' || nth || '@example.com', 'subscribed', 'api',
      case when value = 'null' then '{}' else jsonb_build_object(${field.body.merge_tag}::text, value) end
    from jsonb_array_elements(${JSON.stringify(values)}::jsonb) with ordinality as v (value, nth)`)
  return `/api/contact_fields/${field.body.id}`
}

async function valuesNow({ db, accountId }: TestApp, key: string): Promise<(FieldValue | null)[]> {
  const rows = await db.query<{ value: FieldValue | null }>(sql`
    select fields -> ${key} as value from contacts where account_id = ${accountId} order by substr(split_part(email, '@', 1), 2)::int`)
  return rows.map((row) => row.value)
}

/** Runs the one conversion that waits, in this process and without the queue's wait. */
async function finish({ db }: TestApp, signal = new AbortController().signal): Promise<Payload> {
  const [payload, ...more] = await takeJobs<Payload>(db, JOB)
  assert.ok(payload && more.length === 0)
  await convertValuesJob(db).run(payload, signal)
  return payload
}

const VALUES: Record<FieldType, { field: object; values: unknown[] }> = {
  text: {
    field: {},
    values: ['Pro', ' pro', '12', '12.0', '1e3', '2025-01-31', '2025-01-31T01:00:00Z', 'yes', '0', 'a'.repeat(255)],
  },
  integer: { field: { min: -5 }, values: [0, 1, 7, -3, 9007199254740991] },
  number: { field: { max: 1e300 }, values: [0, 1, 1.5, -2, 1e21, 0.1] },
  select: { field: { options: ['1', 'Yes', '2025-01-31', '1.5'] }, values: ['1', 'Yes', '2025-01-31', '1.5'] },
  date: { field: { format: 'DD.MM.YYYY' }, values: ['2025-01-31', '1999-12-31'] },
  boolean: { field: {}, values: [true, false] },
}

for (const from of FIELD_TYPES) {
  test(`${from} becomes every other kind: what the dry run says is what happens`, async (t) => {
    const made = await testApp(t)
    const { field, values } = VALUES[from]
    for (const to of FIELD_TYPES.filter((type) => type !== from)) {
      await made.db.query(sql`delete from contacts where account_id = ${made.accountId}`)
      const url = await withValues(made, { name: to, merge_tag: `to_${to}`, type: from, ...field }, [...values, null])

      const dry = await made.post(`${url}/convert`, { type: to, dry_run: true })
      assert.equal(dry.status, 200, JSON.stringify(dry.body))
      assert.equal((await made.get(url)).body.type, from, 'a dry run changes nothing')
      const { convertible, not_convertible, values_count, examples, options } = dry.body
      assert.deepEqual([values_count, convertible + not_convertible], [values.length, values.length])

      const plain = await made.post(`${url}/convert`, { type: to })
      if (not_convertible > 0) {
        assert.equal(plain.status, 422)
        const [message] = plain.body.errors.type
        assert.match(message, new RegExp(`^${not_convertible} of ${values_count} values can't be converted`))
        assert.ok(message.includes(JSON.stringify(examples[0].value)), message)
        assert.equal((await made.post(`${url}/convert`, { type: to, discard: true })).status, 200)
      } else assert.equal(plain.status, 200, JSON.stringify(plain.body))
      const { changeSetId } = await finish(made)

      const rules = { type: to, min: null, max: null, options, format: null }
      const expected = values.map((value) => {
        const read = coerceValue(rules, value)
        return read.ok ? read.value : null
      })
      assert.deepEqual(await valuesNow(made, `to_${to}`), [...expected, null], `${from} → ${to}`)
      assert.equal(expected.filter((value) => value === null).length, not_convertible)
      const after = (await made.get(url)).body
      assert.deepEqual([after.type, after.converting_to, after.options], [to, undefined, options])
      const set = (await made.get(`/api/change_sets/${changeSetId}`)).body
      assert.deepEqual(
        [set.kind, set.phase, set.counts],
        [
          'field_convert',
          'finished',
          {
            values_converted: values.filter((value, n) => expected[n] !== null && expected[n] !== value).length,
            values_discarded: not_convertible,
          },
        ],
      )
      assert.equal((await made.patch(url, { name: to, merge_tag: '' })).status, 200, 'the definition is sound')
    }
  })
}

test('the worker converts the values, with a change row and an event for each that changes', async (t) => {
  const made = await testApp(t)
  const url = await withValues(made, { name: 'Age', type: 'text' }, ['41', 'old', null])

  const { body } = await made.post(`${url}/convert`, { data_type: 'integer', discard: true })
  assert.deepEqual(
    [body.phase, body.values_count, body.convertible, body.not_convertible],
    ['running', 2, 1, 1],
    JSON.stringify(body),
  )
  await runJobs(made.db)

  assert.deepEqual(await valuesNow(made, 'age'), [41, null, null])
  const diff = (await made.get(`/api/change_sets/${body.change_set_id}/diff`)).body.data
  assert.deepEqual(
    diff.map((row: { line: number; action: string; before: unknown; after: unknown }) => [
      row.line,
      row.action,
      row.before,
      row.after,
    ]),
    [
      [1, 'updated', { fields: { age: '41' } }, { fields: { age: 41 } }],
      [2, 'updated', { fields: { age: 'old' } }, { fields: {} }],
    ],
  )
  const events = await Promise.all(
    [1, 2, 3].map(async (n) => (await made.get(`/api/contacts/c${n}@example.com/events`)).body.data),
  )
  assert.deepEqual(
    events.map((all) => all.map((event: { type: string; data: unknown }) => [event.type, event.data])),
    [
      [['updated', { fields: { age: { from: '41', to: 41 } } }]],
      [['updated', { fields: { age: { from: 'old' } } }]],
      [],
    ],
  )
  const told = await made.db.query(sql`select data from events where contact_id is null`)
  assert.deepEqual(told, [{ data: { kind: 'field_convert', counts: { values_converted: 1, values_discarded: 1 } } }])
})

test('what comes in during a conversion comes in as the new kind, and the definition can not change', async (t) => {
  const made = await testApp(t)
  const { post, patch, get } = made
  const url = await withValues(made, { name: 'Level', type: 'text', default: '5' }, ['1', '2'])
  assert.equal((await post(`${url}/convert`, { type: 'number' })).status, 200)

  assert.equal((await get(url)).body.converting_to, 'number')
  assert.equal((await post('/api/contacts', { email: 'c3@example.com', fields: { level: '30' } })).status, 201)
  assert.equal((await post('/api/contacts', { email: 'c4@example.com' })).status, 201)
  assert.equal((await patch('/api/contacts/c1@example.com', { fields: { level: 'high' } })).status, 422)
  assert.deepEqual(await valuesNow(made, 'level'), ['1', '2', 30, 5])
  assert.equal((await patch(url, { min: 1 })).status, 422)
  assert.match((await post(`${url}/convert`, { type: 'text' })).body.errors.type[0], /already/)
  await finish(made)

  assert.deepEqual(await valuesNow(made, 'level'), [1, 2, 30, 5])
  assert.equal((await get(url)).body.default, 5)
  assert.equal((await patch(url, { min: 1 })).status, 200)
})

test('options are made of the values there are, once each without regard to case', async (t) => {
  const made = await testApp(t)
  const values = ['pro', 'PRO ', 'Free', 'Straße', 'STRASSE', '\tTab', 'free', 'x'.repeat(255)]
  const url = await withValues(made, { name: 'Plan', type: 'text', default: 'FREE' }, values)

  const { body } = await made.post(`${url}/convert`, { type: 'select' })
  await finish(made)

  assert.deepEqual(body.options, ['Free', 'Straße', 'Tab', 'pro', 'x'.repeat(255)])
  assert.deepEqual(await valuesNow(made, 'plan'), [
    'pro',
    'pro',
    'Free',
    'Straße',
    'Straße',
    'Tab',
    'Free',
    'x'.repeat(255),
  ])
  const field = (await made.get(url)).body
  assert.deepEqual([field.options, field.default], [body.options, 'Free'])
  assert.equal((await made.patch(url, { options: [...field.options, 'Gold'] })).status, 200)
})

test('what can not be is refused before anything changes', async (t) => {
  const made = await testApp(t)
  const url = await withValues(made, { name: 'Plan', type: 'text', default: 'Gold' }, [])
  const refusal = async (body: object) => {
    const answer = await made.post(`${url}/convert`, body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    return answer.body.errors
  }

  assert.match((await refusal({ type: 'colour' })).type[0], /^is not included in the list/)
  assert.deepEqual(await refusal({ type: 'text' }), { type: ['is text already'] })
  assert.match((await refusal({ type: 'select' })).options[0], /give the options/)
  assert.deepEqual(await refusal({ type: 'select', options: [] }), { options: ["can't be blank"] })
  assert.deepEqual(await refusal({ type: 'select', options: ['a', ' A', ''] }), {
    options: ['item 2 is the same as item 1: A', "item 3 can't be blank"],
  })
  assert.match((await refusal({ type: 'number', options: ['a'] })).options[0], /select/)
  assert.equal((await made.post('/api/contact_fields/99999/convert', { type: 'date' })).status, 404)
  await made.db.query(sql`
    insert into contacts (account_id, email, state, origin, fields)
    select ${made.accountId}, 'n' || n || '@example.com', 'none', 'api', jsonb_build_object('plan', n::text) from generate_series(1, 1001) as n`)
  assert.match((await refusal({ type: 'select' })).options[0], /more than 1000/)
  assert.deepEqual((await made.get(url)).body.type, 'text')
  assert.deepEqual(await takeJobs(made.db, JOB), [])

  assert.equal((await made.post(`${url}/convert`, { type: 'integer' })).status, 200)
  assert.equal((await made.get(url)).body.default, null, 'a default that does not convert is gone')
})

test('bounds that an integer can not have are narrowed to those it can', async (t) => {
  const made = await testApp(t)
  const url = await withValues(made, { name: 'Score', type: 'number', min: 0.5, max: 9.5 }, [1, 9])

  await made.post(`${url}/convert`, { type: 'integer' })
  await finish(made)

  const field = (await made.patch(url, { name: 'Points' })).body
  assert.deepEqual([field.type, field.min, field.max], ['integer', 1, 9])
})

test('a field that is removed while it is converted loses its values, and both acts come to an end', async (t) => {
  const made = await testApp(t)
  const url = await withValues(made, { name: 'Age', type: 'text' }, ['1', '2'])
  const { change_set_id } = (await made.post(`${url}/convert`, { type: 'number' })).body

  assert.equal((await made.del(url)).status, 204)
  await runJobs(made.db)

  assert.deepEqual(await valuesNow(made, 'age'), [null, null])
  const sets = (await made.get('/api/change_sets')).body.data as { id: number; phase: string; counts: object }[]
  assert.deepEqual(
    sets.map(({ id, phase }) => [id === change_set_id, phase]),
    [
      [false, 'finished'],
      [true, 'finished'],
    ],
  )
})

/** A signal that breaks the work off at its second look. */
function abortsAfterOneChunk(): AbortSignal {
  let looks = 0
  const throwIfAborted = () => {
    if (++looks > 1) throw new Error('cut off')
  }
  return Object.assign(new AbortController().signal, { throwIfAborted })
}

test('cut off in the middle and run again, a conversion comes to the same end', async (t) => {
  const run = async (cutOff: boolean) => {
    const made = await testApp(t)
    const many = Array.from({ length: 11_000 }, (_, n) => (n % 7 === 0 ? 'none' : n % 3 === 0 ? `${n}` : `${n}.0`))
    const url = await withValues(made, { name: 'Age', type: 'text' }, many)
    const { change_set_id } = (await made.post(`${url}/convert`, { type: 'integer', discard: true })).body
    const [payload] = await takeJobs<Payload>(made.db, JOB)
    const job = convertValuesJob(made.db)
    if (cutOff) {
      await assert.rejects(job.run(payload!, abortsAfterOneChunk()), /cut off/)
      const values = await valuesNow(made, 'age')
      assert.ok(values.some((value) => typeof value === 'number') && values.some((value) => typeof value === 'string'))
      assert.equal((await made.get(url)).body.converting_to, 'integer')
    }
    await job.run(payload!, new AbortController().signal)
    await job.run(payload!, new AbortController().signal)
    const rows = await made.db.query(sql`
      select line, before, after from change_rows where change_set_id = ${change_set_id} order by line`)
    const [events] = await made.db.query<{ count: number }>(sql`select count(*) as count from events`)
    const set = (await made.get(`/api/change_sets/${change_set_id}`)).body
    return { values: await valuesNow(made, 'age'), rows, events: events!.count, counts: set.counts, phase: set.phase }
  }

  const whole = await run(false)

  assert.deepEqual(whole.counts, { values_converted: 9428, values_discarded: 1572 })
  assert.equal(whole.events, 11_001)
  assert.deepEqual(await run(true), whole)
})

const stored: Record<FieldType, fc.Arbitrary<unknown>> = {
  text: fc.oneof(
    fc.constantFrom('Yes', 'no', '12', ' 7 ', '1.5', '-0', '1e400', '2025-02-30', '2024-02-29', 'Free', 'FREE'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== ''),
  ),
  integer: fc.maxSafeInteger(),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  select: fc.constantFrom('Free', '12', 'true', '2025-01-31'),
  date: fc
    .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  boolean: fc.boolean(),
}

test('whatever was stored, afterwards it is the value of the new kind that it can be, or gone', async (t: TestContext) => {
  const made = await testApp(t)
  const { db, accountId } = made
  const conversions = fc
    .constantFrom(...FIELD_TYPES)
    .chain((from) =>
      fc.tuple(
        fc.constant(from),
        fc.constantFrom(...FIELD_TYPES.filter((type) => type !== from)),
        fc.array(stored[from], { minLength: 1, maxLength: 12 }),
      ),
    )
  let round = 0

  await fc.assert(
    fc.asyncProperty(conversions, async ([from, to, values]) => {
      await db.query(sql`delete from contacts where account_id = ${accountId}`)
      const key = `f${++round}`
      const definition = { name: key, type: from, ...VALUES[from].field, min: null, max: null }
      if (from === 'select') Object.assign(definition, { options: ['Free', '12', 'true', '2025-01-31'] })
      const url = await withValues(made, definition, values)
      const { status, body } = await made.post(`${url}/convert`, { type: to, discard: true })
      assert.equal(status, 200, JSON.stringify(body))
      await finish(made)

      const rules = { type: to, min: null, max: null, options: body.options, format: null }
      const expected = values.map((value) => {
        const read = coerceValue(rules, value)
        return read.ok ? read.value : null
      })
      assert.deepEqual(await valuesNow(made, key), expected)
      assert.equal(expected.filter((value) => value !== null).length, body.convertible)
      assert.equal((await made.get(url)).body.values_count, body.convertible)
      assert.equal((await made.del(url)).status, 204)
    }),
    { numRuns: 60 },
  )
})

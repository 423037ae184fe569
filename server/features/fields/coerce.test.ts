import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFullIsoDate } from '../../lib/dates.ts'
import { countCharacters, isStorable } from '../../lib/text.ts'
import { coerceValue, displayValue, guessType, type ValueRules } from './coerce.ts'
import { FIELD_TYPES, type FieldType, type FieldValue } from './definition.ts'

function rules(type: FieldType, more: Partial<ValueRules> = {}): ValueRules {
  return { type, min: null, max: null, options: null, format: null, ...more }
}

/** The value, or what is wrong. */
function coerce(field: ValueRules, input: unknown): FieldValue | null | string[] {
  const read = coerceValue(field, input)
  return read.ok ? read.value : read.problems
}

const PLANS = ['Free', 'Basic', 'Pro', 'Enterprise']

test('null and blank text unset a field of any type', () => {
  for (const type of FIELD_TYPES) {
    for (const blank of [null, undefined, '', ' ', '\t\n\u00a0'])
      assert.equal(coerce(rules(type, { options: PLANS, min: 1 }), blank), null)
  }
})

test('text is kept as it is, to 255 characters or as many as there is room for', () => {
  const text = rules('text')
  assert.equal(coerce(text, ' John '), ' John ')
  assert.equal(coerce(text, '<b>\'"\\'), '<b>\'"\\')
  assert.equal(coerce(text, 5), '5')
  assert.equal(coerce(text, 1.5), '1.5')
  assert.equal(coerce(text, false), 'false')
  assert.equal(coerce(text, '😀'.repeat(255)), '😀'.repeat(255))
  assert.deepEqual(coerce(text, 'a'.repeat(256)), ['is too long (maximum is 255 characters)'])
  assert.equal(coerceValue(text, 'a'.repeat(8192), { textMax: 8192 }).ok, true)
  assert.deepEqual(coerceValue(text, 'a'.repeat(8193), { textMax: 8192 }), {
    ok: false,
    problems: ['is too long (maximum is 8192 characters)'],
  })
  for (const bad of [{}, [], ['a'], { toString: () => 'a' }, Number.NaN, Number.POSITIVE_INFINITY, 5n, Symbol('a')])
    assert.deepEqual(coerce(text, bad), ['must be a string'])
  for (const bad of ['a\0b', '\ud800']) assert.match(String(coerce(text, bad)), /can not have/)
})

test('integers are whole numbers of JSON, or text of one, within their bounds', () => {
  const age = rules('integer', { min: 18, max: 120 })
  const any = rules('integer')
  assert.equal(coerce(age, 18), 18)
  assert.equal(coerce(age, ' 120 '), 120)
  assert.equal(coerce(age, 30.0), 30)
  assert.equal(coerce(age, '+30.00'), 30)
  assert.ok(Object.is(coerce(any, -0), 0) && Object.is(coerce(any, '-0'), 0))
  assert.equal(coerce(any, '-9007199254740991'), -9007199254740991)
  assert.deepEqual(coerce(age, 17), ['must be at least 18'])
  assert.deepEqual(coerce(age, '121'), ['must be at most 120'])
  for (const bad of [1.5, '1.5', 'abc', '1e3', '0x10', 'Infinity', 'NaN', Number.NaN, true, {}, [], [5], 5n, '१'])
    assert.deepEqual(coerce(any, bad), ['must be an integer'], String(bad))
  for (const bad of ['1,000', '1 000', '1.000.000', "1'000"]) {
    assert.deepEqual(
      coerce(any, bad),
      ['must be an integer', 'may have a point before its decimals, and no separators of thousands'],
      bad,
    )
  }
  for (const bad of [2 ** 53, '9007199254740992', '9'.repeat(1000), Number.POSITIVE_INFINITY]) {
    assert.deepEqual(
      coerce(any, bad),
      ['must be an integer between -9007199254740991 and 9007199254740991'],
      String(bad).slice(0, 30),
    )
  }
})

test('numbers are those of JSON, or text in the same notation', () => {
  const any = rules('number')
  const cases: [unknown, number][] = [
    [1.5, 1.5],
    ['1e3', 1000],
    ['-2.5E-3', -0.0025],
    ['.5', 0.5],
    ['5.', 5],
    ['+7', 7],
    [' 7 ', 7],
    ['1e-400', 0],
    ['007', 7],
  ]
  for (const [input, value] of cases) assert.equal(coerce(any, input), value, String(input))
  assert.ok(Object.is(coerce(any, -0), 0) && Object.is(coerce(any, '-0.0'), 0))
  for (const bad of [
    'NaN',
    'Infinity',
    '0x10',
    '0b1',
    '1e',
    'e5',
    '.',
    '1e400',
    '١',
    '1_0x',
    '12abc',
    '5%',
    '$5',
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    true,
    {},
    [],
    [1],
    5n,
  ]) {
    assert.deepEqual(coerce(any, bad), ['must be a number'], String(bad))
  }
  assert.deepEqual(coerce(any, '1,234.5'), [
    'must be a number',
    'may have a point before its decimals, and no separators of thousands',
  ])
  assert.deepEqual(coerce(rules('number', { min: 0.5 }), 0.4), ['must be at least 0.5'])
})

test('a select takes its options without regard to case and gives them as defined', () => {
  const plan = rules('select', { options: PLANS })
  assert.equal(coerce(plan, 'PRO'), 'Pro')
  assert.equal(coerce(plan, ' basic '), 'Basic')
  assert.deepEqual(coerce(plan, 'Premium'), ['is not one of Free, Basic, Pro, Enterprise'])
  for (const bad of [{}, ['Pro'], 5, true, '__proto__', 'constructor'])
    assert.deepEqual(coerce(plan, bad), ['is not one of Free, Basic, Pro, Enterprise'])
  assert.equal(coerce(rules('select', { options: ['1', '2'] }), 2), '2')
  assert.equal(coerce(rules('select', { options: ['Straße', 'Zürich'] }), 'STRASSE'), 'Straße')
  assert.equal(coerce(rules('select', { options: ['Straße', 'Strasse'] }), 'Strasse'), 'Strasse')
  assert.equal(coerce(rules('select', { options: ['Zürich'] }), 'zu\u0308rich'), 'Zürich')
  const many = rules('select', { options: Array.from({ length: 30 }, (_, n) => `o${n}`) })
  assert.match(String(coerce(many, 'x')), /^is not one of o0, .*, o19, … \(30 in all\)$/)
})

test('dates are taken in ISO and in the format, and stored as ISO', () => {
  const plain = rules('date')
  const german = rules('date', { format: 'DD.MM.YYYY' })
  assert.equal(coerce(plain, '2025-01-31'), '2025-01-31')
  assert.equal(coerce(plain, '2025-01-31T23:30:00-05:00'), '2025-01-31')
  assert.equal(coerce(german, '31.01.2025'), '2025-01-31')
  assert.equal(coerce(german, ' 2025-01-31 '), '2025-01-31')
  for (const bad of ['2025-02-30', 'soon', '31.01.2025', 20250131, true, {}, [], new Date(0)])
    assert.deepEqual(coerce(plain, bad), ['is not a date: write YYYY-MM-DD'])
  assert.deepEqual(coerce(german, '2025/01/31'), ['is not a date: write YYYY-MM-DD or DD.MM.YYYY'])
})

test('booleans are true and false, and the words for them', () => {
  const flag = rules('boolean')
  for (const yes of [true, 1, 'true', 'TRUE', 'Yes', 'on', '1', ' 1 ']) assert.equal(coerce(flag, yes), true)
  for (const no of [false, 0, -0, 'false', 'No', 'OFF', '0']) assert.equal(coerce(flag, no), false)
  for (const bad of [2, 'y', 'ja', 'null', '10', {}, [], [true], Number.NaN, '__proto__'])
    assert.deepEqual(coerce(flag, bad), ['must be true or false'], String(bad))
})

test('values are shown as they can be read back', () => {
  assert.equal(displayValue(rules('date', { format: 'D MMM YYYY' }), '2025-01-31'), '31 Jan 2025')
  assert.equal(displayValue(rules('date'), '2025-01-31'), '2025-01-31')
  assert.equal(displayValue(rules('boolean'), false), 'false')
  assert.equal(displayValue(rules('number'), 1e21), '1e+21')
  assert.equal(displayValue(rules('integer'), null), '')
  assert.equal(displayValue(rules('text'), ' a '), ' a ')
})

test('the type of an unknown field is guessed from its first value', () => {
  assert.equal(guessType('2025-01-01'), 'date')
  for (const text of ['', 'Acme', '2025-01-01T00:00:00Z', '2025-02-30', '5', 'true', '51-200'])
    assert.equal(guessType(text), 'text', text)
  for (const number of [5, 5.5, -0, 1e300]) assert.equal(guessType(number), 'number')
  assert.equal(guessType(false), 'boolean')
  for (const none of [null, undefined, {}, [], ['a'], Number.NaN, Number.POSITIVE_INFINITY, 5n])
    assert.equal(guessType(none), null)
})

const field: fc.Arbitrary<ValueRules> = fc.oneof(
  fc.constant(rules('text')),
  fc.constant(rules('boolean')),
  fc
    .tuple(
      fc.constantFrom<FieldType>('integer', 'number'),
      fc.option(fc.integer({ min: -50, max: 10 })),
      fc.option(fc.integer({ min: 10, max: 1e6 })),
    )
    .map(([type, min, max]) => rules(type, { min, max })),
  fc
    .constantFrom(PLANS, ['1', '2', 'true'], ['Straße', 'Strasse', 'İ', 'i'], ['ΟΔΟΣ', 'x y'])
    .map((options) => rules('select', { options })),
  fc
    .constantFrom(null, 'DD.MM.YYYY', 'M/D/YY', 'YYYYMMDD', 'D MMM YYYY', 'YY-DD-MM')
    .map((format) => rules('date', { format })),
)

const likelyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('0', '1', '9', '-', '+', '.', 'e', 'E', ',', ' ', '\0', '\ud800') }),
  fc.constantFrom(
    'pro',
    ' FREE',
    'strasse',
    'ΟΔΟΣ',
    'i̇',
    'yes',
    'OFF',
    '31.01.2025',
    '1/2/03',
    '20250101',
    '5 feb 1999',
    '99-01-12',
    '__proto__',
    "'; drop table contacts; --",
    '{{x}}',
    '=1+1',
  ),
  fc
    .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.double().map(String),
  fc.maxSafeInteger().map(String),
)
const input = fc.oneof(
  likelyText,
  fc.double(),
  fc.maxSafeInteger(),
  fc.integer({ min: -60, max: 100 }),
  fc.boolean(),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withMap: true, withSparseArray: true }),
)

function assertIsValueOf({ type, min, max, options }: ValueRules, value: FieldValue): void {
  switch (type) {
    case 'text':
      assert.ok(typeof value === 'string' && isStorable(value) && value.trim() !== '' && countCharacters(value) <= 255)
      break
    case 'integer':
    case 'number':
      assert.ok(typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0))
      assert.ok(type === 'number' || Number.isSafeInteger(value))
      assert.ok(value >= (min ?? value) && value <= (max ?? value))
      break
    case 'select':
      assert.ok(options!.includes(value as string))
      break
    case 'date':
      assert.ok(typeof value === 'string' && isFullIsoDate(value))
      break
    case 'boolean':
      assert.equal(typeof value, 'boolean')
  }
}

test('whatever comes, it is refused with a reason or becomes a value of the field, which is itself and reads back as itself', () => {
  const taken = new Map<FieldType, number>()
  fc.assert(
    fc.property(field, input, (rules, given) => {
      const read = coerceValue(rules, given)
      if (!read.ok) {
        assert.ok(
          read.problems.length > 0 &&
            read.problems.every((problem) => problem.length > 0 && problem.length < 500 && isStorable(problem)),
        )
        return
      }
      if (read.value !== null) {
        assertIsValueOf(rules, read.value)
        taken.set(rules.type, (taken.get(rules.type) ?? 0) + 1)
      }
      assert.deepEqual(coerceValue(rules, read.value), read)
      assert.deepEqual(coerceValue(rules, displayValue(rules, read.value)), read)
      assert.deepEqual(coerceValue(rules, JSON.parse(JSON.stringify(read.value))), read)
    }),
    { numRuns: 20_000 },
  )
  for (const type of FIELD_TYPES) assert.ok((taken.get(type) ?? 0) > 50, `only ${taken.get(type)} values of ${type}`)
})

const aValue: Record<FieldType, fc.Arbitrary<[ValueRules, FieldValue]>> = {
  text: fc.tuple(
    fc.constant(rules('text')),
    fc.string({ unit: 'binary', maxLength: 120 }).filter((text) => text.trim() !== '' && isStorable(text)),
  ),
  integer: fc.tuple(fc.constant(rules('integer')), fc.maxSafeInteger()),
  number: fc.tuple(
    fc.constant(rules('number')),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  ),
  select: fc
    .uniqueArray(
      fc.string({ minLength: 1 }).filter((text) => text.trim() === text && text !== ''),
      { minLength: 1 },
    )
    .chain((options) => fc.tuple(fc.constant(rules('select', { options })), fc.constantFrom(...options))),
  date: fc.tuple(
    fc
      .constantFrom(null, 'DD.MM.YYYY', 'M/D/YY', 'YYYYMMDD', 'D MMM YYYY', 'YY-DD-MM')
      .map((format) => rules('date', { format })),
    fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ),
  boolean: fc.tuple(fc.constant(rules('boolean')), fc.boolean()),
}

for (const type of FIELD_TYPES) {
  test(`every ${type} is taken as it is, and read back from how it is shown`, () => {
    fc.assert(
      fc.property(aValue[type], ([field, value]) => {
        assert.deepEqual(coerceValue(field, value), { ok: true, value })
        assert.deepEqual(coerceValue(field, displayValue(field, value)), { ok: true, value })
      }),
      { numRuns: 1000 },
    )
  })
}

test('a field is of the type that was guessed from its value', () => {
  fc.assert(
    fc.property(input, (given) => {
      const type = guessType(given)
      if (type === null || (typeof given === 'string' && (!isStorable(given) || given.length > 255))) return
      assert.equal(coerceValue(rules(type), given).ok, true)
    }),
    { numRuns: 3000 },
  )
})

test('long hostile text is answered at once', () => {
  const before = performance.now()
  for (const type of FIELD_TYPES) {
    for (const text of [
      '1'.repeat(2e6),
      `${'1'.repeat(2e6)}x`,
      `${' '.repeat(2e6)}x`,
      `1${','.repeat(2e6)}`,
      `0.${'0'.repeat(2e6)}x`,
    ])
      coerceValue(rules(type, { options: PLANS, format: 'D/M/YYYY' }), text)
  }
  assert.ok(performance.now() - before < 30_000)
})

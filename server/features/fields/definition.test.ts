import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coerceValue } from './coerce.ts'
import {
  checkDefinition,
  checkOptions,
  type DefinitionInput,
  FIELD_TYPES,
  officialDataType,
  parseFieldType,
} from './definition.ts'

function check(input: DefinitionInput) {
  const result = checkDefinition(input)
  return result.ok ? result.definition : result.faults
}

const NOTHING = {
  mergeTag: null,
  required: false,
  editable: false,
  min: null,
  max: null,
  options: null,
  default: null,
  format: null,
}

test('definitions of every type are taken as they are documented', () => {
  assert.deepEqual(check({ name: 'job_title', type: 'text', required: false }), {
    ...NOTHING,
    name: 'job_title',
    type: 'text',
  })
  assert.deepEqual(check({ name: 'age', type: 'number', min: 18, max: 120 }), {
    ...NOTHING,
    name: 'age',
    type: 'number',
    min: 18,
    max: 120,
  })
  const options = ['Free', 'Basic', 'Pro', 'Enterprise']
  assert.deepEqual(check({ name: 'plan', type: 'select', options, default: 'free' }), {
    ...NOTHING,
    name: 'plan',
    type: 'select',
    options,
    default: 'Free',
  })
  assert.deepEqual(check({ name: 'signup_date', type: 'date', format: 'YYYY-MM-DD' }), {
    ...NOTHING,
    name: 'signup_date',
    type: 'date',
    format: 'YYYY-MM-DD',
  })
  assert.deepEqual(check({ name: 'is_verified', type: 'boolean', default: false }), {
    ...NOTHING,
    name: 'is_verified',
    type: 'boolean',
    default: false,
  })
  assert.deepEqual(check({ name: 'Score', type: 'float', merge_tag: 'score' }), {
    ...NOTHING,
    name: 'Score',
    type: 'number',
    mergeTag: 'score',
  })
})

test('texts are trimmed, and what is empty counts as not given', () => {
  const input = {
    name: ' Plan ',
    merge_tag: ' plan ',
    type: 'select',
    options: [' A ', 'b'],
    min: null,
    max: '',
    default: '',
    format: '',
    required: null,
  }
  assert.deepEqual(check(input), { ...NOTHING, name: 'Plan', mergeTag: 'plan', type: 'select', options: ['A', 'b'] })
  assert.deepEqual(check({ name: 'x', merge_tag: '', type: 'text', options: [], default: [] }), {
    ...NOTHING,
    name: 'x',
    type: 'text',
  })
})

test('every violation is told, each under its key, at once', () => {
  assert.deepEqual(check({}), { name: ["can't be blank"], type: ["can't be blank"] })
  assert.deepEqual(
    check({
      name: 'x'.repeat(81),
      type: 'string',
      merge_tag: '1 a',
      required: 'yes',
      min: 5,
      max: 1,
      options: ['a', 'A'],
      format: 'YYYY',
    }),
    {
      type: ['is not included in the list: text, integer, number, select, date, boolean, float'],
      name: ['is too long (maximum is 80 characters)'],
      merge_tag: ['is invalid', 'may have letters (a to z), digits and _, and starts with a letter or _'],
      required: ['must be true or false'],
      max: ['must be at least 5, which is the min'],
      options: ['item 2 is the same as item 1: A'],
      format: ['must have year, month and day once each, such as DD.MM.YYYY'],
    },
  )
  assert.deepEqual(
    check({ name: ' ', type: 'text', merge_tag: 'a'.repeat(81), min: 1, max: 2, options: ['a'], format: 'DD.MM.YYYY' }),
    {
      name: ["can't be blank"],
      merge_tag: ['is too long (maximum is 80 characters)'],
      min: ['is for integer and number fields only, and this one is text'],
      max: ['is for integer and number fields only, and this one is text'],
      options: ['are for select fields only, and this one is text'],
      format: ['is for date fields only, and this one is text'],
    },
  )
  assert.deepEqual(check({ type: 'boolean', default: 'maybe' }), {
    name: ["can't be blank"],
    default: ['must be true or false'],
  })
  assert.deepEqual(check({ name: 5, type: {}, merge_tag: [1], format: 7 }), {
    type: ['is not included in the list: text, integer, number, select, date, boolean, float'],
    name: ['must be a string'],
    merge_tag: ['must be a string'],
    format: ['must be a string'],
  })
})

test('names are counted in characters and hold only what can be stored', () => {
  assert.equal(checkDefinition({ name: '😀'.repeat(80), type: 'text' }).ok, true)
  assert.match(JSON.stringify(check({ name: 'a\0', type: 'text' })), /can not have/)
  assert.match(JSON.stringify(check({ name: 'a\ud800', type: 'text' })), /can not have/)
})

test('bounds are numbers, of an integer whole ones', () => {
  assert.deepEqual(check({ name: 'x', type: 'integer', min: 0.5, max: '9' }), {
    min: ['must be an integer'],
    max: ['must be a number'],
  })
  assert.deepEqual(check({ name: 'x', type: 'number', min: Number.NaN, max: Number.POSITIVE_INFINITY }), {
    min: ['must be a number'],
    max: ['must be a number'],
  })
  assert.deepEqual(check({ name: 'x', type: 'number', min: -0, max: 0 }), {
    ...NOTHING,
    name: 'x',
    type: 'number',
    min: 0,
    max: 0,
  })
})

test('a select has 1 to 1,000 different options', () => {
  assert.deepEqual(checkOptions('a'), { problems: ['must be a list of texts'] })
  assert.deepEqual(check({ name: 'x', type: 'select' }), { options: ["can't be blank"] })
  assert.deepEqual(check({ name: 'x', type: 'select', options: [] }), { options: ["can't be blank"] })
  const many = (count: number) => Array.from({ length: count }, (_, n) => `option ${n}`)
  assert.deepEqual(checkOptions(many(1000)), { options: many(1000) })
  assert.deepEqual(checkOptions(many(1001)), { problems: ['has too many items (maximum is 1000)'] })
  assert.deepEqual(checkOptions(['a', ' ', 5, 'x'.repeat(256), 'b\0', ' A ', 'Straße', 'STRASSE']), {
    problems: [
      "item 2 can't be blank",
      'item 3 must be a string',
      'item 4 is too long (maximum is 255 characters)',
      'item 5 holds a character that text can not have (NUL, or half of a surrogate pair)',
      'item 6 is the same as item 1: A',
      'item 8 is the same as item 7: STRASSE',
    ],
  })
})

test('a default has to be a value of the field', () => {
  assert.deepEqual(check({ name: 'x', type: 'integer', min: 18, default: 17 }), { default: ['must be at least 18'] })
  assert.deepEqual(check({ name: 'x', type: 'select', options: ['a'], default: 'b' }), { default: ['is not one of a'] })
  assert.deepEqual(check({ name: 'x', type: 'date', format: 'DD.MM.YYYY', default: '31.01.2025' }), {
    ...NOTHING,
    name: 'x',
    type: 'date',
    format: 'DD.MM.YYYY',
    default: '2025-01-31',
  })
  assert.deepEqual(check({ name: 'x', type: 'text', default: { a: 1 } }), { default: ['must be a string'] })
})

test('types by their own names and the official ones', () => {
  for (const type of FIELD_TYPES) assert.equal(parseFieldType(type), type)
  assert.equal(parseFieldType('float'), 'number')
  for (const bad of ['string', 'Text', '', 'toString', null, undefined, 5, {}]) assert.equal(parseFieldType(bad), null)
  assert.deepEqual(FIELD_TYPES.map(officialDataType), ['text', 'integer', 'float', 'text', 'date', 'boolean'])
})

const rough = <T>(good: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: fc.anything() })
const definitions: fc.Arbitrary<DefinitionInput> = fc.record(
  {
    name: rough(fc.string({ minLength: 1 })),
    type: rough(fc.constantFrom(...FIELD_TYPES, 'float')),
    merge_tag: rough(fc.constantFrom('plan', '', 'A_1')),
    required: rough(fc.boolean()),
    min: rough(fc.constantFrom(null, 0, -5, 1.5)),
    max: rough(fc.constantFrom(null, 10, 5)),
    options: rough(fc.constantFrom(null, ['a', 'b'])),
    default: rough(fc.constantFrom<unknown>(null, 'a', 5, '2025-01-01', true)),
    format: rough(fc.constantFrom(null, 'DD.MM.YYYY')),
  },
  { requiredKeys: ['name', 'type'] },
)

test('whatever is said, a definition is taken or its faults are told, and one that was taken is taken again as it is', () => {
  fc.assert(
    fc.property(fc.oneof(definitions, fc.object() as fc.Arbitrary<DefinitionInput>), (input) => {
      const result = checkDefinition(input)
      if (!result.ok) {
        assert.ok(Object.keys(result.faults).length > 0)
        for (const messages of Object.values(result.faults)) assert.ok(messages.length > 0)
        return
      }
      const { definition } = result
      assert.deepEqual(checkDefinition({ ...definition, merge_tag: definition.mergeTag }), result)
      assert.deepEqual(coerceValue(definition, definition.default), { ok: true, value: definition.default })
    }),
    { numRuns: 3000 },
  )
})

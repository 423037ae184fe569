import fc from 'fast-check'
import sql from 'sql-template-tag'
import type { TestApp } from './app.ts'

/** Texts that files are apt to spoil: quotes, separators, line ends, formulas, numbers, scripts of every direction. */
export const spoilable = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      "'",
      '"',
      ',',
      ';',
      '\t',
      '\r',
      '\n',
      '\\',
      '.',
      '=',
      '+',
      '-',
      '@',
      '1',
      'e',
      ' ',
      'א',
      'ä',
      '👩‍👧',
      '_x000D_',
      '<',
      '&',
    ),
    maxLength: 12,
  }),
  fc.constantFrom(
    '=1+1',
    "'=1+1",
    "''@x",
    '+49 30 1234567',
    '-5',
    '-a',
    '007',
    '1e5',
    'TRUE',
    'NULL',
    '\\N',
    '\\.',
    '2024-01-02',
    '01.02.2024',
    '👨‍👩‍👧‍👦 family',
    'שלום, "עולם"',
    'مرحبا\nبالعالم',
    'line\r\nbreak',
    '\ufeffbom',
    '<b>&amp;</b>',
    '_x0041_',
    '\u0001\u001f',
    '\u2028',
    '#N/A',
  ),
)

/** A text as a value of a field: what is blank would be none. */
const text = spoilable.filter(
  (said) => said.trim() !== '' && said.isWellFormed() && !said.includes('\0') && [...said].length <= 255,
)

const day = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))

export const DATE_FORMATS = [
  null,
  'YYYY-MM-DD',
  'DD.MM.YYYY',
  'D.M.YY',
  'MM/DD/YYYY',
  'M/D/YY',
  'D MMM YYYY',
  'YYYY年MM月DD日',
  '(DD) MMM, YY',
  'YYYYMMDD',
  ' DD/MM/YYYY',
]

export const OPTIONS = ['Pro', 'Enterprise, "large"', '=cheap', 'line\nbreak', "'quoted"]

/** A field for each type, dates in several formats, and what may stand in it. */
export const FIELDS = [
  { merge_tag: 'said', type: 'text', value: text },
  { merge_tag: 'whole', type: 'integer', value: fc.oneof(fc.integer(), fc.maxSafeInteger()) },
  {
    merge_tag: 'amount',
    type: 'number',
    value: fc
      .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(1e21, 1e-7, 0.1, -0.5, 5e-324))
      .map((n) => n + 0),
  },
  { merge_tag: 'plan', type: 'select', options: OPTIONS, value: fc.constantFrom(...OPTIONS) },
  { merge_tag: 'vip', type: 'boolean', value: fc.boolean() },
  ...DATE_FORMATS.map((format, at) => ({ merge_tag: `day_${at}`, type: 'date', format, value: day })),
] as const

/** A person, less the address, which the caller sees to being another for each. */
export interface Somebody {
  external_id: string | null
  state: string
  fields: Record<string, string | number | boolean>
  tags: string[]
  lists: number[]
}

const TAGS = ['vip', 'a b', '"quoted"', 'say "hi"', "'=tag", '=tag', 'שלום', '👩‍👧']

/** Lists whose names a cell with several of them must keep apart. */
export const LIST_NAMES = ['Customers', 'News, "weekly"', '"', '=list', "it's", 'רשימה, אחת']

/** @param n Makes external ids differ. */
export const somebody: fc.Arbitrary<Somebody> = fc.record({
  external_id: fc.option(
    fc.tuple(fc.constantFrom('', '=', "'", '-', '"', ','), fc.uuid()).map((parts) => parts.join('')),
  ),
  state: fc.constantFrom('none', 'pending', 'subscribed', 'unsubscribed', 'bounced'),
  fields: fc.record(
    Object.fromEntries(FIELDS.map(({ merge_tag, value }) => [merge_tag, value as fc.Arbitrary<string>])),
    {
      requiredKeys: [],
    },
  ) as fc.Arbitrary<Somebody['fields']>,
  tags: fc.uniqueArray(fc.constantFrom(...TAGS), { maxLength: 4 }),
  lists: fc.uniqueArray(fc.nat({ max: LIST_NAMES.length - 1 })),
})

/** Puts so many contacts with the tag `many` into the account, by one statement and without a word about it. */
export async function enterMany({ db, accountId }: Pick<TestApp, 'db' | 'accountId'>, count: number): Promise<void> {
  await db.query(sql`
    insert into contacts (account_id, email, state, tags, origin)
    select ${accountId}, 'many' || n || '@example.com', 'subscribed', '{many}', 'test' from generate_series(1, ${count}::int) as n`)
}

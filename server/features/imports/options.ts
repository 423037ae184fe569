import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { invalid, type Messages, tell } from '../../lib/app-error.ts'
import { isObject } from '../../lib/json.ts'
import { isStorable } from '../../lib/text.ts'
import { isTimestamp } from './moments.ts'

const MOST_LISTS = 100
const MOST_TAGS = 100
const MOST_COLUMNS = 1000
const MOST_MENDED = 10_000

export const RULES = ['trim', 'full_name', 'address', 'first_address'] as const
export type Rule = (typeof RULES)[number]

const flag = (description: string) => Type.Optional(Type.Boolean({ description }))
const text = (description: string, maxLength = 255) => Type.Optional(Type.String({ description, maxLength }))

/** What can be said of how a file is to be read and merged; in a form each by a part of that name. */
export const ImportOptions = Type.Object(
  {
    list_ids: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
        maxItems: MOST_LISTS,
        description: 'Lists that everyone in the file joins; `list_id` is the same for one.',
      }),
    ),
    tags: Type.Optional(
      Type.Array(Type.String(), { maxItems: MOST_TAGS, description: 'Tags that everyone in the file gets.' }),
    ),
    update_existing: flag(
      'Whether people who are there already get the values of the file; else they only join the lists and get the tags given here. False unless given.',
    ),
    skip_invalid: flag(
      'Whether rows that can not be taken are left out; else nothing is imported if there is one. True unless given.',
    ),
    clear_empty: flag('Whether an empty cell unsets a value; else it changes nothing.'),
    dry_run: flag('Stops before anything changes: what would be done can be seen, and then applied.'),
    match_by: Type.Optional(
      Type.Enum(['email', 'external_id'], { description: 'What says that a row is about someone known.' }),
    ),
    state: Type.Optional(
      Type.Enum(['none', 'pending', 'subscribed', 'unsubscribed', 'bounced'], {
        description: "State of new people whose row says none; the account's import_default_state unless given.",
      }),
    ),
    consent: Type.Optional(
      Type.Object(
        {
          source: text('Where they gave their permission.'),
          wording: text('What they agreed to.', 4000),
          obtained_at: text('When: a day or a moment.', 40),
        },
        { additionalProperties: false, description: 'Evidence that is kept with the permission of everyone new.' },
      ),
    ),
    field_mapping: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), {
        maxProperties: MOST_COLUMNS,
        description:
          'Where columns go, by their names: a merge tag, email, external_id, tags, lists, state, created_at, consent_at, consent_ip, consent_source, full_name; null or an empty text leaves a column out. Columns that are not named go where their name says.',
      }),
    ),
    value_mapping: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), { maxProperties: MOST_MENDED }),
        {
          maxProperties: MOST_COLUMNS,
          description:
            'By column or merge tag: what a value stands for, as {"plan":{"pro plan":"Pro"}}; null for nothing.',
        },
      ),
    ),
    rules: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.Enum([...RULES]), { maxItems: RULES.length }), {
        maxProperties: MOST_COLUMNS,
        description:
          'By column: trim; full_name (first and last name in one); address (Name <a@example.com>); first_address (the first of several).',
      }),
    ),
    format: Type.Optional(
      Type.Enum(['csv', 'xlsx', 'ndjson', 'json'], { description: 'Found by content unless given.' }),
    ),
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 3, description: 'One character, or `tab`.' })),
    encoding: text('utf-8, utf-16le, windows-1252, … Found by content unless given.', 40),
    sheet: text('Name of the sheet to read; the first one unless given.'),
    header: flag('Whether the first row has the names of the columns. Found by content unless given.'),
    date_order: Type.Optional(
      Type.Enum(['dmy', 'mdy', 'ymd'], { description: 'Order of day, month and year. Found by content unless given.' }),
    ),
    recipe_id: Type.Optional(
      Type.Integer({ minimum: 1, description: 'A recipe whose options count where none is given.' }),
    ),
  },
  { additionalProperties: false },
)
export type ImportOptions = Static<typeof ImportOptions>

type Name = keyof ImportOptions

/** Names of form parts that mean an option of another name. */
const ALIASES: Readonly<Record<string, Name>> = { list_id: 'list_ids', 'list_ids[]': 'list_ids', 'tags[]': 'tags' }

/** A part of a form other than the file. */
export interface Part {
  name: string
  value: string
}

/**
 * Options from the parts of a form: `field_mapping` as JSON or as `field_mapping[Email Address]`, several `list_id`, lists
 * separated by commas. Throws `invalid` with every fault.
 */
export function optionsFromParts(parts: readonly Part[]): ImportOptions {
  const faults: Messages = {}
  const given: Record<string, unknown> = {}
  for (const { name, value } of parts) {
    const [, base = name, path = ''] = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name) ?? []
    const option = ALIASES[name] ?? ALIASES[base] ?? base
    const schema = Object.hasOwn(ImportOptions.properties, option)
      ? ImportOptions.properties[option as Name]
      : undefined
    const keys = [...path.matchAll(/\[([^[\]]*)\]/g)].map((match) => match[1]!)
    if (!schema)
      tell(
        faults,
        name.slice(0, 100),
        `is not an option: there are file, list_id, ${Object.keys(ImportOptions.properties).join(', ')}`,
      )
    else if (keys.length === 0 || Type.IsArray(schema)) put(given, option, read(schema, value, given[option]))
    else nest(given, [option, ...keys], value, faults)
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return checkOptions(given)
}

function put(into: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true })
}

/** `value_mapping[plan][pro plan]`: the keys may be any text. */
function nest(into: Record<string, unknown>, keys: string[], value: string, faults: Messages): void {
  let place = into
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(place, key)) put(place, key, {})
    const next = place[key]
    if (!isObject(next)) {
      tell(faults, keys[0]!, 'is given both as a whole and in parts: choose one')
      return
    }
    place = next
  }
  const last = keys.at(-1)!
  const isList = keys[0] === 'rules'
  put(place, last, isList ? value.split(',').map((rule) => rule.trim()) : value)
}

/** A form has only texts: one that stands for something else becomes that, and what can't is left for the check to refuse. */
function read(schema: TSchema, value: string, before: unknown): unknown {
  const trimmed = value.trim()
  if (Type.IsBoolean(schema)) {
    const word = trimmed.toLowerCase()
    return ['true', '1', 'yes', 'on'].includes(word)
      ? true
      : ['false', '0', 'no', 'off', ''].includes(word)
        ? false
        : value
  }
  if (Type.IsInteger(schema)) return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : value
  if (Type.IsArray(schema)) {
    const items = trimmed.startsWith('[')
      ? parsed(trimmed)
      : trimmed === ''
        ? []
        : trimmed.split(',').map((item) => item.trim())
    if (!Array.isArray(items)) return value
    const ofIntegers = Type.IsInteger(schema.items as TSchema)
    return [
      ...(Array.isArray(before) ? before : []),
      ...items.map((item) => (ofIntegers && /^\d{1,15}$/.test(String(item)) ? Number(item) : item)),
    ]
  }
  return Type.IsObject(schema) || Type.IsRecord(schema) ? (parsed(trimmed) ?? value) : value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Checks options whatever form they came in; those of an empty text count as not given. Throws `invalid` with every fault. */
export function checkOptions(given: Record<string, unknown>): ImportOptions {
  const kept = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== '' && value !== null && value !== undefined),
  )
  const faults: Messages = {}
  if (!Value.Check(ImportOptions, kept)) {
    for (const fault of Value.Errors(ImportOptions, kept)) tell(faults, placeOf(fault), said(fault))
  }
  const options = kept as ImportOptions
  const bad = JSON.stringify(kept)
  if (!isStorable(bad) || bad.includes('\\u0000'))
    tell(faults, 'base', 'holds a character that text can not have (NUL, or half of a surrogate pair)')
  const obtained = isObject(kept.consent) ? kept.consent.obtained_at : undefined
  if (typeof obtained === 'string' && !isTimestamp(obtained))
    tell(faults, 'consent.obtained_at', 'is not a date: write YYYY-MM-DD, or a moment such as 2026-01-31T09:00:00Z')
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return options
}

/** What is wrong, in words that fit a form as well, whose parts are texts whatever they stand for. */
function said({ keyword, message, params }: { keyword: string; message: string; params: object }): string {
  if (keyword === 'enum')
    return `is not included in the list: ${(params as { allowedValues: unknown[] }).allowedValues.join(', ')}`
  if (message === 'must be boolean') return 'must be true or false'
  return message === 'must be object' ? 'must be an object in JSON' : message
}

function placeOf(fault: { instancePath: string; params: object }): string {
  const at = fault.instancePath.slice(1).replaceAll('/', '.')
  const more = (fault.params as { additionalProperties?: string[] }).additionalProperties?.[0]
  return (more === undefined ? at : at === '' ? more : `${at}.${more}`) || 'base'
}

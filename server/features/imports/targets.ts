import { isMergeTag, isReservedMergeTag, mergeTagFrom } from '../../lib/merge-tag.ts'
import type { ValueRules } from '../fields/coerce.ts'
import type { FieldDefinition, FieldType } from '../fields/definition.ts'
import type { FieldSet } from '../fields/field-set.ts'

/** What a column can be besides a field's values. */
export const ATTRIBUTES = [
  'email',
  'external_id',
  'tags',
  'state',
  'unsubscribed',
  'lists',
  'lists_left',
  'created_at',
  'consent_at',
  'consent_ip',
  'consent_source',
  'full_name',
] as const
export type Attribute = (typeof ATTRIBUTES)[number]

/** The field that a column's values go to, or will go to once it has been defined. */
export interface FieldTarget {
  key: string
  mergeTag: string
  name: string
  rules: ValueRules
  required: boolean
  /** Not there yet: it is defined when the import begins to change anything. */
  isNew: boolean
}

/** Where a column goes. How sure we are: `given` by the caller, `exact` by name, `likely` by a word for it, `new` field. */
export type Target =
  | { to: Attribute; sure: Sureness }
  | { to: 'field'; field: FieldTarget; sure: Sureness }
  /** Left out, and why. */
  | { to: 'nothing'; because: 'asked' | 'not_settable' | 'no_field' | 'empty' | 'taken' }
export type Sureness = 'given' | 'exact' | 'likely' | 'new'

/** Words that files use for what Rollcall has a name of its own for, without case, spaces and punctuation. */
const WORDS: Readonly<Record<string, string>> = {
  email:
    'email emailaddress emailaddresses mail mailaddress emailadresse mailadresse adressemail correo correoelectronico eemail emailid primaryemail useremail emailaddr email1value',
  external_id: 'externalid extid crmid customerid userid kundennummer',
  first_name: 'firstname first givenname forename vorname fname prenom nombre',
  last_name: 'lastname last surname familyname nachname lname nom apellido apellidos name2',
  full_name: 'fullname contactname vollername',
  tags: 'tags tag labels label schlagworte etiketten',
  lists: 'lists list listnames listname groups',
  state:
    'state status subscriptionstatus subscribed subscriberstatus emailstatus optinstatus acceptsemailmarketing acceptsmarketing',
  unsubscribed: 'unsubscribed optedout optout emailoptout hasoptedoutofemail unsubscribedfromallemail abgemeldet',
  created_at: 'createdat created datecreated dateadded addedat signupdate2 createdon createdate',
  consent_at: 'consentat optintime confirmtime optindate consentdate optinat',
  consent_ip: 'consentip optinip confirmip',
  consent_source: 'consentsource optinsource',
}
const MEANT = new Map(
  Object.entries(WORDS).flatMap(([meaning, words]) => words.split(' ').map((word) => [word, meaning])),
)

/** Several columns may go there: what they say comes together. */
const SEVERAL: ReadonlySet<string> = new Set(['tags', 'lists', 'lists_left'])

/** Columns of our own exports, and words of the API, that nobody can set. */
const NOT_SETTABLE: ReadonlySet<string> = new Set([
  'id',
  'email_domain',
  'sendable',
  'origin',
  'updated_at',
  'error',
  'unsubscribe_url',
  'preferences_url',
  'links',
  'state_reason',
  'state_at',
])

/** Names of targets as `field_mapping` gives them. */
const GIVEN: Readonly<Record<string, Attribute>> = {
  status: 'state',
  subscribed: 'state',
  list: 'lists',
  list_ids: 'lists',
  list_ids_included: 'lists',
  list_ids_excluded: 'lists_left',
  tag: 'tags',
}

function isAttribute(name: string): name is Attribute {
  return (ATTRIBUTES as readonly string[]).includes(name)
}

/** What fields are called in the account, and how a column without one is met. */
export interface Surroundings {
  fields: FieldSet
  unknown: 'create' | 'reject' | 'ignore'
  /** Which of the file's columns go where, as the caller has said. */
  mapping: Readonly<Record<string, string | null>>
  /** Whether names are keys of the API, which mean what they say there, and not headings that people have written. */
  official?: boolean
}

/** Keys of a contact of the API besides those of its fields. */
export const OFFICIAL_KEYS = [
  'email',
  'external_id',
  'fields',
  'tags',
  'list_ids',
  'list_ids_included',
  'list_ids_excluded',
  'unsubscribed',
  'state',
]

/**
 * Decides for one column after the other where it goes, so that no two go to the same place. Columns may come late, as those
 * of NDJSON do; whatever the caller has mapped is taken before any is guessed.
 */
export class Targets {
  readonly #around: Surroundings
  readonly #mapping: ReadonlyMap<string, string | null>
  readonly #taken = new Set<string>()
  readonly #newFields: FieldTarget[] = []

  constructor(around: Surroundings) {
    this.#around = around
    this.#mapping = new Map(
      Object.entries(around.mapping).map(([column, target]) => [column.trim().toLowerCase(), target]),
    )
    for (const target of this.#mapping.values()) {
      const place = target ? this.#placeOf(target) : undefined
      if (place) this.#taken.add(place)
    }
  }

  /** Fields to be defined, in the order of their columns. */
  get newFields(): readonly FieldTarget[] {
    return this.#newFields
  }

  /**
   * @param type Of a new field, when nothing else is known of it.
   * @param isEmpty Whether the column has no name and no values, as spreadsheets have behind the last one.
   */
  of(column: string, type: FieldType = 'text', isEmpty = false): Target {
    const given = this.#mapping.get(column.trim().toLowerCase())
    if (given === null || given === '') return { to: 'nothing', because: 'asked' }
    if (given !== undefined) return this.#named(given, column, type)
    if (isEmpty) return { to: 'nothing', because: 'empty' }
    const target = this.#around.official ? this.#official(column, type) : this.#guess(column, type)
    const place = target.to === 'field' ? `field:${target.field.key}` : target.to
    if (target.to === 'nothing') return target
    if (SEVERAL.has(place)) return target
    if (this.#taken.has(place)) return { to: 'nothing', because: 'taken' }
    this.#taken.add(place)
    return target
  }

  #placeOf(target: string): string | undefined {
    const name = GIVEN[target.toLowerCase()] ?? target.toLowerCase()
    const field = this.#around.fields.tagged(target)
    return field ? `field:${field.key}` : isAttribute(name) ? name : undefined
  }

  #named(target: string, column: string, type: FieldType): Target {
    const field = this.#around.fields.tagged(target)
    if (field) return existing(field, 'given')
    const name = GIVEN[target.toLowerCase()] ?? target.toLowerCase()
    return isAttribute(name) ? { to: name, sure: 'given' } : this.#define(column, target, type, 'given')
  }

  #official(key: string, type: FieldType): Target {
    const own = GIVEN[key] ?? key
    if (OFFICIAL_KEYS.includes(key) && isAttribute(own)) return { to: own, sure: 'exact' }
    const field = this.#around.fields.tagged(key)
    if (field) return existing(field, 'exact')
    return isMergeTag(key) && !isReservedMergeTag(key)
      ? this.#define(key, key, type, 'new')
      : { to: 'nothing', because: 'no_field' }
  }

  #guess(column: string, type: FieldType): Target {
    const { fields } = this.#around
    const name = column.trim()
    const lower = name.toLowerCase()
    const plain = lower.normalize('NFD').replace(/[^a-z0-9]/g, '')
    const own = GIVEN[lower] ?? lower
    if (isAttribute(own) && own !== 'full_name') return { to: own, sure: 'exact' }
    const field = fields.tagged(name) ?? fields.active.find((known) => known.name.toLowerCase() === lower)
    if (field) return existing(field, 'exact')
    const meant = MEANT.get(plain)
    if (meant !== undefined && meant !== 'full_name') {
      const tagged = fields.tagged(meant)
      if (tagged) return existing(tagged, 'likely')
      if (isAttribute(meant)) return { to: meant, sure: 'likely' }
    }
    const tag = fields.tagged(mergeTagFrom(name))
    if (tag) return existing(tag, 'likely')
    if (NOT_SETTABLE.has(lower)) return { to: 'nothing', because: 'not_settable' }
    return this.#define(name, isMergeTag(name) ? name : mergeTagFrom(name), type, 'new')
  }

  #define(name: string, wanted: string, type: FieldType, sure: Sureness): Target {
    if (this.#around.unknown !== 'create') return { to: 'nothing', because: 'no_field' }
    const same =
      sure === 'given'
        ? this.#newFields.find((field) => field.mergeTag.toLowerCase() === wanted.toLowerCase())
        : undefined
    if (same) return { to: 'field', field: same, sure }
    const isFree = (tag: string) =>
      !isReservedMergeTag(tag) &&
      !this.#around.fields.tagged(tag) &&
      !this.#newFields.some((field) => field.mergeTag.toLowerCase() === tag.toLowerCase())
    let mergeTag = wanted
    for (let nth = 2; !isFree(mergeTag); nth++) mergeTag = `${wanted.slice(0, 76)}_${nth}`
    const field: FieldTarget = {
      key: this.#unusedKey(mergeTag),
      mergeTag,
      name: name.slice(0, 80) || mergeTag,
      rules: { type, min: null, max: null, options: null, format: null },
      required: false,
      isNew: true,
    }
    this.#newFields.push(field)
    return { to: 'field', field, sure }
  }

  #unusedKey(mergeTag: string): string {
    const base = mergeTag.toLowerCase()
    const isUsed = (key: string) =>
      this.#around.fields.keyed(key) !== undefined || this.#newFields.some((field) => field.key === key)
    if (!isUsed(base)) return base
    for (let nth = 2; ; nth++) if (!isUsed(`${base}_${nth}`)) return `${base}_${nth}`
  }
}

/** While a field's values are being converted, new ones come in as what it will be. */
function existing(field: FieldDefinition, sure: Sureness): Target {
  const { key, mergeTag, name, min, max, options, format, required } = field
  const rules: ValueRules = { type: field.convertingTo ?? field.type, min, max, options, format }
  return { to: 'field', field: { key, mergeTag, name, rules, required, isNew: false }, sure }
}

/** What is wrong with the targets that a caller has named; by column. */
export function mappingFaults(mapping: Readonly<Record<string, string | null>>, fields: FieldSet): string[] {
  const faults: string[] = []
  const columnsOf = new Map<string, string>()
  for (const [column, target] of Object.entries(mapping)) {
    if (target === null || target === '') continue
    const name = GIVEN[target.toLowerCase()] ?? target.toLowerCase()
    const field = fields.tagged(target)
    if (!field && !isAttribute(name)) {
      if (isReservedMergeTag(target)) faults.push(`${column}: ${target} can't be set by an import`)
      else if (!isMergeTag(target))
        faults.push(`${column}: ${target} is not a merge tag: it may have letters, digits and _, at most 80`)
    }
    const place = field?.key ?? name
    const other = columnsOf.get(place)
    if (other !== undefined && !SEVERAL.has(place)) faults.push(`${column} and ${other} both go to ${target}`)
    columnsOf.set(place, column)
  }
  return faults
}

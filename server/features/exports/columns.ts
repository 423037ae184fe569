import sql, { type Sql } from 'sql-template-tag'
import { invalid } from '../../lib/app-error.ts'
import type { FieldDefinition } from '../fields/definition.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { SUPPRESSED } from '../subscriptions/suppressions.ts'
import { fieldText, TAGS } from './cells.ts'
import { ofField } from './copy-text.ts'
import { LINK_COLUMNS, type LinkColumn, placeholder } from './links.ts'

/** What the cells of a column hold: decides how they are written. */
export type Kind = 'text' | 'plain' | 'date' | 'moment'

/** A column of an export, over `contacts as c` with their lists as `m`. */
export interface Column {
  /** As the header has it: a merge tag or an attribute. */
  name: string
  /** `plain` is never a formula: ids, words of our own, numbers, true and false. */
  kind: Kind
  /** As people read it. */
  text: Sql
  /** As JSON, typed; null for none. */
  json: Sql
  /** A field's name in JSON, which only the database may put there. */
  field: FieldDefinition | undefined
  needsLists: boolean
}

const column = (kind: Kind, text: Sql, json = sql`to_json(${text})`, needsLists = false) => ({
  kind,
  text,
  json,
  needsLists,
  field: undefined,
})

const STATUS = sql`case when c.state = 'subscribed' then 'subscribed' else 'unsubscribed' end`
const SENDABLE = sql`(c.state = 'subscribed' and not ${SUPPRESSED})`
/** ISO 8601 with microseconds where there are some; the session's time zone is UTC. */
const moment = (value: Sql) => column('moment', sql`to_json(${value}) #>> '{}'`, sql`to_json(${value})`)

const ATTRIBUTES: Readonly<Record<string, Omit<Column, 'name'>>> = {
  id: column('plain', sql`c.id::text`),
  email: column('text', sql`c.email`),
  external_id: column('text', sql`c.external_id`),
  state: column('plain', sql`c.state`),
  status: column('plain', STATUS),
  subscribed: column('plain', sql`(c.state = 'subscribed')::text`, sql`to_json(c.state = 'subscribed')`),
  sendable: column('plain', sql`${SENDABLE}::text`, sql`to_json(${SENDABLE})`),
  origin: column('text', sql`c.origin`),
  tags: column('text', TAGS, sql`to_json(c.tags)`),
  lists: column('text', sql`m.names`, sql`coalesce(m.names_json, '[]')`, true),
  list_ids: column('plain', sql`m.ids`, sql`coalesce(m.ids_json, '[]')`, true),
  created_at: moment(sql`c.created_at`),
  updated_at: moment(sql`c.updated_at`),
}

const BEFORE_FIELDS = ['id', 'email', 'external_id', 'state']
const BEHIND_FIELDS = ['tags', 'lists', 'created_at', 'updated_at']

/**
 * The columns of these names, in their order; all but links unless named. Throws `invalid` with every name that is none.
 * @param linkWord What stands before what is to become a link: see links.ts.
 */
export function columnsOf(names: readonly string[] | undefined, fields: FieldSet, linkWord: string): Column[] {
  const wanted = names ?? [...BEFORE_FIELDS, ...fields.mergeTags, ...BEHIND_FIELDS]
  const columns = wanted.map((name) => columnNamed(name, fields, linkWord))
  const unknown = wanted.filter((_name, at) => columns[at] === undefined)
  const known = [...Object.keys(ATTRIBUTES), ...LINK_COLUMNS, ...fields.mergeTags].join(', ')
  if (unknown.length > 0)
    throw invalid({ fields: unknown.map((name) => `has an unknown name, ${name}: there are ${known}`) })
  const found = columns as Column[]
  const twice = found.filter(({ name }, at) => found.findIndex((other) => other.name === name) < at)
  if (twice.length > 0) throw invalid({ fields: twice.map(({ name }) => `names ${name} twice`) })
  return found
}

/** Whether a file of these columns holds links, by which whoever has them acts for people. */
export const holdsLinks = (names: readonly string[] | undefined): boolean => names?.some(isLink) === true

export const isLink = (name: string): name is LinkColumn => (LINK_COLUMNS as readonly string[]).includes(name)

function columnNamed(name: string, fields: FieldSet, linkWord: string): Column | undefined {
  if (isLink(name)) return { name, ...column('plain', placeholder(name, linkWord)) }
  if (Object.hasOwn(ATTRIBUTES, name)) return { name, ...ATTRIBUTES[name]! }
  const field = fields.tagged(name)
  if (!field) return undefined
  return {
    name: field.mergeTag,
    // A value may be of another kind while its field is being converted: then it is a text like any other.
    kind: field.type === 'date' ? 'date' : 'text',
    text: fieldText(field),
    json: sql`(c.fields -> ${ofField(field.accountId, field.id, sql`f.key`)})`,
    field,
    needsLists: false,
  }
}

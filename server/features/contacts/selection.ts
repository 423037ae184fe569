import type { FastifyRequest } from 'fastify'
import sql, { type Sql } from 'sql-template-tag'
import { type Static, Type } from 'typebox'
import type { Queryable } from '../../db/database.ts'
import { requireScope } from '../../http/caller.ts'
import { PagingQuery } from '../../http/paging.ts'
import { normaliseEmail } from '../../lib/email.ts'
import { parseId } from '../../lib/ids.ts'
import { type Calendar, compile } from '../criteria/compile.ts'
import { expandLists } from '../criteria/expand.ts'
import { forSet } from '../criteria/forms.ts'
import { type Condition, parseEntries, parseFilter, type Vocabulary } from '../criteria/parse.ts'
import type { FieldSet } from '../fields/field-set.ts'

/** Which contacts: those that match the search text and meet the condition. */
export interface Selection {
  q: string | undefined
  condition: Condition
}

/** What a contact is answered with besides what it always has. */
export const Include = Type.Optional(
  Type.String({
    pattern: '^(smart_lists|links)(,(smart_lists|links))*$',
    description:
      'smart_lists: the ids of those that a contact is in now. links: to unsubscribe and to change preferences, for mail to them; bound to list_id, where that names one list; they need the scope write. Both, parted by a comma.',
  }),
)

/** How far a total is counted. */
export const Counting = Type.Enum(['exact', 'capped'], {
  description: 'With a search text, a filter or criteria, totals are counted to 10,000 unless `exact` is asked for.',
})

/** Whoever has a link acts for the person, with the same evidence: so it is for those who may change people. Throws scope_missing. */
export function checkInclude(request: FastifyRequest, include: string | undefined): void {
  if (include?.split(',').includes('links')) requireScope(request, 'write')
}

const WHICH = {
  q: Type.Optional(
    Type.String({
      maxLength: 320,
      description: 'Part of an address or of a name; with one or two letters, its beginning.',
    }),
  ),
  sort: Type.Optional(
    Type.String({
      maxLength: 100,
      description: '-id (the newest first), email, created_at, … or a merge tag; a minus turns it round.',
    }),
  ),
  count: Type.Optional(Counting),
  include: Include,
}

/** The query of `GET contacts`: what is not named here is a filter, and so checked against the fields. */
export const ContactsQuery = Type.Object({ ...WHICH, ...PagingQuery }, { additionalProperties: true })
export type ContactsQuery = Static<typeof ContactsQuery>

/** The body of `POST contacts/search`. */
export const ContactsSearch = Type.Object(
  {
    ...WHICH,
    ...PagingQuery,
    criteria: Type.Optional(
      Type.Unknown({ description: 'A map of values, or the nested language: see docs/criteria.md.' }),
    ),
    list_id: Type.Optional(Type.Unknown()),
    tag: Type.Optional(Type.Unknown()),
    state: Type.Optional(Type.Unknown()),
    status: Type.Optional(Type.Unknown()),
    subscribed: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
)
export type ContactsSearch = Static<typeof ContactsSearch>

const NOT_FILTERS: ReadonlySet<string> = new Set(Object.keys(ContactsQuery.properties))

export function vocabularyOf(fields: FieldSet): Vocabulary {
  return { fieldNamed: (tag) => fields.tagged(tag), fieldNames: () => fields.mergeTags }
}

/** The selection that a query string asks for. Throws `invalid` for a filter on what is neither a field nor a filter. */
export function selectionFromQuery(query: Record<string, unknown>, fields: FieldSet): Selection {
  const conditions = Object.entries(query)
    .filter(([key]) => !NOT_FILTERS.has(key))
    .map(([key, value]) => filterFrom(key, [value].flat().map(String), fields))
  return { q: searchText(query.q), condition: { is: 'all', of: conditions } }
}

function filterFrom(key: string, texts: string[], fields: FieldSet): Condition {
  const vocabulary = vocabularyOf(fields)
  if (key === 'list_id' || key === 'list') {
    const ids = texts.flatMap((text) => text.split(',')).map((text) => parseId(text) ?? text)
    return parseEntries([{ key: 'list', value: ids, place: key }], undefined, vocabulary)
  }
  if (key === 'tag') return parseEntries([{ key, value: texts, place: key }], undefined, vocabulary)
  const [, name, op] = /^([^[\]]+)(?:\[([a-z_]+)\])?$/.exec(key) ?? [undefined, key, undefined]
  return parseFilter(name!, op, texts, vocabulary)
}

/** The selection that a body asks for. Throws `invalid` with every fault under its path. */
export function selectionFromBody(body: ContactsSearch, fields: FieldSet): Selection {
  const { criteria, list_id, tag, state, status, subscribed } = body
  const entries = Object.entries({ list_id, tag, state, status, subscribed })
    .filter(([, value]) => value !== undefined)
    .map(([place, value]) => ({ key: place === 'list_id' ? 'list' : place, value, place }))
  return { q: searchText(body.q), condition: parseEntries(entries, criteria, vocabularyOf(fields)) }
}

/** Composed, as what it is compared with: how many letters it has decides how it is looked for. */
function searchText(q: unknown): string | undefined {
  const text = typeof q === 'string' ? q.trim().normalize('NFC') : ''
  return text === '' ? undefined : text
}

/** Whether everyone meets it. */
export function isEveryone(condition: Condition): boolean {
  return condition.is === 'all' && condition.of.every((part) => part.is === 'all' && part.of.length === 0)
}

/** Whether a contact's search column holds a text, over `contacts as c`: one or two letters are looked for at beginnings. */
export function hasText(q: string): Sql {
  return sql`strpos(c.search, search_key(${[...q].length < 3 ? `\n\n${q}` : q})) > 0`
}

/**
 * A selection as one condition over `contacts as c`, for statements that go through all of the account; undefined where
 * everyone is selected. Whoever has exactly the address that is searched for belongs to it, in whichever script its domain is
 * written. Throws `invalid` when it names a list that the account does not have.
 */
export async function compileSelection(
  db: Queryable,
  accountId: number,
  { q, condition }: Selection,
  { fields, ...calendar }: Calendar & { fields: FieldSet },
): Promise<Sql | undefined> {
  if (q === undefined && isEveryone(condition)) return undefined
  const expanded = await expandLists(db, accountId, condition, fields)
  const meets = compile(expanded, calendar, forSet(accountId))
  if (q === undefined) return meets
  const address = normaliseEmail(q)
  const found = address.ok ? sql`(${hasText(q)} or c.email = ${address.email})` : hasText(q)
  return sql`(${found} and ${meets})`
}

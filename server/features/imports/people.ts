import sql, { join, type Sql } from 'sql-template-tag'
import type { Keyring } from '../../lib/secret.ts'
import type { FieldValue } from '../fields/definition.ts'
import type { State } from '../subscriptions/states.ts'

/** What decides how an import's rows are merged, as the account has it when a chunk begins. */
export interface MergeTerms {
  accountId: number
  importId: number
  actor: string
  keyring: Keyring
  matchBy: 'email' | 'external_id'
  updateExisting: boolean
  listIds: readonly number[]
  tags: readonly string[]
  /** State of new people whose rows say none. */
  state: State
  /** Evidence for all. */
  consent: { at?: string; source?: string }
  /** Whether anyone has left one of the lists that all are to join. */
  hasOptOuts: boolean
  /** Keys of the fields that rows can fill. */
  keys: readonly string[]
  /** What a new contact starts with, under the fields' keys. */
  defaults: Readonly<Record<string, FieldValue>>
  /** Whether rows may name lists; unset values; say what few files say (`More`). What no row says costs nothing. */
  namesLists: boolean
  unsets: boolean
  saysMore: boolean
  /** Fields that a new contact must have: key and merge tag. */
  required: readonly { key: string; mergeTag: string }[]
}

/** Keys behind `after`, up to `upTo` itself: the rows of one person are never in two ranges. */
export interface Range {
  after: string
  upTo: string
  /** How many people it has. */
  people: number
  /** Whether nobody has more than one row. */
  isPlain: boolean
  /** By which of several connections at once it is merged, from 0. */
  lane?: number
  /** Of a plain range: whether the step `people` takes its rows out of those that wait, besides reading them. */
  takesOut?: boolean
}

/** The rows of a range that wait to be merged. */
export function waiting({ accountId, importId }: MergeTerms, { after, upTo }: Range, of = sql``): Sql {
  return sql`${of}account_id = ${accountId} and ${of}import_id = ${importId} and ${of}key > ${after} and ${of}key <= ${upTo}`
}

/**
 * A step `people`: one row each person of a range. Where a file has several rows of one, the later ones count, field by
 * field; tags and lists come together. Where nobody has several, nothing is gathered.
 */
export function people(terms: MergeTerms, range: Range): Sql {
  const { matchBy, namesLists, saysMore } = terms
  const byEmail = matchBy === 'email'
  if (range.isPlain) {
    const externalId = !byEmail ? sql`key` : saysMore ? sql`more ->> 'external_id'` : sql`null::text`
    const from = range.takesOut ? sql`taken` : sql`import_rows where ${waiting(terms, range)}`
    return sql`
    ${range.takesOut ? sql`taken as (delete from import_rows where ${waiting(terms, range)} returning *),` : sql``}
    people as (
      select key, line, 1::bigint as rows, ${byEmail ? sql`key` : sql`email`} as email, ${externalId} as external_id, fields,
        coalesce(tags, '{}') as tags, coalesce(lists, '{}') as lists, coalesce(more, '{}') as more
      from ${from}
    )`
  }
  const email = byEmail ? sql`key` : sql`(array_agg(email order by line desc) filter (where email is not null))[1]`
  const more = saysMore ? sql`jsonb_merged(more order by line)` : sql`'{}'::jsonb`
  const externalId = !byEmail ? sql`key` : saysMore ? sql`${more} ->> 'external_id'` : sql`null::text`
  return sql`
    people as (
      select key, max(line) as line, count(*) as rows, ${email} as email, ${externalId} as external_id,
        jsonb_merged(fields order by line) as fields, texts_joined(tags order by line) as tags,
        ${namesLists ? sql`jsonb_merged(lists order by line)` : sql`'{}'::jsonb`} as lists, ${more} as more
      from import_rows where ${waiting(terms, range)}
      group by key
    )`
}

/** Someone new must have a value for each of these: a condition over `people as p`. */
export function isComplete({ required, defaults }: MergeTerms): Sql {
  const wanted = required.filter(({ key }) => !Object.hasOwn(defaults, key)).map(({ key }) => key)
  return wanted.length === 0 ? sql`true` : sql`(jsonb_strip_nulls(p.fields) ?& ${wanted}::text[])`
}

/** Tags for everyone and those of the row, each once, in that order: an array, over `people as p`. */
export function tagsOf({ tags }: MergeTerms): Sql {
  if (tags.length === 0) return sql`case when p.rows = 1 then p.tags else ${eachOnce(sql`p.tags`)} end`
  const all = sql`${[...tags]}::text[] || p.tags`
  return sql`case when cardinality(${all}) < 2 then ${all} else ${eachOnce(all)} end`
}

/** The texts of an array, each once, in the order in which they first stand there. */
function eachOnce(texts: Sql): Sql {
  return sql`array(select text from unnest(${texts}) with ordinality as t (text, at) group by text order by min(at))`
}

/** A new contact's state and its reason, over `people as p`. What stood before someone who comes as gone is nothing. */
export function stateOf({ state }: MergeTerms): Sql {
  return sql`coalesce(p.more ->> 'state', ${state})`
}

/**
 * A step `wished`: who is to be in which list (contact_id, email, list_id, opted_out), from a step with id, email and lists.
 * Who has left a list by their own act, under an address that `isTheirs` (of `o`, over `w`), stays out of it.
 */
export function wished(
  { accountId, listIds, namesLists }: MergeTerms,
  from: Sql,
  isTheirs = sql`o.email = w.email`,
): Sql {
  const forAll = sql`
    select id, email, list_id from ${from} as f cross join unnest(${[...listIds]}::bigint[]) as given (list_id)
    ${namesLists ? sql`where not coalesce(f.lists -> list_id::text = 'false', false)` : sql``}`
  const own = sql`union select id, email, own.key::bigint from ${from} as f cross join jsonb_each(f.lists) as own where own.value = 'true'`
  return sql`
    wished as (
      select w.id as contact_id, w.list_id, exists (
        select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = w.list_id and ${isTheirs}) as opted_out
      from (${forAll} ${namesLists ? own : sql``}) as w (id, email, list_id)
    )`
}

/**
 * The lists of one person over `f` (email, lists), as a query of one row: `joined`, null for none, and whether one of them is
 * `opted_out`. To be joined laterally: that is one look a person whatever the planner takes their number to be, where a join
 * with `wished` runs it once a person for everybody if it takes them to be one (35 s for 4,700 people, who take 0.1 s so).
 */
export function listsOf({ accountId, listIds, namesLists }: MergeTerms): Sql {
  const own = sql`
    where not coalesce(f.lists -> list_id::text = 'false', false)
    union select own.key::bigint from jsonb_each(f.lists) as own where own.value = 'true'`
  return sql`
    select jsonb_agg(list_id order by list_id) filter (where not w.opted_out) as joined, coalesce(bool_or(w.opted_out), false) as opted_out
    from (
      select list_id, exists (
        select from list_opt_outs as o where o.account_id = ${accountId} and o.list_id = wanted.list_id and o.email = f.email) as opted_out
      from (select list_id from unnest(${[...listIds]}::bigint[]) as given (list_id) ${namesLists ? own : sql``}) as wanted
      offset 0 -- else the look stands in both aggregates, and is done twice
    ) as w`
}

/** Earlier rows of people whose rows are being merged, from a step with key, line and id: kept as duplicates. */
export function duplicates({ accountId, importId }: MergeTerms, from: Sql): Sql {
  return sql`
    insert into change_rows (account_id, change_set_id, line, email, action, contact_id)
    select ${accountId}::bigint, ${importId}::bigint, r.line, f.email, 'duplicate', f.id
    from ${from} as f join import_rows as r
      on r.account_id = ${accountId} and r.import_id = ${importId} and r.key = f.key and r.line < f.line`
}

/** `{"notes": […]}` of those whose condition holds; null when none does. */
export function notes(conditions: readonly (readonly [note: string, holds: Sql])[]): Sql {
  const each = conditions.map(([note, holds]) => sql`case when ${holds} then ${note}::text end`)
  const any = conditions.map(([, holds]) => holds)
  return sql`case when ${join(any, ' or ')} then jsonb_build_object('notes', to_jsonb(array_remove(array[${join(each)}], null))) end`
}

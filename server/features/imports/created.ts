import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { recording } from '../activity/record.ts'
import { json, object, objectText } from './json-text.ts'
import {
  duplicates,
  isComplete,
  type MergeTerms,
  notes,
  people,
  type Range,
  stateOf,
  tagsOf,
  wished,
} from './people.ts'

/** A step `wanted`: people of the range whom nobody has entered yet, with all that a new contact must have. */
export function wanted(terms: MergeTerms): Sql {
  const { accountId } = terms
  return sql`
    wanted as (
      select p.*, ${stateOf(terms)} as state, jsonb_strip_nulls(${JSON.stringify(terms.defaults)}::jsonb || p.fields) as values, ${tagsOf(terms)} as all_tags
      from people as p
      where p.email is not null and ${isComplete(terms)}
        and (${idBy(sql`email`, accountId, sql`p.email`)}) is null
        and (p.external_id is null or (${idBy(sql`external_id`, accountId, sql`p.external_id`)}) is null)
    )`
}

/**
 * Who has an address or an external id, as a query of its own for each: PostgreSQL then looks into the index, where for a join
 * it may read the whole account by statistics that are of before a large load.
 */
export function idBy(column: Sql, accountId: number, value: Sql): Sql {
  return sql`select c.id from contacts as c where c.account_id = ${accountId} and c.${column} = ${value} limit 1`
}

export interface Entered {
  /** People and rows of the range that waited. */
  people: number
  rows: number
  /** Of those just entered: ids and, in the same order, addresses. */
  ids: string[]
  emails: string[]
}

/**
 * Enters who is new, in the order of their addresses, so that two imports wait for each other instead of deadlocking. Whom
 * others enter at that moment fails it by the address: so without `isContested`, as hardly ever anybody is, and an insert
 * that looks for conflicts takes a sixth longer. Where rows have external ids, two of them may have the same; where they are
 * found by those, two may have the same address: the later row gets it.
 */
export async function enterNew(trx: Trx, terms: MergeTerms, range: Range, isContested: boolean): Promise<Entered> {
  const mayClash = isContested || terms.saysMore || terms.matchBy !== 'email'
  const [entered] = await trx.query<Entered>(sql`
    with ${people(terms, range)}, ${wanted(terms)}, inserted as (
      insert into contacts (account_id, email, external_id, state, state_reason, state_before, fields, tags, origin, created_at)
      select ${terms.accountId}::bigint, email, external_id, state, 'import', case when state in ('unsubscribed', 'bounced') then 'none' end,
        values, all_tags, 'import', coalesce((more ->> 'created_at')::timestamptz, clock_timestamp())
      from wanted order by email, line desc
      ${mayClash ? sql`on conflict do nothing` : sql``}
      returning id, email
    )
    select (select count(*) from people) as people, (select coalesce(sum(rows), 0)::bigint from people) as rows,
      array(select id from inserted) as ids, array(select email from inserted) as emails`)
  return entered!
}

/** What became of people, and of their earlier rows. */
export interface Tally {
  duplicates: number
  created?: number
  updated?: number
  unchanged?: number
  opted_out?: number
  kept_unsubscribed?: number
  /** People whose row was refused. */
  rejected?: number
  suppressed?: number
}

/** Of those just entered: lists, consents, their rows, one event each. */
export async function settleNew(
  trx: Trx,
  terms: MergeTerms,
  range: Range,
  ids: readonly string[],
  hasDuplicates: boolean,
): Promise<Tally> {
  const { accountId, matchBy } = terms
  const isTheirs = matchBy === 'email' ? sql`` : sql` and c.external_id = p.key` // two may have the same address
  const [tally] = await trx.query<Tally>(sql`
    with ${people(terms, range)}, born as (
      select p.key, p.line, p.rows, p.lists, p.more, c.id, c.email, c.external_id, c.state, c.state_reason, c.fields, c.tags
      from people as p cross join lateral (
        select * from contacts as c where c.account_id = ${accountId} and c.email = p.email limit 1) as c
      where c.id = any(${[...ids]}::uuid[])${isTheirs}
    ), ${settling(terms, hasDuplicates)}`)
  return tally!
}

/**
 * Enters and settles all people of a plain range at once, who are known then without another look for each. Answers how many were
 * entered. Its rows are taken out, whether they were or not; nor does it ask who was removed, or has left a list: where that may
 * be so, it has to be undone.
 */
export async function enterAll(trx: Trx, terms: MergeTerms, range: Range): Promise<Tally> {
  const [tally] = await trx.query<Tally>(sql`
    with ${people(terms, { ...range, takesOut: true })}, ${wanted(terms)}, named as materialized (
      select w.*, new_id() as id from wanted as w
    ), inserted as (
      insert into contacts (account_id, id, email, state, state_reason, state_before, fields, tags, origin)
      select ${terms.accountId}::bigint, id, email, state, 'import', case when state in ('unsubscribed', 'bounced') then 'none' end,
        values, all_tags, 'import'
      from named order by email
    ), born as (
      select line, lists, more, id, email, external_id, state, 'import' as state_reason, values as fields, all_tags as tags from named
    ), ${settling(terms, false)}`)
  return tally!
}

/** Steps that give those of `born` what new contacts have: lists, consents, their rows, one event each; and the counts of all that. */
function settling(terms: MergeTerms, hasDuplicates: boolean): Sql {
  const { accountId, importId, actor, consent } = terms
  return sql`
    ${joining(terms)}, told as (
      select b.*,
        b.state_reason = 'withdrawn' and coalesce(b.more ->> 'state', ${terms.state}) <> 'unsubscribed' as kept_unsubscribed,
        ${setFields(terms)} as set
      from entered as b
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, after, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, email, 'created', id, ${afterOf()},
        ${notes([
          ['opted_out', sql`opted_out`],
          ['kept_unsubscribed', sql`kept_unsubscribed`],
        ])}
      from told
    ), asserted as (
      insert into consents (account_id, contact_id, action, grade, source, actor, ip, data, at)
      select ${accountId}::bigint, id, case state when 'subscribed' then 'granted' else 'withdrawn' end, 'asserted', 'import', ${actor},
        (more #>> '{consent,ip}')::inet, ${consentData(importId, consent.source)},
        coalesce(coalesce(more #>> '{consent,at}', ${consent.at ?? null})::timestamptz, clock_timestamp())
      from told where state_reason = 'import' and state in ('subscribed', 'unsubscribed')
    ), ${hasDuplicates ? sql`again as (${duplicates(terms, sql`born`)} returning 1),` : sql``}
    ${recording(accountId, createdActs(), importId)}
    select ${hasDuplicates ? sql`(select count(*) from again)` : sql`0`} as duplicates,
      count(*) as created, count(*) filter (where opted_out) as opted_out, count(*) filter (where kept_unsubscribed) as kept_unsubscribed
    from told`
}

/**
 * Steps that let those of `born` into their lists, up to `entered`: the same with the lists they are in. Where rows name no
 * lists and nobody has left those of the import, all are in the same ones, which need no gathering for each.
 */
function joining(terms: MergeTerms): Sql {
  const { accountId, importId, listIds, namesLists, hasOptOuts } = terms
  if (!namesLists && !hasOptOuts) {
    const lists = listIds.length === 0 ? null : JSON.stringify(listIds.toSorted((a, b) => a - b))
    return sql`
      joined as (
        insert into list_members (account_id, list_id, contact_id, change_set_id)
        select ${accountId}::bigint, list_id, id, ${importId}::bigint from born cross join unnest(${[...listIds]}::bigint[]) as given (list_id)
        on conflict do nothing
      ), entered as (select born.*, ${lists}::jsonb as joined, false as opted_out from born)`
  }
  return sql`
    ${wished(terms, sql`born`)}, joined as (
      insert into list_members (account_id, list_id, contact_id, change_set_id)
      select ${accountId}::bigint, list_id, contact_id, ${importId}::bigint from wished where not opted_out
      on conflict do nothing
    ), lists_of as (
      select contact_id, jsonb_agg(list_id order by list_id) filter (where not opted_out) as lists, bool_or(opted_out) as opted_out
      from wished group by contact_id
    ), entered as (
      select born.*, lists_of.lists as joined, coalesce(lists_of.opted_out, false) as opted_out
      from born left join lists_of on lists_of.contact_id = born.id
    )`
}

/** Each field of a new contact as a change from nothing, over `entered as b`: by the keys that the file and the defaults can fill. */
function setFields({ keys, defaults }: MergeTerms): Sql {
  const known = [...new Set([...keys, ...Object.keys(defaults)])]
  if (known.length === 0) return sql`null::text`
  return objectText(known.map((key) => [key, to(sql`(b.fields -> ${key})::text`)]))
}

/** What the row of a new contact says of it, from a step with its state, fields, tags, lists. */
function afterOf(): Sql {
  return sql`
    jsonb_strip_nulls(jsonb_build_object('state', state, 'external_id', external_id, 'fields', fields, 'lists', joined,
      'tags', case when tags <> '{}' then to_jsonb(tags) end))`
}

/** Where permission comes from: which import, which of its lines, and what the file says of it. */
export function consentData(importId: number, source: string | undefined): Sql {
  return sql`
    jsonb_strip_nulls(jsonb_build_object('import_id', ${importId}::bigint, 'line', line,
      'source', coalesce(more #>> '{consent,source}', ${source ?? null}::text)))`
}

const to = (value: Sql) => sql`'{"to":' || ${value} || '}'`

function createdActs(): Sql {
  return sql`
    select id as contact_id,
      array['created'] || case when state in ('subscribed', 'unsubscribed') then array[state] else '{}' end
        || case when joined is null then '{}' else array['list_added'] end as types,
      null::text as name, null::timestamptz as at,
      ${object([
        ['origin', sql`'"import"'`],
        ['email', to(json(sql`email`))],
        ['state', to(json(sql`state`))],
        ['external_id', to(json(sql`external_id`))],
        ['fields', sql`set`],
        ['tags', sql`case when tags <> '{}' then '{"added":' || ${json(sql`tags`)} || '}' end`],
        ['lists', sql`'{"added":' || joined::text || '}'`],
      ])} as data
    from told order by id`
}

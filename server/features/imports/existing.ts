import sql, { raw, type Sql } from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { recording } from '../activity/record.ts'
import type { Move } from './addresses.ts'
import { consentData, idBy, type Tally } from './created.ts'
import { json, object, objectText } from './json-text.ts'
import { duplicates, type MergeTerms, notes, people, type Range, tagsOf, waiting, wished } from './people.ts'

/** Locks whoever the range is about and is there, in the order of their ids, as all who change many do. Answers how many they are. */
export async function holdExisting(trx: Trx, terms: MergeTerms, range: Range): Promise<number> {
  const { accountId, matchBy } = terms
  const whom =
    matchBy === 'email'
      ? sql`c.email = any(array(select key from import_rows where ${waiting(terms, range)}))`
      : sql`c.id = any(array(
          select found.id from import_rows as p cross join lateral (${matching(terms)}) as found where ${waiting(terms, range, sql`p.`)}))`
  const [held] = await trx.query<{ count: number }>(sql`
    select count(*) as count from (
      select c.id from contacts as c where c.account_id = ${accountId} and ${whom} order by c.id for update
    ) as held`)
  return held!.count
}

/** The id of whom a row is about, over `p`: by the address, or by the external id, or else by the address of one who has none. */
function matching({ accountId, matchBy }: MergeTerms): Sql {
  if (matchBy === 'email') return idBy(sql`email`, accountId, sql`p.key`)
  return sql`
    (${idBy(sql`external_id`, accountId, sql`p.key`)}) union all
    (select c.id from contacts as c where c.account_id = ${accountId} and c.email = p.email and c.external_id is null
      and (${idBy(sql`external_id`, accountId, sql`p.key`)}) is null limit 1)`
}

/**
 * Steps up to `planned`: everyone of the range who is there, with what their row makes of them, after
 * `moves`. `conflict`: their address and their external id are those of two people. A state is only ever taken away, or given to someone who has none.
 */
export function planned(terms: MergeTerms, range: Range, moves: readonly Move[]): Sql {
  const { accountId, matchBy, updateExisting, tags, unsets } = terms
  const takes = (value: Sql, otherwise: Sql) => (updateExisting ? value : otherwise)
  const said = sql`m.more ->> 'state'`
  const open = sql`m.old_state in ('none', 'pending', 'subscribed')`
  const found =
    matchBy === 'email'
      ? sql`cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.email = p.key limit 1) as c
        cross join (select null::text as from_email, null::text as to_email, null::boolean as withdrawn) as moved`
      : sql`cross join lateral (${matching(terms)}) as found
        cross join lateral (select * from contacts as c where c.account_id = ${accountId} and c.id = found.id limit 1) as c
        left join ${movedOf(moves)} on moved.id = c.id`
  const merged = (row: Sql) =>
    unsets ? sql`jsonb_strip_nulls(${row}.old_fields || ${row}.given)` : sql`${row}.old_fields || ${row}.given`
  const changes = changedFields(terms)
  const hasNewFields = unsets ? sql`${merged(sql`m`)} <> m.old_fields` : sql`not m.old_fields @> m.given`
  return sql`
    ${people(terms, range)}, matched as materialized (
      select p.key, p.line, p.rows, p.fields as given, p.lists, p.more, p.external_id as given_id, p.email as given_email,
        c.id, coalesce(moved.to_email, c.email) as email, coalesce(moved.from_email, c.email) as old_email,
        moved.withdrawn as has_withdrawn, c.external_id as old_id, c.state as old_state, c.state_reason as old_reason, c.state_before as old_before,
        c.fields as old_fields, c.tags as old_tags, ${takes(tagsOf(terms), sql`${[...tags]}::text[]`)} as wished_tags
      from people as p ${found}
    ), compared as materialized (
      select m.*, ${takes(hasNewFields, sql`false`)} as has_new_fields, not m.old_tags @> m.wished_tags as has_new_tags,
        case when m.old_tags @> m.wished_tags then m.old_tags
          else m.old_tags || array(select tag from unnest(m.wished_tags) with ordinality as t (tag, at) where tag <> all(m.old_tags) order by at) end as new_tags,
        ${takes(sql`coalesce(m.given_id, m.old_id)`, sql`m.old_id`)} as new_id,
        case when m.has_withdrawn then 'unsubscribed'
          when ${said} = 'unsubscribed' and ${open} then 'unsubscribed' when ${said} = 'bounced' and ${open} then 'bounced'
          ${takes(sql`when ${said} = 'subscribed' and m.old_state = 'none' then 'subscribed'`, sql``)} else m.old_state end as new_state,
        coalesce(${said}, ${terms.state}) = 'subscribed' and m.old_state in ('unsubscribed', 'bounced') as kept_unsubscribed,
        ${conflict(terms)} as conflict${changes.of}
      from matched as m
    ), planned as materialized (
      select c.*, ${changes.old} as old_values, ${changes.new} as new_values, ${changes.both} as told,
        case when c.has_new_fields then ${merged(sql`c`)} else c.old_fields end as new_fields,
        c.has_new_fields or c.has_new_tags or c.new_id is distinct from c.old_id
          or c.new_state <> c.old_state or c.email <> c.old_email as differs
      from compared as c
    )`
}

/**
 * Which fields a row changes, as columns over `matched as m`; and over `compared as c`, which has them, what those were, what
 * they become, and both, as texts of JSON; null where none does. By the keys that the file can fill, in a third of the time of an
 * aggregate over what is given; and asked once for all three texts.
 */
function changedFields({ keys, updateExisting }: MergeTerms): Record<'of' | 'old' | 'new' | 'both', Sql> {
  const fields = keys.map((key, nth) => ({
    key,
    changes: raw(`changes_${nth}`),
    was: sql`(c.old_fields -> ${key})::text`,
    becomes: sql`nullif(c.given -> ${key}, 'null')::text`,
  }))
  const differs = (key: string) =>
    updateExisting
      ? sql`(m.given ? ${key} and m.old_fields -> ${key} is distinct from nullif(m.given -> ${key}, 'null'))`
      : sql`false`
  const each = (value: (field: (typeof fields)[number]) => Sql) => {
    const members = fields.map(
      (field) => [field.key, sql`case when c.${field.changes} then ${value(field)} end`] as const,
    )
    return sql`case when c.has_new_fields then ${objectText(members)} end`
  }
  return {
    of: fields.reduce((columns, { key, changes }) => sql`${columns}, ${differs(key)} as ${changes}`, sql``),
    old: each(({ was }) => was),
    new: each(({ becomes }) => becomes),
    both: each(({ was, becomes }) =>
      objectText([
        ['from', was],
        ['to', becomes],
      ]),
    ),
  }
}

/** A table `moved` of who comes to have another address, of ids and addresses. */
export function movedOf(moves: readonly Move[]): Sql {
  return sql`
    unnest(${moves.map(({ id }) => id)}::uuid[], ${moves.map(({ from }) => from)}::text[], ${moves.map(({ to }) => to)}::text[],
      ${moves.map(({ withdrawn }) => withdrawn)}::boolean[]) as moved (id, from_email, to_email, withdrawn)`
}

/**
 * Whether a row names two people, one by address and one by external id: over `matched as m`, where addresses are those that
 * people have once all of the range who could move have.
 */
function conflict({ accountId, matchBy, updateExisting, saysMore }: MergeTerms): Sql {
  if (matchBy === 'external_id') {
    const isElse = sql`m.given_email is not null and m.given_email <> m.email`
    return updateExisting
      ? sql`(${isElse})`
      : sql`(${isElse} and (${idBy(sql`email`, accountId, sql`m.given_email`)}) is not null)`
  }
  if (!saysMore) return sql`false`
  return sql`(m.given_id is not null and m.given_id is distinct from m.old_id and (
    (${idBy(sql`external_id`, accountId, sql`m.given_id`)}) is not null
    or row_number() over (partition by m.given_id order by m.key) > 1))`
}

/** Changes those who are there already, each with their row, one event and whatever consents their rows assert. */
export async function mergeExisting(
  trx: Trx,
  terms: MergeTerms,
  range: Range,
  hasDuplicates: boolean,
  moves: readonly Move[],
): Promise<Tally> {
  const { accountId, importId, actor, consent, matchBy } = terms
  const agreed = sql`agreed`
  const all = sql`planned`
  const withdrawn = moves.filter((move) => move.withdrawn).map(({ id }) => id)
  const withdrew = (of: Sql) => sql`${of}.id = any(${withdrawn}::uuid[])`
  // PostgreSQL may take what lies between two keys for a handful, and then goes through all that the array brings for each of them:
  // one chunk of eight took 6 to 19 s so.
  const isByHash = range.isPlain && matchBy === 'email'
  if (isByHash) trx.send('set local enable_nestloop = off')
  const [tally] = await trx.query<Tally>(sql`
    with ${planned(terms, range, moves)}, agreed as not materialized (select * from planned where not conflict), ${wished(terms, agreed)}, joined as (
      insert into list_members (account_id, list_id, contact_id, change_set_id)
      select ${accountId}::bigint, list_id, contact_id, ${importId}::bigint from wished as w where not opted_out and (
        select m.contact_id from list_members as m
        where m.account_id = ${accountId} and m.list_id = w.list_id and m.contact_id = w.contact_id limit 1
      ) is null
      on conflict do nothing
      returning contact_id, list_id
    ), left_lists as (${
      !terms.namesLists
        ? sql`select null::uuid as contact_id, null::bigint as list_id where false`
        : sql`
      delete from list_members as l using (
        select a.id, own.key::bigint as list_id from agreed as a cross join jsonb_each(a.lists) as own where own.value = 'false'
      ) as w where l.account_id = ${accountId} and l.list_id = w.list_id and l.contact_id = w.id
      returning l.contact_id, l.list_id`
    }
    ), joined_of as (select contact_id, jsonb_agg(list_id order by list_id) as lists from joined group by contact_id),
    left_of as (select contact_id, jsonb_agg(list_id order by list_id) as lists from left_lists group by contact_id),
    refused as (select distinct contact_id from wished where opted_out),
    changed as (
      update contacts as c set fields = a.new_fields, tags = a.new_tags, external_id = a.new_id, state = a.new_state,
        state_reason = case when ${withdrew(sql`a`)} then 'withdrawn' when a.new_state = a.old_state then c.state_reason else 'import' end,
        state_before = case when ${withdrew(sql`a`)} then null when a.new_state = a.old_state then c.state_before when a.new_state in ('unsubscribed', 'bounced') then a.old_state end,
        state_at = case when a.new_state <> a.old_state then statement_timestamp() else c.state_at end,
        updated_at = statement_timestamp()
      from agreed as a where c.account_id = ${accountId} and c.id = any(array(select id from agreed where differs)) and c.id = a.id
      returning c.id
    ), told as (
      select a.*, j.lists as joined, l.lists as left_lists, r.contact_id is not null as opted_out,
        case when a.differs or j.lists is not null or l.lists is not null then 'updated' else 'unchanged' end as action
      from agreed as a left join joined_of as j on j.contact_id = a.id left join left_of as l on l.contact_id = a.id
        left join refused as r on r.contact_id = a.id
    ), kept as (
      insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after, problem)
      select ${accountId}::bigint, ${importId}::bigint, line, email, action, id,
        case when action = 'updated' then ${beforeOf()} end, case when action = 'updated' then ${afterOf()} end,
        ${notes([
          ['opted_out', sql`opted_out`],
          ['kept_unsubscribed', sql`kept_unsubscribed`],
        ])}
      from told
      union all
      select ${accountId}, ${importId}, line, email, 'rejected', id, null, null, ${IDENTITY_CONFLICT}::jsonb from planned where conflict
    ), asserted as (
      insert into consents (account_id, contact_id, action, grade, source, actor, ip, data, at)
      select ${accountId}::bigint, id, case new_state when 'subscribed' then 'granted' else 'withdrawn' end, 'asserted', 'import', ${actor},
        (more #>> '{consent,ip}')::inet, ${consentData(importId, consent.source)},
        coalesce(coalesce(more #>> '{consent,at}', ${consent.at ?? null})::timestamptz, clock_timestamp())
      from told as t where new_state <> old_state and new_state in ('subscribed', 'unsubscribed') and not ${withdrew(sql`t`)}
    ), ${hasDuplicates ? sql`again as (${duplicates(terms, all)} returning 1),` : sql``}
    ${recording(accountId, changedActs(), importId)}
    select ${hasDuplicates ? sql`(select count(*) from again)` : sql`0`} as duplicates,
      count(*) filter (where action = 'updated') as updated, count(*) filter (where action = 'unchanged') as unchanged,
      count(*) filter (where opted_out) as opted_out, count(*) filter (where kept_unsubscribed) as kept_unsubscribed,
      (select count(*) from planned where conflict) as rejected
    from told`)
  if (isByHash) trx.send('set local enable_nestloop = on') // others look for each of few rows by its key
  return tally!
}

/** What is answered for a row that names two people. */
export const IDENTITY_CONFLICT = JSON.stringify({
  errors: { external_id: ['identity_conflict: the address and the external id are those of two different contacts'] },
})

/** What was, of what changed: over `told`. */
export function beforeOf(): Sql {
  return object([
    ['fields', sql`old_values`],
    ['email', sql`case when email <> old_email then ${json(sql`old_email`)} end`],
    ['tags', sql`case when has_new_tags then ${json(sql`old_tags`)} end`],
    ['external_id', sql`case when new_id is distinct from old_id then ${json(sql`old_id`)} end`],
    ['state', sql`case when new_state <> old_state then ${json(sql`old_state`)} end`],
    ['state_reason', sql`case when new_state <> old_state then ${json(sql`old_reason`)} end`],
    ['state_before', sql`case when new_state <> old_state then ${json(sql`old_before`)} end`],
    ['lists', sql`left_lists::text`],
  ])
}

export function afterOf(): Sql {
  return object([
    ['fields', sql`new_values`],
    ['email', sql`case when email <> old_email then ${json(sql`email`)} end`],
    ['tags', sql`case when has_new_tags then ${json(sql`new_tags`)} end`],
    ['external_id', sql`case when new_id is distinct from old_id then ${json(sql`new_id`)} end`],
    ['state', sql`case when new_state <> old_state then ${json(sql`new_state`)} end`],
    ['lists', sql`joined::text`],
  ])
}

const fromTo = (from: Sql, to: Sql) =>
  objectText([
    ['from', json(from)],
    ['to', json(to)],
  ])

function changedActs(): Sql {
  return sql`
    select id as contact_id,
      array_remove(array[
        case when new_state <> old_state and new_state = 'unsubscribed' then 'unsubscribed' end,
        case when new_state <> old_state and new_state = 'subscribed' then 'subscribed' end,
        case when told is not null or has_new_tags or email <> old_email or new_id is distinct from old_id or (new_state <> old_state and new_state = 'bounced')
          then 'updated' end,
        case when joined is not null then 'list_added' end,
        case when left_lists is not null then 'list_removed' end], null) as types,
      null::text as name, null::timestamptz as at,
      ${object([
        ['email', sql`case when email <> old_email then ${fromTo(sql`old_email`, sql`email`)} end`],
        ['fields', sql`told`],
        ['state', sql`case when new_state <> old_state then ${fromTo(sql`old_state`, sql`new_state`)} end`],
        ['external_id', sql`case when new_id is distinct from old_id then ${fromTo(sql`old_id`, sql`new_id`)} end`],
        [
          'tags',
          sql`case when has_new_tags then '{"added":' || ${json(sql`array(select tag from unnest(new_tags) as tag where tag <> all(old_tags))`)} || '}' end`,
        ],
        [
          'lists',
          sql`case when joined is not null or left_lists is not null
            then ${objectText([
              ['added', sql`joined::text`],
              ['removed', sql`left_lists::text`],
            ])} end`,
        ],
      ])} as data
    from told where action = 'updated' order by id`
}

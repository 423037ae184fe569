import sql, { type Sql } from 'sql-template-tag'

/** Rows of the outbox that name contacts, for an account: they are read with it each time. Beyond these, everyone is looked at. */
const MOST_NAMED = 5

/**
 * Removes events of an account, and in the same statement has the dispatcher compare whose they were: to conditions on events
 * it is as if these had not been. Answers `count`, of the events, and whose they were: `contact_ids`.
 * @param some `select id`, of at most some ten thousand events.
 */
export function removingEvents(accountId: number, some: Sql, mostNamed = MOST_NAMED): Sql {
  return sql`
    with gone as (
      delete from events where account_id = ${accountId} and id = any(array(${some})) returning contact_id
    ), whose as (
      select ids from (select array_agg(distinct contact_id) as ids from gone where contact_id is not null) as those where ids is not null
    ), again as (${beginningAgain(sql`account_id = ${accountId} and exists (select from whose)`)}), asked as (
      insert into outbox (account_id, event_ids, size, kind, details)
      select ${accountId}::bigint, '{}', 0, 'comparison', '{"cause": "retention"}'::jsonb || case
        when (select count(*) from outbox where account_id = ${accountId} and kind = 'comparison' and details ? 'contacts') < ${mostNamed}::int
        then jsonb_build_object('contacts', ids) else '{}' end
      from whose where not exists (select from again)
    )
    select (select count(*) from gone) as count, coalesce((select ids from whose), '{}') as contact_ids`
}

/** The same of a month of events of all accounts, which is to be dropped in this transaction: everyone is compared. */
export function droppingEvents(month: Sql): Sql {
  return sql`
    with those as (select id from accounts as a where exists (select from ${month} as e where e.account_id = a.id)),
    again as (${beginningAgain(sql`account_id in (select id from those)`)})
    insert into outbox (account_id, event_ids, size, kind, details)
    select id, '{}', 0, 'comparison', '{"cause": "retention"}' from those where id not in (select account_id from again)`
}

/**
 * A comparison of everyone that waits for the same reason, or is under way, begins again. Where the dispatcher has just taken it
 * out, this waits for its commit and finds none.
 */
function beginningAgain(where: Sql): Sql {
  return sql`
    update outbox set details = details - 'after'
    where ${where} and kind = 'comparison' and details ->> 'cause' = 'retention' and not details ? 'contacts'
    returning account_id`
}

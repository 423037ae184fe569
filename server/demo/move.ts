import sql, { type Sql } from 'sql-template-tag'
import type { Trx } from '../db/database.ts'

/** An id that holds its moment in its first 48 bits, so much earlier. */
const earlier = (
  id: Sql,
  ms: number,
) => sql`(lpad(to_hex(('x' || left(replace(${id}::text, '-', ''), 12))::bit(48)::bigint - ${ms}::bigint), 12, '0')
  || substr(replace(${id}::text, '-', ''), 13))::uuid`

/**
 * Moves an import into the past, with everyone whom it entered and all that it has told, as if it had been brought in at `at`. Nobody
 * else speaks of these people yet; their events have no places in the feed.
 */
export async function moveImport(trx: Trx, accountId: number, importId: number, at: number): Promise<void> {
  const [set] = await trx.query<{ created_at: Date }>(
    sql`select created_at from change_sets where account_id = ${accountId} and id = ${importId}`,
  )
  const ms = set!.created_at.getTime() - at
  const ago = (moment: Sql) => sql`${moment} - make_interval(secs => ${ms / 1000})`
  const ofImport = sql`account_id = ${accountId} and change_set_id = ${importId}`
  const people = sql`(select contact_id from change_rows where ${ofImport} and action = 'created')`
  trx.send(sql`
    update contacts set id = ${earlier(sql`id`, ms)}, created_at = ${ago(sql`created_at`)}, updated_at = ${ago(sql`updated_at`)},
      state_at = ${ago(sql`state_at`)}
    where account_id = ${accountId} and id in ${people}`)
  trx.send(sql`
    update consents set id = ${earlier(sql`id`, ms)}, contact_id = ${earlier(sql`contact_id`, ms)}, at = ${ago(sql`at`)}
    where account_id = ${accountId} and contact_id in ${people}`)
  trx.send(sql`
    update list_members set contact_id = ${earlier(sql`contact_id`, ms)}, since = ${ago(sql`since`)}
    where account_id = ${accountId} and contact_id in ${people}`)
  trx.send(sql`
    update events set id = ${earlier(sql`id`, ms)}, contact_id = ${earlier(sql`contact_id`, ms)}, at = ${ago(sql`at`)} where ${ofImport}`)
  trx.send(sql`update change_rows set contact_id = ${earlier(sql`contact_id`, ms)} where ${ofImport}`)
  trx.send(sql`
    update change_sets set created_at = ${ago(sql`created_at`)}, finished_at = ${ago(sql`finished_at`)}
    where account_id = ${accountId} and id = ${importId}`)
  trx.send(sql`
    update imports set updated_at = ${ago(sql`updated_at`)}, keep_file_until = ${ago(sql`keep_file_until`)}
    where account_id = ${accountId} and id = ${importId}`)
  await trx.query(sql`select`) // what was sent is done
}

/**
 * Takes events of these acts out of the feed and the outbox, before they are moved. Throws where others have places behind them:
 * somebody is at work in the account.
 */
export async function unplace(trx: Trx, accountId: number, changeSetIds: readonly number[]): Promise<void> {
  const ours = sql`select id from events where account_id = ${accountId} and change_set_id = any(${[...changeSetIds]}::bigint[])`
  trx.send(sql`
    delete from outbox where account_id = ${accountId} and kind = 'acts' and change_set_id = any(${[...changeSetIds]}::bigint[])`)
  trx.send(sql`delete from feed where account_id = ${accountId} and event_id in (${ours})`)
  const [left] = await trx.query<{ places: number; last: number }>(
    sql`select count(*) as places, coalesce(max(position), 0) as last from feed where account_id = ${accountId}`,
  )
  if (left!.places !== left!.last)
    throw new Error('others are at work in this account: its feed can not be given a past. Try it in another account')
  trx.send(sql`update feed_heads set position = ${left!.last} where account_id = ${accountId}`)
}

/** Gives all events that have none their places in the feed, in the order in which they happened. The head is held. */
export async function placeAll(trx: Trx, accountId: number): Promise<void> {
  await trx.query(sql`
    with placed as (
      insert into feed (account_id, position, event_id)
      select ${accountId}::bigint, (select position from feed_heads where account_id = ${accountId}) + row_number() over (order by e.id), e.id
      from events as e
      where e.account_id = ${accountId}
        and not exists (select from feed as f where f.account_id = ${accountId} and f.event_id = e.id)
        and not exists (select from outbox as o where o.account_id = ${accountId} and e.id = any(o.event_ids))
      returning position
    )
    update feed_heads set position = greatest(position, (select max(position) from placed)) where account_id = ${accountId}`)
}

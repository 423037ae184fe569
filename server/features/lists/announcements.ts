import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { ChangeSetKind } from '../activity/change-sets.ts'
import type { VersionedList } from './smart.ts'
import type { Compared } from './transitions.ts'

const KIND: ChangeSetKind = 'list_criteria'

/**
 * Has the dispatcher compare lists with all contacts, and tell who entered and left by the new criteria. It may be everyone:
 * so each list's announcement is an act on many, with a change set.
 */
export function announceCriteria(
  trx: Trx,
  { accountId, actor }: Pick<Caller, 'accountId' | 'actor'>,
  lists: readonly VersionedList[],
): void {
  if (lists.length === 0) return
  trx.send(sql`
    with act as (
      insert into change_sets (account_id, kind, phase, actor, options, counts)
      select ${accountId}::bigint, ${KIND}, 'running', ${actor},
        jsonb_build_object('list_id', id, 'criteria_version', version), '{"entered": 0, "left": 0}'
      from unnest(${lists.map((list) => list.id)}::bigint[], ${lists.map((list) => list.criteria_version)}::int[])
        with ordinality as list (id, version, nth) order by nth
      returning id, options
    )
    insert into outbox (account_id, event_ids, size, kind, change_set_id, details)
    select ${accountId}::bigint, '{}', 0, 'criteria', id,
      jsonb_build_object('list_id', options -> 'list_id', 'version', options -> 'criteria_version', 'announce', true)
    from act order by id`)
}

/** Adds what was told of one more part of the contacts. */
export function addToAnnouncement(trx: Trx, accountId: number, id: number, { entered, left }: Compared): void {
  if (entered + left === 0) return
  trx.send(sql`
    update change_sets set counts = jsonb_build_object(
      'entered', (counts ->> 'entered')::bigint + ${entered}::bigint, 'left', (counts ->> 'left')::bigint + ${left}::bigint)
    where account_id = ${accountId} and id = ${id}`)
}

/** Ends it, with its message right behind what it told; `cancelled` when a later edit came before. Answers the last position. */
export async function endAnnouncement(
  trx: Trx,
  accountId: number,
  id: number,
  position: number,
  phase: 'finished' | 'cancelled',
): Promise<number> {
  const placed = await trx.query(sql`
    with ended as (
      update change_sets set phase = ${phase}, finished_at = statement_timestamp() where account_id = ${accountId} and id = ${id}
      returning id, options, counts
    ), told as (
      insert into events (account_id, type, types, data, change_set_id)
      select ${accountId}::bigint, 'change_set_finished', '{change_set_finished}', jsonb_strip_nulls(jsonb_build_object('kind', ${KIND}::text,
        'list_id', options -> 'list_id', 'cancelled', nullif(${phase === 'cancelled'}::boolean, false), 'counts', counts)), id
      from ended returning id
    )
    insert into feed (account_id, position, event_id) select ${accountId}::bigint, ${position + 1}::bigint, id from told returning position`)
  return position + placed.length
}

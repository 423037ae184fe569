import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { notFound } from '../../lib/app-error.ts'
import { record, recording } from './record.ts'

export type ChangeSetKind =
  | 'batch_update'
  | 'batch_delete'
  | 'list_add'
  | 'list_remove'
  | 'list_merge'
  | 'list_delete'
  | 'list_convert'
  | 'list_criteria'
  | 'field_delete'
  | 'field_convert'
  | 'import'
  | 'revert'
  | 'pending_expiry'
  | 'bulk'

export interface ChangeSet {
  id: number
  kind: string
  phase: string
  actor: string
  options: Record<string, unknown>
  counts: Record<string, number>
  created_at: Date
  finished_at: Date | null
}

interface Opening {
  kind: ChangeSetKind
  actor: string
  options?: Record<string, unknown>
  /** `running` unless it has to wait for a worker. */
  phase?: string
}

/** Begins an act on many people; its rows follow in `change_rows`, and `finishChangeSet` closes it. */
export async function openChangeSet(
  trx: Trx,
  accountId: number,
  { kind, actor, options, phase = 'running' }: Opening,
): Promise<number> {
  const [row] = await trx.query<{ id: number }>(sql`
    insert into change_sets (account_id, kind, phase, actor, options)
    values (${accountId}, ${kind}, ${phase}, ${actor}, ${JSON.stringify(options ?? {})})
    returning id`)
  return row!.id
}

/** Closes an act with its counts, and tells the feed. */
export function finishChangeSet(
  trx: Trx,
  accountId: number,
  id: number,
  kind: ChangeSetKind,
  counts: Record<string, number>,
): void {
  trx.send(sql`
    update change_sets set phase = 'finished', counts = ${JSON.stringify(counts)}::jsonb, finished_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id}`)
  record(trx, accountId, [{ contactId: null, types: ['change_set_finished'], data: { kind, counts } }], id)
}

/** Notes several acts of one kind that are done already, as opening and closing each would, in one statement. */
export function noteChangeSets(
  trx: Trx,
  accountId: number,
  { kind, actor }: Opening,
  acts: readonly { options: Record<string, unknown>; counts: Record<string, number> }[],
): void {
  const events = sql`
    select null::uuid as contact_id, '{change_set_finished}'::text[] as types, null::text as name, null::timestamptz as at,
      jsonb_build_object('kind', ${kind}::text, 'counts', counts) as data, id as change_set_id
    from noted order by id`
  trx.send(sql`
    with noted as (
      insert into change_sets (account_id, kind, phase, actor, options, counts, finished_at)
      select ${accountId}::bigint, ${kind}, 'finished', ${actor}, act -> 'options', act -> 'counts', statement_timestamp()
      from jsonb_array_elements(${JSON.stringify(acts)}::jsonb) with ordinality as acts (act, nth) order by nth
      returning id, counts
    ), ${recording(accountId, events, sql`change_set_id`)} select`)
}

const COLUMNS = sql`id, kind, phase, actor, options, counts, created_at, finished_at`

/** Newest first. */
export async function listChangeSets(db: Queryable, accountId: number, limit: number, offset: number) {
  const [rows, [total]] = await Promise.all([
    db.query<ChangeSet>(sql`
      select ${COLUMNS} from change_sets where account_id = ${accountId} order by id desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from change_sets where account_id = ${accountId}`),
  ])
  return { rows, total: total!.count }
}

/** Throws not_found. */
export async function findChangeSet(db: Queryable, accountId: number, id: number): Promise<ChangeSet> {
  const [row] = await db.query<ChangeSet>(
    sql`select ${COLUMNS} from change_sets where account_id = ${accountId} and id = ${id}`,
  )
  if (!row) throw notFound()
  return row
}

/** The same, held until the transaction ends. Throws not_found. */
export async function lockChangeSet(trx: Trx, accountId: number, id: number): Promise<ChangeSet> {
  await trx.query(sql`select id from change_sets where account_id = ${accountId} and id = ${id} for update`)
  return findChangeSet(trx, accountId, id)
}

import sql from 'sql-template-tag'
import type { Database, Trx } from '../../db/database.ts'
import { recording } from '../activity/record.ts'
import type { FieldValue } from './definition.ts'

/** Contacts changed in one transaction: about a quarter of a second, so that nobody waits long for a locked row. */
const CHUNK = 5000

interface Sweep {
  accountId: number
  changeSetId: number
  key: string
  /** What a value becomes; null unsets it; the value itself leaves it as it is. */
  become: (value: FieldValue) => FieldValue | null
}

/**
 * Goes through every value of a field in order of the contacts' ids, and changes those that `become` changes, with a
 * change row and an event for each contact. Broken off and run again, it finds the rest: what is done is done.
 */
export async function sweepValues(db: Database, sweep: Sweep, signal: AbortSignal): Promise<void> {
  let after: string | undefined = '00000000-0000-0000-0000-000000000000'
  while (after !== undefined) {
    signal.throwIfAborted()
    const from: string = after
    after = await db.transaction((trx) => sweepChunk(trx, sweep, from))
  }
}

/** Answers the last id it has looked at; undefined when that was the end. */
async function sweepChunk(
  trx: Trx,
  { accountId, changeSetId, key, become }: Sweep,
  after: string,
): Promise<string | undefined> {
  const held = await trx.query<{ id: string; value: FieldValue }>(sql`
    select id, fields -> ${key} as value from contacts
    where account_id = ${accountId} and id > ${after}::uuid and fields ? ${key}
    order by id limit ${CHUNK} for update`)
  const changed = held
    .map(({ id, value }) => ({ id, from: value, to: become(value) }))
    .filter(({ from, to }) => from !== to)
  if (changed.length > 0) {
    const change = sql`jsonb_strip_nulls(jsonb_build_object('from', old, 'to', new))`
    const acts = sql`
      select id as contact_id, '{updated}'::text[] as types, null::text as name, null::timestamptz as at,
        jsonb_build_object('fields', jsonb_build_object(${key}::text, ${change})) as data
      from swept`
    trx.send(sql`
      with planned as (
        select * from jsonb_to_recordset(${JSON.stringify(changed.map(({ id, from, to }) => ({ id, old: from, new: to })))}::jsonb)
          as planned (id uuid, old jsonb, new jsonb)
      ), swept as (
        update contacts as c
        set fields = case when jsonb_typeof(new) = 'null' or new is null then c.fields - ${key}::text
          else c.fields || jsonb_build_object(${key}::text, new) end, updated_at = statement_timestamp()
        from planned where c.account_id = ${accountId} and c.id = planned.id
        returning c.id, c.email, old, new
      ), kept as (
        insert into change_rows (account_id, change_set_id, line, email, action, contact_id, before, after)
        select ${accountId}::bigint, ${changeSetId}::bigint,
          row_number() over (order by id) + (select coalesce(max(line), 0) from change_rows where account_id = ${accountId} and change_set_id = ${changeSetId}),
          email, 'updated', id, jsonb_build_object('fields', jsonb_build_object(${key}::text, old)),
          jsonb_build_object('fields', jsonb_strip_nulls(jsonb_build_object(${key}::text, new)))
        from swept
      ), ${recording(accountId, acts, changeSetId)} select`)
  }
  return held.length === CHUNK ? held.at(-1)!.id : undefined
}

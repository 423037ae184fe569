import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Job, JobName, Queue } from '../../jobs/queue.ts'
import { invalid } from '../../lib/app-error.ts'
import { findChangeSet, finishChangeSet, openChangeSet } from '../activity/change-sets.ts'
import { FIELDS_SETTLED_MS } from './field-set.ts'
import { findField } from './fields.ts'
import { sweepValues } from './sweep.ts'

/** Something that may stand on a field: what uses it, each as a sentence. */
export type UsesOf = (db: Queryable, accountId: number, fieldId: number) => Promise<string[]>

export const SweepPayload = Type.Object({
  accountId: Type.Integer(),
  fieldId: Type.Integer(),
  changeSetId: Type.Integer(),
})

/** What has begun must end, whatever fails and however often the worker is restarted: three days of attempts. */
export const SWEEP = { payload: SweepPayload, attempts: 1000, timeoutS: 3600 }

export const sweepRemovedField: JobName<typeof SweepPayload> = { name: 'fields.sweep-removed', ...SWEEP }

/**
 * Removes a field at once; its values follow as a change set, once no process can still write by the old definition.
 * Throws not_found, and `invalid` with whatever uses the field.
 */
export async function removeField(
  trx: Trx,
  queue: Queue,
  caller: Caller,
  id: number,
  usesOf: readonly UsesOf[],
): Promise<void> {
  const { accountId, actor } = caller
  const field = await findField(trx, accountId, id, true)
  const uses = (await Promise.all(usesOf.map((find) => find(trx, accountId, id)))).flat()
  if (uses.length > 0) throw invalid({ usage: uses })
  trx.send(sql`
    update fields set removed_at = statement_timestamp(), updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id}`)
  const changeSetId = await openChangeSet(trx, accountId, {
    kind: 'field_delete',
    actor,
    options: { field_id: id, name: field.name, key: field.key },
  })
  await queue.enqueue(trx, sweepRemovedField, { accountId, fieldId: id, changeSetId }, FIELDS_SETTLED_MS / 1000)
}

export function sweepRemovedFieldJob(db: Database): Job<typeof SweepPayload> {
  return {
    ...sweepRemovedField,
    async run({ accountId, changeSetId }, signal) {
      const { phase, options } = await findChangeSet(db, accountId, changeSetId)
      if (phase === 'finished') return
      await sweepValues(db, { accountId, changeSetId, key: options.key as string, become: () => null }, signal)
      await db.transaction((trx) => closeSweep(trx, accountId, changeSetId, 'field_delete'))
    },
  }
}

/** Closes a sweep with the number of values that became others and that went; of a contact removed since, they went too. */
export async function closeSweep(
  trx: Trx,
  accountId: number,
  changeSetId: number,
  kind: 'field_delete' | 'field_convert',
): Promise<void> {
  const [counts] = await trx.query<{ rows: number; changed: number }>(sql`
    select count(*) as rows, count(*) filter (where after -> 'fields' <> '{}') as changed
    from change_rows where account_id = ${accountId} and change_set_id = ${changeSetId}`)
  const { rows, changed } = counts!
  const removed = rows - changed
  finishChangeSet(
    trx,
    accountId,
    changeSetId,
    kind,
    kind === 'field_delete' ? { values_removed: removed } : { values_converted: changed, values_discarded: removed },
  )
}

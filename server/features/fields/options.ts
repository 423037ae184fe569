import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import type { Job, JobName, Queue } from '../../jobs/queue.ts'
import { invalid } from '../../lib/app-error.ts'
import { foldCase } from '../../lib/text.ts'
import type { FieldDefinition } from './definition.ts'
import { FIELDS_SETTLED_MS, readField } from './field-set.ts'

const Removed = Type.Object({
  accountId: Type.Integer(),
  fieldId: Type.Integer(),
  options: Type.Array(Type.String()),
})

export const restoreUsed: JobName<typeof Removed> = {
  name: 'fields.restore-options',
  payload: Removed,
  attempts: 1000, // as long as a sweep: an option in use that no definition has is never left so
  timeoutS: 3600,
}

/**
 * Lets a field lose the options that are not kept. Throws `invalid` while a contact has one of them. What a process with
 * the definition of before still stores is looked for once none has it any more: such an option comes back.
 */
export async function loseOptions(
  trx: Trx,
  queue: Queue,
  { id, accountId, key, options }: FieldDefinition,
  kept: readonly string[] | null,
): Promise<void> {
  const going = (options ?? []).filter((option) => !kept?.includes(option))
  if (going.length === 0) return
  const used = await countUses(trx, accountId, key, going)
  if (used.length > 0) {
    throw invalid({
      options: used.map(
        ({ option, count }) => `can't lose ${option}: ${count} contact${count === 1 ? ' has' : 's have'} it`,
      ),
    })
  }
  await queue.enqueue(trx, restoreUsed, { accountId, fieldId: id, options: going }, FIELDS_SETTLED_MS / 1000)
}

/** Which of these options contacts have, in their order. */
async function countUses(
  db: Queryable,
  accountId: number,
  key: string,
  options: readonly string[],
): Promise<{ option: string; count: number }[]> {
  return db.query(sql`
    select c.fields ->> ${key} as option, count(*) as count from contacts as c
    where c.account_id = ${accountId} and c.fields ->> ${key} = any(${options}::text[])
    group by 1 order by 1`)
}

/** Puts the removed options back that have found their way to a contact. */
export function restoreUsedJob(db: Database): Job<typeof Removed> {
  return {
    ...restoreUsed,
    run: ({ accountId, fieldId, options }) =>
      db.transaction(async (trx) => {
        const field = await readField(trx, accountId, fieldId, true)
        // Removed, or turned into another kind, which takes any value it can: nothing is left that needs the options.
        if (field?.type !== 'select' || field.convertingTo) return
        const there = new Set(field.options?.map(foldCase))
        const missing = options.filter((option) => !there.has(foldCase(option)))
        const used = missing.length === 0 ? [] : await countUses(trx, accountId, field.key, missing)
        if (used.length === 0) return
        trx.send(sql`
          update fields set options = options || ${used.map(({ option }) => option)}::text[], updated_at = statement_timestamp()
          where account_id = ${accountId} and id = ${fieldId}`)
      }),
  }
}

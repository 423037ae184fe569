import sql from 'sql-template-tag'
import type { Database, Queryable } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { type FieldSet, loadFields } from './field-set.ts'
import { learn } from './sample.ts'
import type { USERS } from './schemas.ts'

/** Something that speaks of fields. */
export interface FieldUser {
  kind: (typeof USERS)[number]
  id: number | string
  /** null: not for everybody to see. */
  name: string | null
  /** By id; some may not be there any more. */
  fields: number[]
}

/** All of one kind that speak of any field. */
export type FieldUsers = (db: Queryable, caller: Caller, fields: FieldSet) => Promise<FieldUser[]>

/**
 * How many contacts have a value for each field, and what speaks of it. Counts are estimates from a sample of a large account:
 * `margin` is by how much a share may be off, 95 times in 100.
 */
export async function readUsage(db: Database, caller: Caller, usersOf: readonly FieldUsers[]) {
  const { accountId } = caller
  const fields = await loadFields(db, accountId)
  const [{ rows, seen, isExact, scale }, ...users] = await Promise.all([
    learn<{ key: string; count: number }>(
      db,
      accountId,
      (contacts) => sql`
        select key, count(*) as count from (${contacts}) as c, lateral jsonb_object_keys(c.fields) as key group by key`,
    ),
    ...usersOf.map((find) => find(db, caller, fields)),
  ])
  const filled = new Map(rows.map(({ key, count }) => [key, count]))
  const all = users.flat()
  return {
    data: fields.active.map(({ id, key }) => {
      const count = filled.get(key) ?? 0
      return {
        field_id: id,
        filled: { count: Math.round(count * scale), share: seen === 0 ? 0 : count / seen },
        used_by: all
          .filter((user) => user.fields.includes(id))
          .map(({ kind, id: user, name }) => ({ kind, id: user, name })),
      }
    }),
    looked_at: seen,
    is_exact: isExact,
    margin: isExact ? 0 : 0.98 / Math.sqrt(seen),
  }
}

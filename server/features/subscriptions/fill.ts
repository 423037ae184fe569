import sql from 'sql-template-tag'
import type { Trx } from '../../db/database.ts'
import { record } from '../activity/record.ts'
import { coerceValue } from '../fields/coerce.ts'
import type { FieldValue } from '../fields/definition.ts'
import type { FieldSet } from '../fields/field-set.ts'

/**
 * Fills those fields of a contact that are still unset: what somebody writes into a form overwrites nothing, as anyone could
 * have written it. The contact's row is held. Values are checked again, as their fields may have changed since.
 * @param values By the key of their field.
 */
export async function fillFields(
  trx: Trx,
  accountId: number,
  contactId: string,
  fields: FieldSet,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  const given = storable(fields, values)
  if (Object.keys(given).length === 0) return
  const [row] = await trx.query<{ fields: Record<string, FieldValue> }>(
    sql`select fields from contacts where account_id = ${accountId} and id = ${contactId}`,
  )
  const fresh = Object.fromEntries(Object.entries(given).filter(([key]) => row && !Object.hasOwn(row.fields, key)))
  if (Object.keys(fresh).length === 0) return
  trx.send(sql`
    update contacts set fields = fields || ${JSON.stringify(fresh)}::jsonb, updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${contactId}`)
  const told = Object.fromEntries(Object.entries(fresh).map(([key, to]) => [key, { to }]))
  record(trx, accountId, [{ contactId, types: ['updated'], data: { fields: told } }])
}

/** The values that fields in use still take. */
export function storable(fields: FieldSet, values: Readonly<Record<string, unknown>>): Record<string, FieldValue> {
  const taken: Record<string, FieldValue> = {}
  for (const field of fields.active) {
    if (!Object.hasOwn(values, field.key)) continue
    const read = coerceValue(field.convertingTo ? { ...field, type: field.convertingTo } : field, values[field.key])
    if (read.ok && read.value !== null) taken[field.key] = read.value
  }
  return taken
}

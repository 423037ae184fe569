import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { violatedUnique } from '../../db/sqlstate.ts'
import type { Queue } from '../../jobs/queue.ts'
import { invalid, type Messages, notFound, tell } from '../../lib/app-error.ts'
import { isReservedMergeTag, mergeTagFrom } from '../../lib/merge-tag.ts'
import { checkDefinition, type FieldDefinition, officialDataType } from './definition.ts'
import { FIELD_COLUMNS, type FieldRow, fieldFrom, loadFields, readField } from './field-set.ts'
import { MOST_FIELDS, unusedKey } from './intake.ts'
import { loseOptions } from './options.ts'
import type { FieldInput } from './schemas.ts'

const TAKEN = ['has already been taken']

/** A field as the API answers it: the nearest official kind in `data_type`, the exact one in `type`. */
export function fieldOnWire(field: FieldDefinition) {
  const { id, name, mergeTag: merge_tag, type, required, min, max, options, format } = field
  return {
    id,
    name,
    data_type: officialDataType(type),
    merge_tag,
    type,
    required,
    editable: field.editable,
    min,
    max,
    options,
    default: field.default,
    format,
    ...(field.convertingTo ? { converting_to: field.convertingTo } : {}),
    created_at: field.createdAt.toISOString(),
    updated_at: field.updatedAt.toISOString(),
  }
}

/** The field in use with that id. Throws not_found. */
export async function findField(db: Queryable, accountId: number, id: number, lock = false): Promise<FieldDefinition> {
  const field = await readField(db, accountId, id, lock)
  if (!field) throw notFound()
  return field
}

/** How many contacts have a value for it. */
export async function countValues(db: Queryable, accountId: number, { key }: FieldDefinition): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`
    select count(*) as count from contacts as c where c.account_id = ${accountId} and c.fields ? ${key}`)
  return row!.count
}

/** Defines a field; without a merge tag it gets one made from its name. Throws `invalid` with every fault. */
export async function createField(trx: Trx, accountId: number, input: FieldInput): Promise<FieldDefinition> {
  const fields = await loadFields(trx, accountId)
  const checked = checkDefinition({ ...input, name: input.name ?? '', type: input.type ?? '' })
  const faults: Messages = checked.ok ? {} : checked.faults
  const given = input.merge_tag?.trim()
  const mergeTag = given || unusedMergeTag(mergeTagFrom(input.name ?? ''), (tag) => fields.tagged(tag) !== undefined)
  if (given && isReservedMergeTag(given)) faults.merge_tag = ['is reserved: choose another merge tag']
  if (given && fields.tagged(given)) tell(faults, 'merge_tag', ...TAKEN)
  if (nameTaken(fields.active, input.name)) tell(faults, 'name', ...TAKEN)
  if (fields.active.length >= MOST_FIELDS) faults.base = [`an account can have at most ${MOST_FIELDS} fields`]
  if (!checked.ok || Object.keys(faults).length > 0) throw invalid(faults)
  const { name, type, required, editable, min, max, options, default: preset, format } = checked.definition
  const [row] = await trx
    .query<FieldRow>(sql`
      insert into fields (account_id, name, merge_tag, key, type, required, editable, min, max, options, default_value, format)
      values (${accountId}, ${name}, ${mergeTag}, ${unusedKey(fields, mergeTag)}, ${type}, ${required}, ${editable}, ${min}, ${max}, ${options},
        ${preset === null ? null : JSON.stringify(preset)}::jsonb, ${format})
      returning ${FIELD_COLUMNS}`)
    .catch(refuseTaken)
  return fieldFrom(row!)
}

function nameTaken(fields: readonly FieldDefinition[], name: string | null | undefined, besides?: number): boolean {
  return fields.some((field) => field.id !== besides && field.name.toLowerCase() === name?.trim().toLowerCase())
}

/** Made from a name, a merge tag may already be there, or be reserved: then a number goes behind it. */
function unusedMergeTag(base: string, taken: (tag: string) => boolean): string {
  const free = (tag: string) => !taken(tag) && !isReservedMergeTag(tag)
  if (free(base)) return base
  for (let nth = 2; ; nth++) {
    const tag = `${base.slice(0, 76)}_${nth}`
    if (free(tag)) return tag
  }
}

function refuseTaken(error: unknown): never {
  const constraint = violatedUnique(error)
  if (constraint === 'fields_name') throw invalid({ name: TAKEN }, error)
  throw constraint === 'fields_merge_tag' || constraint === 'fields_key' ? invalid({ merge_tag: TAKEN }, error) : error
}

/**
 * Changes a definition: what is given and not empty is set, and null takes a bound, a default or a format away. Its kind
 * stays (that is `convert`), options go only while no contact has them. Throws not_found and `invalid`.
 */
export async function updateField(
  trx: Trx,
  queue: Queue,
  accountId: number,
  id: number,
  input: FieldInput,
): Promise<FieldDefinition> {
  const before = await findField(trx, accountId, id, true)
  if (before.convertingTo)
    throw invalid({ base: [`is being converted to ${before.convertingTo}: change it when that has ended`] })
  const fields = await loadFields(trx, accountId)
  const name = input.name?.trim() || before.name
  const mergeTag = input.merge_tag?.trim() || before.mergeTag
  const faults: Messages = {}
  const checked = checkDefinition({
    ...wireDefinition(before),
    ...withoutEmpty(input),
    required: input.required ?? before.required,
    editable: input.editable ?? before.editable,
    name,
    merge_tag: mergeTag,
    type: before.type,
  })
  if (!checked.ok) Object.assign(faults, checked.faults)
  if (input.type && input.type !== before.type && input.type !== officialDataType(before.type)) {
    faults.type = [
      `can't be changed here: send POST contact_fields/${id}/convert, which with dry_run: true says what would become of the values`,
    ]
  }
  if (mergeTag.toLowerCase() !== before.mergeTag.toLowerCase()) {
    if (isReservedMergeTag(mergeTag)) faults.merge_tag = ['is reserved: choose another merge tag']
    if (fields.tagged(mergeTag)) tell(faults, 'merge_tag', ...TAKEN)
  }
  if (nameTaken(fields.active, name, id)) tell(faults, 'name', ...TAKEN)
  if (!checked.ok || Object.keys(faults).length > 0) throw invalid(faults)
  const { definition } = checked
  await loseOptions(trx, queue, before, definition.options)
  const [row] = await trx
    .query<FieldRow>(sql`
      update fields set name = ${definition.name}, merge_tag = ${mergeTag}, required = ${definition.required}, editable = ${definition.editable},
        min = ${definition.min}, max = ${definition.max}, options = ${definition.options},
        default_value = ${definition.default === null ? null : JSON.stringify(definition.default)}::jsonb, format = ${definition.format},
        updated_at = statement_timestamp()
      where account_id = ${accountId} and id = ${id}
      returning ${FIELD_COLUMNS}`)
    .catch(refuseTaken)
  return fieldFrom(row!)
}

function wireDefinition(field: FieldDefinition) {
  const { required, min, max, options, default: preset, format } = field
  return { required, min, max, options, default: preset, format }
}

/** Some clients send every key at every change, empty where there is nothing to say. */
function withoutEmpty(input: FieldInput): FieldInput {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== ''))
}

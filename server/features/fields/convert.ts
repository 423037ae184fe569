import sql from 'sql-template-tag'
import type { Database, Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import type { Job, JobName, Queue } from '../../jobs/queue.ts'
import { invalid } from '../../lib/app-error.ts'
import { foldCase } from '../../lib/text.ts'
import { findChangeSet, openChangeSet } from '../activity/change-sets.ts'
import { coerceValue } from './coerce.ts'
import {
  checkOptions,
  type FieldDefinition,
  type FieldType,
  type FieldValue,
  MOST_OPTIONS,
  parseFieldType,
} from './definition.ts'
import { FIELDS_SETTLED_MS, loadFields } from './field-set.ts'
import { findField } from './fields.ts'
import { closeSweep, SWEEP, type SweepPayload, type UsesOf } from './removal.ts'
import type { ConvertInput } from './schemas.ts'
import { sweepValues } from './sweep.ts'

/** Values read at once while looking at what would convert. */
const READ_AT_ONCE = 10_000
/** Values shown that would not convert. */
const SHOWN = 20

export const convertValues: JobName<typeof SweepPayload> = { name: 'fields.convert', ...SWEEP }

export interface Forecast {
  values_count: number
  convertible: number
  not_convertible: number
  /** The first values that would not convert, with how many contacts have each. */
  examples: { value: FieldValue; count: number; problem: string }[]
}

/** What the field would be: bounds and format that do not fit its new kind are gone, those of an integer are integers. */
function converted(field: FieldDefinition, type: FieldType, options: string[] | null): FieldDefinition {
  const bound = (value: number | null, round: (value: number) => number) => {
    if (value === null || type === 'number') return value
    return type === 'integer' && Number.isSafeInteger(round(value)) ? round(value) : null
  }
  const target: FieldDefinition = {
    ...field,
    type,
    options: type === 'select' ? options : null,
    min: bound(field.min, Math.ceil),
    max: bound(field.max, Math.floor),
    format: type === 'date' ? field.format : null,
    default: null,
  }
  const preset = field.default === null ? null : coerceValue(target, field.default)
  return { ...target, default: preset?.ok ? preset.value : null }
}

/** Reads every value of a field, in order of the contacts' ids and some at a time, and says what would become of each. */
export async function forecast(db: Queryable, field: FieldDefinition, type: FieldType, options: string[] | undefined) {
  if (options && type !== 'select')
    throw invalid({ options: [`are for select fields only, and this one becomes ${type}`] })
  const wanted = options ? checkedOptions(options) : type === 'select' ? await optionsFrom(db, field) : null
  const target = converted(field, type, wanted)
  const found: Forecast = { values_count: 0, convertible: 0, not_convertible: 0, examples: [] }
  const examples = new Map<FieldValue, Forecast['examples'][number]>()
  for await (const value of storedValues(db, field)) {
    found.values_count++
    const read = coerceValue(target, value)
    if (read.ok) {
      found.convertible++
      continue
    }
    found.not_convertible++
    const known = examples.get(value)
    if (known) known.count++
    else if (examples.size < SHOWN) examples.set(value, { value, count: 1, problem: read.problems.join('; ') })
  }
  return { found: { ...found, examples: [...examples.values()] }, target }
}

async function* storedValues(db: Queryable, { accountId, key }: FieldDefinition): AsyncGenerator<FieldValue> {
  for (let after = '00000000-0000-0000-0000-000000000000', more = true; more; ) {
    const rows: { id: string; value: FieldValue }[] = await db.query(sql`
      select c.id, c.fields -> ${key} as value from contacts as c
      where c.account_id = ${accountId} and c.id > ${after}::uuid and c.fields ? ${key}
      order by c.id limit ${READ_AT_ONCE}`)
    for (const { value } of rows) yield value
    more = rows.length === READ_AT_ONCE
    after = rows.at(-1)?.id ?? after
  }
}

/** The different values there are, without regard to case, as the oldest contact has each. Throws `invalid` when there are too many. */
async function optionsFrom(db: Queryable, field: FieldDefinition): Promise<string[]> {
  const options = new Map<string, string>()
  for await (const value of storedValues(db, field)) {
    const option = String(value).trim()
    const folded = foldCase(option)
    if (!options.has(folded)) options.set(folded, option)
    if (options.size > MOST_OPTIONS)
      throw invalid({
        options: [`there are more than ${MOST_OPTIONS} different values: give the options, or keep the field a text`],
      })
  }
  if (options.size === 0) throw invalid({ options: ['there are no values to make options of: give the options'] })
  return [...options.values()].sort()
}

function checkedOptions(given: string[]): string[] {
  const read = checkOptions(given)
  if ('problems' in read) throw invalid({ options: read.problems })
  return read.options
}

/**
 * Begins to turn a field into another kind, or with `dry_run` only tells what would become of its values. New values come
 * in as the new kind from now on; those there are follow as a change set. Throws not_found, and `invalid` when values would
 * be lost and `discard` does not say so.
 */
export async function convertField(
  trx: Trx,
  queue: Queue,
  caller: Caller,
  id: number,
  input: ConvertInput,
  usesOf: readonly UsesOf[] = [],
) {
  const { accountId, actor } = caller
  const type = parseFieldType(input.type)
  if (!type) throw invalid({ type: ['is not included in the list: text, integer, number, select, date, boolean'] })
  const field = await findField(trx, accountId, id, true)
  if (field.convertingTo)
    throw invalid({ type: [`is being converted to ${field.convertingTo} already: wait for that to end`] })
  if (type === field.type) throw invalid({ type: [`is ${type} already`] })
  const { found, target } = await forecast(trx, field, type, input.options)
  if (input.dry_run) return { ...found, dry_run: true, options: target.options }
  // What stands on a field compares its values as what they are now.
  const uses = (await Promise.all(usesOf.map((find) => find(trx, accountId, id)))).flat()
  if (uses.length > 0) throw invalid({ usage: uses })
  if (found.not_convertible > 0 && !input.discard) {
    const examples = found.examples.slice(0, 3).map(({ value, problem }) => `${JSON.stringify(value)} ${problem}`)
    throw invalid({
      type: [
        `${found.not_convertible} of ${found.values_count} values can't be converted, such as ${examples.join(', ')}: mend them, or send discard: true`,
      ],
    })
  }
  trx.send(sql`
    update fields set converting_to = ${type}, options = ${target.options}, updated_at = statement_timestamp(),
      default_value = ${target.default === null ? null : JSON.stringify(target.default)}::jsonb
    where account_id = ${accountId} and id = ${id}`)
  const changeSetId = await openChangeSet(trx, accountId, {
    kind: 'field_convert',
    actor,
    options: { field_id: id, name: field.name, from: field.type, to: type },
  })
  await queue.enqueue(trx, convertValues, { accountId, fieldId: id, changeSetId }, FIELDS_SETTLED_MS / 1000)
  return { change_set_id: changeSetId, phase: 'running', ...found, options: target.options }
}

export function convertValuesJob(db: Database): Job<typeof SweepPayload> {
  return {
    ...convertValues,
    async run({ accountId, fieldId, changeSetId }, signal) {
      const { phase } = await findChangeSet(db, accountId, changeSetId)
      if (phase === 'finished') return
      const field = (await loadFields(db, accountId)).active.find(({ id }) => id === fieldId)
      // Removed meanwhile: its values go, and nothing is left to convert.
      if (!field?.convertingTo) return db.transaction((trx) => closeSweep(trx, accountId, changeSetId, 'field_convert'))
      const target = converted(field, field.convertingTo, field.options)
      const become = (value: FieldValue) => {
        const read = coerceValue(target, value)
        return read.ok ? read.value : null
      }
      await sweepValues(db, { accountId, changeSetId, key: field.key, become }, signal)
      await db.transaction(async (trx) => {
        trx.send(sql`
          update fields set type = ${target.type}, converting_to = null, options = ${target.options}, min = ${target.min}, max = ${target.max},
            format = ${target.format}, updated_at = statement_timestamp()
          where account_id = ${accountId} and id = ${fieldId}`)
        await closeSweep(trx, accountId, changeSetId, 'field_convert')
      })
    },
  }
}

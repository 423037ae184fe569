import { createHash } from 'node:crypto'
import type { AccountSettings } from '../accounts/settings.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { MOST_FIELDS } from '../fields/intake.ts'
import type { ImportOptions } from './options.ts'
import type { Target } from './targets.ts'

/** What an import's rows are measured against, as the account has it at one moment. */
export interface Ground {
  fields: FieldSet
  settings: AccountSettings
  /** Static and smart lists: ids by name in lower case. */
  lists: readonly { id: number; name: string; smart: boolean }[]
}

/** What is wrong with a file that brings so many new fields. */
export function tooManyFields(count: number): string {
  return `would define ${count} fields, and an account can have ${MOST_FIELDS} in all: leave columns out by field_mapping, or map them to fields there are`
}

/** Options that decide how rows are read; the others decide what becomes of them. */
const READING = [
  'match_by',
  'clear_empty',
  'field_mapping',
  'value_mapping',
  'rules',
  'format',
  'delimiter',
  'encoding',
  'sheet',
  'header',
  'date_order',
] as const satisfies readonly (keyof ImportOptions)[]

/**
 * By what rows were read, as a hash: the options and, of each field they go to, whatever its values are measured against.
 * Rows that were read by another one are read again.
 */
export function fingerprintOf(options: ImportOptions, targets: readonly Target[]): string {
  const places = targets.map((target) =>
    target.to === 'field' ? [target.field.key, target.field.rules, target.field.required] : target.to,
  )
  return createHash('sha256')
    .update(JSON.stringify([READING.map((name) => options[name] ?? null), places]))
    .digest('hex')
}

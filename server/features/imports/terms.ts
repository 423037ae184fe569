import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import { holdLists } from '../contacts/memberships.ts'
import { type FieldSet, loadFields } from '../fields/field-set.ts'
import type { ImportRow } from './imports.ts'
import type { MergeTerms } from './people.ts'
import { fingerprintOf } from './plan.ts'
import { type Attribute, type Target, Targets } from './targets.ts'

/** The rest of the file has to be read again, and why, should that happen again and again. */
export class ReadAnew extends Error {
  constructor(
    message = 'the fields that the file goes to are being changed again and again: try again when they stay as they are',
  ) {
    super(message)
  }
}

/**
 * Throws ReadAnew unless as many rows have been kept as were read. Those that wait are in a table without a log, which
 * PostgreSQL empties when it has crashed: they are missed here, at the end, and only they are merged when the file is read again.
 */
export function assertNoneLost(kept: number | undefined, { progress }: ImportRow): void {
  if (kept !== progress.rows_read) throw new ReadAnew('the database has crashed again and again: try again')
}

/** Where the columns of an import go by the definitions of now. */
export function targetsNow(
  { columns, options, source }: ImportRow,
  fields: FieldSet,
  unknown: 'create' | 'reject' | 'ignore',
): Target[] {
  const targets = new Targets({ fields, unknown, mapping: options.field_mapping ?? {}, official: source === 'json' })
  return (columns ?? []).map(({ name, target }) =>
    targets.of(
      name,
      target.to === 'field' ? target.field.rules.type : 'text',
      target.to === 'nothing' && target.because === 'empty',
    ),
  )
}

/**
 * The terms by which a chunk is merged, with its lists held until the transaction ends. Throws ReadAnew, and an AppError when
 * a list that people are to join is gone.
 */
export async function termsFor(
  trx: Trx,
  row: ImportRow,
  listIds: readonly number[],
  keyring: Keyring,
): Promise<MergeTerms> {
  const forAll = row.options.list_ids ?? []
  try {
    await holdLists(trx, row.accountId, [...new Set([...forAll, ...listIds])])
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    await holdLists(trx, row.accountId, forAll)
    throw new ReadAnew() // one that only rows name: those are refused when they are read again
  }
  return termsOf(trx, row, keyring)
}

/** The same without holding anything, for a dry run. */
export async function termsOf(db: Queryable, row: ImportRow, keyring: Keyring): Promise<MergeTerms> {
  const { accountId, options } = row
  const listIds = options.list_ids ?? []
  const [{ settings }, fields, hasOptOuts] = await Promise.all([
    findAccount(db, accountId),
    loadFields(db, accountId),
    isLeftByAnyone(db, accountId, listIds),
  ])
  if (row.staged !== fingerprintOf(options, targetsNow(row, fields, settings.unknown_fields))) throw new ReadAnew()
  const { consent = {} } = options
  return {
    accountId,
    importId: row.id,
    actor: row.actor,
    keyring,
    matchBy: options.match_by ?? 'email',
    updateExisting: options.update_existing ?? row.source === 'json',
    listIds,
    hasOptOuts,
    tags: options.tags ?? [],
    state: options.state ?? settings.import_default_state,
    consent: {
      ...(consent.obtained_at === undefined ? {} : { at: consent.obtained_at }),
      ...(consent.source === undefined ? {} : { source: consent.source }),
    },
    namesLists: says(row, 'lists', 'lists_left'),
    unsets: options.clear_empty === true,
    saysMore: says(
      row,
      'external_id',
      'state',
      'unsubscribed',
      'created_at',
      'consent_at',
      'consent_ip',
      'consent_source',
    ),
    keys: keysFilled(row, fields),
    defaults: Object.fromEntries(
      fields.active.filter((field) => field.default !== null).map((field) => [field.key, field.default!]),
    ),
    required: fields.active.filter((field) => field.required).map(({ key, mergeTag }) => ({ key, mergeTag })),
  }
}

/** Whether anyone has left one of these lists. */
export async function isLeftByAnyone(db: Queryable, accountId: number, listIds: readonly number[]): Promise<boolean> {
  if (listIds.length === 0) return false
  const rows = await db.query(sql`
    select from list_opt_outs where account_id = ${accountId} and list_id = any(${[...listIds]}::bigint[]) limit 1`)
  return rows.length > 0
}

/** Keys of the fields that rows can fill: those of columns, and of both names where one holds both, or an address in a mailbox. */
function keysFilled(row: ImportRow, fields: FieldSet): string[] {
  const keys = (row.columns ?? []).flatMap(({ target }) => (target.to === 'field' ? [target.field.key] : []))
  const splits = says(row, 'full_name') || Object.keys(row.options.rules ?? {}).length > 0
  const names = splits ? ['first_name', 'last_name'].flatMap((tag) => fields.tagged(tag)?.key ?? []) : []
  return [...new Set([...keys, ...names])]
}

/** Whether the file has a column for any of these. */
function says({ columns }: ImportRow, ...attributes: Attribute[]): boolean {
  return (columns ?? []).some(({ target }) => (attributes as string[]).includes(target.to))
}

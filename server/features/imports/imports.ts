import sql, { type Sql } from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { Caller } from '../../http/caller.ts'
import { AppError, notFound } from '../../lib/app-error.ts'
import { storableJson } from '../../lib/json.ts'
import { openChangeSet } from '../activity/change-sets.ts'
import type { Cause } from './causes.ts'
import type { ImportOptions } from './options.ts'
import type { Detected } from './reading/table.ts'
import type { Target } from './targets.ts'
import type { Warning } from './warnings.ts'

/**
 * How far an import is. `ready`: it was a dry run, or waits for an answer to a question about its file. Only `finished`
 * imports are reverted; only what has not ended is cancelled.
 */
export type Phase =
  | 'queued'
  | 'reading'
  | 'validating'
  | 'ready'
  | 'merging'
  | 'finished'
  | 'failed'
  | 'cancelled'
  | 'reverting'
  | 'reverted'

/** The phases in which a worker is at it, or is to be. */
export const AT_WORK: readonly Phase[] = ['queued', 'reading', 'validating', 'merging']

/** The four words that strict clients know. */
export const STATUS_OF: Readonly<Record<Phase, 'created' | 'started' | 'finished' | 'failed'>> = {
  queued: 'created',
  reading: 'started',
  validating: 'started',
  ready: 'started',
  merging: 'started',
  finished: 'finished',
  failed: 'failed',
  cancelled: 'failed',
  reverting: 'finished',
  reverted: 'finished',
}

export interface Progress {
  bytes_read?: number
  rows_read?: number
  /** Rows that are to be merged, and those that are. */
  rows_to_merge?: number
  rows_merged?: number
}

export type Counts = Partial<Record<CountName, number>>
export const COUNT_NAMES = [
  'rows_read',
  'created',
  'updated',
  'unchanged',
  'duplicate',
  'rejected',
  'suppressed',
  'over_limit',
  'opted_out',
  'kept_unsubscribed',
  'not_applied',
] as const
export type CountName = (typeof COUNT_NAMES)[number]

export interface ImportRow {
  accountId: number
  id: number
  phase: Phase
  actor: string
  counts: Counts
  created_at: Date
  finished_at: Date | null
  source: 'file' | 'json'
  file_key: string | null
  file_name: string | null
  file_bytes: number
  file_sha256: string
  options: ImportOptions
  detected: Detected | null
  columns: { name: string; target: Target }[] | null
  staged: string | null
  /** Lists that rows of the file name. */
  list_ids: number[]
  merging: boolean
  report: Cause[]
  warnings: Warning[]
  progress: Progress
  problem: string | null
  attempts: number
  updated_at: Date
}

/** Lists as JSON: of an array of bigint, `pg` would make texts. */
const COLUMNS = sql`
  s.account_id as "accountId", s.id, s.phase, s.actor, s.counts, s.created_at, s.finished_at, i.source, i.file_key, i.file_name, i.file_bytes, i.file_sha256,
  i.options, i.detected, i.columns, i.staged, to_jsonb(i.list_ids) as list_ids, i.merging, i.report, i.warnings, i.progress, i.problem, i.attempts, i.updated_at`

const FROM = sql`change_sets as s join imports as i on i.account_id = s.account_id and i.id = s.id`

export interface NewImport {
  source: 'file' | 'json'
  fileKey: string
  fileName: string | null
  fileBytes: number
  fileSha256: string
  options: ImportOptions
}

/** Makes an import, waiting for its worker. What is said of people stands in its rows alone, not in the change set's options. */
export async function createImport(trx: Trx, { accountId, actor }: Caller, given: NewImport): Promise<ImportRow> {
  const { source, fileKey, fileName, fileBytes, fileSha256, options } = given
  const { list_ids, tags, update_existing, dry_run } = options
  const id = await openChangeSet(trx, accountId, {
    kind: 'import',
    actor,
    phase: 'queued',
    options: {
      source,
      ...(fileName === null ? {} : { file_name: fileName }),
      list_ids,
      tags,
      update_existing,
      dry_run,
    },
  })
  await trx.query(sql`
    insert into imports (account_id, id, source, file_key, file_name, file_bytes, file_sha256, options)
    values (${accountId}, ${id}, ${source}, ${fileKey}, ${fileName}, ${fileBytes}, ${fileSha256}, ${JSON.stringify(options)}::jsonb)`)
  return findImport(trx, accountId, id)
}

/** Throws not_found. */
export async function findImport(db: Queryable, accountId: number, id: number, lock: Sql = sql``): Promise<ImportRow> {
  const [row] = await db.query<ImportRow>(
    sql`select ${COLUMNS} from ${FROM} where s.account_id = ${accountId} and s.id = ${id} and s.kind = 'import' ${lock}`,
  )
  if (!row) throw notFound()
  return row
}

/** The import was cancelled, or another worker is at it: nothing more is to be done here. */
export class Stopped extends Error {}

/** Keeps an import for this run until the transaction ends. Throws Stopped. */
export async function holdImport(trx: Trx, accountId: number, id: number, runner: string): Promise<void> {
  const [held] = await trx.query(importHeld(accountId, id, runner))
  if (!held) throw new Stopped()
}

/** The statement for it, which finds no row when the import is no longer this run's. */
export function importHeld(accountId: number, id: number, runner: string): Sql {
  return sql`
    select id from change_sets
    where account_id = ${accountId} and id = ${id} and runner = ${runner} and phase = any(${[...AT_WORK]}) for update`
}

/** Newest first. */
export async function listImports(db: Queryable, accountId: number, limit: number, offset: number) {
  const [rows, [total]] = await Promise.all([
    db.query<ImportRow>(sql`
      select ${COLUMNS} from ${FROM} where s.account_id = ${accountId} and s.kind = 'import'
      order by s.id desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from imports where account_id = ${accountId}`),
  ])
  return { rows, total: total!.count }
}

/** What may be noted of an import besides its phase. */
export type Notes = Partial<
  Pick<
    ImportRow,
    | 'options'
    | 'detected'
    | 'columns'
    | 'staged'
    | 'list_ids'
    | 'merging'
    | 'report'
    | 'warnings'
    | 'progress'
    | 'problem'
    | 'attempts'
  >
> & { keepFileDays?: number; counts?: Counts }

const AS_JSON: ReadonlySet<string> = new Set(['options', 'detected', 'columns', 'report', 'warnings', 'progress'])

interface Move {
  from: readonly Phase[]
  to?: Phase
  /** Only while this run is at it. */
  runner?: string
  /** The run that is at it from now on. */
  takenBy?: string
}

/**
 * Notes something of an import, and moves it to `to` if it is in one of the phases `from`; answers whether it was. Who
 * finds it elsewhere, because it was cancelled or taken over meanwhile, has nothing more to do.
 */
export async function moveImport(
  db: Queryable,
  accountId: number,
  id: number,
  move: Move,
  { keepFileDays, counts, ...notes }: Notes = {},
): Promise<boolean> {
  const ends = move.to !== undefined && !AT_WORK.includes(move.to)
  const sets = Object.entries(notes).map(([name, value]) => {
    const given =
      AS_JSON.has(name) && value !== null
        ? sql`${storableJson(value)}::jsonb`
        : sql`${value as string | number | boolean | number[] | null}`
    return sql`, ${NAMES[name as keyof typeof NAMES]} = ${given}`
  })
  const [row] = await db.query(sql`
    with moved as (
      update change_sets set phase = ${move.to ?? sql`phase`},
        counts = ${counts === undefined ? sql`counts` : sql`${JSON.stringify(counts)}::jsonb`},
        runner = ${move.takenBy ?? sql`runner`},
        finished_at = ${move.to === undefined ? sql`finished_at` : ends ? sql`statement_timestamp()` : sql`null`}
      where account_id = ${accountId} and id = ${id} and kind = 'import' and phase = any(${[...move.from]})
        ${move.runner === undefined ? sql`` : sql`and runner = ${move.runner}`}
      returning id
    )
    update imports set updated_at = statement_timestamp()
      ${keepFileDays === undefined ? sql`` : sql`, keep_file_until = statement_timestamp() + make_interval(days => ${keepFileDays})`}
      ${sets.length === 0 ? sql`` : sets.reduce((all, next) => sql`${all}${next}`)}
    where account_id = ${accountId} and id = ${id} and exists (select from moved)
    returning id`)
  return row !== undefined
}

const NAMES = {
  options: sql`options`,
  detected: sql`detected`,
  columns: sql`columns`,
  staged: sql`staged`,
  list_ids: sql`list_ids`,
  merging: sql`merging`,
  report: sql`report`,
  warnings: sql`warnings`,
  progress: sql`progress`,
  problem: sql`problem`,
  attempts: sql`attempts`,
} as const

/** Refused because of how far an import is. */
export function notNow(phase: Phase, what: string): AppError {
  return new AppError('conflict', `This import is ${phase}: ${what}`)
}

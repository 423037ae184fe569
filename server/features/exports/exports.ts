import sql from 'sql-template-tag'
import type { Queryable, Trx } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import type { Caller } from '../../http/caller.ts'
import { invalid, notFound } from '../../lib/app-error.ts'
import type { Keyring } from '../../lib/secret.ts'
import { signLink } from './link.ts'
import type { ExportRequest, Format } from './request.ts'

export type Phase = 'queued' | 'running' | 'finished' | 'failed' | 'expired'

export interface ExportRow {
  id: number
  phase: Phase
  request: ExportRequest
  contacts: number | null
  written: number
  file: string | null
  bytes: number | null
  error: string | null
  created_at: Date
  updated_at: Date
  finished_at: Date | null
  expires_at: Date | null
}

const COLUMNS = sql`id, phase, request, contacts, written, file, bytes, error, created_at, updated_at, finished_at, expires_at`

/** Official clients know no failure: what has ended without a file is finished too. */
const STATUS = {
  queued: 'created',
  running: 'started',
  finished: 'finished',
  failed: 'finished',
  expired: 'finished',
} as const

export const formatOf = ({ request }: Pick<ExportRow, 'request'>): Format => request.format ?? 'csv.gz'

/** The name under which the file is kept; a try has one of its own. */
export const fileKey = (accountId: number, file: string) => `${accountId}/exports/${file}`

/** The name under which people get it. */
export const fileName = (row: Pick<ExportRow, 'id' | 'request'>) => `contacts-${row.id}.${formatOf(row)}`

/** @param origin Where the API is reached, without a slash at its end. */
export function exportOnWire(row: ExportRow, view: { accountId: number; keyring: Keyring; origin: string; now: Date }) {
  const { id, phase, contacts, written, bytes, error, request, expires_at: expiresAt } = row
  const isThere = phase === 'finished' && expiresAt !== null && expiresAt > view.now
  const link = isThere && signLink(view.keyring, { accountId: view.accountId, exportId: id, expiresAt })
  const time = (at: Date | null) => at?.toISOString() ?? null
  return {
    id,
    status: STATUS[phase],
    phase: phase === 'finished' && !isThere ? ('expired' as const) : phase,
    format: formatOf(row),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    finished_at: time(row.finished_at),
    url: link ? `${view.origin}/download/${link}/${fileName(row)}` : null,
    expires_at: time(expiresAt),
    bytes,
    progress: { written, total: contacts },
    error,
    request,
  }
}

/** Of one account: each will be a file that is kept for a day. */
const MOST_WAITING = 20

/** Throws `invalid` when the account has as many waiting as it may. */
export async function createExport(trx: Trx, { accountId, actor }: Caller, request: ExportRequest): Promise<ExportRow> {
  const [open] = await trx.query<{ count: number }>(sql`
    select count(*) as count from exports where account_id = ${accountId} and phase in ('queued', 'running')`)
  if (open!.count >= MOST_WAITING)
    throw invalid({ base: [`There are ${open!.count} exports that wait to be written: wait for them, or remove some`] })
  const [row] = await trx.query<ExportRow>(sql`
    insert into exports (account_id, phase, actor, request) values (${accountId}, 'queued', ${actor}, ${JSON.stringify(request)})
    returning ${COLUMNS}`)
  return row!
}

/** Newest first. */
export async function listExports(db: Queryable, accountId: number, limit: number, offset: number) {
  const those = sql`account_id = ${accountId} and phase <> 'removed'`
  const [rows, [total]] = await Promise.all([
    db.query<ExportRow>(sql`
      select ${COLUMNS} from exports where ${those} order by id desc limit ${limit} offset ${offset}`),
    db.query<{ count: number }>(sql`select count(*) as count from exports where ${those}`),
  ])
  return { rows, total: total!.count }
}

/** Throws not_found. */
export async function findExport(db: Queryable, accountId: number, id: number): Promise<ExportRow> {
  const [row] = await db.query<ExportRow>(
    sql`select ${COLUMNS} from exports where account_id = ${accountId} and id = ${id} and phase <> 'removed'`,
  )
  if (!row) throw notFound()
  return row
}

/**
 * Takes an export away; what still runs ends within a second or two. The row goes once the file has gone: `clearExports`
 * sees to that, also where a process ended in between. Throws not_found.
 */
export async function removeExport(trx: Trx, accountId: number, id: number): Promise<void> {
  const [row] = await trx.query(sql`
    update exports set phase = 'removed', updated_at = statement_timestamp()
    where account_id = ${accountId} and id = ${id} and phase <> 'removed' returning id`)
  if (!row) throw notFound()
}

/** Removes the files of these exports, then the rows. */
export async function clearExports(
  db: Queryable,
  files: FileStore,
  accountId: number,
  removed: readonly { id: number; file: string | null }[],
): Promise<void> {
  await Promise.all(removed.map(({ file }) => file !== null && files.remove(fileKey(accountId, file))))
  await db.query(sql`
    delete from exports where account_id = ${accountId} and id = any(${removed.map(({ id }) => id)}) and phase = 'removed'`)
}

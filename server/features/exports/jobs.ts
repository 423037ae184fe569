import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import { isConnectionLoss, isTimeout } from '../../db/sqlstate.ts'
import type { FileStore } from '../../files/store.ts'
import type { Job, JobName } from '../../jobs/queue.ts'
import { AppError } from '../../lib/app-error.ts'
import { type ExportRow, fileKey, formatOf } from './exports.ts'
import type { LinkMaking } from './links.ts'
import { writeContacts } from './write.ts'

const Payload = Type.Object({ accountId: Type.Integer(), exportId: Type.Integer() })

/** It ends by itself after EXPORT_MAX_MINUTES, of which there are at most 12 hours. */
export const writeExport: JobName<typeof Payload> = {
  name: 'exports.write',
  payload: Payload,
  attempts: 5,
  timeoutS: 13 * 3600,
}

export const EXPORT_JOB_NAMES = [writeExport]

interface Parts {
  db: Database
  files: FileStore
  /** EXPORT_MAX_MINUTES and EXPORT_RETENTION_HOURS. */
  mostMinutes: number
  keptHours: number
  links: LinkMaking
}

export const exportJobs = (parts: Parts): Job[] => [writeExportJob(parts)]

const PROGRESS_MS = 1000

/** Safe to run twice: each try writes a file of its own, and only one of them becomes the export's. */
export function writeExportJob({ db, files, mostMinutes, keptHours, links }: Parts): Job<typeof Payload> {
  const mostMs = mostMinutes * 60_000
  return {
    ...writeExport,
    concurrency: 2,
    perAccount: 1,
    async run({ accountId, exportId }, stop) {
      const row = await begin(db, files, accountId, exportId)
      if (!row) return
      const key = fileKey(accountId, row.file!)
      const gone = new AbortController()
      const late = AbortSignal.timeout(mostMs)
      const signal = AbortSignal.any([stop, gone.signal, late])
      let watch: NodeJS.Timeout | undefined
      try {
        const onCounted = (contacts: number, countRead: () => Promise<number>) => {
          const tell = async () => {
            if (!(await tellProgress(db, accountId, row, contacts, await countRead()))) gone.abort()
          }
          watch = setInterval(() => void tell().catch(() => {}), PROGRESS_MS) // it is tried again soon
        }
        const take = (bytes: Readable) => files.write(key, bytes, { signal })
        const { taken, contacts } = await writeContacts(
          db,
          { accountId, request: row.request, mostMs, signal, onCounted, links },
          take,
        )
        clearInterval(watch)
        if (!(await finish(db, accountId, row, { contacts, bytes: taken, keptHours }))) await files.remove(key)
      } catch (error) {
        clearInterval(watch)
        if (gone.signal.aborted) return
        if (stop.aborted || (isConnectionLoss(error) && !late.aborted)) throw error // another try, perhaps elsewhere
        const isLate = late.aborted || isTimeout(error)
        const reason = isLate
          ? `It took longer than ${mostMinutes} minutes: ask for fewer contacts, or raise EXPORT_MAX_MINUTES`
          : error instanceof AppError
            ? wordsOf(error)
            : 'Unexpected error'
        await fail(db, accountId, row, reason)
        if (!isLate && !(error instanceof AppError)) throw error
      }
    },
  }
}

function wordsOf(error: AppError): string {
  if (!error.messages) return error.message
  return Object.entries(error.messages)
    .map(([place, texts]) => `${place} ${texts.join(', ')}`)
    .join('; ')
}

/** Takes the export up under a new name for its file, and removes what an earlier try has left. Undefined: nothing is to be done. */
async function begin(db: Database, files: FileStore, accountId: number, id: number): Promise<ExportRow | undefined> {
  const isOpen = sql`account_id = ${accountId} and id = ${id} and phase in ('queued', 'running')`
  const [before] = await db.query<ExportRow>(sql`select id, file, request from exports where ${isOpen}`)
  if (!before) return undefined
  if (before.file !== null) await files.remove(fileKey(accountId, before.file))
  const file = `${id}-${randomBytes(8).toString('hex')}.${formatOf(before)}`
  const [row] = await db.query<ExportRow>(sql`
    update exports set phase = 'running', file = ${file}, written = 0, updated_at = statement_timestamp()
    where ${isOpen} returning id, file, request`)
  return row
}

/** Whether a try is still the one that counts. */
const isOurs = (accountId: number, { id, file }: ExportRow) =>
  sql`account_id = ${accountId} and id = ${id} and phase = 'running' and file = ${file}`

async function tellProgress(db: Database, accountId: number, row: ExportRow, contacts: number, written: number) {
  const [told] = await db.query(sql`
    update exports set contacts = ${contacts}, written = greatest(written, ${written}), updated_at = statement_timestamp()
    where ${isOurs(accountId, row)} returning id`)
  return told !== undefined
}

async function finish(
  db: Database,
  accountId: number,
  row: ExportRow,
  { contacts, bytes, keptHours }: { contacts: number; bytes: number; keptHours: number },
): Promise<boolean> {
  const [finished] = await db.query(sql`
    update exports set phase = 'finished', contacts = ${contacts}, written = ${contacts}, bytes = ${bytes},
      updated_at = statement_timestamp(), finished_at = statement_timestamp(),
      expires_at = date_trunc('second', statement_timestamp()) + make_interval(hours => ${keptHours})
    where ${isOurs(accountId, row)} returning id`)
  return finished !== undefined
}

async function fail(db: Database, accountId: number, row: ExportRow, reason: string): Promise<void> {
  await db.query(sql`
    update exports set phase = 'failed', error = ${reason}, updated_at = statement_timestamp(),
      finished_at = statement_timestamp()
    where ${isOurs(accountId, row)}`)
}

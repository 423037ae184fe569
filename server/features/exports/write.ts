import { Duplex, PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import sql from 'sql-template-tag'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import { findAccount } from '../accounts/accounts.ts'
import { loadFields } from '../fields/field-set.ts'
import { isLink } from './columns.ts'
import { type LinkMaking, withLinks } from './links.ts'
import { type ExportRequest, type Format, type Plan, planOf } from './request.ts'
import { MOST_ROWS, sheetOf } from './sheet.ts'
import { areMany, Snapshot } from './snapshot.ts'
import { copyStatement } from './statement.ts'

export interface Writing {
  accountId: number
  request: ExportRequest
  /** The snapshot ends after so long, whatever is then still to be written. */
  mostMs: number
  /** More contacts than these are refused as `conflict`. */
  mostContacts?: number
  signal: AbortSignal
  /** For columns that are links. */
  links: LinkMaking
  /** Told how many there will be, and how to ask how many have been read. */
  onCounted?: (contacts: number, countRead: () => Promise<number>) => void
}

/**
 * Writes the contacts that a request names, as they were at one moment, and hands the bytes of the file to `take`. Answers
 * what that answers, and how many contacts there were. The snapshot ends when the last of them has been read, or the signal
 * is given, whether or not `take` has ended.
 */
export async function writeContacts<T>(
  db: Database,
  { accountId, request, mostMs, mostContacts, signal, onCounted, links }: Writing,
  take: (bytes: Readable) => Promise<T>,
): Promise<{ taken: T; contacts: number }> {
  const snapshot = await Snapshot.open(db, mostMs, signal)
  try {
    signal.throwIfAborted()
    const { settings } = await findAccount(snapshot, accountId)
    const fields = await loadFields(snapshot, accountId)
    const plan = await planOf(snapshot, accountId, request, { fields, timeZone: settings.time_zone })
    const { filter } = plan
    const counted = filter ? await snapshot.choose(accountId, filter) : await countAll(snapshot, accountId)
    if (mostContacts !== undefined && counted > mostContacts)
      throw new AppError(
        'conflict',
        `there are ${counted} contacts, of which at most ${mostContacts} are streamed: wait until the export is finished`,
      )
    requireRoom(plan.format, counted)
    onCounted?.(counted, () => snapshot.countRead())
    const source = { accountId, isChosen: filter !== undefined, areMany: areMany(counted) }
    const rows = await snapshot.read(statementOf(plan, source), counted)
    const output = new PassThrough()
    output.on('error', () => {}) // told by those that write and read it; unheard, it would end the process
    const { linkWord, listId } = plan
    const linking = plan.columns.some(({ name }) => isLink(name))
      ? [withLinks(linkWord, links, { accountId, listId })]
      : []
    const steps = [...linking, ...transformsOf(plan), output]
    const header = headerOf(plan)
    if (header !== '') steps[0]!.write(header)
    const [read, taken] = await Promise.allSettled([
      pipeline([rows, ...steps], { signal }).finally(() => snapshot.close()),
      take(output).catch((error: Error) => {
        output.destroy(error)
        throw error
      }),
    ])
    // Who takes knows why it went wrong; of that, the reading side only sees that nobody listens any more.
    if (taken.status === 'rejected') throw taken.reason
    if (read.status === 'rejected') throw read.reason
    return { taken: taken.value, contacts: await snapshot.countRead() }
  } catch (error) {
    signal.throwIfAborted() // whatever else that has led to
    throw error
  } finally {
    await snapshot.close()
  }
}

async function countAll(snapshot: Snapshot, accountId: number): Promise<number> {
  const [row] = await snapshot.query<{ count: number }>(
    sql`select count(*) as count from contacts where account_id = ${accountId}`,
  )
  return row!.count
}

/** Throws `conflict` for more contacts than the format can hold. */
export function requireRoom(format: Format, contacts: number): void {
  if (format === 'xlsx' && contacts >= MOST_ROWS)
    throw new AppError(
      'conflict',
      `there are ${contacts} contacts, and XLSX holds at most ${MOST_ROWS.toLocaleString('en')} rows with its header: choose csv`,
    )
}

function statementOf({ format, columns, raw }: Plan, source: Parameters<typeof copyStatement>[1]): string {
  if (format === 'ndjson') return copyStatement(columns, source, 'object')
  return format === 'xlsx' ? copyStatement(columns, source, 'array') : copyStatement(columns, source, 'cells', raw)
}

/** What turns the lines that PostgreSQL writes into the file. */
function transformsOf({ format, columns, raw }: Plan): Duplex[] {
  switch (format) {
    case 'csv.gz':
      return [createGzip({ level: 1, chunkSize: GZIP_CHUNK })]
    case 'xlsx':
      return [
        Duplex.from(async function* (lines: AsyncIterable<Buffer>) {
          yield* sheetOf(lines, columns, raw)
        }),
      ]
    default:
      return []
  }
}

const GZIP_CHUNK = 64 * 1024

/** The first line of a CSV. Names are merge tags and words of our own, so that none needs quotes. */
function headerOf({ format, columns }: Plan): string {
  return format.startsWith('csv') ? `${columns.map(({ name }) => name).join(',')}\n` : ''
}

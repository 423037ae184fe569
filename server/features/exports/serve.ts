import { PassThrough } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FileStore } from '../../files/store.ts'
import { notFound } from '../../lib/app-error.ts'
import { type ExportRow, fileKey, fileName, formatOf } from './exports.ts'
import type { Format } from './request.ts'

const TYPES: Record<Format, string> = {
  csv: 'text/csv; charset=utf-8',
  'csv.gz': 'application/gzip',
  ndjson: 'application/x-ndjson',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

/** What every answer with an export says of it. */
export function describeFile(reply: FastifyReply, row: ExportRow): void {
  reply
    .type(TYPES[formatOf(row)])
    .header('content-disposition', `attachment; filename="${fileName(row)}"`)
    .header('cache-control', 'private, no-store')
}

/** Answers a finished export's file, or the part of it that the request asks for. Throws not_found when it has gone. */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { files, accountId, row }: { files: FileStore; accountId: number; row: ExportRow },
): Promise<FastifyReply> {
  if (row.file === null) throw notFound()
  const key = fileKey(accountId, row.file)
  const size = await files.size(key)
  if (size === null) throw notFound()
  const etag = `"${row.file.split('.')[0]}"` // each try has a name of its own
  describeFile(reply, row)
  reply.header('accept-ranges', 'bytes').header('etag', etag)
  const condition = request.headers['if-range']
  const range = condition === undefined || condition === etag ? rangeOf(request.headers.range, size) : undefined
  if (range === 'none') {
    return reply.code(416).header('content-range', `bytes */${size}`).removeHeader('content-disposition').send('')
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  reply.header('content-length', end - start + 1)
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  if (request.method === 'HEAD') return reply.send(new PassThrough().end())
  return reply.send(await files.read(key, range))
}

/** The one range of bytes that a header asks for; undefined for none that is understood, `'none'` for one beyond the end. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '')
    return last === '0' || size === 0 ? 'none' : { start: Math.max(0, size - Number(last)), end: size - 1 }
  if (last !== '' && Number(last) < Number(first)) return undefined
  return Number(first) >= size
    ? 'none'
    : { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

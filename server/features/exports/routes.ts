import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import { includesScope, requireScope } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import { collection, NumberedPages, pageOf } from '../../http/paging.ts'
import type { Queue } from '../../jobs/queue.ts'
import { AppError, notFound } from '../../lib/app-error.ts'
import { pathId } from '../../lib/ids.ts'
import type { Keyring } from '../../lib/secret.ts'
import type { FieldCache } from '../fields/field-set.ts'
import { holdsLinks } from './columns.ts'
import {
  clearExports,
  createExport,
  type ExportRow,
  exportOnWire,
  findExport,
  listExports,
  removeExport,
} from './exports.ts'
import { writeExport } from './jobs.ts'
import { readLink } from './link.ts'
import type { LinkMaking } from './links.ts'
import { ExportRequest, planOf } from './request.ts'
import { Export, ExportPage } from './schemas.ts'
import { describeFile, sendFile } from './serve.ts'
import { writeContacts } from './write.ts'

const Params = Type.Object({ export_id: Type.String() })
const tags = ['Exports']

/** What is streamed before an export has been written: as many as come within seconds. */
const STREAMED = 10_000
const STREAMED_MS = 60_000
/** Each has a connection of its own, of which the database has not many. */
const STREAMED_AT_ONCE = 4

interface Options {
  db: Database
  change: Change
  queue: Queue
  files: FileStore
  keyring: Keyring
  fieldCache: FieldCache
  publicUrl: string | undefined
  links: LinkMaking
}

export const exportRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { db, change, queue, files, keyring, fieldCache, publicUrl, links } = options
  const onWire = (request: FastifyRequest, row: ExportRow) => {
    const shown = exportOnWire(row, {
      accountId: request.caller.accountId,
      keyring,
      origin: publicUrl?.replace(/\/$/, '') ?? `${request.protocol}://${request.host}`,
      now: new Date(),
    })
    return mayLoad(request, row) ? shown : { ...shown, url: null }
  }
  /** Whoever has somebody's links acts for them: a file with some is for those who may change people. */
  const mayLoad = ({ grant }: FastifyRequest, { request }: ExportRow) =>
    !holdsLinks(request.fields) || (grant !== null && includesScope(grant.scopes, 'write'))

  app.post(
    '/api/contact_exports',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'createExport',
        summary: 'Write contacts into a file',
        body: ExportRequest,
        response: { 201: Export },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      // It is only looked at, so any time zone will do.
      await fieldCache.understood(accountId, (fields) =>
        planOf(db, accountId, request.body, { fields, timeZone: 'UTC' }),
      )
      if (holdsLinks(request.body.fields)) links.base() // throws where there could be none
      return change(request, reply, async (trx) => {
        const row = await createExport(trx, request.caller, request.body)
        await queue.enqueue(trx, writeExport, { accountId, exportId: row.id })
        return { status: 201, body: onWire(request, row) }
      })
    },
  )

  app.get(
    '/api/contact_exports',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listExports',
        summary: 'Exports, the newest first',
        querystring: NumberedPages,
        response: { 200: ExportPage },
      },
    },
    async (request) => {
      const page = pageOf(request.query)
      const { rows, total } = await listExports(db, request.caller.accountId, page.perPage, page.offset)
      return collection(
        rows.map((row) => onWire(request, row)),
        page,
        total,
        null,
      )
    },
  )

  app.get(
    '/api/contact_exports/:export_id',
    {
      config: { scope: 'read' },
      schema: { tags, operationId: 'getExport', summary: 'One export', params: Params, response: { 200: Export } },
    },
    async (request) =>
      onWire(request, await findExport(db, request.caller.accountId, pathId(request.params.export_id))),
  )

  app.delete(
    '/api/contact_exports/:export_id',
    {
      config: { scope: 'write' },
      schema: { tags, operationId: 'deleteExport', summary: 'Cancel an export, or remove its file', params: Params },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const { id, file } = await findExport(db, accountId, pathId(request.params.export_id))
      return change(request, reply, async (trx) => {
        await removeExport(trx, accountId, id)
        // Else housekeeping does it within the hour.
        trx.afterCommit(() => {
          clearExports(db, files, accountId, [{ id, file }]).catch((error: unknown) => request.log.warn({ err: error }))
        })
        return { status: 204 }
      })
    },
  )

  app.get(
    '/api/contact_exports/:export_id/download',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'downloadExport',
        summary: 'The file of an export; of at most 10,000 contacts also before it is finished',
        params: Params,
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const row = await findExport(db, accountId, pathId(request.params.export_id))
      if (!mayLoad(request, row)) requireScope(request, 'write')
      if (row.phase === 'finished') return sendFile(request, reply, { files, accountId, row })
      if (row.phase === 'failed') throw new AppError('conflict', `The export has failed: ${row.error}`)
      if (row.phase === 'expired') throw notFound()
      return streamContacts(request, reply, row)
    },
  )

  let streaming = 0

  /** Writes the contacts into the answer instead of a file. */
  async function streamContacts(request: FastifyRequest, reply: FastifyReply, row: ExportRow): Promise<FastifyReply> {
    const { accountId } = request.caller
    if (streaming >= STREAMED_AT_ONCE)
      throw new AppError('unavailable', 'Too many exports are streamed just now: wait until this one is finished')
    streaming++
    const left = new AbortController()
    const signal = AbortSignal.any([left.signal, AbortSignal.timeout(STREAMED_MS)])
    const bytes = new PassThrough()
    bytes.on('close', () => left.abort())
    const started = Promise.withResolvers<void>()
    const take = (source: Readable) => {
      started.resolve()
      return pipeline(source, bytes)
    }
    const limits = { mostMs: STREAMED_MS, mostContacts: STREAMED, signal, links }
    const written = writeContacts(db, { accountId, request: row.request, ...limits }, take).finally(() => streaming--)
    await Promise.race([started.promise, written])
    written.catch((error: Error) => bytes.destroy(error))
    describeFile(reply, row)
    return reply.send(bytes)
  }

  app.get(
    '/download/:link/:name',
    {
      config: { public: true },
      schema: {
        hide: true, // an address that an export has, not one to be made up
        params: Type.Object({ link: Type.String(), name: Type.String() }),
      },
    },
    async (request, reply) => {
      const linked = readLink(keyring, request.params.link)
      if (!linked) throw notFound()
      const { accountId, exportId, expiresAt } = linked
      if (expiresAt <= new Date()) throw new AppError('not_found', 'This link has expired: ask for the export again')
      const row = await findExport(db, accountId, exportId)
      if (row.phase !== 'finished') throw notFound()
      return sendFile(request, reply, { files, accountId, row })
    },
  )
}

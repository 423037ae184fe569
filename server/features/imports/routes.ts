import { Readable } from 'node:stream'
import multipart from '@fastify/multipart'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { FileStore } from '../../files/store.ts'
import type { Change } from '../../http/change.ts'
import { type Cursors, collection, NumberedPages, PagingQuery, pageOf } from '../../http/paging.ts'
import type { Queue } from '../../jobs/queue.ts'
import { invalid } from '../../lib/app-error.ts'
import { pathId } from '../../lib/ids.ts'
import { type Place, readKept } from '../activity/kept-rows.ts'
import { applyImport, cancelImport } from './control.ts'
import { findImport, listImports, type NewImport } from './imports.ts'
import { RowErrors, receiveContacts } from './official.ts'
import { checkOptions, ImportOptions, optionsFromParts } from './options.ts'
import { streamProgress } from './progress.ts'
import { UnreadableFile } from './reading/unreadable.ts'
import { recipeFor } from './recipes.ts'
import { peopleAsCsv, rejectedAsCsv } from './report.ts'
import { Import, ImportedContacts, ImportPage, Preview } from './schemas.ts'
import { lookAtFile, settleOptions, startImport } from './start.ts'
import { previewInThread, type ThreadParts } from './thread.ts'
import { receiveUpload } from './upload.ts'
import { contactOfImport, importOnWire, previewOnWire } from './wire.ts'

interface Options {
  db: Database
  change: Change
  queue: Queue
  files: FileStore
  thread: ThreadParts
  cursors: Cursors
  /** Bytes of a file, and of a body of contacts, at most. */
  uploadMaxBytes: number
  bodyMaxBytes: number
  keepFileDays: number
}

const ImportParams = Type.Object({ id: Type.String() })
const tags = ['Imports']

/** How a form is described; it is read as a stream, never as a whole. */
const Form = Type.Object({
  file: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }),
  ...ImportOptions.properties,
})
const Contacts = Type.Object({
  contacts: Type.Array(Type.Object({ email: Type.String() }, { additionalProperties: true })),
})

/** Described by their media types, checked by hand: a form is no JSON, and contacts are answered for one by one. */
const BODIES = {
  body: { content: { 'application/json': { schema: Contacts }, 'multipart/form-data': { schema: Form } } },
  validatorCompiler: () => () => true,
}

export const importRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { db, change, queue, files, thread, cursors, uploadMaxBytes, bodyMaxBytes, keepFileDays } = options
  await app.register(multipart, { throwFileSizeLimit: true })

  const begin = async (request: FastifyRequest, reply: FastifyReply, given: NewImport) => {
    try {
      // What makes this request the same as another: the file's bytes, not the form's, whose boundary differs each time.
      request.body = { sha256: given.fileSha256, options: given.options }
      await change(request, reply, async (trx) => {
        const row = await startImport(trx, queue, request.caller, given)
        return { status: 201, body: importOnWire(row) }
      })
      // An answer that was given before, or a refusal that was kept, has made no import of this file.
      if (reply.statusCode !== 201 || reply.hasHeader('idempotent-replayed')) await files.remove(given.fileKey)
    } catch (error) {
      await files.remove(given.fileKey)
      throw error
    }
    return reply
  }

  app.post(
    '/api/contact_imports',
    {
      config: { scope: 'write' },
      bodyLimit: bodyMaxBytes,
      schema: {
        tags,
        operationId: 'createImport',
        summary: 'Import a file, or contacts as JSON',
        description:
          'A CSV, XLSX or NDJSON file in a form, gzip or not, or at most 50,000 contacts as JSON. Nothing has changed yet when this answers.',
        body: BODIES.body as never,
        response: { 201: Import },
      },
      validatorCompiler: BODIES.validatorCompiler,
    },
    async (request, reply) => {
      const { accountId } = request.caller
      if (!request.isMultipart()) {
        try {
          const kept = await receiveContacts(db, files, accountId, request.body)
          return await begin(request, reply, {
            source: 'json',
            ...kept,
            options: { match_by: 'email', update_existing: true, format: 'ndjson' },
          })
        } catch (error) {
          if (!(error instanceof RowErrors)) throw error
          return (reply as FastifyReply).code(422).send({ errors: error.rows })
        }
      }
      const upload = await receiveUpload(request, files, uploadMaxBytes)
      const { parts, ...file } = upload
      try {
        const asked = await settleOptions(db, accountId, optionsFromParts(parts))
        await lookAtFile(thread, accountId, { fileKey: file.fileKey, fileName: file.fileName, options: asked })
        return await begin(request, reply, { source: 'file', ...file, options: asked })
      } catch (error) {
        await files.remove(file.fileKey)
        throw error
      }
    },
  )

  app.post(
    '/api/contact_imports/preview',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'previewImport',
        summary: 'What a file, or its first part, looks like',
        body: { content: { 'multipart/form-data': { schema: Form } } } as never,
        response: { 200: Preview },
      },
      validatorCompiler: BODIES.validatorCompiler,
    },
    async (request) => {
      const { accountId } = request.caller
      const { fileKey, fileName, parts } = await receiveUpload(request, files, uploadMaxBytes)
      try {
        const asked = await settleOptions(db, accountId, optionsFromParts(parts))
        const preview = await previewInThread(thread, accountId, { fileKey, fileName, options: asked }).catch(
          (error: unknown) => {
            throw error instanceof UnreadableFile ? invalid({ file: [error.message] }, error) : error
          },
        )
        return previewOnWire(
          preview,
          await recipeFor(
            db,
            accountId,
            preview.columns.map(({ name }) => name),
          ),
        )
      } finally {
        await files.remove(fileKey)
      }
    },
  )

  app.get(
    '/api/contact_imports',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listImports',
        summary: 'All imports, the latest first',
        querystring: NumberedPages,
        response: { 200: ImportPage },
      },
    },
    async (request) => {
      const page = pageOf(request.query)
      const { rows, total } = await listImports(db, request.caller.accountId, page.perPage, page.offset)
      return collection(rows.map(importOnWire), page, total, null)
    },
  )

  app.get(
    '/api/contact_imports/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getImport',
        summary: 'How far an import is, and what it has done',
        params: ImportParams,
        response: { 200: Import },
      },
    },
    async (request) => importOnWire(await findImport(db, request.caller.accountId, pathId(request.params.id))),
  )

  app.get(
    '/api/contact_imports/:id/progress',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'followImport',
        summary: 'The same as server-sent events, until it ends',
        params: ImportParams,
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const id = pathId(request.params.id)
      await findImport(db, accountId, id)
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(streamProgress(db, accountId, id, request.raw)))
    },
  )

  app.get(
    '/api/contact_imports/:id/errors',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getRejectedRows',
        summary: 'Rejected rows as CSV: the original columns, and why',
        params: ImportParams,
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const row = await findImport(db, accountId, pathId(request.params.id))
      const columns = (row.columns ?? []).map(({ name }) => name)
      return csv(reply, `import-${row.id}-errors.csv`, rejectedAsCsv(db, accountId, row.id, columns))
    },
  )

  app.get(
    '/api/contact_imports/:id/contacts',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listImportedContacts',
        summary: 'Whom each row was about: address, id, and what was done',
        params: ImportParams,
        querystring: Type.Object(
          {
            per_page: PagingQuery.per_page,
            cursor: PagingQuery.cursor,
            format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'csv: all of them at once.' })),
          },
          { additionalProperties: false },
        ),
        response: {
          200: {
            content: { 'application/json': { schema: ImportedContacts }, 'text/csv': { schema: Type.String() } },
          } as never,
        },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const { id } = await findImport(db, accountId, pathId(request.params.id))
      const { cursor, format } = request.query
      if (format === 'csv') return csv(reply, `import-${id}-contacts.csv`, peopleAsCsv(db, accountId, id))
      const { perPage } = pageOf(request.query)
      const scope = ['people', accountId, id]
      const after = cursor === undefined ? undefined : (cursors.read(scope, cursor) as Place)
      const { rows, next } = await readKept(db, accountId, id, {
        after,
        limit: perPage,
        ofSomebody: true,
        isBrief: true,
      })
      const nextCursor = next ? cursors.write(scope, next) : null
      return reply.send({ data: rows.map(contactOfImport), per_page: perPage, next_cursor: nextCursor } as never)
    },
  )

  app.post(
    '/api/contact_imports/:id/apply',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'applyImport',
        summary: 'Apply a dry run, or go on with what waits or has failed, with other options if need be',
        params: ImportParams,
        body: Type.Optional(Type.Object({}, { additionalProperties: true })),
        response: { 200: Import },
      },
      validatorCompiler: BODIES.validatorCompiler,
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const given = checkOptions((request.body ?? {}) as Record<string, unknown>)
        return {
          status: 200,
          body: importOnWire(await applyImport(trx, queue, request.caller.accountId, pathId(request.params.id), given)),
        }
      }),
  )

  app.post(
    '/api/contact_imports/:id/cancel',
    {
      config: { scope: 'write' },
      schema: {
        tags,
        operationId: 'cancelImport',
        summary: 'End an import where it is',
        params: ImportParams,
        response: { 200: Import },
      },
    },
    async (request) =>
      importOnWire(await cancelImport(db, request.caller.accountId, pathId(request.params.id), keepFileDays)),
  )
}

function csv(reply: FastifyReply, name: string, lines: AsyncGenerator<string>) {
  return reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(Readable.from(lines))
}

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import sql from 'sql-template-tag'
import { Type } from 'typebox'
import type { Queryable } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { collection, NumberedPages, PageOf, pageOf } from '../../http/paging.ts'
import { notFound } from '../../lib/app-error.ts'
import { type ContactRef, parseContactRef } from '../../lib/contact-ref.ts'
import { parseUuid } from '../../lib/ids.ts'
import { contactNamed } from '../activity/contact-named.ts'
import { readContact } from '../contacts/contact.ts'
import { erase, type Parts } from './erase.ts'
import { htmlPage, PAGE_POLICY, tableOf, textsOf } from './html.ts'
import type { Known } from './person.ts'
import { consentsOf, type ExportParts, exportOf, jsonOf } from './person-export.ts'
import { zipOf } from './person-zip.ts'
import { PersonDocument, Receipt } from './schemas.ts'
import { undertake } from './undertake.ts'

interface Options extends Parts, ExportParts {
  change: Change
}

const tags = ['Privacy']

export const privacyRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, ...parts }) => {
  app.delete(
    '/api/contacts/:contact/gdpr_delete',
    {
      config: { scope: 'admin' },
      schema: {
        tags,
        operationId: 'eraseContact',
        summary: 'Erase a person from everything, for good',
        description:
          'Unlike deleting, nothing is left but an HMAC of the address, at which it is refused from now on, and a receipt. An address that no contact has is erased from all else that may name it. It can not be undone; the person themselves can come back through a form, and confirm.',
        params: Type.Object({ contact: Type.String() }),
        response: { 200: Receipt },
      },
    },
    (request, reply) => {
      const { caller, params } = request
      const { accountId } = caller
      return undertake({ db, files: parts.files }, accountId, (id) =>
        change(request, reply, async (trx) => {
          await erase(trx, parts, caller, await knownBy(trx, accountId, parseContactRef(params.contact)), { id })
          return { status: 200, body: await receiptOf(trx, accountId, id) }
        }),
      )
    },
  )

  app.get(
    '/api/contacts/:contact/export',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'exportContact',
        summary: 'Everything held of one person',
        description:
          'As one JSON document `{exported_at, contact, fields, lists, events, consents, mails, changes, suppressions, recipients}`, or with `format=zip` as an archive that has the same, a CSV of each part, and a page to read. What stands in free text about them elsewhere (the events or fields of others) is not found.',
        params: Type.Object({ contact: Type.String() }),
        querystring: Type.Object(
          { format: Type.Optional(Type.Enum(['json', 'zip'])) },
          { additionalProperties: false },
        ),
        response: {
          200: {
            content: {
              'application/json': { schema: Type.Unsafe<Readable>(PersonDocument) },
              'application/zip': { schema: Type.Unsafe<Readable>(Type.String({ format: 'binary' })) },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const row = await readContact(db, accountId, parseContactRef(request.params.contact))
      if (!row) throw notFound()
      const person = await exportOf({ db, ...parts }, accountId, row)
      const name = `contact-${row.id}`
      if (request.query.format === 'zip')
        return reply
          .type('application/zip')
          .header('content-disposition', `attachment; filename="${name}.zip"`)
          .send(zipOf(person, row.email))
      return reply
        .type('application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}.json"`)
        .send(Readable.from(jsonOf(person), { objectMode: false }))
    },
  )

  app.get(
    '/api/contacts/:contact/consents.html',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'showConsents',
        summary: 'Every permission of a person with its evidence, as a page to print',
        params: Type.Object({ contact: Type.String() }),
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller
      const row = await readContact(db, accountId, parseContactRef(request.params.contact))
      if (!row) throw notFound()
      const [head, foot] = htmlPage(`What ${row.email} has allowed`)
      const words = `<p>Observed: seen on this service's own pages. Asserted: told by a caller or a file, as named. State now: ${row.state}, as of ${new Date().toISOString()}.</p>`
      const tables: string[] = []
      for await (const rows of consentsOf(db, accountId, row.id)) tables.push(tableOf('', rows.map(textsOf)))
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', PAGE_POLICY)
        .send(head + words + tables.join('') + (tables.length === 0 ? '<p>Nothing is on record.</p>' : '') + foot)
    },
  )

  app.get(
    '/api/erasures',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'listErasures',
        summary: 'Receipts of erasures, the latest first',
        querystring: NumberedPages,
        response: { 200: PageOf(Receipt) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const page = pageOf(request.query)
      const [rows, [total]] = await Promise.all([
        db.query<ReceiptRow>(sql`
          select ${COLUMNS} from erasures where account_id = ${accountId} order by id desc limit ${page.perPage} offset ${page.offset}`),
        db.query<{ count: number }>(sql`select count(*) as count from erasures where account_id = ${accountId}`),
      ])
      return collection(rows.map(onWire), page, total!.count, null)
    },
  )

  app.get(
    '/api/erasures/:id',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'getErasure',
        summary: 'The receipt of an erasure: what went, and nothing of whom',
        params: Type.Object({ id: Type.String() }),
        response: { 200: Receipt },
      },
    },
    (request) => receiptOf(db, request.caller.accountId, request.params.id),
  )
}

/** An address may be erased that no contact has; of an id there must be one. Throws not_found. */
async function knownBy(db: Queryable, accountId: number, ref: ContactRef): Promise<Known> {
  return ref.by === 'email' ? { emails: [ref.email] } : { id: (await contactNamed(db, accountId, ref)).id }
}

interface ReceiptRow {
  id: string
  actor: string
  counts: Record<string, number>
  created_at: Date
  finished_at: Date | null
}

const COLUMNS = sql`id, actor, counts, created_at, finished_at`

async function receiptOf(db: Queryable, accountId: number, id: string) {
  if (parseUuid(id) === null) throw notFound()
  const [row] = await db.query<ReceiptRow>(
    sql`select ${COLUMNS} from erasures where account_id = ${accountId} and id = ${id}::uuid`,
  )
  if (!row) throw notFound()
  return onWire(row)
}

function onWire({ id, actor, counts, created_at, finished_at }: ReceiptRow) {
  return {
    ...{ id, erasure_id: id, actor, counts },
    status: finished_at === null ? ('running' as const) : ('finished' as const),
    created_at: created_at.toISOString(),
    finished_at: finished_at?.toISOString() ?? null,
  }
}

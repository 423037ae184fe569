import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/database.ts'
import type { Change } from '../../http/change.ts'
import { collection, Nullable, PageOf, PagingQuery, pageOf } from '../../http/paging.ts'
import { notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { parseUuid } from '../../lib/ids.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import { contactNamed } from '../activity/contact-named.ts'
import { openLetter } from './letter.ts'
import { findMessage, listMessages, type MessageRow, PHASES } from './messages.ts'
import { render, undefinedIn, type Variables } from './render.ts'
import {
  createTemplate,
  deleteTemplate,
  findTemplate,
  listTemplates,
  type Template,
  updateTemplate,
} from './templates.ts'

interface Options {
  db: Database
  change: Change
  keyring: Keyring
  /** What a template may say of a contact. */
  variablesOf: (accountId: number, contactId: string) => Promise<Variables>
}

const LONGEST = 200_000
const Name = Type.String({ pattern: '^[a-z0-9_]{1,64}$', description: 'Small letters, digits and underscores.' })
const source = {
  subject: Type.String({ minLength: 1, maxLength: 1000 }),
  html: Type.String({ minLength: 1, maxLength: LONGEST }),
  text: Type.String({ minLength: 1, maxLength: LONGEST }),
}
const TemplateOnWire = Type.Object({
  name: Type.String(),
  version: Type.Integer({ description: '0: as it comes with the service.' }),
  ...source,
  updated_at: Nullable(Type.String()),
})
const message = {
  id: Type.String(),
  contact_id: Type.String(),
  template: Type.String(),
  template_version: Type.Integer(),
  phase: Type.Enum([...PHASES]),
  attempts: Type.Integer(),
  error: Nullable(Type.String()),
  created_at: Type.String(),
  sent_at: Nullable(Type.String()),
}
const Message = Type.Object(message)
const WholeMessage = Type.Object({
  ...message,
  to: Nullable(Type.String()),
  subject: Nullable(Type.String()),
  html: Nullable(Type.String()),
  text: Nullable(Type.String()),
})
const Params = Type.Object({ name: Type.String() })

const templateOnWire = ({ at, name, version, subject, html, text }: Template) => ({
  name,
  version,
  subject,
  html,
  text,
  updated_at: at?.toISOString() ?? null,
})

function messageOnWire({ content: _, at, sent_at, ...row }: MessageRow) {
  return { ...row, created_at: at.toISOString(), sent_at: sent_at?.toISOString() ?? null }
}

export const mailRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { db, change, keyring, variablesOf }) => {
  const languageOf = async (accountId: number) => (await findAccount(db, accountId)).settings.language

  app.get(
    '/api/templates',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Mail'],
        operationId: 'listTemplates',
        summary: 'Templates of mails, built-in ones too',
        response: { 200: Type.Object({ data: Type.Array(TemplateOnWire) }) },
      },
    },
    async ({ caller: { accountId } }) => ({
      data: (await listTemplates(db, accountId, await languageOf(accountId))).map(templateOnWire),
    }),
  )

  app.post(
    '/api/templates',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['Mail'],
        operationId: 'createTemplate',
        summary: 'Add a template, in Liquid',
        body: Type.Object({ name: Name, ...source }, { additionalProperties: false }),
        response: { 201: Type.Object({ data: TemplateOnWire }) },
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        const { name, ...given } = request.body
        return { status: 201, body: { data: templateOnWire(await createTemplate(trx, request.caller, name, given)) } }
      }),
  )

  app.get(
    '/api/templates/:name',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Mail'],
        operationId: 'getTemplate',
        summary: 'One template',
        params: Params,
        response: { 200: Type.Object({ data: TemplateOnWire }) },
      },
    },
    async ({ caller: { accountId }, params }) => ({
      data: templateOnWire(await findTemplate(db, accountId, params.name, await languageOf(accountId))),
    }),
  )

  app.patch(
    '/api/templates/:name',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['Mail'],
        operationId: 'updateTemplate',
        summary: 'Change a template: what is given becomes its next version',
        params: Params,
        body: Type.Partial(Type.Object(source), { additionalProperties: false }),
        response: { 200: Type.Object({ data: TemplateOnWire }) },
      },
    },
    async (request, reply) => {
      const language = await languageOf(request.caller.accountId)
      return change(request, reply, async (trx) => {
        const saved = await updateTemplate(trx, request.caller, request.params.name, request.body, language)
        return { status: 200, body: { data: templateOnWire(saved) } }
      })
    },
  )

  app.delete(
    '/api/templates/:name',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['Mail'],
        operationId: 'deleteTemplate',
        summary: 'Remove a template; a built-in one is again as it comes',
        params: Params,
      },
    },
    (request, reply) =>
      change(request, reply, async (trx) => {
        await deleteTemplate(trx, request.caller, request.params.name)
        return { status: 204 }
      }),
  )

  app.post(
    '/api/templates/:name/preview',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Mail'],
        operationId: 'previewTemplate',
        summary: 'What a template makes for a contact; sends nothing',
        params: Params,
        body: Type.Object(
          {
            contact: Type.String({ description: 'Id, address, or ext: and the external id.' }),
            variables: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ ...source, undefined_variables: Type.Array(Type.String()) }) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { name, settings } = await findAccount(db, accountId)
      const template = await findTemplate(db, accountId, request.params.name, settings.language)
      const { id } = await contactNamed(db, accountId, parseContactRef(request.body.contact))
      const variables = {
        ...request.body.variables,
        account: { name, color: settings.color },
        contact: await variablesOf(accountId, id),
      }
      return { ...render(template, variables), undefined_variables: undefinedIn(template, variables) }
    },
  )

  app.get(
    '/api/messages',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Mail'],
        operationId: 'listMessages',
        summary: 'Mails, the latest first',
        querystring: Type.Object(
          {
            page: PagingQuery.page,
            per_page: PagingQuery.per_page,
            contact: Type.Optional(Type.String({ description: 'Of this contact alone: id, address, ext:….' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: PageOf(Message) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const page = pageOf(request.query)
      const { contact } = request.query
      const contactId =
        contact === undefined ? undefined : (await contactNamed(db, accountId, parseContactRef(contact))).id
      const { rows, total } = await listMessages(db, accountId, { contactId, limit: page.perPage, offset: page.offset })
      return collection(rows.map(messageOnWire), page, total, null)
    },
  )

  app.get(
    '/api/messages/:id',
    {
      // A mail may hold a link by which its reader acts for the person.
      config: { scope: 'write' },
      schema: {
        tags: ['Mail'],
        operationId: 'getMessage',
        summary: 'One mail with what it says',
        params: Type.Object({ id: Type.String() }),
        response: { 200: Type.Object({ data: WholeMessage }) },
      },
    },
    async (request) => {
      const id = parseUuid(request.params.id)
      if (id === null) throw notFound()
      const row = await findMessage(db, request.caller.accountId, id)
      const { to = null, subject = null, html = null, text = null } = openLetter(keyring, row.content) ?? {}
      return { data: { ...messageOnWire(row), to, subject, html, text } }
    },
  )
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database, Trx } from '../../db/database.ts'
import { type Caller, includesScope } from '../../http/caller.ts'
import type { Change } from '../../http/change.ts'
import { type Cursors, collection, Nullable, NumberedPages, PageOf, PagingQuery, pageOf } from '../../http/paging.ts'
import { notFound } from '../../lib/app-error.ts'
import { parseContactRef } from '../../lib/contact-ref.ts'
import { displayEmail } from '../../lib/email.ts'
import { parseUuid } from '../../lib/ids.ts'
import type { Keyring } from '../../lib/secret.ts'
import { findAccount } from '../accounts/accounts.ts'
import { contactNamed } from '../activity/contact-named.ts'
import { CONFIRM_REQUEST } from './built-in.ts'
import { openLetter } from './letter.ts'
import { type MailRoom, shownBase } from './mail-room.ts'
import { countMessages, findMessage, type ListedMessage, listMessages, PHASES } from './messages.ts'
import { headersOf } from './outbound.ts'
import { PARTS, render, undefinedIn, type Variables } from './render.ts'
import { sampleLinks } from './sample-links.ts'
import {
  createTemplate,
  deleteTemplate,
  findTemplate,
  isBuiltIn,
  listTemplates,
  listVersions,
  type Template,
  updateTemplate,
} from './templates.ts'
import { TEMPLATE_USERS, type TemplateUsers } from './usage.ts'

interface Options {
  db: Database
  change: Change
  keyring: Keyring
  cursors: Cursors
  room: MailRoom
  /** CONFIRMATION_DAYS. */
  days: number
  /** MAIL_FROM. */
  from: string | undefined
  /** What a template may say of a contact. */
  variablesOf: (accountId: number, contactId: string) => Promise<Variables>
  /** What mails a template by itself. */
  usersOf: readonly TemplateUsers[]
  /** Puts a mail that failed on its way again; throws not_found and conflict. */
  retry: (trx: Trx, caller: Caller, id: string) => Promise<void>
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
  built_in: Type.Boolean({ description: 'Comes with the service: deleting it takes it back to how it came.' }),
  ...source,
  updated_at: Nullable(Type.String()),
})
const message = {
  id: Type.String(),
  contact_id: Type.String(),
  email: Type.String({ description: 'The address that the contact has now.' }),
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
  headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() }), {
    description: 'As they go out, before they are encoded; mail servers add more.',
  }),
})
const Params = Type.Object({ name: Type.String() })
const TemplateVersionOnWire = Type.Object({
  version: Type.Integer(),
  actor: Type.String({ description: 'Who saved it: user:ID, token:ID, ….' }),
  created_at: Type.String(),
})

const templateOnWire = ({ at, name, version, subject, html, text }: Template) => ({
  name,
  version,
  built_in: isBuiltIn(name),
  subject,
  html,
  text,
  updated_at: at?.toISOString() ?? null,
})

function messageOnWire({ email, at, sent_at, ...row }: ListedMessage) {
  return {
    ...row,
    email: displayEmail(email),
    created_at: at.toISOString(),
    sent_at: sent_at?.toISOString() ?? null,
  }
}

export const mailRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { db, change, keyring, cursors, room, days, from, variablesOf, usersOf, retry } = options
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
      config: { scope: 'write' },
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
        querystring: Type.Object(
          {
            version: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: 'As it was then.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ data: TemplateOnWire }) },
      },
    },
    async ({ caller: { accountId }, params: { name }, query: { version } }) => ({
      data: templateOnWire(await findTemplate(db, accountId, name, await languageOf(accountId), version)),
    }),
  )

  app.get(
    '/api/templates/:name/versions',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Mail'],
        operationId: 'listTemplateVersions',
        summary: 'The versions that were saved of a template, the latest first',
        params: Params,
        querystring: NumberedPages,
        response: { 200: PageOf(TemplateVersionOnWire) },
      },
    },
    async ({ caller: { accountId }, params: { name }, query }) => {
      const page = pageOf(query)
      const { rows, total } = await listVersions(db, accountId, name, page.perPage, page.offset)
      if (total === 0 && !isBuiltIn(name)) throw notFound()
      const shown = rows.map(({ at, ...row }) => ({ ...row, created_at: at.toISOString() }))
      return collection(shown, page, total, null)
    },
  )

  app.get(
    '/api/templates/:name/usage',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['Mail'],
        operationId: 'getTemplateUsage',
        summary: 'What welcomes people by a template: forms, and the account itself',
        params: Params,
        response: {
          200: Type.Object({
            used_by: Type.Array(
              Type.Object({ kind: Type.Enum([...TEMPLATE_USERS]), id: Type.Integer(), name: Type.String() }),
            ),
          }),
        },
      },
    },
    async ({ caller: { accountId }, params: { name } }) => {
      await findTemplate(db, accountId, name, await languageOf(accountId))
      return { used_by: (await Promise.all(usersOf.map((find) => find(db, accountId, name)))).flat() }
    },
  )

  app.patch(
    '/api/templates/:name',
    {
      config: { scope: 'write' },
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
      config: { scope: 'write' },
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
        description:
          'With subject, html or text these are taken in place of what is saved; with all three there need be no such template yet. Links of the reader are samples, unless variables gives them.',
        params: Params,
        body: Type.Object(
          {
            contact: Type.String({ description: 'Id, address, or ext: and the external id.' }),
            ...Type.Partial(Type.Object(source)).properties,
            variables: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ ...source, undefined_variables: Type.Array(Type.String()) }) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const { contact, variables: own, ...given } = request.body
      const { name, settings } = await findAccount(db, accountId)
      const isWhole = PARTS.every((part) => given[part] !== undefined)
      const saved = isWhole ? undefined : await findTemplate(db, accountId, request.params.name, settings.language)
      const shown = { subject: '', html: '', text: '', ...saved, ...given }
      const { id } = await contactNamed(db, accountId, parseContactRef(contact))
      const variables = {
        ...sampleLinks(request.params.name, shownBase(room), days),
        ...own,
        account: { name, color: settings.color },
        contact: await variablesOf(accountId, id),
      }
      return { ...render(shown, variables), undefined_variables: undefinedIn(shown, variables) }
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
            ...PagingQuery,
            contact: Type.Optional(Type.String({ description: 'Of this contact alone: id, address, ext:….' })),
            phase: Type.Optional(Type.Enum([...PHASES])),
          },
          { additionalProperties: false },
        ),
        response: { 200: PageOf(Message) },
      },
    },
    async (request) => {
      const { accountId } = request.caller
      const page = pageOf(request.query)
      const { contact, phase, cursor } = request.query
      const contactId =
        contact === undefined ? undefined : (await contactNamed(db, accountId, parseContactRef(contact))).id
      const filter = { contactId, phase }
      const scopeOf = ['messages', accountId, contactId ?? null, phase ?? null]
      const from = cursor === undefined ? undefined : cursors.read(scopeOf, cursor)
      const before = from && String(from[0])
      const [rows, total] = await Promise.all([
        listMessages(db, accountId, filter, { before, limit: page.perPage + 1, offset: from ? 0 : page.offset }),
        from ? Number(from[1]) : countMessages(db, accountId, filter),
      ])
      const shown = rows.slice(0, page.perPage)
      const next = rows.length > page.perPage ? cursors.write(scopeOf, [shown.at(-1)!.id, total]) : null
      return collection(shown.map(messageOnWire), page, total, next)
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
      const { content, ...row } = await findMessage(db, request.caller.accountId, id)
      const letter = openLetter(keyring, content)
      const { to = null } = letter ?? {}
      // The link that answers a request to be erased erases, which is an administrator's alone. Nothing is shown of such a mail, as
      // whoever writes its template may hide the link from whatever looks for it.
      const isShown = row.template !== CONFIRM_REQUEST || includesScope(request.grant?.scopes ?? [], 'admin')
      const { subject = null, html = null, text = null } = (isShown && letter) || {}
      const headers = isShown && letter ? headersOf(id, from, letter) : []
      return { data: { ...messageOnWire(row), to, subject, html, text, headers } }
    },
  )

  app.post(
    '/api/messages/:id/retry',
    {
      config: { scope: 'write' },
      schema: {
        tags: ['Mail'],
        operationId: 'retryMessage',
        summary: 'Send a mail again that failed',
        description: 'The same mail with the same links; its tries begin anew. Not where what it says is over by now.',
        params: Type.Object({ id: Type.String() }),
        response: { 200: Type.Object({ data: Message }) },
      },
    },
    (request, reply) => {
      const id = parseUuid(request.params.id)
      if (id === null) throw notFound()
      return change(request, reply, async (trx) => {
        await retry(trx, request.caller, id)
        const { content: _, ...row } = await findMessage(trx, request.caller.accountId, id)
        return { status: 200, body: { data: messageOnWire(row) } }
      })
    },
  )
}
